"""The operations of the driver that a program may call inside a unit, as data for both colours.

The first word of a name is the method that is meant. `refused` holds the codes with which servers refuse it inside
a transaction of a unit, and is empty where it takes part:

    263          the command is not for transactions, whatever the client does
    72           DDL is for transactions with local reads, and a unit reads a snapshot; an insert makes its collection
    BY_DRIVER    PyMongo finds the bound session after its first command and gives up: queries of GridFS
    NO_SEARCH    the server has no search indexes

No operation is outside by nature: every command that PyMongo publishes for them carries the session. `hello`, the
login and `endSessions` are not published, `commitTransaction` and `abortTransaction` are the session's own. The
client's `bulk_write` needs a server 8 (test_server_8_bulk.py). Calls return what the driver returns: a value, an
awaitable or a cursor. `uow.database.client` keeps the write concern of its address. Files and buckets are those of GridFS, which a plain session inside a transaction refuses; its
check does not see a bound one.
"""

import inspect
import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from bson import ObjectId
from bson.dbref import DBRef
from gridfs import GridFS
from pymongo import ASCENDING, DeleteOne, IndexModel, InsertOne, MongoClient, UpdateOne
from pymongo.operations import SearchIndexModel

BY_DRIVER: Final = None
NO_SEARCH: Final = (59, 115, 263, 31082, 40324)
STORED_FILE = ObjectId("0123456789abcdef01234567")
LOOKUP = {"$lookup": {"from": "marks", "localField": "n", "foreignField": "n", "as": "marks"}}


@dataclass(frozen=True)
class Operation:
    """One operation on the database of a unit, on its files or on its bucket."""

    name: str
    call: Callable[[Any], Any]
    refused: tuple[int | None, ...] = ()
    closed_early: bool = False

    @property
    def method(self) -> str:
        """The method of the driver, with what has it."""
        return self.name.split()[0]

    @property
    def target(self) -> str:
        """What has the method: collection, database, client, files or bucket."""
        return self.name.split(".")[0]

    def check_refusal(self, error: Exception) -> None:
        """Raise unless this is how the operation is refused."""
        assert getattr(error, "code", None) in self.refused, error
        assert "writeConcern" not in str(error)


def _refused(name: str, call: Callable[[Any], Any], codes: tuple[int | None, ...] = (263,)) -> Operation:
    return Operation(name, call, codes)


def seed(client: MongoClient[Any], name: str) -> None:
    """Fill a database with what the operations work on."""
    database = client[name]
    database.create_collection("marks")
    database.create_collection("copies")
    database.items.create_index("n")
    database.items.insert_many([{"_id": number, "n": number} for number in range(7)])
    GridFS(database).put(b"stored", filename="stored", _id=STORED_FILE)


def with_session(kind: type, called: str) -> set[str]:
    """Return the public methods of a class of the driver that take a session."""
    members = ((name, member) for name, member in inspect.getmembers(kind, callable) if not name.startswith("_"))
    return {f"{called}.{name}" for name, member in members if "session" in inspect.signature(member).parameters}


def methods_of(operations: Iterable[Operation]) -> set[str]:
    """Return the methods that operations stand for."""
    return {operation.method for operation in operations}


COLLECTION = [
    Operation("collection.insert_one", lambda db: db.items.insert_one({"_id": 10})),
    Operation("collection.insert_many", lambda db: db.items.insert_many([{"_id": 10}, {"_id": 11}])),
    Operation("collection.update_one", lambda db: db.items.update_one({"_id": 1}, {"$set": {"n": 9}})),
    Operation(
        "collection.update_one as upsert", lambda db: db.items.update_one({"_id": 10}, {"$set": {"n": 9}}, upsert=True)
    ),
    Operation("collection.update_many", lambda db: db.items.update_many({}, {"$inc": {"n": 1}})),
    Operation("collection.replace_one", lambda db: db.items.replace_one({"_id": 1}, {"n": 9})),
    Operation("collection.delete_one", lambda db: db.items.delete_one({"_id": 1})),
    Operation("collection.delete_many", lambda db: db.items.delete_many({"n": {"$gt": 3}})),
    Operation(
        "collection.bulk_write",
        lambda db: db.items.bulk_write(
            [InsertOne({"_id": 10}), UpdateOne({"_id": 1}, {"$set": {"n": 9}}), DeleteOne({"_id": 2})],
        ),
    ),
    Operation(
        "collection.bulk_write unordered",
        lambda db: db.items.bulk_write([DeleteOne({"_id": 2}), InsertOne({"_id": 10})], ordered=False),
    ),
    Operation("collection.find_one", lambda db: db.items.find_one({"_id": 1})),
    Operation("collection.find", lambda db: db.items.find()),
    Operation("collection.find with getMore", lambda db: db.items.find(batch_size=2)),
    Operation("collection.find closed early", lambda db: db.items.find(batch_size=2), closed_early=True),
    Operation("collection.find_raw_batches", lambda db: db.items.find_raw_batches(batch_size=2)),
    Operation(
        "collection.find_one_and_update", lambda db: db.items.find_one_and_update({"_id": 1}, {"$set": {"n": 9}})
    ),
    Operation("collection.find_one_and_replace", lambda db: db.items.find_one_and_replace({"_id": 1}, {"n": 9})),
    Operation("collection.find_one_and_delete", lambda db: db.items.find_one_and_delete({"_id": 1})),
    Operation("collection.aggregate", lambda db: db.items.aggregate([{"$match": {"n": 1}}])),
    Operation("collection.aggregate with getMore", lambda db: db.items.aggregate([{"$sort": {"n": 1}}], batchSize=2)),
    Operation("collection.aggregate with $lookup", lambda db: db.items.aggregate([LOOKUP])),
    Operation("collection.aggregate_raw_batches", lambda db: db.items.aggregate_raw_batches([], batchSize=2)),
    Operation("collection.distinct", lambda db: db.items.distinct("n")),
    Operation("collection.count_documents", lambda db: db.items.count_documents({"n": {"$gt": 3}})),
    _refused("collection.estimated_document_count", lambda db: db.items.estimated_document_count()),
    _refused("collection.find explained", lambda db: db.items.find({"n": 1}).explain()),
    _refused("collection.aggregate with $out", lambda db: db.items.aggregate([{"$out": "copies"}])),
    _refused("collection.aggregate with $merge", lambda db: db.items.aggregate([{"$merge": "copies"}])),
    _refused("collection.watch", lambda db: db.items.watch()),
    _refused("collection.options", lambda db: db.items.options()),
    _refused("collection.rename", lambda db: db.items.rename("others")),
    _refused("collection.drop", lambda db: db.items.drop()),
]

INDEXES = [
    _refused("collection.create_index on a new collection", lambda db: db.fresh.create_index("n"), (72,)),
    _refused(
        "collection.create_indexes on a new collection", lambda db: db.fresh.create_indexes([IndexModel("n")]), (72,)
    ),
    _refused("collection.create_index", lambda db: db.items.create_index([("n", ASCENDING), ("m", ASCENDING)]), (72,)),
    _refused("collection.drop_index", lambda db: db.items.drop_index("n_1")),
    _refused("collection.drop_indexes", lambda db: db.items.drop_indexes()),
    _refused("collection.list_indexes", lambda db: db.items.list_indexes()),
    _refused("collection.index_information", lambda db: db.items.index_information()),
    _refused(
        "collection.create_search_index", lambda db: db.items.create_search_index(SearchIndexModel({}, "s")), NO_SEARCH
    ),
    _refused(
        "collection.create_search_indexes",
        lambda db: db.items.create_search_indexes([SearchIndexModel({}, "s")]),
        NO_SEARCH,
    ),
    _refused("collection.update_search_index", lambda db: db.items.update_search_index("s", {}), NO_SEARCH),
    _refused("collection.drop_search_index", lambda db: db.items.drop_search_index("s"), NO_SEARCH),
    _refused("collection.list_search_indexes", lambda db: db.items.list_search_indexes(), NO_SEARCH),
]

DATABASE = [
    Operation("database.command find", lambda db: db.command("find", "items", filter={"n": 1})),
    Operation("database.command insert", lambda db: db.command({"insert": "items", "documents": [{"_id": 10}]})),
    Operation("database.cursor_command", lambda db: db.cursor_command("find", "items", batchSize=2)),
    _refused("database.create_collection", lambda db: db.create_collection("fresh"), (72,)),
    Operation("database.dereference", lambda db: db.dereference(DBRef("items", 1))),
    Operation("database.aggregate", lambda db: db.aggregate([{"$documents": [{"n": 1}]}])),
    _refused("database.aggregate with $currentOp", lambda db: db.client.admin.aggregate([{"$currentOp": {}}])),
    _refused("database.command ping", lambda db: db.command("ping")),
    _refused("database.list_collections", lambda db: db.list_collections()),
    _refused("database.list_collection_names", lambda db: db.list_collection_names()),
    _refused("database.drop_collection", lambda db: db.drop_collection("items")),
    _refused("database.validate_collection", lambda db: db.validate_collection("items")),
    _refused("database.watch", lambda db: db.watch()),
]

CLIENT = [
    Operation("client.get_database", lambda db: db.client.get_database(db.name + "_2").items.find_one()),
    _refused("client.list_databases", lambda db: db.client.list_databases()),
    _refused("client.list_database_names", lambda db: db.client.list_database_names()),
    _refused("client.server_info", lambda db: db.client.server_info()),
    _refused("client.drop_database", lambda db: db.client.drop_database(db.name + "_2")),
    _refused("client.watch", lambda db: db.client.watch()),
]

FILES = [
    Operation("files.exists", lambda fs: fs.exists(STORED_FILE)),
    _refused("files.find", lambda fs: fs.find({"filename": "stored"}), (BY_DRIVER,)),
    _refused("files.find_one", lambda fs: fs.find_one({"filename": "stored"}), (BY_DRIVER,)),
    Operation("files.get", lambda fs: fs.get(STORED_FILE)),
    Operation("files.get_last_version", lambda fs: fs.get_last_version("stored")),
    Operation("files.get_version", lambda fs: fs.get_version("stored", 0)),
    Operation("files.list", lambda fs: fs.list()),
    Operation("files.put", lambda fs: fs.put(b"new", filename="new")),
    Operation("files.new_file", lambda fs: fs.new_file(filename="new")),
    Operation("files.delete", lambda fs: fs.delete(STORED_FILE)),
]

BUCKET = [
    _refused("bucket.find", lambda bucket: bucket.find({"filename": "stored"}), (BY_DRIVER,)),
    Operation("bucket.open_download_stream", lambda bucket: bucket.open_download_stream(STORED_FILE)),
    Operation("bucket.open_download_stream_by_name", lambda bucket: bucket.open_download_stream_by_name("stored")),
    Operation("bucket.download_to_stream", lambda bucket: bucket.download_to_stream(STORED_FILE, io.BytesIO())),
    Operation(
        "bucket.download_to_stream_by_name", lambda bucket: bucket.download_to_stream_by_name("stored", io.BytesIO())
    ),
    Operation("bucket.upload_from_stream", lambda bucket: bucket.upload_from_stream("new", b"new")),
    Operation(
        "bucket.upload_from_stream_with_id", lambda bucket: bucket.upload_from_stream_with_id(ObjectId(), "new", b"new")
    ),
    Operation("bucket.open_upload_stream", lambda bucket: bucket.open_upload_stream("new")),
    Operation("bucket.open_upload_stream_with_id", lambda bucket: bucket.open_upload_stream_with_id(ObjectId(), "new")),
    Operation("bucket.rename", lambda bucket: bucket.rename(STORED_FILE, "renamed")),
    Operation("bucket.rename_by_name", lambda bucket: bucket.rename_by_name("stored", "renamed")),
    Operation("bucket.delete", lambda bucket: bucket.delete(STORED_FILE)),
    Operation("bucket.delete_by_name", lambda bucket: bucket.delete_by_name("stored")),
]

OPERATIONS = [*COLLECTION, *INDEXES, *DATABASE, *CLIENT, *FILES, *BUCKET]
