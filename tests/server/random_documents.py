"""Documents, filters and updates that are awkward on purpose, drawn by a seeded generator."""

import datetime as dt
import math
import random
import uuid
from collections.abc import Callable
from typing import Any

from bson import Binary, Code, Decimal128, Int64, MaxKey, MinKey, ObjectId, Regex, Timestamp
from bson.raw_bson import RawBSONDocument

from boundwork.uow.sessions.memory.encoding import CODEC

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
    Binary(b"ab", 2),
    {"$ref": "c", "$id": 1},
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


def set_based_update(draw: random.Random) -> tuple[Document, tuple[Document, ...]]:
    """Draw an update operator of those that set-based changes use, and its array filters."""
    few = [value(draw, 1) for _ in range(draw.randint(1, 2))]
    clauses = {"$each": few, "$position": draw.choice([0, 1, -1, 9]), "$slice": draw.choice([0, 1, 2, -1, -2])}
    kept = draw.sample(sorted(clauses), draw.choice([1, 2, 3]))
    path, part = draw.choice(PATHS), draw.choice(["", ".b"])
    scalar = draw.choice([1, 2.5, Int64(3), Decimal128("0.25"), "1", None])
    drawn: list[tuple[Document, tuple[Document, ...]]] = [
        ({"$mul": {path: scalar}}, ()),
        ({"$min": {path: value(draw)}}, ()),
        ({"$max": {path: value(draw)}}, ()),
        ({"$push": {path: {name: clauses[name] for name in {"$each", *kept}}}}, ()),
        ({"$addToSet": {path: {"$each": few}}}, ()),
        ({"$pullAll": {path: few}}, ()),
        ({"$pull": {path: {"$eq": value(draw, 1)}}}, ()),
        ({"$pull": {path: {"b": {"$gte": value(draw, 0)}}}}, ()),
        ({"$pop": {path: draw.choice([1, -1])}}, ()),
        ({"$set": {f"{path}.$[]{part}": value(draw, 1)}}, ()),
        ({"$inc": {f"{path}.$[e0]{part}": 1}}, ({"e0": {"$gte": value(draw, 0)}},)),
        ({"$set": {f"{path}.$[e0]{part}": 7}}, ({"e0.b": {"$eq": value(draw, 0)}},)),
        ({"$set": {f"{path}.$[e0]{part}": 7}}, ({"$or": [{"e0.b": {"$gt": 1}}, {"e0.a": {"$exists": True}}]},)),
    ]
    return draw.choice(drawn)
