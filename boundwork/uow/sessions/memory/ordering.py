"""The order and the equality of BSON values, as one comparable and hashable key.

Two values are equal for MongoDB when their keys are: 1, 1.0 and Decimal128("1") are, 1 and True are not. Keys
begin with the rank of the value's type, so keys of different types never compare their contents.
"""

import datetime as dt
import math
import uuid
from collections.abc import Callable
from typing import Any, Final

from bson import Binary, Code, DatetimeMS, Decimal128, Int64, MaxKey, MinKey, ObjectId, Regex, Timestamp
from bson.binary import OLD_BINARY_SUBTYPE

from boundwork.uow.sessions.memory.encoding import MISSING, Value, is_document

Key = tuple[Any, ...]

RANK_MISSING: Final = 0
RANK_NULL: Final = 5
RANK_NUMBER: Final = 10
NAN_KEY: Final[Key] = (RANK_NUMBER, 0, 0)
MISSING_KEY: Final[Key] = (RANK_MISSING,)

_UUID_SUBTYPE: Final = 4
_OLD_LENGTH: Final = 4
"""Bytes of a length that the old form of binary data repeats inside; they count."""
_REGEX_LETTERS: Final = ((2, "i"), (4, "l"), (8, "m"), (16, "s"), (32, "u"), (64, "x"))


def regex_letters(flags: int) -> str:
    """Return the flags of a stored pattern as the server's sorted letters."""
    return "".join(letter for bit, letter in _REGEX_LETTERS if flags & bit)


def _of_float(value: float) -> Key:
    return NAN_KEY if math.isnan(value) else (RANK_NUMBER, 1, value)


def _of_decimal(value: Decimal128) -> Key:
    number = value.to_decimal()
    return NAN_KEY if number.is_nan() else (RANK_NUMBER, 1, number)


def _of_document(value: dict[str, Any]) -> Key:
    # Fields compare by type, then name, then contents; a document that ends first is the smaller one.
    return (20, tuple((key[0], name, key) for name, key in ((n, order_key(v)) for n, v in value.items())))


def _of_bytes(value: bytes) -> Key:
    subtype = value.subtype if isinstance(value, Binary) else 0
    length = len(value) + (_OLD_LENGTH if subtype == OLD_BINARY_SUBTYPE else 0)
    return (30, length, subtype, bytes(value))


def _of_code(value: Code) -> Key:
    return (60, str(value)) if value.scope is None else (65, str(value), order_key(dict(value.scope)))


def _of_regex(value: "Regex[Any]") -> Key:
    return (50, value.pattern, regex_letters(int(value.flags)))


_KEYS: Final[dict[type, Callable[[Any], Key]]] = {
    MinKey: lambda _: (-1,),
    type(None): lambda _: (RANK_NULL,),
    int: lambda value: (RANK_NUMBER, 1, value),
    Int64: lambda value: (RANK_NUMBER, 1, value),
    float: _of_float,
    Decimal128: _of_decimal,
    str: lambda value: (15, value),
    dict: _of_document,
    list: lambda value: (25, tuple(order_key(item) for item in value)),
    bytes: _of_bytes,
    Binary: _of_bytes,
    uuid.UUID: lambda value: (30, 16, _UUID_SUBTYPE, value.bytes),
    ObjectId: lambda value: (35, value.binary),
    bool: lambda value: (40, value),
    dt.datetime: lambda value: (45, int(DatetimeMS(value))),
    DatetimeMS: lambda value: (45, int(value)),
    Timestamp: lambda value: (47, value.time, value.inc),
    Regex: _of_regex,
    Code: _of_code,
    MaxKey: lambda _: (127,),
}


def order_key(value: Value) -> Key:
    """Return the key by which MongoDB compares the value."""
    if value is MISSING:
        return MISSING_KEY
    kind: type[object] = value.__class__
    key = _KEYS.get(kind)
    if key is None and is_document(value):
        key = _of_document
    if key is None:
        raise TypeError(f"{kind.__name__} is not a decoded BSON value")
    return key(value)


class Descending:
    """A key that sorts the other way round."""

    __slots__ = ("key",)

    def __init__(self, key: Key) -> None:
        """Wrap the key."""
        self.key = key

    def __eq__(self, other: object) -> bool:
        """Compare the wrapped keys."""
        return isinstance(other, Descending) and self.key == other.key

    def __hash__(self) -> int:
        """Hash the wrapped key."""
        return hash(self.key)

    def __lt__(self, other: "Descending") -> bool:
        """Tell whether this key comes first, that is, whether it is the greater one."""
        return other.key < self.key
