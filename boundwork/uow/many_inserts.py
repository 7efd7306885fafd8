"""What a flush of many new documents keeps of them: their BSON, which is a fifth of what dicts take.

The log keeps what was sent until the transaction ends, so that it can be sent again. Dicts of 100,000 documents are more
than the objects themselves, so from `MANY` on each document is encoded as soon as it is worked out, and the driver
passes that on as it is. Past a budget the log lets go of what was sent, and the unit can no longer be repeated.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import bson
from bson.raw_bson import RawBSONDocument

from boundwork.models import Document
from boundwork.models.bson_types import CODEC_OPTIONS, REFUSALS
from boundwork.models.mapper import Mapper
from boundwork.uow.commands import BulkWrite, InsertOne

MANY = 1000
INSERT_BUDGET_BYTES = 256 * 1024 * 1024
_ENCODED: Any = CODEC_OPTIONS.with_options(
    document_class=RawBSONDocument
)  # Any: it changes the type of what is decoded


def encoded(mapper: Mapper[Any], document: Document[Any], stored: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a stored form as its BSON; InvalidDocument for what BSON cannot hold."""
    try:
        return RawBSONDocument(bson.encode(stored, codec_options=CODEC_OPTIONS), _ENCODED)
    except REFUSALS:
        refusal = mapper.refusal(document.id, dict(stored))
        if refusal is None:
            raise
        raise refusal from None


def size_of(bulks: Iterable[BulkWrite]) -> int:
    """Return how many bytes of new documents such bulks hold; small ones are not counted."""
    return sum(
        len(write.document.raw)
        for bulk in bulks
        if len(bulk.writes) >= MANY
        for write in bulk.writes
        if isinstance(write, InsertOne) and isinstance(write.document, RawBSONDocument)
    )
