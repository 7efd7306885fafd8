"""`Migrator` and `AsyncMigrator`: what the command line can do, from a program.

Migrator(client["shop"], "migrations").upgrade()
"""

from collections.abc import Collection
from typing import Literal

from boundwork.alembic_like_migrations.autogenerate import api
from boundwork.alembic_like_migrations.autogenerate.checking import Against, Checked, Models
from boundwork.alembic_like_migrations.autogenerate.rendering import body
from boundwork.alembic_like_migrations.engine.heartbeat import kept_by_task, kept_by_thread
from boundwork.alembic_like_migrations.engine.holding import Keep
from boundwork.alembic_like_migrations.engine.ledger import Direction
from boundwork.alembic_like_migrations.engine.pruning import Pruned, Wanted
from boundwork.alembic_like_migrations.engine.server import Server
from boundwork.alembic_like_migrations.engine.work import Standing
from boundwork.alembic_like_migrations.lazy.finishing import Finished
from boundwork.alembic_like_migrations.planning.plan import Plan
from boundwork.alembic_like_migrations.planning.rehearsal import Mode, Rehearsal, Terms
from boundwork.alembic_like_migrations.planning.scratch import scratch_database
from boundwork.alembic_like_migrations.revising import Revising
from boundwork.alembic_like_migrations.revision import Phase, Revision
from boundwork.uow.run_sync import run_sync
from boundwork.uow.sessions.choice import (
    asynchronous_sessions,
    asynchronous_structure,
    synchronous_sessions,
    synchronous_structure,
)

WORDS = "Migrator", "AsyncMigrator"


class Migrator(Revising):
    """The revisions of a folder and a database that they are applied to."""

    @staticmethod
    def _opened(database: object) -> tuple[Server, Keep]:
        return Server(synchronous_structure(database, WORDS), synchronous_sessions(database)), kept_by_thread

    def standing(self) -> Standing:
        """Return where the database stands."""
        return run_sync(self._work.standing())

    def check(self, models: Models | None = None) -> Checked:
        """Compare models with all revisions, and the database with those applied; None means all imported models.

        Raises ReplayFailed where revisions do not run in an empty database.
        """
        return api.check(self._database, self._work.graph, models)

    def autogenerate(  # noqa: PLR0913 - one choice each
        self,
        message: str,
        models: Models | None = None,
        *,
        after: str = "head",
        phase: Phase | None = None,
        against: Against = "revisions",
        drop: bool = False,
        revision_id: str | None = None,
    ) -> Revision:
        """Write the revision that brings what revisions make, or what the database has, to what models declare."""
        graph = self._work.graph
        found = api.propose(self._database, graph, models, after=after, against=against, drop=drop)
        return self._added(message, after, phase, revision_id, body(found))

    def upgrade(self, target: str = "head", *, phase: Phase | None = None) -> tuple[str, ...]:
        """Apply what is missing up to a target and return it, in order; `phase` leaves out the other phase.

        Raises GateRefused while an instance lives that a contracting revision would break, and PhaseBlocked.
        """
        return run_sync(self._work.upgrade(target, phase))

    def plan(self, target: str = "head", *, direction: Direction = "up", phase: Phase | None = None) -> Plan:
        """Return what an upgrade, or with direction "down" a downgrade, would do; nothing is written."""
        return run_sync(self._work.plan(direction, target, phase))

    def rehearse(self, target: str = "head", *, mode: Mode = "bytes", most: int = 1000) -> Rehearsal:
        """Run an upgrade and its way back in a scratch database, on about `most` documents of each collection.

        The scratch database is dropped afterwards. Documents are compared as bytes, or as "any-order" of their fields.
        """
        beside = scratch_database(self._database, asynchronous=False)
        scratch, _ = self._opened(beside)
        return run_sync(self._work.rehearse(scratch, target, Terms(mode, most)))

    def downgrade(self, target: str) -> tuple[str, ...]:
        """Revert what came after a target and return it, in order."""
        return run_sync(self._work.downgrade(target))

    def resume(self, *, changed: bool = False) -> tuple[str, ...]:
        """End what was left half-done and return it; `changed` permits mended files. Raises NothingToResume."""
        return run_sync(self._work.resume(changed=changed))

    def finish(self, revision: str | None = None, *, changed: bool = False) -> tuple[Finished, ...]:
        """Bring the documents that applied lazy revisions have left, or those of one, under a running application.

        Raises StepFailed naming a document that cannot be upcast, and UpcastChanged unless `changed` permits it.
        """
        return run_sync(self._work.finish(revision, changed=changed))

    def stamp(self, target: str) -> tuple[str, ...]:
        """Note that the database stands at a target, without running anything, and return what counts as applied."""
        return run_sync(self._work.stamp(target))

    def resolve(self, revision: str, state: Literal["applied", "reverted"]) -> None:
        """Decide by hand what a half-done revision is; "applied" also accepts the changed file of an applied one."""
        run_sync(self._work.resolve(revision, state))

    def prune(
        self,
        before: str | None = None,
        *,
        keep: int | None = None,
        only: Collection[str] | None = None,
        dry_run: bool = False,
    ) -> tuple[Pruned, ...]:
        """Remove the undo log of applied revisions before one, or of all but the last `keep`, and return which had one.

        `only` leaves out all others; a dry run only says what would go. What cannot be reverted without is refused then.
        """
        wanted = Wanted(before, keep, only)
        return run_sync(self._work.prune(wanted, dry_run=dry_run))

    def unlock(self) -> str | None:
        """Take the lease away from whoever has it, and return who that was."""
        return run_sync(self._work.unlock())


class AsyncMigrator(Revising):
    """The revisions of a folder and a database of an asynchronous client that they are applied to."""

    @staticmethod
    def _opened(database: object) -> tuple[Server, Keep]:
        return Server(asynchronous_structure(database, WORDS), asynchronous_sessions(database)), kept_by_task

    async def standing(self) -> Standing:
        """Return where the database stands."""
        return await self._work.standing()

    async def check(self, models: Models | None = None) -> Checked:
        """Compare models with all revisions, and the database with those applied; None means all imported models.

        Raises ReplayFailed where revisions do not run in an empty database.
        """
        return await api.check_async(self._database, self._work.graph, models)

    async def autogenerate(  # noqa: PLR0913 - one choice each
        self,
        message: str,
        models: Models | None = None,
        *,
        after: str = "head",
        phase: Phase | None = None,
        against: Against = "revisions",
        drop: bool = False,
        revision_id: str | None = None,
    ) -> Revision:
        """Write the revision that brings what revisions make, or what the database has, to what models declare."""
        graph = self._work.graph
        found = await api.propose_async(self._database, graph, models, after=after, against=against, drop=drop)
        return self._added(message, after, phase, revision_id, body(found))

    async def upgrade(self, target: str = "head", *, phase: Phase | None = None) -> tuple[str, ...]:
        """Apply what is missing up to a target and return it, in order; `phase` leaves out the other phase.

        Raises GateRefused while an instance lives that a contracting revision would break, and PhaseBlocked.
        """
        return await self._work.upgrade(target, phase)

    async def plan(self, target: str = "head", *, direction: Direction = "up", phase: Phase | None = None) -> Plan:
        """Return what an upgrade, or with direction "down" a downgrade, would do; nothing is written."""
        return await self._work.plan(direction, target, phase)

    async def rehearse(self, target: str = "head", *, mode: Mode = "bytes", most: int = 1000) -> Rehearsal:
        """Run an upgrade and its way back in a scratch database, on about `most` documents of each collection.

        The scratch database is dropped afterwards. Documents are compared as bytes, or as "any-order" of their fields.
        """
        beside = scratch_database(self._database, asynchronous=True)
        scratch, _ = self._opened(beside)
        return await self._work.rehearse(scratch, target, Terms(mode, most))

    async def downgrade(self, target: str) -> tuple[str, ...]:
        """Revert what came after a target and return it, in order."""
        return await self._work.downgrade(target)

    async def resume(self, *, changed: bool = False) -> tuple[str, ...]:
        """End what was left half-done and return it; `changed` permits mended files. Raises NothingToResume."""
        return await self._work.resume(changed=changed)

    async def finish(self, revision: str | None = None, *, changed: bool = False) -> tuple[Finished, ...]:
        """Bring the documents that applied lazy revisions have left, or those of one, under a running application.

        Raises StepFailed naming a document that cannot be upcast, and UpcastChanged unless `changed` permits it.
        """
        return await self._work.finish(revision, changed=changed)

    async def stamp(self, target: str) -> tuple[str, ...]:
        """Note that the database stands at a target, without running anything, and return what counts as applied."""
        return await self._work.stamp(target)

    async def resolve(self, revision: str, state: Literal["applied", "reverted"]) -> None:
        """Decide by hand what a half-done revision is; "applied" also accepts the changed file of an applied one."""
        await self._work.resolve(revision, state)

    async def prune(
        self,
        before: str | None = None,
        *,
        keep: int | None = None,
        only: Collection[str] | None = None,
        dry_run: bool = False,
    ) -> tuple[Pruned, ...]:
        """Remove the undo log of applied revisions before one, or of all but the last `keep`, and return which had one.

        `only` leaves out all others; a dry run only says what would go. What cannot be reverted without is refused then.
        """
        wanted = Wanted(before, keep, only)
        return await self._work.prune(wanted, dry_run=dry_run)

    async def unlock(self) -> str | None:
        """Take the lease away from whoever has it, and return who that was."""
        return await self._work.unlock()
