"""How steps read and write documents in the transaction of a batch: byte by byte, in commands that the server takes."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bson import encode
from bson.binary import UuidRepresentation
from bson.codec_options import CodecOptions, DatetimeConversion
from bson.raw_bson import RawBSONDocument

from boundwork.uow.commands import Find
from boundwork.uow.port import BoundSession

LARGEST_COMMAND = 12 * 1024 * 1024
"""The server takes commands of 16 MB and a little more; one that holds a single large document may be larger than this."""

EXACT: CodecOptions[RawBSONDocument] = CodecOptions(
    document_class=RawBSONDocument,
    uuid_representation=UuidRepresentation.STANDARD,
    datetime_conversion=DatetimeConversion.DATETIME_MS,
)
"""What is decoded so is encoded as it was."""
_LISTS = {"insert": "documents", "update": "updates", "delete": "deletes"}


async def read_in_order(session: BoundSession, collection: str, ids: Sequence[Any]) -> list[bytes]:
    """Return the documents with these ids as BSON, in the order of their ids."""
    if not ids:
        return []
    found = await session.find(Find(collection, {"_id": {"$in": list(ids)}}, sort=(("_id", 1),)))
    return [one for batch in found for one in split(batch)]


async def send(session: BoundSession, word: str, collection: str, parts: Sequence[Mapping[str, Any]]) -> int:
    """Send an insert, update or delete in as many commands as it needs, and return how many documents it changed."""
    changed = 0
    for chunk in _chunks(parts):
        reply = await session.command({word: collection, _LISTS[word]: chunk})
        changed += int(reply["nModified"] if word == "update" else reply["n"])
    return changed


def raw(document: Mapping[str, Any]) -> RawBSONDocument:
    """Return a document as BSON."""
    if isinstance(document, RawBSONDocument):
        return document
    return RawBSONDocument(encode(document, codec_options=EXACT), EXACT)


def split(batch: bytes) -> Iterator[bytes]:
    """Yield the documents of concatenated BSON."""
    at = 0
    while at < len(batch):
        end = at + int.from_bytes(batch[at : at + 4], "little")
        yield batch[at:end]
        at = end


def _chunks(parts: Sequence[Mapping[str, Any]]) -> Iterator[list[RawBSONDocument]]:
    chunk: list[RawBSONDocument] = []
    size = 0
    for part in map(raw, parts):
        size += len(part.raw)
        if chunk and size > LARGEST_COMMAND:
            yield chunk
            chunk, size = [], len(part.raw)
        chunk.append(part)
    if chunk:
        yield chunk
