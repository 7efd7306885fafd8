"""What a step remembers of documents so that it can be undone: images, or the mere ids, in a collection of their own.

They are written and forgotten in the transaction that changes the documents. An image holds the whole document as it was
and a digest of what became of it, so a document that somebody has changed since is told from one that can be put back.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, cast

from bson.max_key import MaxKey
from bson.min_key import MinKey
from bson.raw_bson import RawBSONDocument

from boundwork.alembic_like_migrations.engine.program import Mark
from boundwork.alembic_like_migrations.steps.documents import EXACT, raw, read_in_order, send
from boundwork.uow.port import BoundSession

UNDO = "boundwork_migrations_undo"


def every(mark: Mark) -> dict[str, Any]:
    """Return the filter of all that a step remembers."""
    return {"_id": {"$gte": _key(mark, MinKey()), "$lte": _key(mark, MaxKey())}}


def keys_of(mark: Mark, ids: Iterable[Any]) -> list[dict[str, Any]]:
    """Return the ids of what a step remembers of documents."""
    return [_key(mark, one) for one in ids]


async def remember(session: BoundSession, mark: Mark, ids: Sequence[Any]) -> None:
    """Remember ids; what is still there of an earlier time gives way."""
    await _store(session, mark, ids, [{"_id": key} for key in keys_of(mark, ids)])


async def keep_images(  # noqa: PLR0913 - one choice each, by keyword
    session: BoundSession,
    mark: Mark,
    collection: str,
    before: Sequence[RawBSONDocument],
    *,
    field: str | None = None,
    unchanged: bool = False,
) -> int:
    """Keep images of the documents that differ from what they were before, or of all, and return how many those are.

    `before` is in the order of ids. Of `field` it is kept as well what became of it.
    """
    ids = [was["_id"] for was in before]
    after = await read_in_order(session, collection, ids)
    images: list[dict[str, Any]] = []
    for one, was, now in zip(ids, before, after, strict=True):
        if unchanged or was.raw != now:
            image = {"_id": _key(mark, one), "before": was, "after": _digest(now)}
            images.append(image if field is None else {**image, "field": value_at(RawBSONDocument(now, EXACT), field)})
    await _store(session, mark, [image["_id"]["of"] for image in images], images)
    return len(images)


async def forget(session: BoundSession, mark: Mark, ids: Sequence[Any]) -> None:
    """Forget what is remembered of documents."""
    statement = {"q": {"_id": {"$in": keys_of(mark, ids)}}, "limit": 0}
    await session.command({"delete": UNDO, "deletes": [statement]})


@dataclass(frozen=True, slots=True)
class Left:
    """What is found of images: documents that can be put back, and images with documents that were changed since."""

    same: list[RawBSONDocument]
    changed: list[tuple[RawBSONDocument, RawBSONDocument]]


def compare(images: Iterable[RawBSONDocument], documents: Iterable[bytes]) -> Left:
    """Compare images with the documents of today; those that were deleted are left out."""
    present = {key_bytes(RawBSONDocument(one, EXACT)["_id"]): one for one in documents}
    left = Left([], [])
    for image in images:
        now = present.get(key_bytes(image["_id"]["of"]))
        if now is not None and _digest(now) == image["after"]:
            left.same.append(image["before"])
        elif now is not None:
            left.changed.append((image, RawBSONDocument(now, EXACT)))
    return left


async def put_back(session: BoundSession, collection: str, documents: Sequence[RawBSONDocument]) -> int:
    """Make documents what they were, byte by byte, and return how many."""
    return await send(session, "update", collection, [{"q": {"_id": was["_id"]}, "u": was} for was in documents])


async def put_back_known(
    session: BoundSession, mark: Mark, collection: str, documents: Sequence[RawBSONDocument]
) -> tuple[int, list[Any]]:
    """Put back those of the documents that have an image and did not change since; return their number and the other ids."""
    keys = keys_of(mark, [one["_id"] for one in documents])
    images = [RawBSONDocument(one, EXACT) for one in await read_in_order(session, UNDO, keys)]
    left = compare(images, [bytes(one.raw) for one in documents])
    number = await put_back(session, collection, left.same)
    await forget(session, mark, [one["_id"]["of"] for one in images])
    done = {key_bytes(was["_id"]) for was in left.same}
    return number, [one["_id"] for one in documents if key_bytes(one["_id"]) not in done]


def field_back(image: Mapping[str, Any], now: Mapping[str, Any], field: str | None) -> dict[str, Any] | None:
    """Return the statement that puts back one field of a document that was changed elsewhere; None if that is unclear."""
    if field is None:
        return None
    was, present = value_at(image["before"], field), value_at(now, field)
    if was is None or present is None or key_bytes(present) != key_bytes(image["field"]):
        return None
    return {"q": {"_id": now["_id"]}, "u": {"$set": {field: was[0]}} if was else {"$unset": {field: ""}}}


def value_at(document: Mapping[str, Any], path: str) -> list[Any] | None:
    """Return what is at a path in a list of one, [] if there is nothing, None if an array is on the way."""
    value: Any = document
    for name in path.split("."):
        if isinstance(value, list):
            return None
        if not isinstance(value, Mapping) or name not in value:
            return []
        value = cast("Mapping[str, Any]", value)[name]
    return [value]


def key_bytes(value: Any) -> bytes:
    """Return what an id is known by here: its BSON."""
    return bytes(raw({"": value}).raw)


async def _store(session: BoundSession, mark: Mark, ids: Sequence[Any], entries: Sequence[Mapping[str, Any]]) -> None:
    if entries:
        await forget(session, mark, ids)
        await send(session, "insert", UNDO, entries)


def _key(mark: Mark, of: Any) -> dict[str, Any]:
    return {"revision": mark.revision, "step": mark.step, "of": of}


def _digest(document: bytes) -> bytes:
    return blake2b(document, digest_size=16).digest()
