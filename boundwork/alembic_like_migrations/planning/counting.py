"""How many documents a step visits and about how long that takes, found without writing anything.

Counts are exact, by the step's own filter. The time is that of reading a page of such documents, as a batch does, and a
rate of writing that is assumed for small updates in transactions; larger changes take longer.
"""

from collections.abc import Mapping
from time import perf_counter
from typing import Any

from boundwork.alembic_like_migrations.engine.server import MAX_TIME_EXPIRED, Server
from boundwork.alembic_like_migrations.steps.step import DataStep
from boundwork.uow.failures import SessionFailure

PAGE = 500
WRITTEN_PER_SECOND = 15_000
INDEXED_PER_SECOND = 100_000
MILLISECONDS = 60_000
"""How long a count may take; a collection that takes longer is not counted."""


async def count(server: Server, collection: str, query: Mapping[str, Any]) -> int | None:
    """Return how many documents match, or None if that takes too long."""
    command = {"count": collection, "query": dict(query), "maxTimeMS": MILLISECONDS}
    try:
        return int((await server.command(command))["n"])
    except SessionFailure as failure:
        if failure.code == MAX_TIME_EXPIRED:
            return None
        raise


async def seconds_of(server: Server, step: DataStep, documents: int | None) -> float | None:
    """Return about how many seconds a data step takes."""
    if documents is None:
        return None
    if not documents:
        return 0.0
    page: dict[str, Any] = {"filter": dict(step.where), "sort": {"_id": 1}, "hint": {"_id": 1}, "limit": PAGE}
    projection = {} if step.needs_documents else {"projection": {"_id": 1}}
    one_reply = {"batchSize": PAGE, "singleBatch": True, "maxTimeMS": MILLISECONDS}
    began = perf_counter()
    try:
        reply = await server.command({"find": step.collection, **page, **projection, **one_reply})
    except SessionFailure as failure:
        if failure.code == MAX_TIME_EXPIRED:
            return None
        raise
    read = len(reply["cursor"]["firstBatch"]) or 1
    return round(documents * ((perf_counter() - began) / read + 1 / WRITTEN_PER_SECOND), 1)
