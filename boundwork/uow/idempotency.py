"""What is stored under an idempotency key, and how it is asked what became of a unit.

A unit with a key inserts a marker in its transaction: a document of the collection `boundwork_units` whose `_id` is
the key. Ids are unique, so at most one unit of a key ever commits, whatever was lost on the way. A find cannot tell
that a unit did not commit, since its commit may land a moment later; so the question is an insert as well: a fence in
the place of the marker, after which no unit of the key can commit.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from time import monotonic
from typing import Any

from bson import ObjectId

from boundwork.errors import CommitOutcomeUnknown
from boundwork.models.bson_types import decode_all
from boundwork.models.data import data
from boundwork.uow.commands import Find
from boundwork.uow.failures import FailureKind, SessionFailure
from boundwork.uow.port import BoundSession
from boundwork.uow.receipt import Receipt
from boundwork.uow.waits import wait_before

MARKERS = "boundwork_units"
OUTCOME_SECONDS = 120.0
"""How long a question waits: longer than a server keeps the transaction of a client that is gone (60 s)."""

PASSING = {FailureKind.NETWORK, FailureKind.UNREACHABLE, FailureKind.DUPLICATE_KEY}
TIME_LIMIT_EXCEEDED = 50


@data(frozen=True, slots=True)
class Marker:
    """What is stored under a key: which unit committed, and its receipt; a fence has neither."""

    unit: ObjectId | None
    receipt: Receipt | None


def valid_key(key: object) -> str:
    """Return a key; TypeError or ValueError for anything but a text that is not empty."""
    if not isinstance(key, str):
        raise TypeError(f"An idempotency key is a str, and {type(key).__name__} was given.")
    text = str.__str__(key)  # what it holds, whatever the methods of a subclass say
    if not text:
        raise ValueError("An idempotency key must not be empty: it names one piece of work.")
    return text


def looking_for(key: str) -> Find:
    """Return the query for what is stored under a key."""
    return Find(MARKERS, {"_id": key}, limit=1)


def marker_document(key: str, unit: ObjectId, numbers: Mapping[str, Any]) -> dict[str, Any]:
    """Return the marker of a unit, with the numbers of its receipt."""
    return {"_id": key, "unit": unit, "at": datetime.now(UTC), "receipt": dict(numbers)}


async def stored_marker(session: BoundSession, key: str, seconds: float) -> Marker | None:
    """Return what a majority of the members has stored under a key, asked outside of the transaction."""
    found = b"".join(await session.find_aside(looking_for(key), seconds))
    if not found:
        return None
    stored = decode_all(found)[0]
    numbers = stored.get("receipt")
    return Marker(stored.get("unit"), None if numbers is None else Receipt(**numbers))


async def outcome(session: BoundSession, key: str, seconds: float) -> Receipt | None:
    """Return the receipt of the unit of a key that committed, or None: then none did, and none ever will.

    Raises CommitOutcomeUnknown if the server gave no answer in `seconds`.
    """
    deadline = monotonic() + seconds
    tries = 0
    while True:
        try:
            await session.insert_aside(MARKERS, {"_id": key, "at": datetime.now(UTC)}, _left(deadline))
        except SessionFailure as failure:
            marker = await _met(session, key, failure, deadline)
            if marker is not None:
                return marker.receipt
            if monotonic() >= deadline or not _passing(failure):
                raise CommitOutcomeUnknown(
                    f"What became of the unit with the idempotency key {key!r} could not be found out: {failure}. "
                    "Ask again.",
                    code=failure.code,
                    labels=failure.labels,
                ) from failure.__cause__
        else:
            return None
        tries += 1
        await session.pause(wait_before(tries))


async def _met(session: BoundSession, key: str, failure: SessionFailure, deadline: float) -> Marker | None:
    """Return what an insert met; None if it met nothing, or something that is gone or not yet durable."""
    if failure.kind is not FailureKind.DUPLICATE_KEY:
        return None
    try:
        return await stored_marker(session, key, _left(deadline))
    except SessionFailure as unread:
        if not _passing(unread):
            raise
        return None


def _left(deadline: float) -> float:
    return max(deadline - monotonic(), 0.01)


def _passing(failure: SessionFailure) -> bool:
    retryable = failure.transient or failure.write_concern or "RetryableWriteError" in failure.labels
    return retryable or failure.kind in PASSING or failure.code == TIME_LIMIT_EXCEEDED
