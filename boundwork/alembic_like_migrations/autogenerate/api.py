"""`check` and `propose` in both colours: what differs, and the revision file that would mend it.

check(client["shop"], "migrations", Shop.models).clean
"""

from pathlib import Path

from boundwork.alembic_like_migrations.autogenerate.checking import Against, Checked, Comparing, Models
from boundwork.alembic_like_migrations.autogenerate.scratch import Scratch
from boundwork.alembic_like_migrations.autogenerate.words import Change
from boundwork.alembic_like_migrations.engine.server import Server
from boundwork.alembic_like_migrations.files import read_folder
from boundwork.alembic_like_migrations.graph import Graph
from boundwork.uow.run_sync import run_sync
from boundwork.uow.sessions.choice import (
    asynchronous_sessions,
    asynchronous_structure,
    handle_of,
    sibling,
    synchronous_sessions,
    synchronous_structure,
)

Revisions = str | Path | Graph


def check(database: object, revisions: Revisions, models: Models | None = None) -> Checked:
    """Compare the models with all revisions, and the database with those applied; None means all imported models.

    Raises ReplayFailed where revisions do not run in an empty database.
    """
    return run_sync(_comparing(database, revisions).check(models))


async def check_async(database: object, revisions: Revisions, models: Models | None = None) -> Checked:
    """Compare the models with all revisions, and the database with those applied; None means all imported models.

    Raises ReplayFailed where revisions do not run in an empty database.
    """
    return await _comparing_async(database, revisions).check(models)


def propose(  # noqa: PLR0913 - one choice each
    database: object,
    revisions: Revisions,
    models: Models | None = None,
    *,
    after: str = "head",
    against: Against = "revisions",
    drop: bool = False,
) -> tuple[Change, ...]:
    """Return the changes that bring what revisions make, or what the database has, to what models declare."""
    return run_sync(_comparing(database, revisions).changes(models, after, against, drop=drop))


async def propose_async(  # noqa: PLR0913 - one choice each
    database: object,
    revisions: Revisions,
    models: Models | None = None,
    *,
    after: str = "head",
    against: Against = "revisions",
    drop: bool = False,
) -> tuple[Change, ...]:
    """Return the changes that bring what revisions make, or what the database has, to what models declare."""
    return await _comparing_async(database, revisions).changes(models, after, against, drop=drop)


def _comparing(database: object, revisions: Revisions) -> Comparing:
    handle = handle_of(database, asynchronous=False)

    def opened(name: str) -> Server:
        other = sibling(handle, name)
        return Server(synchronous_structure(other), synchronous_sessions(other))

    server = Server(synchronous_structure(handle), synchronous_sessions(handle))
    return Comparing(server, Scratch(str(handle.name), opened), _graph(revisions))


def _comparing_async(database: object, revisions: Revisions) -> Comparing:
    handle = handle_of(database, asynchronous=True)

    def opened(name: str) -> Server:
        other = sibling(handle, name)
        return Server(asynchronous_structure(other), asynchronous_sessions(other))

    server = Server(asynchronous_structure(handle), asynchronous_sessions(handle))
    return Comparing(server, Scratch(str(handle.name), opened), _graph(revisions))


def _graph(revisions: Revisions) -> Graph:
    return revisions if isinstance(revisions, Graph) else Graph(read_folder(Path(revisions)))
