"""What a migration asks of a database: commands of their own, and transactions that only the holder of the lease commits.

A transaction touches the fence first. Whoever takes the lease over moves the fence to a higher epoch, so of a runner
that was paused and wakes up no transaction commits any more. One whose outcome is unknown, or that met a passing
failure or the end of its time, is repeated: it reads where the step stands before it does anything.
"""

import random
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic
from typing import Any, TypeVar

from boundwork.alembic_like_migrations.engine.errors import LeaseLost, StandaloneServer
from boundwork.alembic_like_migrations.engine.passing import passes, refusal
from boundwork.errors import CommitOutcomeUnknown
from boundwork.uow import committing
from boundwork.uow.ensuring import StructureSession
from boundwork.uow.failures import FailureKind, SessionFailure
from boundwork.uow.port import BoundSession, SessionFactory
from boundwork.uow.waits import wait_before

ResultT = TypeVar("ResultT")
LEDGER = "boundwork_migrations"
FENCE = "fence"
COMMIT_SECONDS = 30.0
PATIENCE_SECONDS = 120.0
"""How long passing failures are met with another try: longer than a transaction of a process that is gone lives (60 s)."""

OVERTAKING_TRIES = 5
MAX_TIME_EXPIRED = 50
LIFETIME_EXCEEDED = 290
LOCK_TIMEOUT = 24


@dataclass(slots=True)
class Server:
    """A database that is migrated; `epoch` is that of the lease, 0 without one.

    Whoever takes a lease gets a server of its own, so that no other runner of the program can lend it a later epoch.
    """

    structure: StructureSession
    sessions: SessionFactory
    epoch: int = 0
    lock_seconds: float = 3.0
    lock_tries: int = 20

    async def command(self, command: Mapping[str, Any]) -> Mapping[str, Any]:
        """Send a command outside of transactions and return the reply. Raises SessionFailure."""
        return await self.structure.command(command)

    async def all(self, command: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        """Send a command that answers with a cursor, and return everything."""
        cursor: Any = (await self.command(command))["cursor"]
        found = list(cursor["firstBatch"])
        while cursor["id"]:
            collection = cursor["ns"].partition(".")[2]
            cursor = (await self.command({"getMore": cursor["id"], "collection": collection}))["cursor"]
            found += cursor["nextBatch"]
        return found

    async def change_structure(self, command: Mapping[str, Any]) -> Mapping[str, Any]:
        """Send a command that takes exclusive locks, giving up quickly and trying again.

        Whatever waits for such a lock makes all later operations on the collection wait behind it.
        """
        tries = 0
        while True:
            await self.still_holding()
            try:
                return await self.command({**command, "maxTimeMS": round(self.lock_seconds * 1000)})
            except SessionFailure as failure:
                tries += 1
                if failure.code not in {MAX_TIME_EXPIRED, LOCK_TIMEOUT} or tries >= self.lock_tries:
                    raise
                await self._pause(random.uniform(0.5, 1.5) * self.lock_seconds)  # noqa: S311 - only spreads the tries

    async def still_holding(self) -> None:
        """Raise LeaseLost if another runner has the lease: no transaction stops a change of structure then."""
        if self.epoch:
            await self.fenced(_nothing)

    async def patiently(self, work: Callable[[], Awaitable[ResultT]], seconds: float) -> ResultT:
        """Do what may be done twice, again and again for some seconds while what fails passes by itself."""
        deadline, tries = monotonic() + seconds, 0
        while True:
            try:
                return await work()
            except SessionFailure as failure:
                if not passes(failure) or monotonic() >= deadline:
                    raise
            tries += 1
            await self._pause(wait_before(tries))

    async def fenced(self, work: Callable[[BoundSession], Awaitable[ResultT]]) -> ResultT:
        """Do something in a transaction that commits only while the lease is this runner's.

        `work` may be called several times, each time in a new transaction. Raises LeaseLost, and Refused for
        what does not pass by itself.
        """
        deadline, tries = monotonic() + PATIENCE_SECONDS, 0
        while True:
            try:
                return await self._once(work)
            except CommitOutcomeUnknown:
                if monotonic() >= deadline:
                    raise
            except SessionFailure as failure:
                if failure.kind is FailureKind.NO_TRANSACTIONS:
                    raise StandaloneServer from failure.__cause__
                # Time is up for a batch that was too much, which is halved now, or because the server or we stood still.
                passing = failure.transient or failure.code == LIFETIME_EXCEEDED
                if not passing or monotonic() >= deadline:
                    raise refusal(failure) from failure.__cause__
            tries += 1
            await self._pause(wait_before(tries))

    async def _once(self, work: Callable[[BoundSession], Awaitable[ResultT]]) -> ResultT:
        session = self.sessions()
        await session.open()
        try:
            try:
                await self._touch_fence(session)
                result = await work(session)
                await committing.commit(session, COMMIT_SECONDS)
            except Exception:
                with suppress(SessionFailure):
                    await session.abort()
                raise
            except BaseException:
                await _overtake(session)
                raise
        finally:
            try:
                await session.unbind()
            finally:
                await session.close()
        return result

    async def _touch_fence(self, session: BoundSession) -> None:
        touch = {"q": {"_id": FENCE, "epoch": self.epoch}, "u": {"$inc": {"touched": 1}}}
        reply = await session.command({"update": LEDGER, "updates": [touch]})
        if not reply["n"]:
            raise LeaseLost(self.epoch)

    async def _pause(self, seconds: float) -> None:
        await self.sessions().pause(seconds)


async def _nothing(_: BoundSession) -> None:
    """Do nothing but touch the fence."""


async def _overtake(session: BoundSession) -> None:
    """Abort a transaction that was interrupted, so that the next holder need not wait until the server gives it up."""

    async def persistently() -> None:
        for number in range(1, OVERTAKING_TRIES):
            try:
                await session.overtake()
            except SessionFailure:  # the driver drops the connection of a command that was interrupted
                await session.pause(wait_before(number))
            else:
                return

    with suppress(SessionFailure):
        await session.outlast(persistently)
