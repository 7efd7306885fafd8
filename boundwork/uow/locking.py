"""How a unit locks what it reads: by writes that leave everything as it was.

MongoDB locks a document when it is written, and a write that changes nothing is none. So a field is set and unset
again: the bytes stay the same, and every other writer of the document conflicts until the transaction ends. Lock and
read are sent as one operation. If it meets a conflict, only what the program was given before is verified; the first
operation of a unit has nothing to verify and just tries again.
"""

from collections.abc import Hashable, Iterable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import bson

from boundwork.errors import BoundworkError, TransactionFailed
from boundwork.models import Document
from boundwork.models.fields import SCRATCH
from boundwork.models.identity import identity_key
from boundwork.models.mapper import Mapper
from boundwork.uow.commands import BulkWrite, Find, UpdateOne, UpsertOne
from boundwork.uow.committing import commit
from boundwork.uow.failures import FailureKind, SessionFailure
from boundwork.uow.reporting import public_error
from boundwork.uow.unique_claims import value_at

if TYPE_CHECKING:
    from boundwork.uow.unit import Unit

Stored = dict[str, Any]

LOCKS = "boundwork_locks"
"""The collection of the named locks; each is a document whose `_id` is the name."""


async def lock_and_find(
    unit: "Unit", mapper: Mapper[Any], stored_ids: Iterable[Any], command: Find | None
) -> list[bytes]:
    """Lock the documents that have these ids, and return what a query for them finds; None asks for nothing.

    They are locked in the order of their ids, so that units which lock the same ones do so in the same order.
    """
    if mapper.fixed is not None and mapper.fixed.shard_key:
        return await _find_and_lock(unit, mapper, command, _known(unit, mapper, stored_ids))
    locks = _locks(unit, mapper, ({"_id": stored_id} for stored_id in stored_ids))
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
    return await _find_and_lock(unit, mapper, command, [])


async def _find_and_lock(
    unit: "Unit", mapper: Mapper[Any], command: Find | None, known: Sequence[Stored]
) -> list[bytes]:
    """Return what a query finds, and lock it together with what is known already.

    A lock names the shard key of its document, so what is not known has to be read first.
    """
    locks: BulkWrite | None = None

    async def work() -> list[bytes]:
        nonlocal locks
        batches = [] if command is None else await unit.session.find(command)
        found = (_naming(mapper, each) for batch in batches for each in mapper.decode(batch))
        locks = _locks(unit, mapper, (*known, *found))
        if locks is not None:
            await unit.write([locks])
        return batches

    if command is None and _locks(unit, mapper, known) is None:
        return []
    batches = await unit.send(work, _explain)
    if command is not None:
        unit.workspace.log.found(command, batches, mapper.model.__name__)
    _record(unit, mapper, locks)
    return batches


def _known(unit: "Unit", mapper: Mapper[Any], stored_ids: Iterable[Any]) -> list[Stored]:
    """Return the filters of those documents that the present transaction knows."""
    work = unit.workspace
    known = ((each, work.known.current(mapper.collection, identity_key(each))) for each in stored_ids)
    return [work.pending.naming(document, each) for each, document in known if isinstance(document, Document)]


def _naming(mapper: Mapper[Any], stored: Stored) -> Stored:
    key = {} if mapper.fixed is None else mapper.fixed.key(partial(value_at, stored))
    return {"_id": stored["_id"], **key}


async def lock_name(unit: "Unit", name: str) -> None:
    """Lock a name for the rest of the transaction, against the units that lock the same one."""
    unit.check()
    kind: type[object] = type(name)
    if str not in kind.__mro__:  # an object would be a condition on ids, whatever it says that it is
        raise TypeError(f"A lock is named by a str, and {type(name).__name__} was given.")
    name = str.__str__(name)
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


def _locks(unit: "Unit", mapper: Mapper[Any], named: Iterable[Stored]) -> BulkWrite | None:
    wanted = sorted(_unlocked(unit, mapper.collection, named), key=_order)
    if not wanted:
        return None
    filters = [{**name, **mapper.kind_filter} for name in wanted]
    updates: tuple[dict[str, Any], ...] = ({"$set": {SCRATCH: 1}}, {"$unset": {SCRATCH: ""}})
    return BulkWrite(mapper.collection, tuple(UpdateOne(each, update) for each in filters for update in updates))


def _unlocked(unit: "Unit", collection: str, named: Iterable[Stored]) -> Iterator[Stored]:
    """Iterate over the filters of documents that this transaction has neither locked nor made."""
    work = unit.workspace
    for name in named:
        key = identity_key(name["_id"])
        made = id(work.known.current(collection, key)) in work.pending.born
        if not made and (collection, key) not in work.log.locked:
            yield name


def _order(name: Stored) -> bytes:
    return bson.encode({"": name["_id"]})


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
