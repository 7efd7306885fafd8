"""What can be asked of a database and its revisions: upgrade, downgrade, resume, stamp, resolve, and where it stands.

Written once for both colours. What is done needs the lease; what is only read does not. Every revision of a path is
prepared before the first one runs, so a mistake in the last file is met before anything is written.
"""

import logging
from collections.abc import Generator, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import dataclass
from typing import Literal, Protocol

from boundwork.alembic_like_migrations.engine import lease, ledger
from boundwork.alembic_like_migrations.engine.errors import DatabaseDirty, NothingToResume, RevisionTampered
from boundwork.alembic_like_migrations.engine.heartbeat import Pulse
from boundwork.alembic_like_migrations.engine.ledger import Direction, Ledger, Record
from boundwork.alembic_like_migrations.engine.program import Program, prepare
from boundwork.alembic_like_migrations.engine.runner import Runner, Watcher
from boundwork.alembic_like_migrations.engine.server import Server
from boundwork.alembic_like_migrations.errors import MigrationError
from boundwork.alembic_like_migrations.graph import Graph
from boundwork.alembic_like_migrations.revision import Revision
from boundwork.alembic_like_migrations.steps.step import Irreversible
from boundwork.uow.failures import FailureKind, SessionFailure
from boundwork.uow.reporting import public_error

logger = logging.getLogger("boundwork.migrations")


class Keep(Protocol):
    """What keeps a lease while a block runs: of either colour."""

    def __call__(self, taken: lease.Lease, /) -> AbstractAsyncContextManager[Pulse]:
        """Return the manager for a lease."""
        ...


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a database stands: the applied revisions in order, those half-done, and those whose file has changed."""

    applied: tuple[str, ...]
    tips: tuple[str, ...]
    half_done: tuple[Record, ...]
    tampered: tuple[str, ...]


@dataclass(slots=True)
class Work:
    """The revisions of a project and a database that they are applied to."""

    graph: Graph
    server: Server
    watcher: Watcher
    keep: Keep
    lease_seconds: float = 30.0
    patience: float = 0.0
    batch_seconds: float = 1.0

    async def standing(self) -> Standing:
        """Read where the database stands; needs no lease."""
        records = await self._records()
        applied = frozenset(revision for revision, record in records.items() if record.applied)
        changed = [one for one in self.graph if one.revision in applied and _differs(one, records[one.revision])]
        return Standing(
            applied=tuple(one.revision for one in self.graph if one.revision in applied),
            tips=self.graph.tips(applied),
            half_done=tuple(record for record in records.values() if record.direction is not None),
            tampered=tuple(one.revision for one in changed),
        )

    async def upgrade(self, target: str = "head") -> tuple[str, ...]:
        """Apply what is missing up to a target and return it, in order."""
        return await self._go("up", target)

    async def downgrade(self, target: str) -> tuple[str, ...]:
        """Revert what came after a target and return it, in order."""
        return await self._go("down", target)

    async def resume(self) -> tuple[str, ...]:
        """End what was left half-done, each revision in the direction that it was going."""
        async with self._holding() as runner:
            records = await self._records()
            begun = [one for one in self.graph if one.revision in records and records[one.revision].direction]
            if not begun:
                raise NothingToResume
            programs = [prepare(revision) for revision in begun]
            for program in programs:
                record = records[program.revision.revision]
                if record.direction is not None:
                    self._refuse_tampered([program.revision], records)
                    await runner.run(program, record.direction, record)
            return tuple(one.revision for one in begun)

    async def stamp(self, target: str) -> tuple[str, ...]:
        """Note that the database stands at a target, without running anything, and return what counts as applied."""
        wanted = self.graph.stamped(target)
        async with self._holding():
            records, book = await self._records(), Ledger(self.server)
            for revision in records.keys() - wanted:
                await book.remove(revision)
            for one in self.graph:
                if one.revision in wanted:
                    await book.put(Record(one.revision, "applied", one.checksum, stamped=True))
        return tuple(one.revision for one in self.graph if one.revision in wanted)

    async def resolve(self, name: str, state: Literal["applied", "reverted"]) -> None:
        """Decide by hand what a half-done revision is."""
        (revision,) = self.graph.resolve(name)
        async with self._holding():
            if state == "reverted":
                await Ledger(self.server).remove(revision)
            else:
                await Ledger(self.server).put(Record(revision, "applied", self.graph[revision].checksum, stamped=True))

    async def unlock(self) -> str | None:
        """Take the lease away from whoever has it, and return who that was."""
        with _explained():
            return await lease.unlock(self.server)

    async def _go(self, direction: Direction, target: str) -> tuple[str, ...]:
        async with self._holding() as runner:
            records = await self._records()
            path = self._path(direction, target, records)
            programs = [prepare(revision) for revision in path]
            self._refuse_irreversible(direction, programs)
            for program in programs:
                await runner.run(program, direction, records.get(program.revision.revision))
            return tuple(program.revision.revision for program in programs)

    def _path(self, direction: Direction, target: str, records: dict[str, Record]) -> Sequence[Revision]:
        """Return what is to be run; a downgrade that failed may be tried again, as nothing else may."""
        begun = [revision for revision, record in records.items() if record.direction not in {None, direction}]
        if direction == "up":
            begun += [revision for revision, record in records.items() if record.direction == "up"]
        if begun:
            raise DatabaseDirty(begun)
        applied = frozenset(revision for revision, record in records.items() if record.applied)
        if direction == "down":
            return self.graph.downgrade_path(applied, target)
        self._refuse_tampered(self.graph, records)
        return self.graph.upgrade_path(applied, target)

    def _refuse_tampered(self, revisions: Iterable[Revision], records: dict[str, Record]) -> None:
        changed = [
            one.revision for one in revisions if one.revision in records and _differs(one, records[one.revision])
        ]
        if changed:
            raise RevisionTampered(changed)

    def _refuse_irreversible(self, direction: Direction, programs: Sequence[Program]) -> None:
        for program in programs:
            if direction == "down" and program.down is None:
                raise Irreversible(program.revision.revision, program.why_not_down or "it has no down()")

    async def _records(self) -> dict[str, Record]:
        with _explained():
            return await ledger.read(self.server)

    def _holding(self) -> "_Holding":
        return _Holding(self)


class _Holding:
    """Takes the lease, keeps it, and gives it back."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._lease: lease.Lease
        self._kept: AbstractAsyncContextManager[Pulse]

    async def __aenter__(self) -> Runner:
        work = self._work
        with _explained():
            self._lease = await lease.acquire(work.server, work.lease_seconds, work.patience)
        self._kept = work.keep(self._lease)
        pulse = await self._kept.__aenter__()
        return Runner(work.server, work.watcher, pulse.check, work.batch_seconds)

    async def __aexit__(self, *_: object) -> None:
        await self._kept.__aexit__(None, None, None)
        try:
            await self._lease.release()
        except SessionFailure as failure:
            logger.warning("the lease of the migrations was not given back, it ends by itself: %s", failure)


def _differs(revision: Revision, record: Record) -> bool:
    return revision.checksum != record.checksum


@contextmanager
def _explained() -> Generator[None]:
    """Raise the public error of a failure that no step had."""
    try:
        yield
    except SessionFailure as failure:
        if failure.kind in {FailureKind.UNREACHABLE, FailureKind.LOGIN}:
            raise public_error(failure) from failure.__cause__
        raise MigrationError(f"The migrations could not be looked up: {failure}. Try again.") from failure.__cause__
