"""Values that a client, or a careless program, could hand to a query: made by a seed, each of them able to bite."""

import random
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import bson
from bson import SON, Binary, Code, DBRef, Decimal128, Int64, MaxKey, MinKey, ObjectId, Regex, Timestamp
from bson.raw_bson import RawBSONDocument
from pydantic import BaseModel, RootModel

OPERATORS = [
    "$ne", "$gt", "$gte", "$lt", "$in", "$nin", "$exists", "$regex", "$options", "$not", "$or", "$and", "$nor", "$where",
    "$expr", "$function", "$accumulator", "$elemMatch", "$size", "$all", "$mod", "$type", "$text", "$search", "$jsonSchema",
    "$near", "$geoWithin", "$eq", "$set", "$unset", "$inc", "$push", "$each", "$rename", "$setOnInsert", "$out", "$merge",
    "$lookup", "$unionWith", "$facet", "$literal", "$ref", "$id", "$db", "$$ROOT", "$total", "$", "$comment",
    "$_internalJsEmit", "$_internalExprEq",
]  # fmt: skip
NAMES = [
    "status",
    "total",
    "number",
    "_id",
    "id",
    "a.b",
    "meta.x",
    "lines.0.sku",
    "address.city",
    "",
    ".",
    "$.a",
    "a.$b",
    "x",
]
TEXTS = [
    *OPERATORS, *NAMES, "\0", "a\0b", "$ne\0", "\ud800", "(a+)+$", "^.*", "[", "\\", "\\Q.\\E", "*", "'; return true; //",
    "-total", "-created,total", "total,", "plain", "open", "\u202e", "\N{PILE OF POO}", "0123456789abcdef01234567", "__class__",
    "__proto__", "e" * 300,
]  # fmt: skip


class Lying(str):
    """A text that is equal to everything and answers as it likes."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return True

    def __ne__(self, other: object) -> bool:
        return False

    def __hash__(self) -> int:
        return hash("plain")

    def __str__(self) -> str:
        return "plain"

    def __repr__(self) -> str:
        return "'plain'"

    def startswith(self, *_: Any) -> bool:
        return False

    def split(self, *_: Any, **__: Any) -> Any:
        return ["plain"]

    def partition(self, _: str) -> Any:
        return ("plain", "", "")

    def translate(self, _: Any) -> str:
        return ".*"


class Shifting(dict[Any, Any]):
    """A dict that shows other contents than it holds."""

    def items(self) -> Any:
        return {"$where": "1", **dict(super().items())}.items()

    def __iter__(self) -> Iterator[Any]:
        return iter(["plain"])

    def __len__(self) -> int:
        return 1


class Foreign(Mapping[Any, Any]):
    """A mapping that is no dict."""

    def __init__(self, inner: dict[Any, Any]) -> None:
        self._inner = inner

    def __getitem__(self, key: Any) -> Any:
        return self._inner[key]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._inner)

    def __len__(self) -> int:
        return len(self._inner)


class Disguised:
    """An object that says it is a text, and that the driver would write as a document with an operator."""

    _type_marker = 100

    @property
    def __class__(self) -> Any:
        return str

    @__class__.setter
    def __class__(self, value: Any) -> None:
        raise TypeError

    def as_doc(self) -> Any:
        return SON([("$ne", None)])


class Numbered(int):
    """A number that the driver would write as a document with an operator."""

    _type_marker = 100

    def as_doc(self) -> Any:
        return SON([("$ne", None)])


class Body(RootModel[Any]):
    """A model that is nothing but what it was given."""


class Envelope(BaseModel, extra="allow"):
    """A model that takes any field."""

    inner: Any = None


class Always:
    """An object that is equal to everything."""

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = object.__hash__


_ID = ObjectId("0123456789abcdef01234567")
SCALARS: list[Any] = [
    None, True, False, 0, -1, 1.5, 2**31, 2**63, -(2**63), 2**64, 10**400, float("nan"), float("inf"), -0.0, b"$ne", b"\0",
    Int64(5), Numbered(5), Decimal128("NaN"), Decimal128("1.5"), _ID, UUID(int=1), Binary(b"$ne", 5), MinKey(), MaxKey(),
    Timestamp(1, 1), datetime(2024, 1, 1, tzinfo=UTC), Regex("^.*"), Regex(".*", "i"), Code("return true"),
    Code("return a", {"a": {"$ne": 1}}), DBRef("orders", "x"), DBRef("orders", {"$ne": 1}), DBRef("o", 1, "d", where={"$where": 1}),
    Disguised(), Always(), object(), print, 1j,
]  # fmt: skip


def hostile(seed: int, number: int) -> Iterator[Any]:
    """Yield so many values; the same for the same seed."""
    draw = random.Random(seed)
    for _ in range(number):
        yield _value(draw, draw.choice([0, 1, 1, 2, 3, 5]))


def text(draw: random.Random) -> Any:
    """Return a text, or something that is one."""
    found = draw.choice(TEXTS)
    if draw.random() < 0.2:
        found += draw.choice(TEXTS)
    return Lying(found) if draw.random() < 0.15 else found


def _value(draw: random.Random, depth: int) -> Any:
    if depth == 0 or draw.random() < 0.2:
        return text(draw) if draw.random() < 0.6 else draw.choice(SCALARS)
    if draw.random() < 0.002:
        return _deep(draw.choice([50, 150, 3000]), draw.choice(["$and", "x"]))
    inner = [_value(draw, depth - 1) for _ in range(draw.choice([0, 1, 1, 2, 3]))]
    if draw.random() < 0.3:
        lists: list[Callable[[Any], Any]] = [list, list, tuple, deque, Body, _as_set]
        return draw.choice(lists)(inner)
    return _mapping(draw, {text(draw) if draw.random() < 0.97 else 5: part for part in inner})


def _mapping(draw: random.Random, fields: dict[Any, Any]) -> Any:
    kinds: list[Callable[[Any], Any]] = [dict, dict, dict, SON, Shifting, Foreign, Body, _raw, _envelope]
    return draw.choice(kinds)(fields)


def _deep(depth: int, name: str) -> Any:
    value: Any = {"$ne": None}
    for _ in range(depth):
        value = {name: [value]}
    return value


def _as_set(inner: list[Any]) -> Any:
    return frozenset(part for part in inner if isinstance(part, str | int | bytes) and not isinstance(part, Code))


def _raw(fields: dict[Any, Any]) -> Any:
    try:
        return RawBSONDocument(bson.encode(fields))
    except Exception:
        return fields


def _envelope(fields: dict[Any, Any]) -> Any:
    try:
        return Envelope(**{str.__str__(name): part for name, part in fields.items() if isinstance(name, str)})
    except Exception:
        return Envelope(inner=fields)
