"""How steps read and write documents in the transaction of a batch: byte by byte, in commands that the server takes."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import bson
from bson import Timestamp, encode
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
_PLAIN: CodecOptions[dict[str, Any]] = CodecOptions(
    uuid_representation=UuidRepresentation.STANDARD, datetime_conversion=DatetimeConversion.DATETIME_MS
)
_EMPTY = Timestamp(0, 0)
_EMPTY_BYTES = bytes(8)
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


def replacement(document: RawBSONDocument) -> RawBSONDocument | list[Mapping[str, Any]]:
    """Return the update that makes a stored document this one, byte by byte."""
    data = bytes(document.raw)
    if (b"$" in data or _EMPTY_BYTES in data) and any(_is_odd(name, document[name]) for name in document):
        return [{"$replaceWith": {"$literal": document}}]
    return document


def filled_in(document: RawBSONDocument) -> bool:
    """Tell whether the server changes a document when it is inserted: it fills in timestamps that are empty."""
    return _EMPTY_BYTES in bytes(document.raw) and any(name != "_id" and document[name] == _EMPTY for name in document)


def _is_odd(name: str, value: Any) -> bool:
    """Tell whether a plain replacement refuses a field or fills it in; nothing does that to the literal of a pipeline."""
    return name.startswith("$") or value == _EMPTY


_SIZES = {0x01: 8, 0x07: 12, 0x08: 1, 0x09: 8, 0x0A: 0, 0x10: 4, 0x11: 8, 0x12: 8, 0x13: 16}
_LONGER = {0x02: 4, 0x03: 0, 0x05: 5}
_FIRST = b"_id\0"


def id_of(document: RawBSONDocument) -> Any:
    """Return the id of a document without decoding the rest, where it comes first, as it does in stored ones."""
    data = bytes(document.raw)
    kind = data[4]
    size = _SIZES.get(kind)
    if size is None and kind in _LONGER:
        size = _LONGER[kind] + int.from_bytes(data[9:13], "little")
    if size is None or data[5:9] != _FIRST:
        return document["_id"]
    return bson.decode((10 + size).to_bytes(4, "little") + data[4 : 9 + size] + b"\0", _PLAIN)["_id"]  # pyright: ignore[reportUnknownMemberType] - an array of unknown items among the types it reads


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
