"""Which database a rehearsal runs in: one beside the real one, of the same client, named after it.

The name is always the same, so what a crash left is found again.
"""

from typing import Any

from boundwork.alembic_like_migrations.errors import MigrationError
from boundwork.uow.sessions.connection import Connection

PREFIX = "rehearsal_of_"
LONGEST_NAME = 63


def scratch_database(database: object, *, asynchronous: bool) -> Any:
    """Return the scratch database of a database, of either colour. Raises MigrationError where there is none."""
    if isinstance(database, Connection):
        own = database.async_database() if asynchronous else database.sync_database()
        return scratch_database(own, asynchronous=asynchronous)
    client: Any = getattr(database, "client", None)
    name = f"{PREFIX}{getattr(database, 'name', '')}"
    if client is None:
        raise MigrationError("A rehearsal needs a server: there is no second database here.")
    if len(name) > LONGEST_NAME:
        raise MigrationError(f"A rehearsal needs a database called {name!r}, which is longer than a server takes.")
    return client[name]
