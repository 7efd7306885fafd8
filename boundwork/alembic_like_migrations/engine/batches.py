"""How a data step goes through a collection: batch by batch in the order of ids, each batch one transaction.

A transaction reads where the step stands, works on the next documents and moves the record on, so it can be repeated
after any failure. Ids of all BSON types have one order on the server, and `min` on the index of `_id` follows it where
a comparison in a filter would stay within one type. The size of a batch follows the time that the last one took.
"""

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any

from bson import encode
from bson.max_key import MaxKey
from bson.raw_bson import RawBSONDocument

from boundwork.alembic_like_migrations.engine.ledger import Place, StepRecord, read_step, write_step
from boundwork.alembic_like_migrations.engine.server import Server
from boundwork.alembic_like_migrations.errors import shown
from boundwork.alembic_like_migrations.steps.step import Batch, DataStep, Ids
from boundwork.uow.failures import SessionFailure
from boundwork.uow.port import BoundSession

FIRST_SIZE = 200
LARGEST_SIZE = 10_000
LARGEST_BYTES = 8 * 1024 * 1024
GROWTH = 2.0
LONGEST_ID = 60

Progress = Callable[[StepRecord], None]


@dataclass(slots=True)
class Pace:
    """How many documents the next batch has: as many as took `seconds` last time, within limits."""

    seconds: float = 1.0
    size: int = FIRST_SIZE
    began: float | None = None

    def begin(self) -> int:
        """Begin a batch and return its size: half, if the one before did not end, since it may have been too much."""
        if self.began is not None:
            self.size = max(self.size // 2, 1)
        self.began = perf_counter()
        return self.size

    def end(self) -> None:
        """End a batch, and adapt to how long it took."""
        took = perf_counter() - (self.began or 0.0)
        factor = min(max(self.seconds / max(took, 0.001), 1 / GROWTH), GROWTH)
        self.size = min(max(round(self.size * factor), 1), LARGEST_SIZE)
        self.began = None


async def run_data_step(server: Server, step: DataStep, place: Place, pace: Pace, progress: Progress) -> StepRecord:
    """Carry out a data step from where its record says to its end, and return the record."""

    async def one(session: BoundSession) -> StepRecord:
        return await _batch(session, step, place, pace.begin())

    while True:
        record = await server.fenced(one)
        pace.end()
        progress(record)
        if record.state == "done":
            return record


async def _batch(session: BoundSession, step: DataStep, place: Place, size: int) -> StepRecord:
    record = await read_step(session, place)
    if record.state == "done":
        return record
    documents = await _page(session, step, record.after, size) or await _last(session, step, record.after)
    if documents:
        ids = Ids(documents)
        with _located(ids):
            worked = await step.work(Batch(session, ids, documents))
        seen, changed = record.seen + len(ids), record.changed + worked.changed
        record = replace(record, state="running", after=(ids[-1],), seen=seen, changed=changed, error=None)
    else:
        record = replace(record, state="done", error=None)
    await write_step(session, place, record)
    return record


@contextmanager
def _located(ids: Sequence[Any]) -> Generator[None]:
    """Note on a failure which documents the batch had."""
    try:
        yield
    except SessionFailure as failure:
        failure.detail["documents"] = f"{_short(ids[0])} to {_short(ids[-1])}"
        raise


def _short(value: Any) -> str:
    told = shown(value)
    return told if len(told) <= LONGEST_ID else f"{told[:LONGEST_ID]}..."


async def _last(session: BoundSession, step: DataStep, after: Sequence[Any]) -> list[RawBSONDocument]:
    """Return the document with the greatest of all ids, if it is still to come: `min` never finds it."""
    if not after or isinstance(after[0], MaxKey):
        return []
    asked = _asked(step, 1)
    asked["filter"] = {"$and": [asked["filter"], {"_id": MaxKey()}]}
    return list((await session.command(asked))["cursor"]["firstBatch"])


async def _page(session: BoundSession, step: DataStep, after: Sequence[Any], size: int) -> list[RawBSONDocument]:
    """Return the next documents of a step: at most `size`, and no more bytes than a transaction takes easily."""
    if after and isinstance(after[0], MaxKey):
        return []
    found = await _find(session, step, after, size + 1, 0)
    if found and after and encode({"_id": found[0]["_id"]}) == encode({"_id": after[0]}):
        # `min` includes its bound, and a large one can fill the reply alone.
        found = found[1:] or await _find(session, step, after, size, 1)
    page: list[RawBSONDocument] = []
    size_left = LARGEST_BYTES
    for document in found[:size]:
        size_left -= len(document.raw)
        if page and size_left < 0:
            break
        page.append(document)
    return page


async def _find(
    session: BoundSession, step: DataStep, after: Sequence[Any], limit: int, skip: int
) -> list[RawBSONDocument]:
    asked = {**_asked(step, limit), "skip": skip}
    if after:
        asked["min"] = {"_id": after[0]}
    return list((await session.command(asked))["cursor"]["firstBatch"])


def _asked(step: DataStep, limit: int) -> dict[str, Any]:
    asked: dict[str, Any] = {
        "find": step.collection,
        "filter": dict(step.where),
        "sort": {"_id": 1},
        "hint": {"_id": 1},
        "limit": limit,
        "batchSize": limit,
        "singleBatch": True,
    }
    return asked if step.needs_documents else {**asked, "projection": {"_id": 1}}
