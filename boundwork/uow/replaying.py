"""How a unit gets over a transient failure: the same transaction again, and the same answers.

The recorded reads and writes are repeated in their order, in a new transaction of the same session, and each reply is
compared with the first one. If all are equal the unit goes on as if it had begun at the newer snapshot, so this is
snapshot isolation, and the body runs once. A difference is StaleDocument. What boundwork did not record cannot be
repeated: then the failure is the program's to meet. A server that a unit has reached is waited for; one that it has not
is waited for by the driver alone.
"""

import logging
from collections.abc import Callable
from hashlib import blake2b
from time import monotonic
from typing import TYPE_CHECKING

from boundwork.errors import BoundworkError, StaleDocument, TransientFailure
from boundwork.uow.commands import Aggregate, Count, Distinct, Read
from boundwork.uow.failures import FailureKind, SessionFailure
from boundwork.uow.log import ChangeRecord, LockRecord, ReadRecord, StreamRecord, WriteRecord, digest
from boundwork.uow.misses import changed_reading
from boundwork.uow.port import Batches
from boundwork.uow.reporting import public_error
from boundwork.uow.row_order import comparable
from boundwork.uow.surrounding import note_units_around, refuse_hopeless
from boundwork.uow.waits import wait_before

if TYPE_CHECKING:
    from boundwork.uow.unit import Unit

REPEATED_BATCH = 1000
logger = logging.getLogger("boundwork.unit")


class Recovery:
    """The attempts to get one operation of a unit over transient failures."""

    def __init__(self, unit: "Unit", explain: Callable[[SessionFailure], BoundworkError] = public_error) -> None:
        """Begin with the first failure; the time allowed runs from there. `explain` makes the error of a failure."""
        self._unit = unit
        self._explain = explain
        self._deadline: float | None = None
        self._tries = 0

    async def after(self, failure: SessionFailure) -> None:
        """Bring the unit to where it was before the operation that failed; the operation is to be sent again.

        Raises the public error of the failure if the unit cannot be repeated or the time is over, and
        StaleDocument if a read gives another answer than the first time.
        """
        while self._may_repeat(failure):
            await refuse_hopeless(self._unit, failure)
            self._tries += 1
            await self._unit.session.pause(wait_before(self._tries))
            try:
                await _repeat(self._unit)
            except SessionFailure as again:
                failure = again
            else:
                self._unit.receipt.replays += 1
                return
        await refuse_hopeless(self._unit, failure)
        error = self._final(failure)
        note_units_around(self._unit, failure, error)
        raise error from failure.__cause__

    async def restart(self) -> None:
        """Do the recorded commands again because the transaction was given up; raises like `after`."""
        if self._unit.session.foreign or not self._unit.workspace.log.repeatable:
            raise BoundworkError(
                "The unit cannot be repeated: it holds commands that are not in its log, or reads that differ by themselves."
            )
        try:
            await _repeat(self._unit)
        except SessionFailure as failure:
            await self.after(failure)

    def _may_repeat(self, failure: SessionFailure) -> bool:
        if self._deadline is None:
            self._deadline = monotonic() + self._unit.settings.replay_seconds
        reached = bool(self._tries or self._unit.workspace.log.records)
        return (
            failure.transient
            and (failure.kind is not FailureKind.UNREACHABLE or reached)
            and monotonic() < self._deadline
            and not self._unit.session.foreign
            and self._unit.workspace.log.repeatable
        )

    def _final(self, failure: SessionFailure) -> BoundworkError:
        if self._tries and not failure.transient:
            return TransientFailure(
                f"The unit met a transient failure and could not be repeated: {failure.kind.value}. "
                "It was rolled back: nothing was written. Run it again (run or attempts).",
                code=failure.code,
                labels=failure.labels,
            )
        return self._explain(failure)


async def _repeat(unit: "Unit") -> None:
    """Do the recorded reads and writes again in a new transaction."""
    session = unit.session
    try:
        await session.abort()
    except SessionFailure as failure:
        logger.debug("unit %s: the abort before a replay failed: %s", unit.name, failure)
    await session.begin()
    for record in unit.workspace.log.records:
        if isinstance(record, LockRecord):
            await session.write([record.bulk])
        elif isinstance(record, WriteRecord):
            if await session.write(record.bulks) != list(record.results):
                raise _stale(record.bulks[0].collection, None)
        elif isinstance(record, ChangeRecord):
            if digest(await session.find_and_update(record.command)) != record.seen:
                raise _stale(record.about, None)
        elif not await _same(unit, record):
            raise _stale(record.about, _id_of(record.command))


def _id_of(command: Read) -> object:
    """Return the id that a read asked for, None if it asked for others."""
    wanted = None if isinstance(command, Aggregate) else command.filter.get("_id")
    return None if isinstance(wanted, dict) else wanted


async def _same(unit: "Unit", record: ReadRecord | StreamRecord) -> bool:
    """Tell whether a read gives the same answer; StaleDocument if a version tells which document has changed."""
    command, session = record.command, unit.session
    if isinstance(record, StreamRecord):
        return await _streamed(await session.stream(record.command, REPEATED_BATCH)) == record.seen
    if isinstance(command, Count):
        return await session.count(command) == record.seen
    if isinstance(command, Distinct):
        return digest(sorted(await session.distinct(command))) == record.seen
    if isinstance(command, Aggregate):
        return digest(comparable(command, await session.aggregate(command))) == record.seen
    batches = await session.find(command)
    if digest(batches) == record.seen:
        return True
    error = changed_reading(unit, command, batches)
    if error is not None:
        raise error
    return False


async def _streamed(batches: Batches) -> bytes:
    """Return the digest of a stream without ever holding more than a batch."""
    summary = blake2b(digest_size=16)
    while (batch := await batches.next()) is not None:
        summary.update(batch)
    return summary.digest()


def _stale(about: str, document_id: object) -> StaleDocument:
    if document_id is not None:
        return StaleDocument.of(about, about, document_id)
    return StaleDocument(
        f"What the unit read of {about} has changed since. Nothing was written. Re-run the block (run or attempts).",
    )
