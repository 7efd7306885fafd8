"""Which documents come after a position in a sort, as a filter: the way a page begins where another one ended.

`$gt` and `$lt` compare only values of one type, while a sort goes through all of them in a fixed order: null and
missing fields, NaN, numbers, text and so on. So "after" is: greater in the same type, or of a later type, or equal and
after in the next key. Arrays have no place in this, because a sort takes one of their elements and a comparison another.
"""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from bson import Binary, DatetimeMS, Decimal128, Int64, MaxKey, MinKey, ObjectId, Timestamp
from pydantic import BaseModel

from boundwork.models.bson_types import MISSING
from boundwork.models.codec import codec_of
from boundwork.models.expressions.stored_names import family_of
from boundwork.models.kinds import is_document
from boundwork.models.shapes import Shape

Order = Sequence[tuple[str, int]]

_MIN, _NULL, _NAN, _NUMBER = 0, 1, 2, 3
_TYPES: tuple[tuple[str, ...], ...] = (
    ("minKey",), (), (), ("number",), ("string", "symbol"), ("object",), ("binData",), ("objectId",), ("bool",),
    ("date",), ("timestamp",), ("regex",), ("dbPointer",), ("javascript",), ("javascriptWithScope",), ("maxKey",),
)  # fmt: skip
"""The types in the order of a sort, by their aliases; null and NaN are sought by value."""
_RANKS: dict[type, int] = {
    MinKey: _MIN, type(None): _NULL, int: _NUMBER, Int64: _NUMBER, float: _NUMBER, Decimal128: _NUMBER, str: 4,
    bytes: 6, Binary: 6, UUID: 6, ObjectId: 7, bool: 8, datetime: 9, DatetimeMS: 9, Timestamp: 10, MaxKey: len(_TYPES) - 1,
}  # fmt: skip
_ORDERED = frozenset({
    "str", "int", "Int64", "float", "bool", "null", "bytes", "Binary", "datetime", "decimal", "uuid", "ObjectId",
    "Timestamp", "MinKey", "MaxKey",
})  # fmt: skip
"""Kinds of stored values that a page can follow."""


def check_sortable(model: type[BaseModel], path: str) -> None:
    """Raise TypeError unless a page can follow the field under a stored path: a single value that has an order."""
    *outer, last = path.split(".")
    owners = family_of(model)
    for name in outer:
        holders = [shape.holds for shape in _shapes(owners, name) if "array" not in shape.kinds]
        owners = [cast("type[BaseModel]", held) for held in holders if held is not None]
    shapes = _shapes(owners, last)
    if not shapes or any(not shape.kinds <= _ORDERED for shape in shapes):
        raise TypeError(_unfit(path))


def _shapes(owners: Sequence[type[BaseModel]], name: str) -> list[Shape]:
    return [field.shape for owner in owners for field in codec_of(owner).fields if field.stored == name]


def is_position(value: object) -> bool:
    """Tell whether a value can be a position in a sort."""
    return type(value) in _RANKS


def position_of(stored: Mapping[str, Any], order: Order) -> list[Any]:
    """Return the values of a stored document that a sort looks at; a missing field is null."""
    return [_value_at(stored, path) for path, _ in order]


def after(order: Order, position: Sequence[Any], *, inclusive: bool = False) -> dict[str, Any]:
    """Return the filter for what comes after a position, or with `inclusive` is at it; `_id` ends the order."""
    alternatives: list[dict[str, Any]] = []
    equal: list[dict[str, Any]] = []
    for (path, direction), value in zip(order, position, strict=True):
        alternatives += [_all([*equal, beyond]) for beyond in _beyond(path, value, up=direction == 1)]
        equal.append({path: {"$eq": value}})
    if inclusive:
        alternatives.append(_all(equal))
    return {"$or": alternatives} if alternatives else {"_id": {"$in": []}}


def _all(conditions: list[dict[str, Any]]) -> dict[str, Any]:
    return conditions[0] if len(conditions) == 1 else {"$and": conditions}


def _beyond(path: str, value: Any, *, up: bool) -> list[dict[str, Any]]:
    """Return conditions that each hold for a part of the values that come later."""
    rank = _rank(value)
    later = range(rank + 1, len(_TYPES)) if up else range(rank)
    conditions: list[dict[str, Any]] = []
    if rank not in {_MIN, _NULL, _NAN, len(_TYPES) - 1}:
        conditions.append({path: {"$gt" if up else "$lt": value}})
    if _NULL in later:
        conditions.append({path: {"$eq": None}})
    if rank == _NAN and up:
        conditions.append({path: {"$type": ["number"], "$ne": math.nan}})
    elif _NAN in later and _NUMBER not in later:
        conditions.append({path: {"$eq": math.nan}})
    types = [alias for number in later for alias in _TYPES[number] if (rank, alias) != (_NAN, "number")]
    if types:
        conditions.append({path: {"$type": types}})
    return conditions


def _rank(value: Any) -> int:
    if isinstance(value, float) and math.isnan(value):
        return _NAN
    if isinstance(value, Decimal128) and value.to_decimal().is_nan():
        return _NAN
    return _RANKS[type(value)]


def _value_at(stored: Mapping[str, Any], path: str) -> Any:
    value: Any = stored
    for name in path.split("."):
        if not is_document(value):
            value = MISSING
            break
        value = value.get(name, MISSING)
    if value is MISSING:
        return None
    if not is_position(value):
        raise TypeError(_unfit(path))
    return value


def _unfit(path: str) -> str:
    return (
        f"A page cannot follow {path!r}: it needs fields with one value that has an order (numbers, text, dates, ids), "
        "not lists, objects or anything. Sort by another field, or use skip and limit."
    )
