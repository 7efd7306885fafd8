"""How scalars are written and read back, by their annotation.

Reading is forgiving: a decoder that meets another kind of value than it wrote hands it on, and the validator decides.
"""

import re
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, IPv6Network
from typing import Any
from uuid import UUID

from bson import Binary, Decimal128, Int64, Regex
from pydantic import (
    AwareDatetime,
    FutureDate,
    FutureDatetime,
    IPvAnyAddress,
    IPvAnyInterface,
    IPvAnyNetwork,
    NaiveDatetime,
    PastDate,
    PastDatetime,
    SecretBytes,
    SecretStr,
)

from boundwork.models import bson_types
from boundwork.models.bson_types import NATIVE, TEXT_TYPES, CannotStore, encode_value
from boundwork.models.decimal128 import DecimalRange, from_decimal, to_decimal
from boundwork.models.difference import same
from boundwork.models.kinds import class_of
from boundwork.models.shapes import Shape, UnclearType

_NUMBERS = frozenset({int, float, Int64})


def _read_decimal(stored: Any) -> Any:
    return to_decimal(stored) if type(stored) is Decimal128 else stored


def _read_timedelta(stored: Any) -> Any:
    return timedelta(microseconds=stored) if type(stored) in _NUMBERS else stored


def _read_date(stored: Any) -> Any:
    return stored.date() if type(stored) is datetime else stored


def _read_naive(stored: Any) -> Any:
    return stored.replace(tzinfo=None) if type(stored) is datetime else stored


def _read_pattern(stored: Any) -> Any:
    return stored.try_compile() if stored.__class__ is Regex else stored


def _read_binary(stored: Any) -> Any:
    return Binary(stored) if type(stored) is bytes else stored


def _checked(encode: Callable[[Any], Any], *classes: type) -> Callable[[Any], Any]:
    """Use an encoder for exactly its own type; a value of another type is stored by what it is."""
    own = frozenset(classes)
    return lambda value: encode(value) if type(value) in own else encode_value(value)


def _naive(value: Any) -> Any:
    return bson_types.encode_naive_datetime(value) if isinstance(value, datetime) else encode_value(value)


def _date(value: Any) -> Any:
    return bson_types.encode_date(value) if isinstance(value, date) else encode_value(value)


def _moment(value: Any) -> Any:
    """Do as `_checked` would, in one call where nothing must be cut: most documents have some of these."""
    if type(value) is not datetime:
        return encode_value(value)
    return bson_types.encode_datetime(value) if value.tzinfo is None or value.microsecond else value


def _decimal(value: Any) -> Any:
    if type(value) is not Decimal:
        return encode_value(value)
    try:
        return from_decimal(value)
    except DecimalRange as error:
        raise CannotStore(str(error)) from None


def _plain(kind: str, cls: type) -> Shape:
    return Shape(kinds=frozenset({kind}), classes=(cls,))


def _text(*classes: type) -> Shape:
    return Shape(encode=_checked(str, *classes), kinds=frozenset({"str"}), classes=classes, converted=True)


_DATETIME = Shape(
    encode=_moment,
    kinds=frozenset({"datetime"}),
    classes=(datetime,),
)
_DATE = Shape(
    encode=_date,
    decode=_read_date,
    kinds=frozenset({"datetime"}),
    classes=(date,),
    converted=True,
    steered=True,
)
_BY_CLASS: dict[Any, Shape] = {
    str: _plain("str", str),
    bool: _plain("bool", bool),
    float: _plain("float", float),
    bytes: _plain("bytes", bytes),
    type(None): _plain("null", type(None)),
    UUID: Shape(encode=_checked(bson_types.encode_uuid, UUID), kinds=frozenset({"uuid"}), classes=(UUID,)),
    int: Shape(encode=_checked(bson_types.encode_int, int), kinds=frozenset({"int"}), classes=(int,)),
    datetime: _DATETIME,
    AwareDatetime: _DATETIME,
    PastDatetime: _DATETIME,
    FutureDatetime: _DATETIME,
    NaiveDatetime: Shape(
        encode=_naive,
        decode=_read_naive,
        kinds=frozenset({"datetime"}),
        classes=(datetime,),
        converted=True,
        steered=True,
    ),
    date: _DATE,
    PastDate: _DATE,
    FutureDate: _DATE,
    time: Shape(encode=_checked(time.isoformat, time), kinds=frozenset({"str"}), classes=(time,), converted=True),
    timedelta: Shape(
        encode=_checked(bson_types.encode_timedelta, timedelta),
        decode=_read_timedelta,
        kinds=frozenset({"int"}),
        classes=(timedelta,),
        converted=True,
    ),
    Decimal: Shape(
        encode=_decimal,
        decode=_read_decimal,
        kinds=frozenset({"decimal"}),
        classes=(Decimal,),
    ),
    re.Pattern: Shape(decode=_read_pattern, kinds=frozenset({"regex"}), classes=(re.Pattern,)),
    Binary: Shape(decode=_read_binary, kinds=frozenset({"bytes", "Binary"}), classes=(Binary,)),
    IPvAnyAddress: _text(IPv4Address, IPv6Address),
    IPvAnyNetwork: _text(IPv4Network, IPv6Network),
    IPvAnyInterface: _text(IPv4Interface, IPv6Interface),
    **{cls: _text(cls) for cls in TEXT_TYPES},
    **{
        cls: _plain(cls.__name__, cls)
        for cls in NATIVE - {str, bool, float, bytes, type(None), Binary, Decimal128, Regex}
    },
    Decimal128: Shape(kinds=frozenset({"decimal"}), classes=(Decimal128,)),
    Regex: Shape(kinds=frozenset({"regex"}), classes=(Regex,)),
}


def known(cls: type) -> Shape | None:
    """Give the shape of a scalar class or a class derived from one; None for any other class."""
    for base in cls.__mro__:
        shape = _BY_CLASS.get(base)
        if shape is not None:
            return shape
    return None


def secret(cls: type[SecretStr] | type[SecretBytes]) -> Shape:
    """Give the shape of a secret that its field allows to be stored."""

    def encode(value: Any) -> Any:
        return value.get_secret_value() if isinstance(value, cls) else encode_value(value)

    kind = "str" if cls is SecretStr else "bytes"
    return Shape(encode=encode, kinds=frozenset({kind}), classes=(cls,), converted=True, steered=True)


_PLAIN_VALUES = frozenset({str, int, float, bool, bytes, type(None)})


def kind_of(stored: Any) -> str:
    """Name the kind of a stored value."""
    names: dict[type[Any], str] = {
        type(None): "null",
        list: "array",
        dict: "document",
        Decimal128: "decimal",
        Binary: "uuid",
        Regex: "regex",
    }
    cls = class_of(stored)
    return names.get(cls, cls.__name__)


def _pairs(values: list[Any]) -> list[tuple[Any, Any]]:
    try:
        return [(encode_value(value), value) for value in values]
    except CannotStore as error:
        raise UnclearType(error.problem) from None


def _reader(pairs: list[tuple[Any, Any]]) -> Callable[[Any], Any]:
    return lambda stored: next((value for form, value in pairs if same(form, encode_value(stored))), stored)


def enumeration(cls: type[Enum]) -> Shape:
    """Give the shape of an Enum, which is stored as its value."""
    values = [member.value for member in cls]
    pairs = _pairs(values)
    native = all(type(value) in NATIVE for value in values)

    def encode(value: Any) -> Any:
        if native and type(value) is cls:
            return value._value_
        return encode_value(value)

    return Shape(
        encode=encode,
        decode=None if all(type(value) in _PLAIN_VALUES for value in values) else _reader(pairs),
        kinds=frozenset(kind_of(form) for form, _ in pairs),
        classes=(cls,),
        converted=True,
    )


def literal(values: tuple[Any, ...]) -> Shape:
    """Give the shape of a Literal; members of an Enum among its values are found again."""
    pairs = _pairs(list(values))
    return Shape(
        decode=_reader(pairs) if any(isinstance(value, Enum) for value in values) else None,
        kinds=frozenset(kind_of(form) for form, _ in pairs),
        classes=tuple({class_of(value) for value in values}),
    )
