"""What a program can call past its unit: every kind of write and of read, and how a test does so."""

from collections.abc import Callable
from typing import Any

from bson import Code
from motor.motor_asyncio import AsyncIOMotorLatentCommandCursor
from pymongo import UpdateOne
from pymongo.asynchronous.command_cursor import AsyncCommandCursor
from pymongo.command_cursor import CommandCursor

from tests.server.bank import settled

CURSORS: Any = (CommandCursor, AsyncCommandCursor, AsyncIOMotorLatentCommandCursor)
Call = Callable[[Any, Any], Any]
EMIT, SUM = Code("function () { emit(1, 1) }"), Code("function (key, values) { return Array.sum(values) }")

WRITES: dict[str, tuple[Call, str, str | None]] = {
    "insert_one": (lambda notes, s: notes.insert_one({}, session=s), "insert", "notes"),
    "insert_many": (lambda notes, s: notes.insert_many([{}, {}], session=s), "insert", "notes"),
    "bulk_write": (
        lambda notes, s: notes.bulk_write([UpdateOne({}, {"$inc": {"n": 1}})], session=s),
        "update",
        "notes",
    ),
    "update_many": (lambda notes, s: notes.update_many({}, {"$inc": {"n": 1}}, session=s), "update", "notes"),
    "replace_one": (lambda notes, s: notes.replace_one({}, {"n": 1}, session=s), "update", "notes"),
    "delete_one": (lambda notes, s: notes.delete_one({}, session=s), "delete", "notes"),
    "find_one_and_delete": (lambda notes, s: notes.find_one_and_delete({}, session=s), "findAndModify", "notes"),
    "$out": (lambda notes, s: notes.aggregate([{"$out": "copies"}], session=s), "aggregate", "copies"),
    "$out elsewhere": (
        lambda notes, s: notes.aggregate([{"$out": {"db": notes.database.name, "coll": "copies"}}], session=s),
        "aggregate",
        "copies",
    ),
    "$merge": (lambda notes, s: notes.aggregate([{"$merge": "copies"}], session=s), "aggregate", "copies"),
    "$merge into": (
        lambda notes, s: notes.aggregate([{"$match": {}}, {"$merge": {"into": {"coll": "copies"}}}], session=s),
        "aggregate",
        "copies",
    ),
    "mapReduce": (
        lambda notes, s: notes.database.command("mapReduce", "notes", map=EMIT, reduce=SUM, out="copies", session=s),
        "mapReduce",
        "copies",
    ),
    "create_collection": (lambda notes, s: notes.database.create_collection("new", session=s), "create", "new"),
    "create_index": (lambda notes, s: notes.create_index("m", session=s), "createIndexes", "notes"),
    "drop_index": (lambda notes, s: notes.drop_index("n_1", session=s), "dropIndexes", "notes"),
    "collMod": (
        lambda notes, s: notes.database.command("collMod", "notes", validationLevel="off", session=s),
        "collMod",
        "notes",
    ),
    "rename": (lambda notes, s: notes.rename("renamed", session=s), "renameCollection", "notes"),
    "drop": (lambda notes, s: notes.drop(session=s), "drop", "notes"),
    "drop_database": (
        lambda notes, s: notes.database.client.drop_database(notes.database.name, session=s),
        "dropDatabase",
        None,
    ),
}
READS: dict[str, Call] = {
    "find_one": lambda notes, s: notes.find_one({}, session=s),
    "count_documents": lambda notes, s: notes.count_documents({}, session=s),
    "distinct": lambda notes, s: notes.distinct("n", session=s),
    "aggregate": lambda notes, s: notes.aggregate([{"$match": {}}], session=s),
    "aggregate without stages": lambda notes, s: notes.aggregate([], session=s),
    "mapReduce": lambda notes, s: notes.database.command(
        "mapReduce", "notes", map=EMIT, reduce=SUM, out={"inline": 1}, session=s
    ),
    "explained delete": lambda notes, s: notes.database.command(
        "explain", {"delete": "notes", "deletes": [{"q": {}, "limit": 0}]}, session=s
    ),
    "list_indexes": lambda notes, s: notes.index_information(session=s),
    "list_collections": lambda notes, s: notes.database.list_collection_names(session=s),
    "ping": lambda notes, s: notes.database.command("ping", session=s),
}


async def past(client: Any, call: Call, on: Any) -> None:
    """Make a call of the driver in a session of its own."""
    session = await settled(client.start_session())
    try:
        result = await settled(call(on, session))
        if isinstance(result, CURSORS):
            await settled(result.to_list(None))
    finally:
        await settled(session.end_session())


def insertion(notes: Any, session: Any) -> Any:
    return notes.insert_one({"_id": "escaped"}, session=session)
