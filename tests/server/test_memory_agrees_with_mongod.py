"""The in-memory database against a real mongod: the same documents byte for byte, or both refuse.

Filters, sorts, projections, updates and unique keys are drawn from a seeded generator over documents that are
awkward on purpose: missing and null fields, nested and empty arrays, numbers of all types, numeric names.
"""

import datetime as dt
import math
import random
import uuid
from collections.abc import Callable, Coroutine, Iterator
from functools import partial
from typing import Any, TypeVar, cast

import bson
import pytest
from bson import Binary, Code, Decimal128, Int64, MaxKey, MinKey, ObjectId, Regex, Timestamp
from bson.raw_bson import RawBSONDocument
from pymongo import MongoClient
from pymongo.client_session import ClientSession
from pymongo.collection import Collection
from pymongo.errors import OperationFailure, PyMongoError
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
from boundwork.uow.sessions.memory.encoding import CODEC, decode

pytestmark = pytest.mark.server

T = TypeVar("T")

RAW = CODEC.with_options(document_class=RawBSONDocument)
Document = dict[str, Any]

SCALARS: list[Any] = [
    None,
    0,
    1,
    2,
    -3,
    7,
    Int64(1),
    Int64(2**40),
    2**31 - 1,
    1.0,
    1.5,
    -0.0,
    math.nan,
    math.inf,
    -math.inf,
    Decimal128("1"),
    Decimal128("1.50"),
    Decimal128("NaN"),
    Decimal128("-Infinity"),
    "",
    "a",
    "abc",
    "Zürich",
    "a\n",
    "line\nbreak",
    True,
    False,
    dt.datetime(2024, 2, 29, 12, tzinfo=dt.UTC),
    dt.datetime(1969, 12, 31, 23, 59, 59, 999000, tzinfo=dt.UTC),
    ObjectId("0123456789abcdef01234567"),
    ObjectId("fedcba9876543210fedcba98"),
    b"ab",
    Binary(b"ab", 5),
    uuid.UUID(int=7),
    Regex("^a", "i"),
    Timestamp(5, 1),
    Code("f()"),
    MinKey(),
    MaxKey(),
]
NAMES = ["a", "b", "c", "0", "1"]
PATHS = [
    "a",
    "b",
    "c",
    "a.b",
    "a.c",
    "b.a",
    "a.0",
    "a.1",
    "a.0.b",
    "a.b.0",
    "a.b.c",
    "b.0.0",
    "a.0.0.b",
    "c.a.b",
    "_id",
]
AWKWARD: list[Document] = [
    {},
    {"a": None},
    {"a": []},
    {"a": [[]]},
    {"a": [None]},
    {"a": {}},
    {"a": [{}]},
    {"a": {"b": None}},
    {"a": [{"b": 1}, {"c": 1}]},
    {"a": [{"b": 1}, {"c": 1}, 5]},
    {"a": [[1, 2], 3]},
    {"a": [[{"b": 1}]]},
    {"a": [{"b": [1, 2]}, {"b": [{"c": 1}]}]},
    {"a": {"0": 1, "1": {"b": 2}}},
    {"a": {"b": {"c": [1, None]}}},
    {"a": [5, {"0": 7}]},
    {"a": [1, 1.0, "1"]},
    {"a": [1, 5], "b": [[[1]]]},
    {"b": {"a": [{"b": 1}]}, "c": {"a": [{"b": []}, {"b": 2}]}},
]


def seeded(seed: int) -> random.Random:
    return random.Random(seed)


def value(draw: random.Random, depth: int = 2) -> Any:
    """Draw a value, at most `depth` levels deep."""
    kind = draw.random()
    if depth and kind < 0.18:
        return [value(draw, depth - 1) for _ in range(draw.choice([0, 1, 1, 2, 3]))]
    if depth and kind < 0.36:
        return {name: value(draw, depth - 1) for name in draw.sample(NAMES, draw.choice([0, 1, 1, 2]))}
    return draw.choice(SCALARS[:8] if draw.random() < 0.4 else SCALARS)


def documents(draw: random.Random, number: int) -> list[Document]:
    """Draw documents: the awkward ones first, then random ones; the ids are 0, 1, 2 ..."""
    drawn = [
        {name: value(draw, 3) for name in draw.sample(["a", "b", "c"], draw.choice([1, 2, 3]))} for _ in range(number)
    ]
    return [{"_id": index, **fields} for index, fields in enumerate([*AWKWARD, *drawn][:number])]


def operand(draw: random.Random) -> Any:
    """Draw something to compare with, often one that documents have."""
    return value(draw, draw.choice([0, 0, 0, 1, 2]))


def operators(draw: random.Random, depth: int) -> Document:
    """Draw the operators that stand behind a path."""
    simple: dict[str, Callable[[], Any]] = {
        "$eq": lambda: operand(draw),
        "$ne": lambda: operand(draw),
        "$gt": lambda: operand(draw),
        "$gte": lambda: operand(draw),
        "$lt": lambda: operand(draw),
        "$lte": lambda: operand(draw),
        "$in": lambda: [operand(draw) for _ in range(draw.randint(0, 3))],
        "$nin": lambda: [operand(draw) for _ in range(draw.randint(0, 3))],
        "$exists": lambda: draw.choice([True, False, 1, 0, 0.0, None, "x"]),
        "$regex": lambda: draw.choice(
            ["^a", "b", "A", "^$", "c$", "a.b", r"\w+$", "[^a]", "^b", r"\x61\Z", r"Z\Drich"]
        ),
        "$size": lambda: draw.choice([0, 1, 2, Int64(1), 1.0, 1.5, -1, "1"]),
        "$all": lambda: [operand(draw) for _ in range(draw.randint(0, 2))],
        "$type": lambda: draw.choice(
            [1, 2, "number", "array", ["int", "null"], 10.0, "object", "bool", 0, "no", [], -1, 127]
        ),
        "$mod": lambda: [draw.choice([2, 3, -2, 1.5, Int64(4), 0]), draw.choice([0, 1, -1, 1.9])],
    }
    nested: dict[str, Callable[[], Any]] = {
        "$not": lambda: operators(draw, depth - 1),
        "$elemMatch": lambda: operators(draw, depth - 1) if draw.random() < 0.5 else condition(draw, depth - 1),
        "$all": lambda: [{"$elemMatch": condition(draw, depth - 1)} for _ in range(draw.randint(1, 2))],
    }
    chosen: Document = {}
    for _ in range(draw.choice([1, 1, 1, 2])):
        table = nested if depth and draw.random() < 0.3 else simple
        name = draw.choice(sorted(table))
        chosen[name] = table[name]()
    if "$regex" in chosen and draw.random() < 0.5:
        chosen["$options"] = draw.choice(["i", "m", "s", "x", "im", "q"])
    return chosen


def condition(draw: random.Random, depth: int = 2) -> Document:
    """Draw a filter."""
    chosen: Document = {}
    for _ in range(draw.choice([0, 1, 1, 1, 1, 1, 2])):
        if depth and draw.random() < 0.2:
            chosen[draw.choice(["$and", "$or", "$nor"])] = [
                condition(draw, depth - 1) for _ in range(draw.randint(0, 3))
            ]
        else:
            chosen[draw.choice(PATHS)] = operand(draw) if draw.random() < 0.25 else operators(draw, depth)
    return chosen


def update(draw: random.Random) -> Document:
    """Draw update operators."""
    drawn: dict[str, Callable[[], Any]] = {
        "$set": lambda: value(draw),
        "$unset": lambda: "",
        "$inc": lambda: draw.choice([1, 2.5, Int64(3), Decimal128("0.25"), 2**31 - 1, Int64(2**62), "1", None, 0]),
        "$push": lambda: {"$each": [value(draw, 1) for _ in range(draw.randint(0, 2))]} if draw.random() < 0.8 else 1,
        "$setOnInsert": lambda: 1,
    }
    paths = [*PATHS, "d", "d.e", "d.e.f", "a.3", "b.12", "10", "9", "a..b"]
    names = draw.sample(sorted(drawn), draw.choice([1, 1, 2]))
    return {name: {path: drawn[name]() for path in draw.sample(paths, draw.choice([1, 1, 2, 3]))} for name in names}


def carried_out(command: Coroutine[Any, Any, T]) -> T:
    """Drive a coroutine that never suspends."""
    try:
        command.send(None)
    except StopIteration as end:
        return cast(T, end.value)
    raise AssertionError("the in-memory session suspended")


def in_memory(database: MemoryDatabase, command: Callable[[MemorySession], Coroutine[Any, Any, T]]) -> T:
    """Carry out one command in a transaction of its own."""
    session = MemorySession(database)
    carried_out(session.open())
    try:
        result = carried_out(command(session))
        carried_out(session.commit())
    finally:
        carried_out(session.unbind())
        carried_out(session.close())
    return result


def outcome(ask: Callable[[], T]) -> T | str:
    """Return the answer, or the word that it was refused."""
    try:
        return ask()
    except (SessionFailure, PyMongoError):
        return "refused"


def split_batches(batches: list[bytes]) -> list[bytes]:
    """Cut batches into documents."""
    return [bytes(document.raw) for batch in batches for document in bson.decode_iter(batch, RAW)]


@pytest.fixture
def real(mongod_uri: str) -> Iterator[Collection[RawBSONDocument]]:
    with MongoClient[RawBSONDocument](
        mongod_uri, document_class=RawBSONDocument, uuidRepresentation="standard", serverSelectionTimeoutMS=5000
    ) as client:
        database = client["memory_agrees"]
        client.drop_database(database)
        yield database["compared"]
        client.drop_database(database)


def on_server(real: Collection[RawBSONDocument], command: Find) -> list[bytes]:
    cursor = real.find(
        command.filter,
        command.projection,
        sort=list(command.sort) or None,
        skip=command.skip,
        limit=command.limit,
    )
    return [bytes(document.raw) for document in cursor]


def found_in_memory(database: MemoryDatabase, command: Find) -> list[bytes]:
    return split_batches(in_memory(database, lambda session: session.find(command)))


def write_in_memory(database: MemoryDatabase, *writes: Write) -> BulkResult:
    return in_memory(database, lambda session: session.write([BulkWrite("compared", writes)]))[0]


def as_raw(document: Document) -> RawBSONDocument:
    return RawBSONDocument(bson.encode(document, codec_options=CODEC))


def filled(real: Collection[RawBSONDocument], stored: list[Document]) -> MemoryDatabase:
    """Put the same documents into both."""
    database = MemoryDatabase("compared")
    for document in stored:
        real.insert_one(as_raw(document))
    write_in_memory(database, *map(InsertOne, stored))
    return database


def compare(real: Collection[RawBSONDocument], database: MemoryDatabase, commands: list[Find]) -> None:
    """Ask both the same questions and show where they differ."""
    different: list[str] = []
    for command in commands:
        expected = outcome(partial(on_server, real, command))
        found = outcome(partial(found_in_memory, database, command))
        if expected != found:
            different.append(f"{command}\n  mongod: {shown(expected)}\n  memory: {shown(found)}")
    assert not different, f"{len(different)} of {len(commands)} differ\n" + "\n".join(different[:20])


def shown(answer: list[bytes] | str) -> str:
    return answer if isinstance(answer, str) else repr([decode(data) for data in answer])[:600]


def test_filters_select_the_same_documents(real: Collection[RawBSONDocument]) -> None:
    draw = seeded(1)
    database = filled(real, documents(draw, 60))
    by_id = (("_id", 1),)
    compare(real, database, [Find("compared", condition(draw), by_id) for _ in range(1500)])


def test_counts_with_skip_and_limit_are_the_same(real: Collection[RawBSONDocument]) -> None:
    draw = seeded(2)
    database = filled(real, documents(draw, 30))
    for _ in range(100):
        asked, skip, limit = condition(draw, 0), draw.choice([0, 1, 40]), draw.choice([0, 1, 5])
        window: dict[str, Any] = {"skip": skip, **({"limit": limit} if limit else {})}
        expected = outcome(partial(real.count_documents, asked, **window))
        assert outcome(partial(counted_in_memory, database, Count("compared", asked, skip, limit))) == expected, asked


def counted_in_memory(database: MemoryDatabase, command: Count) -> int:
    return in_memory(database, lambda session: session.count(command))


def test_sorts_give_the_same_order(real: Collection[RawBSONDocument]) -> None:
    draw = seeded(3)
    database = filled(real, documents(draw, 60))
    commands: list[Find] = []
    for _ in range(600):
        some = {"_id": {"$in": draw.sample(range(60), draw.choice([3, 6, 20]))}}
        paths = draw.sample(PATHS[:-1], draw.choice([1, 1, 2, 3]))
        sort = (*((path, draw.choice([1, -1])) for path in paths), ("_id", draw.choice([1, -1])))
        commands.append(Find("compared", some, sort, draw.choice([0, 0, 2]), draw.choice([0, 0, 4])))
    compare(real, database, commands)


def test_projections_leave_the_same_fields(real: Collection[RawBSONDocument]) -> None:
    draw = seeded(4)
    database = filled(real, documents(draw, 60))
    commands: list[Find] = []
    for _ in range(300):
        keep = draw.choice([1, 0, True, False])
        projection: Document = dict.fromkeys(draw.sample(PATHS[:-1], draw.choice([0, 1, 2, 3])), keep)
        if draw.random() < 0.4:
            projection["_id"] = draw.choice([0, 1, False, True])
        if draw.random() < 0.05:
            projection["b"] = draw.choice([0, 1])
        commands.append(Find("compared", {}, (("_id", 1),), 0, 0, projection))
    compare(real, database, commands)


def test_updates_make_the_same_documents(real: Collection[RawBSONDocument]) -> None:
    draw = seeded(5)
    database = filled(real, documents(draw, 60))
    different: list[str] = []
    for _ in range(2000):
        which, change = {"_id": draw.randrange(60)}, update(draw)
        before = on_server(real, Find("compared", which))
        expected = outcome(partial(updated_on_server, real, which, change))
        found = outcome(partial(updated_in_memory, database, which, change))
        if expected != found and not is_change_without_effect(expected, found, change):
            different.append(f"{shown(before)} {change}\n  mongod: {expected!r}\n  memory: {found!r}")
            break
    assert not different, "\n".join(different)


def is_change_without_effect(expected: Any, found: Any, change: Document) -> bool:
    """Tell a known difference: the server calls it a change to unset a null element, or to increase a NaN."""
    counts_only = not isinstance(expected, str) and not isinstance(found, str) and expected[::2] == found[::2]
    return counts_only and expected[1] == 1 and not change.keys().isdisjoint({"$unset", "$inc"})


def updated_on_server(real: Collection[RawBSONDocument], which: Document, change: Document) -> tuple[Any, ...]:
    result = real.update_one(which, change)
    return result.matched_count, result.modified_count, on_server(real, Find("compared", which))


def updated_in_memory(database: MemoryDatabase, which: Document, change: Document) -> tuple[Any, ...]:
    result = write_in_memory(database, UpdateOne(which, change))
    return result.matched, result.modified, found_in_memory(database, Find("compared", which))


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("paths", [("a",), ("a.b",), ("a.0",), ("a", "b"), ("a.b", "a.c")])
def test_unique_keys_refuse_the_same_documents(
    real: Collection[RawBSONDocument], paths: tuple[str, ...], sparse: bool
) -> None:
    draw = seeded(6)
    database = MemoryDatabase("compared")
    real.create_index([(path, 1) for path in paths], unique=True, sparse=sparse)
    database.create_unique_index("compared", *paths, sparse=sparse)
    for document in documents(draw, 150):
        expected = outcome(partial(real.insert_one, as_raw(document))) == "refused"
        found = outcome(partial(write_in_memory, database, InsertOne(document))) == "refused"
        assert found == expected, document
    for _ in range(150):
        which, change = {"_id": draw.randrange(150)}, {"$set": {draw.choice(["a", "a.b", "b"]): value(draw)}}
        answer = outcome(partial(updated_on_server, real, which, change))
        assert outcome(partial(updated_in_memory, database, which, change)) == answer, change


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
