"""Which collections a revision brought into being by putting something into them, and that its way back takes them away.

It is noted before the first of it is written. Taken away is only what is as if it had never been: empty, with no options
and no index of its own. Nothing empties a collection and drops it at once, so it gets another name first: a document that
somebody adds in that moment is either seen there, and comes back, or makes a new collection of the old name.
"""

from collections.abc import Mapping
from typing import Any

from boundwork.alembic_like_migrations.engine.ledger import Ledger
from boundwork.alembic_like_migrations.engine.server import PATIENCE_SECONDS, Server
from boundwork.alembic_like_migrations.steps.collections import RenameCollection
from boundwork.alembic_like_migrations.steps.step import AnyStep
from boundwork.alembic_like_migrations.steps.structure import NAMESPACE_NOT_FOUND, change

ASIDE = "boundwork_emptied_"


async def note_making(server: Server, revision: str, step: AnyStep) -> None:
    """Note which collections are not there yet that a step is about to put something into."""
    if step.makes:
        there = {one["name"] for one in await _listed(server, *step.makes)}
        if missing := sorted(set(step.makes) - there):
            await Ledger(server).making(revision, missing)


async def take_away(server: Server, collection: str) -> None:
    """Drop a collection that is as if it had never been; any other is left."""
    aside = f"{ASIDE}{collection}"
    if not await _listed(server, aside):  # else an earlier attempt came so far
        if not await _bare(server, collection):
            return
        await RenameCollection(collection, aside).apply(server)
    if await _bare(server, aside):
        what = f"drop the empty collection {aside!r}, which was {collection!r}"
        await change(server, what, {"drop": aside}, {NAMESPACE_NOT_FOUND})
    else:
        await RenameCollection(aside, collection).apply(server)


async def _bare(server: Server, name: str) -> bool:
    for one in await _listed(server, name):
        if one.get("type", "collection") != "collection" or one["options"]:
            return False
        if any(index["name"] != "_id_" for index in await server.all({"listIndexes": name})):
            return False
        return not await server.all({"find": name, "limit": 1, "projection": {"_id": 1}})
    return False


async def _listed(server: Server, *names: str) -> list[Mapping[str, Any]]:
    asked = {"listCollections": 1, "filter": {"name": {"$in": names}}}
    return await server.patiently(lambda: server.all(asked), PATIENCE_SECONDS)
