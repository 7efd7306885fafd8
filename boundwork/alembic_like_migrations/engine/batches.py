"""How a data step goes through a collection: batch by batch in the order of ids, each batch one transaction.

A transaction reads where the step stands, works on the next documents and moves the record on, so it can be repeated
after any failure. Ids of all BSON types have one order on the server, and `min` on the index of `_id` follows it where
a comparison in a filter would stay within one type. The size of a batch follows the time that the last one took.

Where few of many documents match, looking for the next ones can take longer than the server lets a transaction live. So
a transaction looks only for some seconds; then the ids are looked for outside, and read again in the transaction.
"""

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from time import perf_counter
from typing import Any

from bson import encode
from bson.max_key import MaxKey
from bson.raw_bson import RawBSONDocument

from boundwork.alembic_like_migrations.engine.culprits import narrowed
from boundwork.alembic_like_migrations.engine.errors import Refused
from boundwork.alembic_like_migrations.engine.ledger import Commanding, Place, StepRecord, read_step, write_step
from boundwork.alembic_like_migrations.engine.server import LEDGER, MAX_TIME_EXPIRED, PATIENCE_SECONDS, Server
from boundwork.alembic_like_migrations.errors import shown
from boundwork.alembic_like_migrations.steps.documents import raw
from boundwork.alembic_like_migrations.steps.step import Batch, DataStep, Ids
from boundwork.alembic_like_migrations.steps.undo_log import UNDO
from boundwork.uow.failures import SessionFailure
from boundwork.uow.port import BoundSession

FIRST_SIZE = 200
LARGEST_SIZE = 10_000
LARGEST_BYTES = 8 * 1024 * 1024
GROWTH = 2.0
LONGEST_ID = 60
LOOK_MILLISECONDS = 10_000
"""A sixth of what the server lets a transaction live."""

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
    far, ahead = False, None
    while True:
        try:
            ahead = await look_ahead(server, step, place, pace.size) if far else None
            record = await server.fenced(partial(run_batch, step=step, place=place, pace=pace, ahead=ahead))
        except _TooFar:
            far, pace.began = True, None
            continue
        except Refused as refused:
            again = partial(_try, step=step, place=place, ahead=ahead)
            raise await narrowed(server, refused, again) from refused.__cause__
        pace.end()
        progress(record)
        if record.state == "done":
            return record


class _TooFar(Exception):
    """The next documents were not found in the time that a transaction looks for them."""


async def _try(session: BoundSession, size: int, step: DataStep, place: Place, ahead: "Ahead | None") -> None:
    await run_batch(session, step, place, Pace(size=size), ahead)


@dataclass(frozen=True, slots=True)
class Ahead:
    """The ids of the documents that follow a place, which were looked for outside of a transaction; none at the end."""

    after: Sequence[Any]
    ids: Sequence[Any]

    def follows(self, record: StepRecord) -> bool:
        """Tell whether the record is still at that place: a batch that is repeated may have been committed before."""
        return encode({"": list(record.after)}) == encode({"": list(self.after)})


async def run_batch(
    session: BoundSession, step: DataStep, place: Place, pace: Pace, ahead: Ahead | None = None
) -> StepRecord:
    """Work on the next documents, or on those that were found ahead and still match, and move the record on."""
    record, size = await read_step(session, place), pace.begin()
    if record.state == "done" or not (ahead is None or ahead.follows(record)):
        return record
    if ahead is None:
        documents = await _page(session, step, record.after, size, LOOK_MILLISECONDS)
        documents = documents or await _last(session, step, record.after)
    else:
        documents = _within(await _again(session, step, ahead.ids), size)
    if documents:
        ids = Ids(documents)
        with _located(step, ids):
            worked = await step.work(Batch(session, ids, documents))
        seen, changed = record.seen + len(ids), record.changed + worked.changed
        record = replace(record, state="running", after=(ids[-1],), seen=seen, changed=changed, error=None)
    elif ahead is not None and ahead.ids:
        record = replace(record, state="running", after=(ahead.ids[-1],), error=None)
    else:
        record = replace(record, state="done", error=None)
    await write_step(session, place, record)
    return record


async def look_ahead(server: Server, step: DataStep, place: Place, size: int) -> Ahead:
    """Look for the next documents outside of a transaction, for however long that takes."""
    after = (await read_step(server, place)).after
    documents = await server.patiently(lambda: _page(server, step, after, size), PATIENCE_SECONDS)
    documents = documents or await server.patiently(lambda: _last(server, step, after), PATIENCE_SECONDS)
    return Ahead(after, list(Ids(documents)))


async def _again(session: BoundSession, step: DataStep, ids: Sequence[Any]) -> list[RawBSONDocument]:
    """Return those of the documents with these ids that match, as the transaction sees them."""
    if not ids:
        return []
    asked = _asked(step, len(ids))
    asked["filter"] = {"$and": [asked["filter"], {"_id": {"$in": list(ids)}}]}
    return list((await session.command(asked))["cursor"]["firstBatch"])


@contextmanager
def _located(step: DataStep, ids: Sequence[Any]) -> Generator[None]:
    """Note on a failure which documents the batch had; a step of one transaction goes through none."""
    try:
        yield
    except SessionFailure as failure:
        if step.collection != LEDGER:
            failure.detail |= {"batch": (_short(step, ids[0]), _short(step, ids[-1])), "documents": len(ids)}
        raise


def _short(step: DataStep, value: Any) -> str:
    told = shown(value["of"] if step.collection == UNDO else value)
    return told if len(told) <= LONGEST_ID else f"{told[:LONGEST_ID]}..."


async def _last(session: Commanding, step: DataStep, after: Sequence[Any]) -> list[RawBSONDocument]:
    """Return the document with the greatest of all ids, if it is still to come: `min` never finds it."""
    if not after or isinstance(after[0], MaxKey):
        return []
    asked = _asked(step, 1)
    asked["filter"] = {"$and": [asked["filter"], {"_id": MaxKey()}]}
    return [raw(one) for one in (await session.command(asked))["cursor"]["firstBatch"]]


async def _page(
    session: Commanding, step: DataStep, after: Sequence[Any], size: int, look: int | None = None
) -> list[RawBSONDocument]:
    """Return the next documents of a step, found within `look` milliseconds, or without a limit their ids alone."""
    if after and isinstance(after[0], MaxKey):
        return []
    asked = {**_asked(step, size + 1), **({"projection": {"_id": 1}} if look is None else {"maxTimeMS": look})}
    found = await _find(session, asked, after)
    if found and after and encode({"_id": found[0]["_id"]}) == encode({"_id": after[0]}):
        # `min` includes its bound, and a large one can fill the reply alone.
        found = found[1:] or await _find(session, {**asked, "limit": size, "batchSize": size, "skip": 1}, after)
    return _within(found, size)


def _within(found: Sequence[RawBSONDocument], size: int) -> list[RawBSONDocument]:
    """Return the first documents: at most `size`, and no more bytes than a transaction takes easily."""
    page: list[RawBSONDocument] = []
    size_left = LARGEST_BYTES
    for document in found[:size]:
        size_left -= len(document.raw)
        if page and size_left < 0:
            break
        page.append(document)
    return page


async def _find(session: Commanding, asked: Mapping[str, Any], after: Sequence[Any]) -> list[RawBSONDocument]:
    bound = {"min": {"_id": after[0]}} if after else {}
    try:
        found = (await session.command({**asked, **bound}))["cursor"]["firstBatch"]
    except SessionFailure as failure:
        if failure.code == MAX_TIME_EXPIRED and "maxTimeMS" in asked:
            raise _TooFar from failure
        raise
    return [raw(one) for one in found]


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
