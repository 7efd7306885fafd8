"""How a data step goes through a collection: batch by batch in the order of ids, each batch one transaction.

A transaction reads where the step stands, works on the next documents and moves the record on, so it can be repeated
after any failure. Ids of all BSON types have one order on the server, and `min` on the index of `_id` follows it where
a comparison in a filter would stay within one type. The size of a batch follows the time that the last one took.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any

from bson import encode
from bson.raw_bson import RawBSONDocument

from boundwork.alembic_like_migrations.engine.ledger import Place, StepRecord, read_step, write_step
from boundwork.alembic_like_migrations.engine.server import Server
from boundwork.alembic_like_migrations.steps.step import Batch, DataStep, Ids
from boundwork.uow.port import BoundSession

FIRST_SIZE = 200
LARGEST_SIZE = 10_000
LARGEST_BYTES = 8 * 1024 * 1024
GROWTH = 2.0

Progress = Callable[[StepRecord], None]


@dataclass(slots=True)
class Pace:
    """How many documents the next batch has: as many as took `seconds` last time, within limits."""

    seconds: float = 1.0
    size: int = FIRST_SIZE

    def learn(self, seen: int, took: float) -> None:
        """Adapt to a batch of `seen` documents that took so many seconds."""
        if seen:
            factor = min(max(self.seconds / max(took, 0.001), 1 / GROWTH), GROWTH)
            self.size = min(max(round(self.size * factor), 1), LARGEST_SIZE)


async def run_data_step(server: Server, step: DataStep, place: Place, pace: Pace, progress: Progress) -> StepRecord:
    """Carry out a data step from where its record says to its end, and return the record."""
    while True:
        began = perf_counter()

        async def one(session: BoundSession) -> StepRecord:
            return await _batch(session, step, place, pace.size)

        record = await server.fenced(one)
        pace.learn(pace.size, perf_counter() - began)
        progress(record)
        if record.state == "done":
            return record


async def _batch(session: BoundSession, step: DataStep, place: Place, size: int) -> StepRecord:
    record = await read_step(session, place)
    if record.state == "done":
        return record
    documents = await _page(session, step, record.after, size)
    if documents:
        ids = Ids(documents)
        worked = await step.work(Batch(session, ids, documents))
        seen, changed = record.seen + len(ids), record.changed + worked.changed
        record = replace(record, state="running", after=(ids[-1],), seen=seen, changed=changed, error=None)
    else:
        record = replace(record, state="done", error=None)
    await write_step(session, place, record)
    return record


async def _page(session: BoundSession, step: DataStep, after: Sequence[Any], size: int) -> list[RawBSONDocument]:
    """Return the next documents of a step: at most `size`, and no more bytes than a transaction takes easily."""
    asked: dict[str, Any] = {
        "find": step.collection,
        "filter": dict(step.where),
        "sort": {"_id": 1},
        "hint": {"_id": 1},
        "limit": size + 1,
        "batchSize": size + 1,
        "singleBatch": True,
    }
    if not step.needs_documents:
        asked["projection"] = {"_id": 1}
    if after:
        asked["min"] = {"_id": after[0]}
    found = list((await session.command(asked))["cursor"]["firstBatch"])
    if found and after and encode({"_id": found[0]["_id"]}) == encode({"_id": after[0]}):
        del found[0]  # `min` includes its bound
    page: list[RawBSONDocument] = []
    size_left = LARGEST_BYTES
    for document in found[:size]:
        size_left -= len(document.raw)
        if page and size_left < 0:
            break
        page.append(document)
    return page
