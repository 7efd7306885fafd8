"""`Migrator` and `AsyncMigrator`: what the command line can do, from a program.

Migrator(client["shop"], "migrations").upgrade()
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from boundwork.alembic_like_migrations.engine.heartbeat import kept_by_task, kept_by_thread
from boundwork.alembic_like_migrations.engine.runner import Unwatched, Watcher
from boundwork.alembic_like_migrations.engine.server import Server
from boundwork.alembic_like_migrations.engine.work import Standing, Work
from boundwork.alembic_like_migrations.files import read_folder
from boundwork.alembic_like_migrations.graph import Graph
from boundwork.alembic_like_migrations.revision import Revision
from boundwork.uow.run_sync import run_sync
from boundwork.uow.sessions.choice import (
    asynchronous_sessions,
    asynchronous_structure,
    synchronous_sessions,
    synchronous_structure,
)

Revisions = str | Path | Iterable[Revision]


class Migrator:
    """The revisions of a folder and a database that they are applied to."""

    def __init__(  # noqa: PLR0913 - one choice each, all by keyword
        self,
        database: object,
        revisions: Revisions,
        *,
        watcher: Watcher | None = None,
        lease_seconds: float = 30.0,
        patience: float = 0.0,
        batch_seconds: float = 1.0,
    ) -> None:
        """Prepare; nothing is asked of the database yet.

        `patience` is how many seconds another runner is waited for; a batch of documents takes about `batch_seconds`.
        """
        server = Server(synchronous_structure(database), synchronous_sessions(database))
        self._work = Work(
            _graph(revisions), server, watcher or Unwatched(), kept_by_thread, lease_seconds, patience, batch_seconds
        )

    def standing(self) -> Standing:
        """Return where the database stands."""
        return run_sync(self._work.standing())

    def upgrade(self, target: str = "head") -> tuple[str, ...]:
        """Apply what is missing up to a target and return it, in order."""
        return run_sync(self._work.upgrade(target))

    def downgrade(self, target: str) -> tuple[str, ...]:
        """Revert what came after a target and return it, in order."""
        return run_sync(self._work.downgrade(target))

    def resume(self, *, changed: bool = False) -> tuple[str, ...]:
        """End what was left half-done and return it; `changed` permits mended files. Raises NothingToResume."""
        return run_sync(self._work.resume(changed=changed))

    def stamp(self, target: str) -> tuple[str, ...]:
        """Note that the database stands at a target, without running anything, and return what counts as applied."""
        return run_sync(self._work.stamp(target))

    def resolve(self, revision: str, state: Literal["applied", "reverted"]) -> None:
        """Decide by hand what a half-done revision is."""
        run_sync(self._work.resolve(revision, state))

    def unlock(self) -> str | None:
        """Take the lease away from whoever has it, and return who that was."""
        return run_sync(self._work.unlock())


class AsyncMigrator:
    """The revisions of a folder and a database of an asynchronous client that they are applied to."""

    def __init__(  # noqa: PLR0913 - one choice each, all by keyword
        self,
        database: object,
        revisions: Revisions,
        *,
        watcher: Watcher | None = None,
        lease_seconds: float = 30.0,
        patience: float = 0.0,
        batch_seconds: float = 1.0,
    ) -> None:
        """Prepare; nothing is asked of the database yet.

        `patience` is how many seconds another runner is waited for; a batch of documents takes about `batch_seconds`.
        """
        server = Server(asynchronous_structure(database), asynchronous_sessions(database))
        self._work = Work(
            _graph(revisions), server, watcher or Unwatched(), kept_by_task, lease_seconds, patience, batch_seconds
        )

    async def standing(self) -> Standing:
        """Return where the database stands."""
        return await self._work.standing()

    async def upgrade(self, target: str = "head") -> tuple[str, ...]:
        """Apply what is missing up to a target and return it, in order."""
        return await self._work.upgrade(target)

    async def downgrade(self, target: str) -> tuple[str, ...]:
        """Revert what came after a target and return it, in order."""
        return await self._work.downgrade(target)

    async def resume(self, *, changed: bool = False) -> tuple[str, ...]:
        """End what was left half-done and return it; `changed` permits mended files. Raises NothingToResume."""
        return await self._work.resume(changed=changed)

    async def stamp(self, target: str) -> tuple[str, ...]:
        """Note that the database stands at a target, without running anything, and return what counts as applied."""
        return await self._work.stamp(target)

    async def resolve(self, revision: str, state: Literal["applied", "reverted"]) -> None:
        """Decide by hand what a half-done revision is."""
        await self._work.resolve(revision, state)

    async def unlock(self) -> str | None:
        """Take the lease away from whoever has it, and return who that was."""
        return await self._work.unlock()


def _graph(revisions: Revisions) -> Graph:
    return Graph(read_folder(Path(revisions)) if isinstance(revisions, str | Path) else revisions)
