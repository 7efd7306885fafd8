"""Which documents would refuse a unique index: found by the server, in constant memory here, before the index is tried.

Keys are made as the index makes them: arrays give a key for each item, what is missing counts as null, and what a sparse
or partial index leaves out is left out. Two ids stand for each value that is there twice.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from boundwork.alembic_like_migrations.engine.server import Server

ENOUGH = 20


async def find_duplicates(server: Server, collection: str, index: Mapping[str, Any]) -> list[tuple[Any, Any]]:
    """Return pairs of ids of documents with the same key, at most 20 of them; none if the keys are all different.

    An index of places in arrays is left to the server: the stages have no such paths.
    """
    if any(name.isdigit() for path in index["key"] for name in path.split(".")):
        return []
    command: dict[str, Any] = {
        "aggregate": collection,
        "pipeline": pipeline(index),
        "allowDiskUse": True,
        "cursor": {"batchSize": ENOUGH},
    }
    if "collation" in index:
        command["collation"] = index["collation"]
    return [(row["first"], row["last"]) for row in await server.all(command)]


def pipeline(index: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the stages that find the duplicates of an index."""
    paths = list(index["key"])
    # An empty array has a key of its own, neither null nor that of any item; documents with one are left to the server.
    stages: list[dict[str, Any]] = [{"$match": {"$nor": [{path: {"$eq": []}} for path in paths]}}]
    if index.get("partialFilterExpression"):
        stages.append({"$match": index["partialFilterExpression"]})
    if index.get("sparse"):
        stages.append({"$match": {"$or": [{path: {"$exists": True}} for path in paths]}})
    parts = dict.fromkeys(prefix for path in paths for prefix in _prefixes(path))
    stages += [{"$unwind": {"path": f"${part}", "preserveNullAndEmptyArrays": True}} for part in parts]
    key = {f"k{number}": {"$ifNull": [f"${path}", None]} for number, path in enumerate(paths)}
    # In a document of its own, since the least and the greatest leave out an id that is null.
    grouped = {"_id": key, "first": {"$min": {"id": "$_id"}}, "last": {"$max": {"id": "$_id"}}}
    return [
        *stages,
        {"$group": grouped},
        {"$match": {"$expr": {"$ne": ["$first", "$last"]}}},
        {"$limit": ENOUGH},
        {"$project": {"_id": 0, "first": "$first.id", "last": "$last.id"}},
    ]


def _prefixes(path: str) -> Iterator[str]:
    names = path.split(".")
    return (".".join(names[:length]) for length in range(1, len(names) + 1))
