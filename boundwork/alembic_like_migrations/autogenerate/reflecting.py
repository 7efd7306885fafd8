"""What a database has now, in the server's own form; what boundwork keeps for itself is left out."""

from collections.abc import Mapping
from typing import Any

from boundwork.alembic_like_migrations.autogenerate.forms import Form, Structure, form_of
from boundwork.alembic_like_migrations.engine.server import LEDGER, Server
from boundwork.alembic_like_migrations.rollout.register import INSTANCES
from boundwork.alembic_like_migrations.steps.undo_log import UNDO
from boundwork.uow.failures import SessionFailure
from boundwork.uow.idempotency import MARKERS
from boundwork.uow.locking import LOCKS

MARK = "boundwork_scratch"
"""The collection that tells a scratch database from somebody's own."""

OWN = frozenset({LEDGER, UNDO, INSTANCES, MARKERS, LOCKS, MARK})
NAMESPACE_NOT_FOUND = 26


async def reflect(server: Server) -> Structure:
    """Return the collections and views of a database."""
    listed = await server.all({"listCollections": 1})
    forms = [await _form(server, one) for one in listed if _of_the_user(one["name"])]
    return {form.name: form for form in forms if form is not None}


def _of_the_user(name: str) -> bool:
    return name not in OWN and not name.startswith("system.")


async def _form(server: Server, listed: Mapping[str, Any]) -> Form | None:
    if listed.get("type") == "view":
        return form_of(listed, [])
    try:
        return form_of(listed, await server.all({"listIndexes": listed["name"]}))
    except SessionFailure as failure:
        if failure.code == NAMESPACE_NOT_FOUND:  # dropped since it was listed
            return None
        raise
