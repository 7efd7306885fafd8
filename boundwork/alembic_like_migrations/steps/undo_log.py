"""What a step remembers of documents so that it can be undone: images, or the mere ids, in a collection of their own.

They are written and forgotten in the transaction that changes the documents. An image holds the whole document as it was, and
the bytes of what became of it. So a document that somebody has changed since is told from one that can be put back, and one
that was changed elsewhere gets back the fields alone.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from bson.max_key import MaxKey
from bson.min_key import MinKey
from bson.raw_bson import RawBSONDocument

from boundwork.alembic_like_migrations.engine.program import Mark
from boundwork.alembic_like_migrations.steps.documents import EXACT, id_of, raw, read_in_order, replacement, send, split
from boundwork.alembic_like_migrations.steps.errors import ImageTooLarge
from boundwork.uow.commands import Find
from boundwork.uow.port import BoundSession

UNDO = "boundwork_migrations_undo"
LARGE = 1024 * 1024
"""Bytes from which on an image holds a digest of what became of a document, so that it is not too large itself."""
MANY = 1_000
"""How many documents are forgotten in one transaction."""
LARGEST = 16 * 1024 * 1024
"""Bytes of the largest document that the server stores."""


def every(mark: Mark) -> dict[str, Any]:
    """Return the filter of all that a step remembers."""
    return {"_id": {"$gte": _key(mark, MinKey()), "$lte": _key(mark, MaxKey())}}


def keys_of(mark: Mark, ids: Iterable[Any]) -> list[dict[str, Any]]:
    """Return the ids of what a step remembers of documents."""
    return [_key(mark, one) for one in ids]


def of_revision(revision: str) -> dict[str, Any]:
    """Return the filter of all that is remembered of a revision, whichever step it was."""
    return {"_id": {"$gte": {"revision": revision}, "$lt": {"revision": revision, "step": MaxKey()}}}


async def forget_some(session: BoundSession, revision: str) -> int:
    """Forget some of what is remembered of a revision, and return how many documents of."""
    asked = Find(UNDO, of_revision(revision), (("_id", 1),), limit=MANY, projection={"_id": 1})
    keys = [RawBSONDocument(one, EXACT)["_id"] for batch in await session.find(asked) for one in split(batch)]
    if keys:
        statement = {"q": {"_id": {"$in": keys}}, "limit": 0}
        await session.command({"delete": UNDO, "deletes": [statement]})
    return len(keys)


async def remember(session: BoundSession, mark: Mark, ids: Sequence[Any]) -> None:
    """Remember ids; what is still there of an earlier time gives way."""
    await _store(session, mark, ids, [{"_id": key} for key in keys_of(mark, ids)])


async def keep_images(
    session: BoundSession,
    mark: Mark,
    collection: str,
    before: Sequence[RawBSONDocument],
    *,
    unchanged: bool = False,
) -> int:
    """Keep images of the documents that differ from what they were before, or of all, and return how many those are.

    `before` is in the order of ids.
    """
    ids = [id_of(was) for was in before]
    after = await read_in_order(session, collection, ids)
    images: list[RawBSONDocument] = []
    for one, was, now in zip(ids, before, after, strict=True):
        if unchanged or was.raw != now:
            became = {"after": now} if len(now) < LARGE else {"digest": _digest(now)}
            image = raw({"_id": _key(mark, one), "before": was, **became})
            if len(image.raw) > LARGEST:
                raise ImageTooLarge(collection, one)
            images.append(image)
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
        if now is not None and (image["after"] == now if "after" in image else image["digest"] == _digest(now)):
            left.same.append(image["before"])
        elif now is not None:
            left.changed.append((image, RawBSONDocument(now, EXACT)))
    return left


async def put_back(session: BoundSession, collection: str, left: Left) -> tuple[int, list[RawBSONDocument]]:
    """Make documents what they were; return how many, and those in which a field of the step was changed since.

    Unchanged ones are put back byte by byte, of the others the fields that the step changed.
    """
    statements: list[dict[str, Any]] = [{"q": {"_id": was["_id"]}, "u": replacement(was)} for was in left.same]
    lost: list[RawBSONDocument] = []
    for image, now in left.changed:
        back = _fields_back(image, now)
        if back is None:
            lost.append(now)
        elif back:
            statements.append({"q": {"_id": now["_id"]}, "u": back})
    return await send(session, "update", collection, statements), lost


async def put_back_known(
    session: BoundSession, mark: Mark, collection: str, documents: Sequence[RawBSONDocument]
) -> tuple[int, list[Any]]:
    """Put back those of the documents that have an image and can be; return their number and the other ids."""
    keys = keys_of(mark, [one["_id"] for one in documents])
    images = [RawBSONDocument(one, EXACT) for one in await read_in_order(session, UNDO, keys)]
    number, lost = await put_back(session, collection, compare(images, [bytes(one.raw) for one in documents]))
    await forget(session, mark, [one["_id"]["of"] for one in images])
    done = {key_bytes(one["_id"]["of"]) for one in images} - {key_bytes(one["_id"]) for one in lost}
    return number, [one["_id"] for one in documents if key_bytes(one["_id"]) not in done]


def _fields_back(image: RawBSONDocument, now: RawBSONDocument) -> dict[str, Any] | None:
    """Return the update that puts back the fields that a step changed; None if one of them was changed since."""
    if "after" not in image:
        return None
    was, left = image["before"], RawBSONDocument(image["after"], EXACT)
    back: dict[str, dict[str, Any]] = {}
    for name in {**was, **left}:
        if _at(was, name) == _at(left, name):
            continue
        if _at(now, name) != _at(left, name) or not name or name[0] == "$" or "." in name:
            return None
        word, value = ("$set", was[name]) if name in was else ("$unset", "")
        back.setdefault(word, {})[name] = value
    return back


def _at(document: RawBSONDocument, name: str) -> bytes | None:
    """Return the BSON of a field, None if it is not there."""
    return key_bytes(document[name]) if name in document else None


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
