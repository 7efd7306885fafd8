"""Which document of a flush is larger than the server allows.

Neither the driver nor the server names it in a bulk, and the server refuses one that is just over the limit as a bad
value. Documents are measured only after a failure.
"""

from collections.abc import Iterable
from typing import Any

import bson
from bson.binary import UuidRepresentation
from bson.codec_options import CodecOptions

from boundwork.errors import TransactionFailed
from boundwork.uow.changes import Change, Insertion, Removal
from boundwork.uow.failures import FailureKind, SessionFailure
from boundwork.uow.flush_plan import PlannedBulk, PlannedWrite

LIMIT = 16 * 1024 * 1024
BAD_VALUE = 2
OPTIONS: CodecOptions[dict[str, Any]] = CodecOptions(uuid_representation=UuidRepresentation.STANDARD)


def too_large(
    failure: SessionFailure, refused: PlannedWrite | None, bulks: list[PlannedBulk]
) -> TransactionFailed | None:
    """Return the error that names the document, where one is the reason of a failure; `refused` is what failed."""
    if failure.kind is not FailureKind.TOO_LARGE and failure.code != BAD_VALUE:
        return None
    writes = [planned for bulk in bulks for planned in bulk.writes] if refused is None else [refused]
    change, size = _largest(planned.change for planned in writes)
    if change is None or size <= LIMIT:
        return None
    return TransactionFailed(
        f"{named(change)} of collection {change.mapper.collection!r} is larger than the server allows: {size:,} bytes, "
        f"where {LIMIT:,} is the most. The unit was rolled back: nothing was written. Divide it into several documents.",
        code=failure.code,
        labels=failure.labels,
    )


def named(change: Change) -> str:
    """Return model and id of a changed document, and where it was added."""
    origin = change.origin if isinstance(change, Insertion) else None
    came = f" (added at {origin})" if origin else ""
    return f"{change.mapper.model.__name__} {change.id!r}{came}"


def _largest(changes: Iterable[Change]) -> tuple[Change | None, int]:
    largest, most = None, 0
    for change in changes:
        size = _size(change)
        if size > most:
            largest, most = change, size
    return largest, most


def _size(change: Change) -> int:
    if isinstance(change, Removal):
        return 0
    stored = change.stored if isinstance(change, Insertion) else change.mapper.encode(change.document)
    return len(bson.encode(stored, codec_options=OPTIONS))
