"""How commands of a unit are said to PyMongo, for both of its colours.

Collections are used with neutral options: inside a transaction the server takes a write concern only with the
commit, and PyMongo sends that of the transaction, which is at least majority.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Generic, Self, TypeVar

import bson
import pymongo
from bson import SON
from bson.binary import UuidRepresentation
from bson.codec_options import CodecOptions, DatetimeConversion
from bson.raw_bson import RawBSONDocument
from pymongo import AsyncMongoClient, MongoClient
from pymongo.read_concern import ReadConcern
from pymongo.read_preferences import ReadPreference
from pymongo.results import ClientBulkWriteResult
from pymongo.write_concern import WriteConcern

from boundwork.models.data import data
from boundwork.uow.commands import (
    AS_USUAL,
    BulkResult,
    BulkWrite,
    Count,
    DeleteMany,
    DeleteOne,
    Distinct,
    Find,
    InsertOne,
    Options,
    UniqueKey,
    UpdateMany,
    UpdateOne,
    Write,
)
from boundwork.uow.sessions.guard import is_guarded
from boundwork.uow.sessions.set_commands import server_options
from boundwork.uow.sessions.write_commands import STORED_FORM, upserting

WIRE_VERSION_OF_8 = 25
EMBEDDED_SET = "secantus"
ENCODED: CodecOptions[Any] = CodecOptions(
    document_class=RawBSONDocument,
    uuid_representation=UuidRepresentation.STANDARD,
)
EXACT: CodecOptions[Any] = ENCODED.with_options(datetime_conversion=DatetimeConversion.DATETIME_MS)
"""Values that are decoded so are encoded as they were, dates beyond those of Python as well."""
DatabaseT = TypeVar("DatabaseT")
NEUTRAL: Mapping[str, Any] = {
    "write_concern": WriteConcern(),
    "read_concern": ReadConcern(),
    "read_preference": ReadPreference.PRIMARY,
}


BY_MAJORITY: Mapping[str, Any] = {
    "write_concern": WriteConcern("majority"),
    "read_concern": ReadConcern("majority"),
}


def transaction_options(client_concern: WriteConcern) -> dict[str, Any]:
    """Return the arguments of `start_transaction`: snapshot reads, majority writes, primary.

    Journal and time-out of the client's write concern are kept.
    """
    kept = {key: value for key, value in client_concern.document.items() if key in {"j", "wtimeout"}}
    return {
        "read_concern": ReadConcern("snapshot"),
        "write_concern": WriteConcern(w="majority", **kept),
        "read_preference": ReadPreference.PRIMARY,
    }


@data(frozen=True, slots=True)
class Handles(Generic[DatabaseT]):
    """A database as it was given, with neutral options, and as the stored form is read; made once a definition."""

    given: DatabaseT
    neutral: DatabaseT
    stored: DatabaseT
    options: Mapping[str, Any]
    guarded: bool

    @classmethod
    def of(cls, database: DatabaseT) -> Self:
        """Return the handles of a database of PyMongo."""
        anything: Any = database  # both colours have the same words and no common class
        neutral = anything.with_options(**NEUTRAL)
        options = transaction_options(anything.client.write_concern)
        stored = neutral.with_options(codec_options=STORED_FORM)
        return cls(database, neutral, stored, options, is_guarded(anything.client))


def find_arguments(command: Find) -> dict[str, Any]:
    """Return the arguments of `find_raw_batches`."""
    arguments: dict[str, Any] = {"filter": command.filter}
    if command.sort:
        arguments["sort"] = list(command.sort)
    if command.skip:
        arguments["skip"] = command.skip
    if command.limit:
        arguments["limit"] = command.limit
    if command.projection is not None:
        arguments["projection"] = command.projection
    if command.options is not AS_USUAL:
        arguments |= _options(command.options)
        if command.options.max_time_ms is not None:
            arguments["max_time_ms"] = command.options.max_time_ms
    return arguments


def _options(options: Options) -> dict[str, Any]:
    """Return the options that PyMongo and the server call by the same names."""
    hint = list(options.hint) if isinstance(options.hint, tuple) else options.hint
    named = {"hint": hint, "collation": options.collation, "comment": options.comment}
    return {name: value for name, value in named.items() if value is not None}


def find_command(command: Find) -> dict[str, Any]:
    """Return a query as the server's command; one for a single document opens no cursor.

    Nothing is lost: inside a transaction no read is retried by the driver, and all go to the primary.
    """
    asked: dict[str, Any] = {"find": command.collection, "filter": command.filter}
    if command.sort:
        asked["sort"] = SON(command.sort)
    if command.skip:
        asked["skip"] = command.skip
    if command.limit:
        asked["limit"] = command.limit
        asked["singleBatch"] = command.limit == 1
    if command.projection is not None:
        asked["projection"] = command.projection
    return asked if command.options is AS_USUAL else asked | server_options(command.options)


def explain_command(command: Find, verbosity: str) -> dict[str, Any]:
    """Return the command that explains a query."""
    return {"explain": find_command(command), "verbosity": verbosity}


def distinct_command(command: Distinct) -> dict[str, Any]:
    """Return the command that lists different values."""
    options = server_options(command.options)
    return {"distinct": command.collection, "key": command.path, "query": command.filter, **options}


def listed_by(reply: Mapping[str, Any]) -> list[bytes]:
    """Return the values that this command listed, each encoded on its own."""
    return [bson.encode({"v": value}, codec_options=EXACT) for value in reply["values"]]


def raw_batches(batches: list[Any]) -> list[bytes]:
    """Return batches as what they are; PyMongo's annotations call them documents."""
    return batches


def count_arguments(command: Count) -> dict[str, Any]:
    """Return the arguments of `count_documents`."""
    arguments: dict[str, Any] = {"filter": command.filter}
    if command.skip:
        arguments["skip"] = command.skip
    if command.limit:
        arguments["limit"] = command.limit
    if command.options is not AS_USUAL:
        arguments |= _options(command.options)
        if command.options.max_time_ms is not None:
            arguments["maxTimeMS"] = command.options.max_time_ms
    return arguments


def request(write: Write, namespace: str) -> Any:
    """Return a write as a request of the client's `bulk_write`."""
    match write:
        case InsertOne():
            return pymongo.InsertOne(write.document, namespace=namespace)
        case UpdateOne():
            return pymongo.UpdateOne(write.filter, write.update, namespace=namespace)
        case DeleteOne():
            return pymongo.DeleteOne(write.filter, namespace=namespace)
        case UpdateMany() | DeleteMany():
            raise TypeError("a set-based operation is a command of its own, and no part of a bulk")
        case _:
            return pymongo.UpdateOne(write.filter, upserting(write), upsert=True, namespace=namespace)


def client_requests(bulks: Iterable[BulkWrite], database: str) -> list[Any]:
    """Return all writes of all bulks as requests of the client's `bulk_write`."""
    return [request(write, f"{database}.{bulk.collection}") for bulk in bulks for write in bulk.writes]


def takes_client_bulks(client: MongoClient[Any] | AsyncMongoClient[Any], *, begun: bool) -> bool:
    """Tell whether one command can write to all collections: all servers known to the client are 8.0 or newer.

    The embedded server refuses that command with the read concern that the first one of a transaction carries.
    """
    topology = client.topology_description
    versions = [
        server.max_wire_version for server in topology.server_descriptions().values() if server.is_server_type_known
    ]
    takes_first = begun or topology.replica_set_name != EMBEDDED_SET
    return bool(versions) and min(versions) >= WIRE_VERSION_OF_8 and takes_first


def bulk_result(result: ClientBulkWriteResult) -> BulkResult:
    """Return PyMongo's counts as ours."""
    return BulkResult(
        inserted=result.inserted_count,
        matched=result.matched_count,
        modified=result.modified_count,
        deleted=result.deleted_count,
        upserted=result.upserted_count,
    )


def unique_keys(indexes: Iterable[Mapping[str, Any]]) -> tuple[UniqueKey, ...]:
    """Return the unique keys among the indexes of a collection, that of `_id` left out unless it has a collation."""
    return tuple(
        _unique_key(index)
        for index in indexes
        if index.get("unique") or (index["name"] == "_id_" and "collation" in index)
    )


def _unique_key(index: Mapping[str, Any]) -> UniqueKey:
    partial: dict[str, Any] = SON(index.get("partialFilterExpression", {})).to_dict()
    sparse, collated = bool(index.get("sparse")), "collation" in index
    return UniqueKey(index["name"], tuple(index["key"]), sparse, tuple(_fields(partial)), partial, collated)


def _fields(condition: Mapping[str, Any]) -> Iterator[str]:
    """Iterate over the fields that the filter of a partial index looks at."""
    for name, value in condition.items():
        if name in {"$and", "$or"}:
            for part in value:
                yield from _fields(part)
        else:
            yield name
