"""Which documents would refuse a unique index: found by the server, in constant memory here, before the index is tried.

Keys are made as the index makes them: arrays give a key for each item, what is missing counts as null, and what a sparse
or partial index leaves out is left out. Two ids stand for each value that is there twice.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from boundwork.alembic_like_migrations.engine.server import Server
from boundwork.alembic_like_migrations.steps.undo_log import key_bytes

ENOUGH = 20
SHOWN = {"$project": {"_id": 0, "first": "$first.id", "last": "$last.id"}}


async def find_duplicates(server: Server, collection: str, index: Mapping[str, Any]) -> list[tuple[Any, Any]]:
    """Return pairs of ids of documents with the same key, at most 20 of them; none if the keys are all different.

    An index of places in arrays is left to the server: the stages have no such paths.
    """
    if any(name.isdigit() for path in index["key"] for name in path.split(".")):
        return []
    collation = {"collation": index["collation"]} if "collation" in index else {}
    command = {"aggregate": collection, "pipeline": pipeline(index), "allowDiskUse": True, **collation}
    cursor: Any = (await server.command({**command, "cursor": {"batchSize": ENOUGH}}))["cursor"]
    found: list[tuple[Any, Any]] = []
    while True:
        rows = [*cursor.get("firstBatch", ()), *cursor.get("nextBatch", ())]
        found += [(row["first"], row["last"]) for row in rows if key_bytes(row["first"]) != key_bytes(row["last"])]
        if not cursor["id"]:
            return found[:ENOUGH]
        if len(found) >= ENOUGH:
            await server.command({"killCursors": collection, "cursors": [cursor["id"]]})
            return found[:ENOUGH]
        cursor = (await server.command({"getMore": cursor["id"], "collection": collection}))["cursor"]


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
    one = {"id": "$_id"}
    if "collation" in index:
        # Under a collation the stages take ids for the same that are not, so they are compared here. The rows of a
        # document follow each other: the first and the last of a group are of two documents if there are two in it.
        return [
            *stages,
            {"$group": {"_id": key, "first": {"$first": one}, "last": {"$last": one}, "rows": {"$sum": 1}}},
            {"$match": {"rows": {"$gt": 1}}},
            SHOWN,
        ]
    return [
        *stages,
        {"$group": {"_id": key, "first": {"$min": one}, "last": {"$max": one}}},
        {"$match": {"$expr": {"$ne": ["$first", "$last"]}}},
        {"$limit": ENOUGH},
        SHOWN,
    ]


def _prefixes(path: str) -> Iterator[str]:
    names = path.split(".")
    return (".".join(names[:length]) for length in range(1, len(names) + 1))
