"""How a unit locks what it reads: by writes that leave everything as it was.

MongoDB locks a document when it is written, and a write that changes nothing is none. So a field is set and unset
again: the bytes stay the same, and every other writer of the document conflicts until the transaction ends. Lock and
read are sent as one operation. If it meets a conflict, only what the program was given before is verified; the first
operation of a unit has nothing to verify and just tries again.
"""

from collections.abc import Hashable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

import bson

from boundwork.errors import BoundworkError, TransactionFailed
from boundwork.models.fields import SCRATCH
from boundwork.models.identity import identity_key
from boundwork.models.mapper import Mapper
from boundwork.uow.commands import BulkWrite, Find, UpdateOne, UpsertOne
from boundwork.uow.committing import commit
from boundwork.uow.failures import FailureKind, SessionFailure
from boundwork.uow.reporting import public_error

if TYPE_CHECKING:
    from boundwork.uow.unit import Unit

LOCKS = "boundwork_locks"
"""The collection of the named locks; each is a document whose `_id` is the name."""


async def lock_and_find(
    unit: "Unit", mapper: Mapper[Any], stored_ids: Iterable[Any], command: Find | None
) -> list[bytes]:
    """Lock the documents that have these ids, and return what a query for them finds; None asks for nothing.

    They are locked in the order of their ids, so that units which lock the same ones do so in the same order.
    """
    locks = _locks(unit, mapper, stored_ids)
    if locks is None and command is None:
        return []

    async def work() -> list[bytes]:
        if locks is not None:
            await unit.write([locks])
        return [] if command is None else await unit.session.find(command)

    batches = await unit.send(work, _explain)
    _record(unit, mapper, locks)
    if command is not None:
        unit.workspace.log.found(command, batches, mapper.model.__name__)
    return batches


async def find_and_lock(unit: "Unit", mapper: Mapper[Any], command: Find) -> list[bytes]:
    """Return what a query finds, and lock it."""
    locks: BulkWrite | None = None

    async def work() -> list[bytes]:
        nonlocal locks
        batches = await unit.session.find(command)
        locks = _locks(unit, mapper, (stored["_id"] for batch in batches for stored in mapper.decode(batch)))
        if locks is not None:
            await unit.write([locks])
        return batches

    batches = await unit.send(work, _explain)
    unit.workspace.log.found(command, batches, mapper.model.__name__)
    _record(unit, mapper, locks)
    return batches


async def lock_name(unit: "Unit", name: str) -> None:
    """Lock a name for the rest of the transaction, against the units that lock the same one."""
    unit.check()
    if not name:
        raise ValueError("A lock needs a name.")
    if unit.scopes is not None:
        name = unit.scopes.named(name)
    log = unit.workspace.log
    if (LOCKS, name) in log.locked:
        return
    bulk = BulkWrite(LOCKS, (UpsertOne({"_id": name}), UpdateOne({"_id": name}, {"$inc": {"taken": 1}})))

    async def work() -> None:
        first = not log.records and not unit.session.foreign
        [result] = await unit.write([bulk])
        if first and result.upserted:
            # Rivals that make the same collection meet in their commits only, which is too late to try again freely.
            await commit(unit.session, unit.settings.commit_seconds)
            await unit.session.begin()
            await unit.write([bulk])

    await unit.send(work)
    log.took(bulk, [(LOCKS, name)])


def _locks(unit: "Unit", mapper: Mapper[Any], stored_ids: Iterable[Any]) -> BulkWrite | None:
    wanted = sorted(_unlocked(unit, mapper.collection, stored_ids), key=_order)
    if not wanted:
        return None
    filters = [{"_id": stored_id, **mapper.kind_filter} for stored_id in wanted]
    updates: tuple[dict[str, Any], ...] = ({"$set": {SCRATCH: 1}}, {"$unset": {SCRATCH: ""}})
    return BulkWrite(mapper.collection, tuple(UpdateOne(each, update) for each in filters for update in updates))


def _unlocked(unit: "Unit", collection: str, stored_ids: Iterable[Any]) -> Iterator[Any]:
    """Iterate over the ids of documents that this transaction has neither locked nor made."""
    work = unit.workspace
    for stored_id in stored_ids:
        key = identity_key(stored_id)
        made = id(work.known.current(collection, key)) in work.pending.born
        if not made and (collection, key) not in work.log.locked:
            yield stored_id


def _order(stored_id: Any) -> bytes:
    return bson.encode({"": stored_id})


def _record(unit: "Unit", mapper: Mapper[Any], locks: BulkWrite | None) -> None:
    if locks is not None:
        unit.workspace.log.took(locks, _identities(mapper.collection, locks))


def _identities(collection: str, locks: BulkWrite) -> Iterator[tuple[str, Hashable]]:
    for write in locks.writes:
        if isinstance(write, UpdateOne):
            yield collection, identity_key(write.filter["_id"])


def _explain(failure: SessionFailure) -> BoundworkError:
    if failure.kind is not FailureKind.INVALID_DOCUMENT:
        return public_error(failure)
    return TransactionFailed(
        f"The validator of collection {failure.collection!r} refused a lock, which sets the field {SCRATCH!r} for a "
        "moment. The unit was rolled back: nothing was written. Allow the field in the validator; it is never stored.",
        code=failure.code,
        labels=failure.labels,
    )
