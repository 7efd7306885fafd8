"""How far the build of an index is, and whether it is ready, as the server tells it.

An index is listed from the moment that its build begins, whether its client lives or not; only `$indexStats` says that it
is still being built. Servers that keep no such account are taken at their word.
"""

from dataclasses import dataclass
from typing import Any

from boundwork.alembic_like_migrations.engine.passing import passes
from boundwork.alembic_like_migrations.engine.server import Server
from boundwork.uow.failures import SessionFailure

LOOK_MILLISECONDS = 1_000
AGAIN_SECONDS = 0.2
NOT_YET_IN_CATALOG = 27
"""What `$indexStats` says of all indexes while the build of one begins or ends."""
_MARK = "Index Build: "


@dataclass(frozen=True, slots=True)
class Build:
    """How far a build is in one of its parts, such as "scanning collection"."""

    part: str
    done: int
    total: int


async def progress(server: Server, collection: str) -> Build | None:
    """Return how far a build on a collection is; None if none is under way, or the server does not tell."""
    # The thread that builds counts as idle, so all are asked for.
    wanted = {"$all": True, "ns": collection, "progress": {"$exists": True}, "command.createIndexes": collection}
    try:
        reply = await server.command({"currentOp": True, **wanted, "maxTimeMS": LOOK_MILLISECONDS})
    except SessionFailure:
        return None
    for one in reply.get("inprog", ()):
        told = one["progress"]
        part = str(one.get("msg", "")).removeprefix(_MARK).partition(f" {_MARK}")[0]
        return Build(part, int(told["done"]), int(told["total"]))
    return None


async def wait_until_ready(server: Server, collection: str, name: str) -> None:
    """Wait until an index is no longer being built; its client may be gone. Raises LeaseLost, and SessionFailure."""
    while await _is_building(server, collection, name):
        await server.still_holding()
        await server.sessions().pause(AGAIN_SECONDS)


async def _is_building(server: Server, collection: str, name: str) -> bool:
    stages: list[dict[str, Any]] = [{"$indexStats": {}}, {"$match": {"name": name, "building": True}}]
    try:
        return bool(await server.all({"aggregate": collection, "pipeline": stages, "cursor": {}}))
    except SessionFailure as failure:
        if passes(failure):
            raise
        return failure.code == NOT_YET_IN_CATALOG
