"""What a flush of many new documents keeps of them: their BSON, which is a fifth of what dicts take.

The log keeps what was sent until the transaction ends, so that it can be sent again. Dicts of 100,000 documents are more
than the objects themselves, so from `MANY` on they are encoded while they are worked out, some at once, and the driver
passes that on as it is. Past a budget the log lets go of what was sent, and the unit can no longer be repeated.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Any

import bson
from bson.raw_bson import RawBSONDocument

from boundwork.models.bson_types import CODEC_OPTIONS, REFUSALS
from boundwork.uow.changes import Insertion
from boundwork.uow.commands import BulkWrite, InsertOne

MANY = 1000
TOGETHER = 50
INSERT_BUDGET_BYTES = 256 * 1024 * 1024
_RAW: Any = CODEC_OPTIONS.with_options(document_class=RawBSONDocument)  # Any: it changes the type of what is decoded


def packed(insertions: Iterator[Insertion]) -> Iterator[Insertion]:
    """Iterate over insertions with BSON in place of their stored forms; InvalidDocument for what BSON cannot hold."""
    while chunk := list(islice(insertions, TOGETHER)):
        for insertion, raw in zip(chunk, _encoded(chunk), strict=True):
            insertion.stored = raw
            yield insertion


def _encoded(chunk: list[Insertion]) -> list[RawBSONDocument]:
    """Return the BSON of some documents; one call of the encoder for all costs less than one for each."""
    try:
        together = bson.encode({"": [insertion.stored for insertion in chunk]}, codec_options=CODEC_OPTIONS)
    except REFUSALS:
        return [RawBSONDocument(_alone(insertion), _RAW) for insertion in chunk]
    raws: list[RawBSONDocument] = RawBSONDocument(together, _RAW)[""]
    return raws


def _alone(insertion: Insertion) -> bytes:
    mapper, stored = insertion.mapper, insertion.stored
    try:
        return bson.encode(stored, codec_options=CODEC_OPTIONS)
    except REFUSALS:
        refusal = mapper.refusal(insertion.document.id, dict(stored))
        if refusal is None:
            raise
        raise refusal from None


def size_of(bulk: BulkWrite) -> int:
    """Return how many bytes of new documents a bulk of many writes holds."""
    inserted = (write.document for write in bulk.writes if isinstance(write, InsertOne))
    return sum(len(document.raw) for document in inserted if isinstance(document, RawBSONDocument))
