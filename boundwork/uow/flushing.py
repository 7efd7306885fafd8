"""How pending changes reach the server: checked, ordered, sent, and verified by their counts.

A document that an earlier transaction of the unit read is compared with the database before it is written, so that
a change that somebody committed in between is never overwritten.
"""

from collections.abc import Collection, Hashable
from functools import partial
from typing import TYPE_CHECKING, Any

from boundwork.errors import BoundworkError, DuplicateKey
from boundwork.models.bson_types import MISSING
from boundwork.models.difference import same
from boundwork.models.hydration import paused
from boundwork.models.identity import identity_key
from boundwork.uow.changes import Alteration, Change, Insertion, Removal
from boundwork.uow.commands import BulkResult, Find, UniqueKey, UpsertOne
from boundwork.uow.failures import SessionFailure
from boundwork.uow.flush_plan import PlannedBulk, PlannedWrite, by_collection, may_contend, planned
from boundwork.uow.misses import check_counts, deleted_here, stale
from boundwork.uow.reporting import write_error
from boundwork.uow.savepoints import begin_again, untouched
from boundwork.uow.unique_claims import value_at

if TYPE_CHECKING:
    from boundwork.uow.unit import Unit


async def flush(unit: "Unit") -> None:
    """Send the pending changes of a unit; a failure dooms it and names the document."""
    work = unit.workspace
    if work.is_clean:
        return
    if not unit.leaving:
        work.pending.watch_held()
    changes = work.pending.changes()
    if not changes:
        return
    moves, bulks = work.pending.moves, await _plan(unit, changes)
    while moves != work.pending.moves:  # another task has added or removed something while the server was asked
        work.pending.watch_held()
        moves, bulks = work.pending.moves, await _plan(unit, work.pending.changes())
    if not bulks:
        return
    outer_only = untouched(unit) if unit.savepoints else []
    work.pending.flushed()  # before it is sent: what changes while the reply is awaited belongs to the next flush
    await check_counts(unit, bulks, await _send(unit, bulks))
    for bulk in bulks:
        work.staged.count(bulk, work.pending.altered)
    begin_again(work, outer_only)


async def _plan(unit: "Unit", changes: list[Change]) -> list[PlannedBulk]:
    """Return how changes are sent; StaleDocument if one of the documents must not be written."""
    if unit.workspace.pending.gone:
        _refuse_vanished(unit, changes)
    if unit.scopes is not None:
        unit.scopes.check(changes)
    groups, bulks = by_collection(changes), list[PlannedBulk]()
    for collection, group in groups.items():
        await _guard(unit, collection, group)
    for collection, group in groups.items():
        keys = await _unique_keys(unit, collection, group)
        bulks.append(paused(len(group), planned, collection, group, keys))
    return bulks


def _refuse_vanished(unit: "Unit", changes: list[Change]) -> None:
    """Raise StaleDocument if a document was changed that the present transaction found deleted, or deleted itself."""
    for change in changes:
        if isinstance(change, Alteration) and (entry := unit.workspace.pending.vanished(change.document)) is not None:
            raise deleted_here(unit, change) if entry.here else stale(unit, change, None)


async def insert_if_absent(unit: "Unit", insertion: Insertion) -> bool:
    """Insert a document at once unless its id is taken; a failure dooms the unit and names the document."""
    fixed, stored = insertion.mapper.fixed, insertion.stored
    upsert = UpsertOne(stored) if fixed is None else UpsertOne(stored, fixed.key(partial(value_at, stored)))
    bulk = PlannedBulk(insertion.mapper.collection, [PlannedWrite(upsert, insertion)])
    results = await _send(unit, [bulk])
    return bool(results[0].upserted)


async def _send(unit: "Unit", bulks: list[PlannedBulk]) -> list[BulkResult]:
    commands = [paused(len(bulk.writes), bulk.command) for bulk in bulks]

    def explain(failure: SessionFailure) -> BoundworkError:
        error = write_error(failure, bulks)
        if isinstance(error, DuplicateKey):
            unit.settings.unique_keys.forget(error.collection)
        return error

    results = await unit.send(partial(unit.write, commands), explain)
    unit.workspace.log.wrote(commands, results)
    return results


async def _unique_keys(unit: "Unit", collection: str, changes: list[Change]) -> tuple[UniqueKey, ...]:
    if not may_contend(changes):
        return ()
    keys = unit.settings.unique_keys
    known = keys.known(collection)
    return await unit.send(lambda: keys.of(collection, unit.session)) if known is None else known


def _guarded(unit: "Unit", collection: str, changes: list[Change]) -> dict[Hashable, Alteration | Removal]:
    """Return the changes of documents that the present transaction has not read, by identity."""
    known = unit.workspace.known
    has_earlier = known.has_earlier(collection)
    guarded: dict[Hashable, Alteration | Removal] = {}
    for change in changes:
        if isinstance(change, Removal):
            if change.guarded:
                guarded[identity_key(change.id)] = change
        elif has_earlier and isinstance(change, Alteration):
            key = identity_key(change.id)
            if known.earlier(collection, key) is not None:
                guarded[key] = change
    return guarded


def _naming(changes: Collection[Alteration | Removal]) -> dict[str, Any]:
    """Return the filter for the documents of changes; where they have a shard key, each with its own."""
    keys = [None if change.mapper.fixed is None else change.mapper.fixed.key(change.before) for change in changes]
    if not any(keys):
        return {"_id": {"$in": [change.id for change in changes]}}
    named = [{"_id": change.id, **(key or {})} for change, key in zip(changes, keys, strict=True)]
    return named[0] if len(named) == 1 else {"$or": named}


async def _guard(unit: "Unit", collection: str, changes: list[Change]) -> None:
    """Raise StaleDocument if a document is not as an earlier transaction of the unit read or left it."""
    guarded = _guarded(unit, collection, changes)
    if not guarded:
        return
    command = Find(collection, _naming(guarded.values()))
    batches = await unit.send(lambda: unit.session.find(command))
    mapper = next(iter(guarded.values())).mapper
    unit.workspace.log.found(command, batches, mapper.model.__name__)
    found = {identity_key(stored["_id"]): stored for batch in batches for stored in mapper.decode(batch)}
    for key, change in guarded.items():
        stored = found.get(key)
        if stored is None:
            raise stale(unit, change, None)
        present = change.mapper.encode(change.mapper.load(dict(stored)))
        fields = present.keys() | change.mapper.encode(change.document).keys()
        if not all(same(change.before(name), present.get(name, MISSING)) for name in fields):
            raise stale(unit, change, stored)
        if isinstance(change, Alteration):
            unit.workspace.known.keep(collection, key, change.document)
