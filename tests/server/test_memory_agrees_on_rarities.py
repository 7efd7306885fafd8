"""The in-memory database against a real mongod where random draws seldom come.

References to documents, code, two forms of binary data, letters without a case, classes of letters, amounts that
change nothing, and the order of the fields that an upsert makes.
"""

from functools import partial
from typing import Any

import pytest
from bson import Binary, Code, Decimal128, Int64, Regex
from bson.raw_bson import RawBSONDocument
from pymongo.collection import Collection

from boundwork.uow.commands import Distinct, Find, InsertOne, UpdateOne, UpsertOne
from boundwork.uow.failures import SessionFailure
from boundwork.uow.sessions.memory import MemoryDatabase, MemorySession
from boundwork.uow.sessions.memory.encoding import decode
from boundwork.uow.sessions.pymongo_commands import listed_by
from boundwork.uow.sessions.write_commands import upserting
from tests.server.both_databases import (
    as_raw,
    carried_out,
    compare,
    filled,
    found_in_memory,
    in_memory,
    on_server,
    outcome,
    write_in_memory,
)
from tests.server.random_documents import Document
from tests.server.test_memory_agrees_with_mongod import changed_in_memory, changed_on_server, listed_in_memory
from tests.server.test_memory_transactions_agree import code_of, written

pytestmark = pytest.mark.server

REFERENCES: list[Any] = [
    {"$ref": "c", "$id": 1},
    {"$id": 1, "$ref": "c"},
    {"$ref": "c"},
    {"$id": 1},
    {"$ref": "c", "$id": 1, "$db": "d", "x": 2},
    {"x": 1, "$ref": "c", "$id": 1},
]
VALUES: list[Any] = [
    *REFERENCES,
    [{"$ref": "c", "$id": 1}, {"$ref": "c"}],
    Code("abc"),
    "abc",
    Binary(b"ab", 2),
    Binary(b"ab", 128),
    Binary(b"abcdef", 5),
]
LETTERS = [
    "",
    "istanbul",
    "İSTANBUL",
    "ISTANBUL",
    "\u0131",
    "é",
    "Zürich",
    "ab",
    "a\u00a0b",
    "K",
    "\u212a",
    "s",
    "\u017f",
    "a_1",
    "-",
]
PATTERNS = [
    ("i", "i"),
    ("istanbul", "i"),
    ("\u0131", "i"),
    ("İ", "i"),
    (r"\W", ""),
    (r"^\W$", "i"),
    (r"\S\Sb", ""),
    (r"\D", ""),
    (r"\B", ""),
    (r"^\B$", ""),
    (r"[\w]", "i"),
    (r"^[\w^]$", "i"),
    (r"^[^\w]$", "i"),
    (r"^[^\w-]$", "i"),
    (r"^[\w-]+$", "i"),
    (r"\b+", ""),
    (r"\B{2}", ""),
    ("^*a", "m"),
    (r"\z?", ""),
]


def stored(values: list[Any]) -> list[Document]:
    return [{"_id": number, "a": value} for number, value in enumerate(values)]


def by_id(condition: Document) -> Find:
    return Find("compared", condition, (("_id", 1),))


def test_references_code_and_binary_data_are_found_alike(real: Collection[RawBSONDocument]) -> None:
    database = filled(real, stored(VALUES))
    operators = [{name: value} for name in ("$eq", "$ne", "$gte", "$lt") for value in VALUES]
    lists = [{name: [value]} for name in ("$in", "$nin", "$all") for value in VALUES]
    tests = [
        *VALUES,
        *operators,
        *lists,
        {"$all": [{"$x": 1}]},
        {"$regex": "b"},
        {"$not": Regex("b")},
        {"$type": "object"},
    ]
    paths: list[Document] = [{"a.$id": 1}, {"a.$ref": "c"}, {"a.x": {"$exists": True}}]
    conditions: list[Document] = [*({"a": test} for test in tests), *paths]
    compare(real, database, [by_id(condition) for condition in conditions])
    compare(real, database, [Find("compared", {}, (("a", way), ("_id", 1))) for way in (1, -1)])
    compare(real, database, [Find("compared", {}, (("_id", 1),), projection={"a.x": keep}) for keep in (0, 1)])


def test_a_reference_keeps_its_fields_and_their_order_when_its_document_changes(
    real: Collection[RawBSONDocument],
) -> None:
    database = filled(real, stored(REFERENCES))
    expected = changed_on_server(real, {}, {"$set": {"b": 1}}, ())
    assert changed_in_memory(database, {}, {"$set": {"b": 1}}, ()) == expected


def test_patterns_match_the_same_letters(real: Collection[RawBSONDocument]) -> None:
    database = filled(real, stored(LETTERS))
    compare(real, database, [by_id({"a": {"$regex": pattern, "$options": letters}}) for pattern, letters in PATTERNS])


def test_a_pattern_with_a_null_byte_is_refused(real: Collection[RawBSONDocument]) -> None:
    compare(real, filled(real, stored(LETTERS)), [by_id({"a": {"$regex": "a\0b"}}), by_id({"a": {"$regex": "a"}})])


@pytest.mark.parametrize("pattern", [r"[\w-.]", r"[a-\d]", "a # b", r"(?<=a*)b", r"(a)\2"])
def test_a_pattern_whose_meaning_differs_is_refused_by_name(pattern: str) -> None:
    database = MemoryDatabase("compared")
    with pytest.raises(SessionFailure) as caught:
        found_in_memory(database, by_id({"a": {"$regex": pattern, "$options": "x"}}))
    assert "operator" in caught.value.detail


@pytest.mark.parametrize(
    "change",
    [
        {"$inc": {"a": Decimal128("0.00")}},
        {"$mul": {"a": Decimal128("1.00")}},
        {"$inc": {"a": Int64(0)}},
        {"$mul": {"a": 1.0}},
        {"$push": {"b": {"$each": [3], "$slice": 2}}},
        {"$push": {"b": {"$each": [], "$slice": 2}}},
        {"$push": {"b": {"$each": []}}},
        {"$pull": {"b": 9}},
        {"$pull": {"c": {}}},
        {"$pull": {"c": {"0": 1}}},
        {"$pull": {"b": {"$not": {"$gt": 1}}}},
        {"$pop": {"a": 1}},
        {"$pop": {"e": 1}},
        {"$unset": {"b.1": ""}},
        {"$set": {"c.$[].x": 1, "c.0.y": 2}},
    ],
)
def test_changes_keep_and_count_the_same(real: Collection[RawBSONDocument], change: Document) -> None:
    numbers = [Decimal128("1.5"), Decimal128("1.50"), Decimal128("NaN"), 1, Int64(1), 2.5, float("nan"), -0.0]
    documents = [
        {"_id": number, "a": value, "b": [1, None], "c": [[], [1], {}, {"0": 1}], "e": []}
        for number, value in enumerate(numbers)
    ]
    database = filled(real, documents)
    expected = outcome(partial(changed_on_server, real, {}, change, ()))
    assert outcome(partial(changed_in_memory, database, {}, change, ())) == expected


@pytest.mark.parametrize("key", [{}, {"c": 2}, {"k": {"$eq": {"x": 1}}, "c": 2}, {"k.x": 1}])
def test_an_upsert_makes_the_same_fields_in_the_same_order(real: Collection[RawBSONDocument], key: Document) -> None:
    write = UpsertOne(
        {"_id": 1, "c": 2, "k": {"x": 1}, "b": 3, "a": 4} if key != {"k.x": 1} else {"_id": 1, "b": 3}, key
    )
    real.update_one(write.filter, upserting(write), upsert=True)
    database = MemoryDatabase("compared")
    write_in_memory(database, write)
    assert found_in_memory(database, by_id({})) == on_server(real, by_id({}))


def test_a_name_with_dots_is_looked_into_by_distinct(real: Collection[RawBSONDocument]) -> None:
    database = filled(
        real, [{"_id": 1, "a": {"b.c": 1, "b": {"c": 2}}}, {"_id": 2, "a": [{"b.c": [3]}, {"b": {"c": 4}}]}]
    )
    expected = listed_by({"values": real.distinct("a.b.c")})
    found = in_memory(database, partial(listed_in_memory, Distinct("compared", "a.b.c", {})))
    assert sorted(map(repr, map(decode, found))) == sorted(map(repr, map(decode, expected)))


def test_the_least_of_several_unique_keys_decides_whether_it_is_a_rival_or_a_duplicate(
    real: Collection[RawBSONDocument],
) -> None:
    real.create_index("a", unique=True)
    database = filled(real, [{"_id": 1, "a": ["z"]}])
    database.create_unique_index("compared", "a")
    change, document = {"$set": {"a": ["z", "b"]}}, {"_id": 2, "a": ["z", "b", *"cdefgh"]}
    with real.database.client.start_session() as first, first.start_transaction():
        real.update_one({"_id": 1}, change, session=first)
        with real.database.client.start_session() as second, second.start_transaction():
            expected = code_of(lambda: real.insert_one(as_raw(document), session=second))
            second.abort_transaction()
    rival, session = MemorySession(database), MemorySession(database)
    carried_out(rival.open())
    carried_out(session.open())
    written(rival, UpdateOne({"_id": 1}, change))
    assert code_of(lambda: written(session, InsertOne(document))) == expected
