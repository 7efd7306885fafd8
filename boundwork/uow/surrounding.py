"""What the units around an independent one hold, where it stands in its way.

The units around it wait until it has ended, and what they have written or locked stays locked until they end. So a
conflict with one of them cannot pass by waiting, and is no rival's doing. Documents that were written by their ids are
known; where a condition chose them on one of the sides, the database is asked whether there is one for both.
"""

from collections.abc import Hashable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from boundwork.errors import NestedUnitOfWork
from boundwork.models.bson_types import decode_all
from boundwork.models.identity import identity_key
from boundwork.uow.commands import (
    BulkWrite,
    DeleteMany,
    Find,
    FindAndUpdate,
    InsertOne,
    UpdateMany,
    UpdateOne,
    UpsertOne,
)
from boundwork.uow.failures import SessionFailure
from boundwork.uow.log import ChangeRecord, LockRecord, WriteRecord

if TYPE_CHECKING:
    from boundwork.uow.unit import Unit

WRITE_CONFLICT = 112
LOOK_SECONDS = 5.0


async def refuse_hopeless(unit: "Unit", failure: SessionFailure) -> None:
    """Raise NestedUnitOfWork if a write met one of a unit around this one, named by the document that both write."""
    if not unit.around or failure.code != WRITE_CONFLICT:
        return
    wanted = dict(_identities([*_written(unit), *unit.writing]))
    for outer in unit.around:
        held = list(_written(outer))
        for identity, (collection, stored_id) in _identities(held):
            if identity in wanted:
                raise _hopeless(unit, outer, collection, stored_id) from failure.__cause__
        for collection in {bulk.collection for bulk in held}:
            both = _conditions(held, collection), _conditions(unit.writing, collection)
            if all(both) and any(map(_chosen, (*held, *unit.writing))):
                met = await _met(unit, collection, [{"$or": each} for each in both])
                if met is not None:
                    raise _hopeless(unit, outer, collection, met) from failure.__cause__


def _hopeless(unit: "Unit", outer: "Unit", collection: str, stored_id: object) -> NestedUnitOfWork:
    return NestedUnitOfWork(
        f"The independent unit {unit.name} was to write document {stored_id!r} of collection "
        f"{collection!r}, which the unit {outer.name} around it has written or locked. That one waits for "
        "this one to end, so this one was rolled back instead of waiting. Write the document in one of "
        "the two, or commit the outer unit before.",
    )


async def _met(unit: "Unit", collection: str, conditions: list[Mapping[str, Any]]) -> object:
    """Return the id of a document that meets all conditions, as all others see it now; None if there is none."""
    command = Find(collection, {"$and": conditions}, limit=1, projection={"_id": 1})
    try:
        found = decode_all(b"".join(await unit.session.find_aside(command, LOOK_SECONDS)))
    except SessionFailure:
        return None
    return found[0]["_id"] if found else None


def _chosen(bulk: BulkWrite) -> bool:
    return any(isinstance(write, UpdateMany | DeleteMany) for write in bulk.writes)


def _conditions(bulks: Iterable[BulkWrite], collection: str) -> list[Mapping[str, Any]]:
    """Return conditions of which each document that the bulks write in a collection meets one."""
    some = [bulk for bulk in bulks if bulk.collection == collection]
    chosen = [write for bulk in some for write in bulk.writes if isinstance(write, UpdateMany | DeleteMany)]
    ids = [stored_id for _, (_, stored_id) in _identities(some)]
    return [*({"_id": {"$in": ids}} for _ in ids[:1]), *(dict(write.filter) for write in chosen)]


def note_units_around(unit: "Unit", failure: SessionFailure, error: BaseException) -> None:
    """Note on the error of a conflict that it may be one with a unit around this one."""
    names = [outer.name for outer in unit.around if outer.session.foreign or any(_written(outer))]
    if names and failure.code == WRITE_CONFLICT:
        error.add_note(
            f"The other writer may be the unit around this one ({', '.join(names)}): what it has written itself or by "
            "calls of the driver stays locked until it ends.",
        )


def _written(unit: "Unit") -> Iterator[BulkWrite]:
    if not unit.is_open:
        return
    for record in unit.workspace.log.records:
        if isinstance(record, WriteRecord):
            yield from record.bulks
        elif isinstance(record, LockRecord):
            yield record.bulk
        elif isinstance(record, ChangeRecord) and record.stored_id is not None:
            yield BulkWrite(record.command.collection, (UpdateOne({"_id": record.stored_id}, {}),))


def one_of_those(command: FindAndUpdate) -> BulkWrite:
    """Return, for what writes one document that a condition chooses, the write of all that it might be."""
    return BulkWrite(command.collection, (UpdateMany(command.filter, command.update),))


def _identities(bulks: Iterable[BulkWrite]) -> Iterator[tuple[tuple[str, Hashable], tuple[str, Any]]]:
    for bulk in bulks:
        for write in bulk.writes:
            if isinstance(write, UpdateMany | DeleteMany):  # nobody knows which documents
                continue
            stored_id = write.document["_id"] if isinstance(write, InsertOne | UpsertOne) else write.filter["_id"]
            yield (bulk.collection, identity_key(stored_id)), (bulk.collection, stored_id)
