"""What the units around an independent one hold, where it stands in its way.

The units around it wait until it has ended, and what they have written or locked stays locked until they end. So a
conflict with one of them cannot pass by waiting, and is no rival's doing.
"""

from collections.abc import Hashable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from boundwork.errors import NestedUnitOfWork
from boundwork.models.identity import identity_key
from boundwork.uow.commands import BulkWrite, DeleteMany, InsertOne, UpdateMany, UpsertOne
from boundwork.uow.failures import SessionFailure
from boundwork.uow.log import LockRecord, WriteRecord

if TYPE_CHECKING:
    from boundwork.uow.unit import Unit

WRITE_CONFLICT = 112


def refuse_hopeless(unit: "Unit", failure: SessionFailure) -> None:
    """Raise NestedUnitOfWork if a write met one of a unit around this one, named by the document that both write."""
    if not unit.around or failure.code != WRITE_CONFLICT:
        return
    wanted = dict(_identities([*_written(unit), *unit.writing]))
    for outer in unit.around:
        for identity, (collection, stored_id) in _identities(_written(outer)):
            if identity in wanted:
                raise NestedUnitOfWork(
                    f"The independent unit {unit.name} was to write document {stored_id!r} of collection "
                    f"{collection!r}, which the unit {outer.name} around it has written or locked. That one waits for "
                    "this one to end, so this one was rolled back instead of waiting. Write the document in one of "
                    "the two, or commit the outer unit before.",
                ) from failure.__cause__


def note_units_around(unit: "Unit", failure: SessionFailure, error: BaseException) -> None:
    """Note on the error of a conflict that it may be one with a unit around this one."""
    names = [outer.name for outer in unit.around if outer.session.foreign or any(_written(outer))]
    if names and failure.code == WRITE_CONFLICT:
        error.add_note(
            f"The other writer may be the unit around this one ({', '.join(names)}): what it has written itself or by "
            "calls of the driver stays locked until it ends.",
        )


def _written(unit: "Unit") -> Iterator[BulkWrite]:
    for record in unit.workspace.log.records:
        if isinstance(record, WriteRecord):
            yield from record.bulks
        elif isinstance(record, LockRecord):
            yield record.bulk


def _identities(bulks: Iterable[BulkWrite]) -> Iterator[tuple[tuple[str, Hashable], tuple[str, Any]]]:
    for bulk in bulks:
        for write in bulk.writes:
            if isinstance(write, UpdateMany | DeleteMany):  # nobody knows which documents
                continue
            stored_id = write.document["_id"] if isinstance(write, InsertOne | UpsertOne) else write.filter["_id"]
            yield (bulk.collection, identity_key(stored_id)), (bulk.collection, stored_id)
