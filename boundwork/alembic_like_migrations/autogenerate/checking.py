"""What is compared with what: the models with the revisions, and a database with the revisions that it says it has.

Written once for both colours. Each side is made or read on the same server, so what is compared is what that server
makes of it.
"""

from collections.abc import Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

from boundwork.alembic_like_migrations.autogenerate.changes import changes
from boundwork.alembic_like_migrations.autogenerate.differences import Difference, differences
from boundwork.alembic_like_migrations.autogenerate.forms import Structure
from boundwork.alembic_like_migrations.autogenerate.reflecting import reflect
from boundwork.alembic_like_migrations.autogenerate.replaying import Replayed, replay
from boundwork.alembic_like_migrations.autogenerate.scratch import Scratch
from boundwork.alembic_like_migrations.autogenerate.words import Change
from boundwork.alembic_like_migrations.engine import ledger
from boundwork.alembic_like_migrations.engine.adopting import seen_by
from boundwork.alembic_like_migrations.engine.server import Server
from boundwork.alembic_like_migrations.errors import MigrationError, UnknownApplied
from boundwork.alembic_like_migrations.graph import Graph
from boundwork.alembic_like_migrations.revision import Revision
from boundwork.models import Document
from boundwork.models.structure.declared import DeclaredCollection
from boundwork.models.structure.gathering import declared_structure
from boundwork.uow.ensuring import ensure
from boundwork.uow.failures import FailureKind, SessionFailure
from boundwork.uow.reporting import public_error

Models = Iterable[type[Document[Any]]]
Against = Literal["revisions", "database"]


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check found: how the models differ from all revisions, and the database from those applied to it."""

    models: tuple[Difference, ...]
    database: tuple[Difference, ...]
    pending: tuple[str, ...]

    @property
    def clean(self) -> bool:
        """Tell whether nothing differs; revisions may be pending."""
        return not self.models and not self.database


@contextmanager
def explained() -> Generator[None]:
    """Raise the public error for what the server did not do."""
    try:
        yield
    except SessionFailure as failure:
        if failure.kind in {FailureKind.UNREACHABLE, FailureKind.LOGIN}:
            raise public_error(failure) from failure.__cause__
        raise MigrationError(f"The structure could not be compared: {failure}. Try again.") from failure.__cause__


@dataclass(frozen=True, slots=True)
class Comparing:
    """A database, the revisions of a project, and where scratch databases are made."""

    server: Server
    scratch: Scratch
    graph: Graph

    async def check(self, models: Models | None) -> Checked:
        """Compare the models with the replay of all revisions, and the database with the replay of the applied ones."""
        with explained():
            return await self._check(models)

    async def _check(self, models: Models | None) -> Checked:
        declared = declared_structure(models)
        await self.scratch.clean()
        seen = seen_by(self.graph, await ledger.read(self.server))
        unknown = sorted(seen.applied - frozenset(one.revision for one in seen))
        if unknown:
            raise UnknownApplied(unknown)
        everything = await self._replayed(list(self.graph))
        applied = [one for one in seen if one.revision in seen.applied]
        made = everything if applied == list(self.graph) else await self._replayed(applied)
        wanted = await self._declared(declared)
        live = await reflect(self.server)
        return Checked(
            models=differences(wanted, _without_views(everything.structure)),
            database=differences(made.structure, made.beside(live)),
            pending=tuple(one.revision for one in seen if one.revision not in seen.applied),
        )

    async def changes(
        self, models: Models | None, after: str = "head", against: Against = "revisions", *, drop: bool = False
    ) -> tuple[Change, ...]:
        """Return what turns the structure after a revision, or that of the database, into the one of the models."""
        declared = declared_structure(models)
        with explained():
            await self.scratch.clean()
            found = await reflect(self.server) if against == "database" else (await self._after(after)).structure
            return changes(await self._declared(declared), _without_views(found), drop=drop)

    async def _after(self, name: str) -> Replayed:
        wanted = self.graph.stamped(name) if len(self.graph) else frozenset[str]()
        return await self._replayed([one for one in self.graph if one.revision in wanted])

    async def _replayed(self, revisions: Iterable[Revision]) -> Replayed:
        async with self.scratch.database() as server:
            return await replay(server, revisions)

    async def _declared(self, declared: tuple[DeclaredCollection, ...]) -> Structure:
        async with self.scratch.database() as server:
            await ensure(server.structure, declared, update=False)
            return await reflect(server)


def _without_views(structure: Structure) -> Structure:
    """Leave out views: models cannot declare them, so revisions alone say what they are."""
    return {name: form for name, form in structure.items() if form.kind != "view"}
