"""Interleaved transactions of the in-memory database against those of a real mongod: the same is seen and refused."""

import random
from collections.abc import Callable
from typing import Any

import pytest
from bson.raw_bson import RawBSONDocument
from pymongo.client_session import ClientSession
from pymongo.collection import Collection
from pymongo.errors import OperationFailure
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from boundwork.uow.commands import (
    BulkResult,
    BulkWrite,
    Count,
    DeleteOne,
    Find,
    InsertOne,
    UpdateOne,
    UpsertOne,
    Write,
)
from boundwork.uow.failures import SessionFailure
from boundwork.uow.sessions.memory import MemoryDatabase, MemorySession
from tests.server.both_databases import as_raw, carried_out, split_batches, write_in_memory
from tests.server.random_documents import Document, seeded

pytestmark = pytest.mark.server


STEPS = ("find", "count", "insert", "update", "touch nothing", "upsert", "delete", "commit", "abort")


def step_on_server(  # noqa: PLR0911 - one return a step
    real: Collection[RawBSONDocument], session: ClientSession, step: str, number: int, key: int
) -> Any:
    which, document = {"_id": number}, {"_id": number, "x": key}
    match step:
        case "find":
            return [bytes(found.raw) for found in real.find({}, sort=[("_id", 1)], session=session)]
        case "count":
            return real.count_documents({"x": {"$gte": key}}, session=session)
        case "insert":
            return bool(real.insert_one(as_raw(document), session=session))
        case "update" | "touch nothing":
            change = {"$set": {"x": key}} if step == "update" else {"$unset": {"y": ""}}
            result = real.update_one(which, change, session=session)
            return result.matched_count, result.modified_count
        case "upsert":
            result = real.update_one(which, {"$setOnInsert": {"x": key}}, upsert=True, session=session)
            return result.matched_count, result.upserted_id
        case "delete":
            return real.delete_one(which, session=session).deleted_count
        case "commit":
            session.commit_transaction()
        case _:
            session.abort_transaction()
    session.start_transaction(ReadConcern("snapshot"), WriteConcern("majority"))
    return None


def step_in_memory(session: MemorySession, step: str, number: int, key: int) -> Any:  # noqa: PLR0911 - as above
    which, document = {"_id": number}, {"_id": number, "x": key}
    match step:
        case "find":
            return split_batches(carried_out(session.find(Find("compared", {}, (("_id", 1),)))))
        case "count":
            return carried_out(session.count(Count("compared", {"x": {"$gte": key}})))
        case "insert":
            return bool(written(session, InsertOne(document)))
        case "update" | "touch nothing":
            change = {"$set": {"x": key}} if step == "update" else {"$unset": {"y": ""}}
            result = written(session, UpdateOne(which, change))
            return result.matched, result.modified
        case "upsert":
            result = written(session, UpsertOne(document))
            return result.matched, number if result.upserted else None
        case "delete":
            return written(session, DeleteOne(which)).deleted
        case "commit":
            carried_out(session.commit())
        case _:
            carried_out(session.abort())
    carried_out(session.begin())
    return None


def written(session: MemorySession, write: Write) -> BulkResult:
    return carried_out(session.write([BulkWrite("compared", (write,))]))[0]


def code_of(ask: Callable[[], Any]) -> Any:
    """Return the answer, or the code and the label of the refusal."""
    try:
        return ask()
    except SessionFailure as failure:
        return "refused", failure.code, failure.transient
    except OperationFailure as failure:
        return "refused", failure.code, failure.has_error_label("TransientTransactionError")


def test_interleaved_transactions_see_and_refuse_the_same(real: Collection[RawBSONDocument]) -> None:
    """Two or three transactions on three documents with a unique key, step by step."""
    draw = seeded(7)
    database = MemoryDatabase("compared")
    database.create_unique_index("compared", "x")
    real.create_index("x", unique=True)
    for _ in range(120):
        real.delete_many({})
        database.clear()
        start: list[Document] = [{"_id": number, "x": number} for number in draw.sample(range(3), 2)]
        real.insert_many([as_raw(document) for document in start])
        write_in_memory(database, *map(InsertOne, start))
        interleave(draw, real, database)
    # What every transaction left behind is only what was committed.
    assert not database.history.is_keeping()


def interleave(draw: random.Random, real: Collection[RawBSONDocument], database: MemoryDatabase) -> None:
    pairs = [(real.database.client.start_session(), MemorySession(database)) for _ in range(draw.choice([2, 3]))]
    for server, memory in pairs:
        server.start_transaction(ReadConcern("snapshot"), WriteConcern("majority"))
        carried_out(memory.open())
    told: list[str] = []
    for _ in range(16):
        who, step, number, key = draw.randrange(len(pairs)), draw.choice(STEPS), draw.randrange(3), draw.randrange(4)
        server, memory = pairs[who]
        expected = code_of(lambda: step_on_server(real, server, step, number, key))  # noqa: B023 - called at once
        found = code_of(lambda: step_in_memory(memory, step, number, key))  # noqa: B023 - called at once
        told.append(f"{who} {step} {number} {key}: mongod {expected}, memory {found}")
        assert found == expected, "\n".join(told)
        if step == "commit" and expected is not None:
            # The commit of an aborted transaction was refused; both begin anew.
            server.start_transaction(ReadConcern("snapshot"), WriteConcern("majority"))
            carried_out(memory.begin())
    for server, memory in reversed(pairs):
        server.end_session()
        carried_out(memory.unbind())
        carried_out(memory.close())
