"""Which commands of MongoDB write, and to what: data, or the structure of a database.

Nearly all are known by their names. A pipeline and mapReduce write where they put out to a collection.
"""

from collections.abc import Mapping
from typing import Any, cast

from boundwork.uow.escapes import EscapedWrite

DATA = {"insert", "update", "delete", "findAndModify", "findandmodify", "bulkWrite"}
STRUCTURE = {
    "applyOps",
    "cloneCollectionAsCapped",
    "collMod",
    "convertToCapped",
    "create",
    "createIndexes",
    "createSearchIndexes",
    "deleteIndexes",
    "drop",
    "dropDatabase",
    "dropIndexes",
    "dropSearchIndex",
    "renameCollection",
    "updateSearchIndex",
}
BY_ITS_OUTPUT = {"aggregate", "mapReduce", "mapreduce"}
MAY_WRITE = frozenset(DATA | STRUCTURE | BY_ITS_OUTPUT)
WITH_DATABASE = {"bulkWrite", "renameCollection"}


def write_of(command: Mapping[str, Any], database: str) -> EscapedWrite | None:
    """Return what a command of `MAY_WRITE` writes to, the first of several; None if it only reads."""
    name, target = next(iter(command.items()))
    if name in BY_ITS_OUTPUT:
        target = _output(command)
        if target is None:
            return None
    elif name == "bulkWrite":
        target = next((_entries(space).get("ns") for space in command.get("nsInfo", ())), None)
    if entries := _entries(target):
        database, target = entries.get("db", database), entries.get("coll")
    if not isinstance(target, str):
        return EscapedWrite(name, database, None)
    if name in WITH_DATABASE:
        database, _, target = target.partition(".")
    return EscapedWrite(name, database, target)


def _output(command: Mapping[str, Any]) -> Any:
    """Return a collection, or a mapping of `coll` and perhaps `db`; None if what was found is returned."""
    if "pipeline" not in command:
        out = _entries(command.get("out"))
        if "inline" in out:
            return None
        return {"coll": next(iter(out.values())), **out} if out else command.get("out")
    for stage in command["pipeline"][-1:]:
        if "$merge" in stage:
            return _entries(stage["$merge"]).get("into", stage["$merge"])
        return stage.get("$out")
    return None


def _entries(value: object) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else {}
