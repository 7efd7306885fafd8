"""How the documents of a reply are taken out of it without decoding them.

PyMongo makes an object of each document of a batch, to join their bytes again; on a large result that is a tenth of what
loading costs. A batch is an array in a document, and both begin with their length. A reply of another form is read by
PyMongo.
"""

from struct import Struct
from typing import Any

from bson.raw_bson import RawBSONDocument

PART = 65_536
"""Bytes of documents that are joined: what one part leaves is still in the processor's cache for the next."""
BATCHES = (b"\x04firstBatch\0", b"\x04nextBatch\0")
DOCUMENT = 3
HEAD = 4


def found_in(reply: Any) -> list[bytes]:
    """Return the documents of a reply, concatenated in parts."""
    raw = bytes(reply["cursor"].raw)
    start, _ = _batch(raw)
    return _parts(raw, start) if start else [bytes(document.raw) for document in _inflated(reply)]


def cursor_of(reply: Any) -> Any:
    """Return the id of the cursor that has more; 0 if that was all."""
    raw = bytes(reply["cursor"].raw)
    start, end = _batch(raw)
    if not start:
        return reply["cursor"]["id"]
    return RawBSONDocument((len(raw) - end + HEAD).to_bytes(HEAD, "little") + raw[end:])["id"]


def _inflated(reply: Any) -> list[RawBSONDocument]:
    cursor = reply["cursor"]
    return list(cursor["firstBatch"] if "firstBatch" in cursor else cursor["nextBatch"])


def _batch(raw: bytes) -> tuple[int, int]:
    """Return where the first document of a batch begins and where the batch ends; zeros if it is not the first field."""
    for name in BATCHES:
        if raw.startswith(name, HEAD):
            start = HEAD + len(name)
            return start + HEAD, start + int.from_bytes(raw[start : start + HEAD], "little")
    return 0, 0


def _parts(raw: bytes, place: int) -> list[bytes]:
    """Return the documents of an array that begins at a place: each after a byte for its type, and its index."""
    length = Struct("<i").unpack_from
    parts: list[bytes] = []
    documents: list[bytes] = []
    size = 0
    while raw[place] == DOCUMENT:
        start = raw.index(0, place) + 1
        place = start + length(raw, start)[0]
        documents.append(raw[start:place])
        size += place - start
        if size >= PART:
            parts.append(b"".join(documents))
            documents, size = [], 0
    if documents:
        parts.append(b"".join(documents))
    return parts
