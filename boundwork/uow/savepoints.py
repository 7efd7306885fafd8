"""Nested units as savepoints, on a server that has none.

A savepoint keeps what the documents and the pending work were. If it fails, the objects go back to that, and nothing
else has to happen as long as its writes were still pending. If some were sent, the transaction is given up and the
outer part of the log is repeated in a new one, with every read verified, those of the savepoint as well; what the
savepoint locked is locked again, since it was read. A flush before the savepoint has changed anything sends the work of
the outer part alone, and belongs to that. To undo is impossible where the savepoint has read what it had written itself, where it wrote by a set-based operation, whose answer
cannot be verified without doing it, or where the transaction holds calls of the driver
that nobody recorded: then the unit is doomed, and says so.
"""

import logging
from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from boundwork.errors import BoundworkError
from boundwork.models import Document
from boundwork.models.identity import identity_key
from boundwork.models.kinds import is_dict
from boundwork.models.touched import Changes, Frame
from boundwork.uow.commands import Aggregate, BulkWrite, DeleteMany, InsertOne, UpdateMany, UpsertOne
from boundwork.uow.log import ChangeRecord, LockRecord, Record, WriteRecord
from boundwork.uow.receipt import Receipt
from boundwork.uow.states import State

if TYPE_CHECKING:
    from boundwork.uow.identity_map import Known
    from boundwork.uow.pending import Entry, Pending
    from boundwork.uow.unit import Unit
    from boundwork.uow.workspace import Workspace

logger = logging.getLogger("boundwork.unit")
ALONE = "A nested unit failed, and its part of the transaction cannot be undone alone:"


@dataclass(slots=True)
class Savepoint:
    """What a unit was when a savepoint began."""

    frames: dict[int, tuple[Changes, Frame]]
    pending: "Pending"
    moves: int
    staged: Receipt
    recorded: int
    hooks: int


def begin(work: "Workspace", hooks: int) -> Savepoint:
    """Return a savepoint; it costs what the unit has touched so far."""
    frames = {identity: (changes, changes.frame()) for identity, changes in work.tracker.touched.items()}
    pending = work.pending
    return Savepoint(frames, pending.copy(), pending.moves, copy(work.staged), len(work.log.records), hooks)


def untouched(unit: "Unit") -> list[Savepoint]:
    """Return the open savepoints since whose beginning nothing was changed, on the server or in the objects."""
    return [savepoint for savepoint in unit.savepoints if is_untouched(unit.workspace, savepoint)]


def begin_again(work: "Workspace", savepoints: list[Savepoint]) -> None:
    """Let savepoints that were untouched begin after a flush, which sent nothing but the work of the outer part."""
    for savepoint in savepoints:
        savepoint.frames = {key: (changes, changes.frame()) for key, (changes, _) in savepoint.frames.items()}
        savepoint.pending, savepoint.moves = work.pending.copy(), work.pending.moves
        savepoint.staged, savepoint.recorded = copy(work.staged), len(work.log.records)


def is_untouched(work: "Workspace", savepoint: Savepoint | None) -> bool:
    """Tell whether nothing was changed since a savepoint began, or with None in the whole transaction."""
    recorded, frames = (0, {}) if savepoint is None else (savepoint.recorded, savepoint.frames)
    pending = work.pending
    moved = bool(pending.added or pending.removed) if savepoint is None else savepoint.moves != pending.moves
    if moved or any(map(_writes, work.log.records[recorded:])):
        return False
    return all(
        frames[key][1].contents.holds() if key in frames else changes.is_as_it_was()
        for key, changes in list(work.tracker.touched.items())
    )


def _writes(record: Record) -> bool:
    return isinstance(record, WriteRecord | ChangeRecord)


async def undo(unit: "Unit", savepoint: Savepoint) -> BoundworkError | None:
    """Undo what was done since a savepoint began, in the objects and, if it was sent, on the server.

    Where that is impossible the unit is doomed, and the reason is returned.
    """
    work = unit.workspace
    del unit.hooks.registered[savepoint.hooks :]
    _rewind(work, savepoint)
    inner = work.log.records[savepoint.recorded :]
    if unit.state is State.UNSETTLED:
        return None
    if unit.session.foreign:
        return _doomed(unit, "the transaction holds calls of the driver that are not in its log.")
    if unit.state is not State.DOOMED and not any(map(_writes, inner)):
        return None
    if any(map(_is_set_based, inner)):
        return _doomed(unit, "it had sent a set-based operation, whose answer cannot be verified without it.")
    if not _verifiable(inner):
        return _doomed(unit, "it had read what it had written itself, by a query or a count.")
    work.log.records[savepoint.recorded :] = [record for record in inner if not isinstance(record, WriteRecord)]
    return await unit.restart()


def _doomed(unit: "Unit", why: str) -> BoundworkError:
    error = BoundworkError(f"{ALONE} {why}")
    unit.doom(error)
    return error


def tell_doomed(unit: "Unit", why: BoundworkError, error: BaseException | None) -> None:
    """Say where a nested unit is left that this has doomed the whole unit: in the log, and on what leaves it."""
    logger.warning("unit %s: doomed, because a nested unit could not be undone alone: %s", unit.name, why)
    if error is not None:
        error.add_note(f"The whole unit of work {unit.name} is doomed by this: {why}")


def _rewind(work: "Workspace", savepoint: Savepoint) -> None:
    work.tracker.rewind(savepoint.frames)
    for changes, frame in savepoint.frames.values():
        work.tracker.resume(changes)
        changes.restore(frame)
    before, now = savepoint.pending, work.pending
    for entry in now.new_since(before):
        work.tracker.detach(entry.document)
        work.known.forget(entry.mapper.collection, entry.key, entry.document)
    for entry, present in before.standing(now):
        if isinstance(present, Document) and present is not entry.document:
            work.tracker.detach(entry.document)
            work.known.keep(entry.mapper.collection, entry.key, present)
            continue
        work.tracker.attach(entry.document)
        identity = id(entry.document)
        vanished = entry.vanished and identity not in before.lost
        _let_go_of_another(work, entry, present)
        _know(work, entry, present, unread=entry.guarded and (vanished or identity in now.removed))
    work.pending.take(before)
    work.staged = savepoint.staged


def _let_go_of_another(work: "Workspace", entry: "Entry", present: "Known | None") -> None:
    """Let go of what was read while an added document of the same id was withdrawn: that one stands for the id again."""
    other = work.known.current(entry.mapper.collection, entry.key)
    if isinstance(present, Document) and isinstance(other, Document) and other is not present:
        work.tracker.detach(other)


def _know(work: "Workspace", entry: "Entry", present: "Known | None", *, unread: bool) -> None:
    """Know of a document what was known; `unread` says that the present transaction has not read it."""
    collection = entry.mapper.collection
    if present is None:
        work.known.forget(collection, entry.key, entry.document)
    elif unread and isinstance(present, Document):
        work.known.keep_earlier(collection, entry.key, present)
    else:
        work.known.keep(collection, entry.key, present)


def _is_set_based(record: Record) -> bool:
    if isinstance(record, WriteRecord):
        return any(isinstance(write, UpdateMany | DeleteMany) for bulk in record.bulks for write in bulk.writes)
    return isinstance(record, ChangeRecord)


def _verifiable(records: list[Record]) -> bool:
    """Tell whether no read can have seen a write that comes before it."""
    written: dict[str, set[object]] = {}
    for record in records:
        if isinstance(record, WriteRecord):
            for bulk in record.bulks:
                written.setdefault(bulk.collection, set()).update(_ids(bulk))
        elif isinstance(record, LockRecord | ChangeRecord):
            continue
        elif isinstance(record.command, Aggregate):
            if written:  # a pipeline may look into any collection
                return False
        elif record.command.collection in written:
            named = _named(record.command.filter)
            if named is None or named & written[record.command.collection]:
                return False
    return True


def _named(condition: Mapping[str, Any]) -> set[object] | None:
    """Return the identities that a filter names; None if it may find other documents."""
    if "_id" not in condition:
        parts = [_named(part) for part in condition.get("$or", ())]
        return set[object]().union(*filter(None, parts)) if parts and None not in parts else None
    wanted = condition["_id"]
    if not is_dict(wanted) or not any(str(name).startswith("$") for name in wanted):
        return {identity_key(wanted)}
    return set(map(identity_key, wanted["$in"])) if wanted.keys() == {"$in"} else None


def _ids(bulk: BulkWrite) -> set[object]:
    return {
        identity_key(write.document["_id"] if isinstance(write, InsertOne | UpsertOne) else write.filter["_id"])
        for write in bulk.writes
    }
