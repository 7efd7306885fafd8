"""What a scratch database is filled with, and what it holds: collections, indexes, and documents byte by byte.

Of each collection documents are drawn by the server; of each step also some that its own filter finds, since those it
changes may be rare.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bson import encode
from bson.raw_bson import RawBSONDocument

from boundwork.alembic_like_migrations.engine.program import Program
from boundwork.alembic_like_migrations.engine.server import LEDGER, Server
from boundwork.alembic_like_migrations.steps.documents import EXACT, LARGEST_COMMAND, split
from boundwork.alembic_like_migrations.steps.step import DataStep
from boundwork.uow.commands import Aggregate

OURS = "boundwork_"
SYSTEM = "system."
IMAGES = "changeStreamPreAndPostImages"
UNSAID: Mapping[str, Any] = {"validator": {}, "validationLevel": "strict", "validationAction": "error"}


@dataclass(frozen=True, slots=True)
class Contents:
    """What a collection holds: documents by their id, both as BSON, and its options and indexes by name."""

    structure: Mapping[str, bytes]
    documents: Mapping[bytes, bytes]


async def empty(scratch: Server) -> None:
    """Drop everything that an earlier rehearsal left, but not the lease."""
    for one in await collections(scratch):
        await scratch.command({"drop": one["name"]})
    await scratch.command({"delete": LEDGER, "deletes": [{"q": {"revision": {"$exists": True}}, "limit": 0}]})


async def copy_into(source: Server, scratch: Server, programs: Sequence[Program], most: int) -> None:
    """Make the collections of a source, with their indexes and at most about `most` documents each for every filter."""
    wanted: dict[str, list[Mapping[str, Any]]] = {}
    for step in (step for program in programs for step in (*program.up, *(program.down or ()))):
        if isinstance(step, DataStep) and step.where:
            wanted.setdefault(step.collection, []).append(step.where)
    found = await collections(source)
    for one in sorted(found, key=lambda one: one.get("type") == "view"):  # a view may be of any collection
        name = one["name"]
        await scratch.command({"create": name, **one["options"]})
        if one.get("type", "collection") != "collection":
            continue
        indexes = [dict(index) for index in await source.all({"listIndexes": name, "cursor": {}})]
        if more := [index for index in indexes if index["name"] != "_id_"]:
            await scratch.command({"createIndexes": name, "indexes": more})
        if not _can_change(one):
            continue
        documents = await _drawn(source, name, wanted.get(name, ()), most)
        await _insert(scratch, name, list(documents.values()))


async def collections(server: Server) -> list[Mapping[str, Any]]:
    """Return the collections and views that are the user's, as the server lists them."""
    found = await server.all({"listCollections": 1, "cursor": {}})
    return [one for one in found if not one["name"].startswith((OURS, SYSTEM))]


async def read_contents(server: Server) -> dict[str, Contents]:
    """Return all that a scratch database holds."""
    held: dict[str, Contents] = {}
    for one in await collections(server):
        name, kind = one["name"], one.get("type", "collection")
        options = {word: value for word, value in one["options"].items() if not _means_nothing(word, value)}
        parts = {f"option {word}": _bytes(value) for word, value in options.items()}
        documents: dict[bytes, bytes] = {}
        if kind == "collection":
            indexes = await server.all({"listIndexes": name, "cursor": {}})
            parts |= {f"index {index['name']}": _bytes(dict(index)) for index in indexes}
            if _can_change(one):
                documents = {_bytes(found["_id"]): bytes(found.raw) for found in await _read(server, name, ())}
        held[name] = Contents({"kind": _bytes(kind), **parts}, documents)
    return held


def _means_nothing(word: str, value: Any) -> bool:
    """Tell whether an option says what holds without it as well: the server lists it once it was ever set."""
    return dict(value).get("enabled") is False if word == IMAGES else _bytes(UNSAID.get(word)) == _bytes(value)


def _can_change(listed: Mapping[str, Any]) -> bool:
    """Tell whether steps can change documents of a collection: no transaction reads those of a capped one."""
    return not listed["options"].get("capped")


async def _drawn(
    source: Server, name: str, filters: Sequence[Mapping[str, Any]], most: int
) -> dict[bytes, RawBSONDocument]:
    found = await _read(source, name, ({"$sample": {"size": most}},))
    for query in filters:
        found += await _read(source, name, ({"$match": dict(query)}, {"$limit": most}))
    return {_bytes(one["_id"]): one for one in found}


async def _read(server: Server, name: str, pipeline: tuple[Mapping[str, Any], ...]) -> list[RawBSONDocument]:
    """Return the rows of a pipeline as they are stored, at one moment."""
    session = server.sessions()
    await session.open()
    try:
        batches = await session.aggregate(Aggregate(name, pipeline))
        await session.abort()
    finally:
        try:
            await session.unbind()
        finally:
            await session.close()
    return [RawBSONDocument(one, EXACT) for batch in batches for one in split(batch)]


async def _insert(scratch: Server, name: str, documents: Sequence[RawBSONDocument]) -> None:
    """Insert documents as they are; what is stored may not conform to the validator."""
    chunk: list[RawBSONDocument] = []
    size = 0
    for one in documents:
        size += len(one.raw)
        if chunk and size > LARGEST_COMMAND:
            await scratch.command({"insert": name, "documents": chunk, "bypassDocumentValidation": True})
            chunk, size = [], len(one.raw)
        chunk.append(one)
    if chunk:
        await scratch.command({"insert": name, "documents": chunk, "bypassDocumentValidation": True})


def _bytes(value: Any) -> bytes:
    return encode({"_id": value}, codec_options=EXACT)
