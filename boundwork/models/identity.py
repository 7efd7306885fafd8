"""When two stored ids are the same document, and what can be an id at all.

The key follows BSON's comparison, not Python's: numbers of different types are equal, a boolean is not a number,
and a document is equal to another with the same fields in the same order.
"""

from collections.abc import Hashable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import bson
from bson import Binary, Decimal128, ObjectId, Regex

from boundwork.models.bson_types import CannotStore
from boundwork.models.kinds import is_mapping, is_ordered

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UUID_SUBTYPE = 4
NO_IDS: frozenset[type] = frozenset({Regex, list})
"""Types that no server takes for an id: one of them in a filter is a condition, or none that can be met."""


def checked_id(stored_id: Any) -> Any:
    """Return the stored form of an id; CannotStore for what a filter would read as a condition, and no server stores."""
    if type(stored_id) in NO_IDS:
        raise CannotStore(f"an id cannot be a {type(stored_id).__name__}")
    if is_mapping(stored_id) and any(str(name).startswith("$") for name in stored_id):
        raise CannotStore("an id cannot have a name that begins with '$'")
    return stored_id


def identity_key(stored_id: Any) -> Hashable:
    """Give the hashable key under which a stored `_id` is known; equal keys mean the same document."""
    if type(stored_id) is ObjectId:
        return stored_id.binary
    if type(stored_id) is str:
        return stored_id
    return _key(stored_id)


def _key(value: Any) -> Hashable:  # noqa: C901, PLR0911, PLR0912 - one line for each BSON type
    match value:
        case None:
            return ("null",)
        case bool():
            return ("bool", value)
        case int() | float():
            return _number(value)
        case Decimal128():
            return _number(value.to_decimal())
        case str():
            return str(value)
        case ObjectId():
            return value.binary
        case UUID():
            return ("binary", _UUID_SUBTYPE, value.bytes)
        case Binary():
            return ("binary", value.subtype, bytes(value))
        case bytes():
            return ("binary", 0, value)
        case datetime():
            aware = value if value.tzinfo else value.replace(tzinfo=UTC)
            since = aware - _EPOCH
            return ("date", (since.days * 86_400_000) + since.seconds * 1000 + since.microseconds // 1000)
        case _ if is_mapping(value):
            return ("document", tuple((name, identity_key(part)) for name, part in value.items()))
        case _ if is_ordered(value):
            return ("array", tuple(identity_key(part) for part in value))
        case _:
            return (type(value).__name__, bson.encode({"": value}))


def _number(value: float | Decimal) -> Hashable:
    return ("number", value) if value == value else ("number", "NaN")  # noqa: PLR0124 - only a NaN differs from itself
