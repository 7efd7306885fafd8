"""Which Python values BSON takes as they are, and how every other kind of value is written.

`encode_value` goes by the type of the value alone. It serves `Any`, unions and everything an annotation does not
decide; a value that has no form in BSON raises `CannotStore`.
"""

import dataclasses
import re
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, IPv6Network
from pathlib import PurePath
from typing import Any, cast
from uuid import UUID

import bson
from bson import Binary, Code, DBRef, Decimal128, Int64, MaxKey, MinKey, ObjectId, Regex, Timestamp
from bson.binary import UUID_SUBTYPE, UuidRepresentation
from bson.codec_options import CodecOptions
from bson.errors import BSONError
from pydantic import AnyUrl, BaseModel, PostgresDsn, SecretBytes, SecretStr
from pydantic_core import MultiHostUrl, Url

from boundwork.models.decimal128 import DecimalRange, from_decimal
from boundwork.models.kinds import class_of, is_mapping
from boundwork.models.references.ref import Ref

NATIVE: frozenset[type] = frozenset({
    str, float, bool, type(None), ObjectId, bytes, Decimal128, Int64, Binary, Code, DBRef, MaxKey, MinKey,
    Regex, Timestamp,
})  # fmt: skip
"""Types whose values are stored as they are."""

CODEC_OPTIONS: CodecOptions[dict[str, Any]] = CodecOptions(
    tz_aware=True,
    uuid_representation=UuidRepresentation.STANDARD,
)
"""How stored documents are decoded: times are aware UTC, UUIDs are UUIDs."""
_decode_all: Any = cast("Any", bson).decode_all


def decode_all(batch: bytes) -> list[dict[str, Any]]:
    """Turn concatenated BSON documents into dicts."""
    documents: list[dict[str, Any]] = _decode_all(batch, CODEC_OPTIONS)
    return documents


REFUSALS: tuple[type[Exception], ...] = (BSONError, UnicodeError, OverflowError, RecursionError)
"""What encoding raises for values that have no form in BSON."""


class Missing:
    """The type of MISSING."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "MISSING"


MISSING: Any = Missing()
"""Stands for a field that is not there."""
HIDDEN = "[...]"
"""Stands in errors for the key of a dict, which is content."""

Encoder = Callable[[Any], Any]
_MICROSECOND = timedelta(microseconds=1)
_LOWEST, _HIGHEST = -(2**63), 2**63 - 1


class CannotStore(Exception):
    """A value has no form in BSON; the path to it grows while the error passes outwards."""

    def __init__(self, problem: str) -> None:
        """Begin at the value itself."""
        super().__init__(problem)
        self.problem = problem
        self.path: list[str] = []
        self._whole: object = None

    def inside(self, part: object, whole: object = None) -> "CannotStore":
        """Note that the value lies under a field, key or index of a whole, if that is known."""
        self.path.insert(0, str(part))
        self._whole = whole
        return self

    def of(self, whole: object) -> "CannotStore":
        """Note that what was encoded stands for this whole."""
        self._whole = whole
        return self

    def place_in(self, parts: Iterable[tuple[object, object]]) -> Any:
        """Give the name of the part that the path begins in, so that none need be encoded again; else MISSING."""
        if self._whole is None:
            return MISSING
        return next((name for name, part in parts if part is self._whole), MISSING)


class ForeignClass(CannotStore):
    """A value is of another class than its annotation says, and would be read back as the annotation's."""

    def __init__(self, found: type, declared: str) -> None:
        """Name both."""
        super().__init__(
            f"an instance of {found.__name__} stands where the field says {declared}, and would not be read back as "
            f"{found.__name__}; let the annotation name it, in a union told apart by a Literal field"
        )


def encode_int(value: int) -> int:
    """Check that an int fits the 64 bits of BSON."""
    if _LOWEST <= value <= _HIGHEST:
        return value
    raise CannotStore("the number does not fit 64 bits; use Decimal or str")


def encode_datetime(value: datetime) -> datetime:
    """Cut an aware datetime to the milliseconds that BSON keeps."""
    if value.tzinfo is None:
        raise CannotStore("the datetime has no time zone; give it one, or annotate the field as pydantic.NaiveDatetime")
    cut = value.microsecond % 1000
    return value.replace(microsecond=value.microsecond - cut) if cut else value


def encode_naive_datetime(value: datetime) -> datetime:
    """Store a naive datetime as if it were UTC, for fields that are annotated so."""
    if value.tzinfo is not None:
        raise CannotStore("the datetime has a time zone, but the field is annotated as pydantic.NaiveDatetime")
    return encode_datetime(value.replace(tzinfo=UTC))


def encode_date(value: date) -> datetime:
    """Store a date as midnight UTC."""
    if isinstance(value, datetime):
        raise CannotStore("a datetime stands where a date belongs")
    return datetime(value.year, value.month, value.day, tzinfo=UTC)


def encode_timedelta(value: timedelta) -> int:
    """Store a timedelta as whole microseconds."""
    return encode_int(value // _MICROSECOND)


def encode_uuid(value: UUID) -> Binary:
    """Store a UUID as binary of subtype 4, whatever the client's own setting for UUIDs is."""
    return Binary(value.bytes, UUID_SUBTYPE)


def encode_decimal(value: Decimal) -> Decimal128:
    """Store a Decimal as Decimal128 of at most 34 digits."""
    try:
        return from_decimal(value)
    except DecimalRange as error:
        raise CannotStore(str(error)) from None


def _refuse_secret(_: object) -> Any:
    raise CannotStore("a secret is stored only where the field says so: Annotated[..., StorePlain()]")


def encode_items(values: Iterable[Any]) -> list[Any]:
    """Store the items of a list, tuple or deque, each by its own type."""
    try:
        return [value if type(value) in NATIVE else encode_value(value) for value in values]
    except CannotStore as error:
        return encode_each(values, encode_value, error)


def encode_each(values: Iterable[Any], encode: Encoder, cause: CannotStore | None = None) -> list[Any]:
    """Store items one by one, so that an error, or the cause that is known already, says at which index it lies."""
    place = MISSING if cause is None else cause.place_in(enumerate(values))
    if cause is not None and place is not MISSING:
        raise cause.inside(place, values) from None
    stored: list[Any] = []
    for index, value in enumerate(values):
        try:
            stored.append(value if type(value) in NATIVE else encode(value))
        except CannotStore as error:
            raise error.inside(index, values) from None
    return stored


def in_order(stored: list[Any]) -> list[Any]:
    """Sort the items of a set, so that equal sets are stored alike; what BSON cannot hold is for who encodes it to say."""
    try:
        return sorted(stored)
    except TypeError:
        pass
    try:
        return sorted(stored, key=lambda item: bson.encode({"": item}))
    except REFUSALS:
        return stored


def _encode_set(values: Iterable[Any]) -> list[Any]:
    return in_order(encode_items(values))


def encode_key(key: Any) -> str:
    """Turn the key of a dict into the name of a BSON field."""
    name: str = key if type(key) is str else _key_text(key)
    if "\0" in name:
        raise CannotStore("a key holds a zero character")
    return name


def _key_text(key: Any) -> str:
    if isinstance(key, Enum):
        return encode_key(key.value)
    if isinstance(key, date | time):
        return str(key.isoformat())
    if isinstance(key, str):
        return str(str.__str__(key))
    if isinstance(key, bool | int | float | Decimal | UUID | ObjectId | PurePath | _TEXT_TYPES):
        return str(key)
    raise CannotStore(f"a key of type {type(key).__name__} has no form in BSON")


def _encode_mapping(values: Mapping[Any, Any], *, of_fields: bool = False) -> dict[str, Any]:
    stored: dict[str, Any] = {}
    for key, value in values.items():
        name = encode_key(key)
        try:
            stored[name] = value if type(value) in NATIVE else encode_value(value)
        except CannotStore as error:
            raise error.inside(name if of_fields else HIDDEN, values) from None
    if len(stored) != len(values):
        raise CannotStore("two keys are stored as the same text")
    return stored


def _encode_pattern(pattern: Any) -> Any:
    return Regex[Any].from_native(pattern)


def _encode_model(model: BaseModel) -> Any:
    from boundwork.models.codec import codec_of  # noqa: PLC0415 - the codec of a model is compiled from this table

    return codec_of(type(model)).encode(model)


def _encode_dataclass(value: Any) -> dict[str, Any]:
    try:
        return _encode_mapping(
            {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}, of_fields=True
        )
    except CannotStore as error:
        raise error.of(value) from None


_BASE_URL = AnyUrl.__mro__[-2]
_BASE_MULTI_HOST_URL = PostgresDsn.__mro__[-2]
TEXT_TYPES: tuple[type, ...] = (
    PurePath, IPv4Address, IPv6Address, IPv4Network, IPv6Network, IPv4Interface, IPv6Interface, Url, MultiHostUrl,
    _BASE_URL, _BASE_MULTI_HOST_URL,
)  # fmt: skip
"""Types that are stored as the text they print."""
_TEXT_TYPES = IPv4Address | IPv6Address | IPv4Network | IPv6Network | IPv4Interface | IPv6Interface

_BY_TYPE: dict[type, Encoder] = {
    int: encode_int,
    datetime: encode_datetime,
    date: encode_date,
    time: time.isoformat,
    timedelta: encode_timedelta,
    Decimal: encode_decimal,
    UUID: encode_uuid,
    list: encode_items,
    tuple: encode_items,
    deque: encode_items,
    set: _encode_set,
    frozenset: _encode_set,
    dict: _encode_mapping,
    re.Pattern: _encode_pattern,
    SecretStr: _refuse_secret,
    SecretBytes: _refuse_secret,
    BaseModel: _encode_model,
    Ref: lambda ref: encode_value(ref.id),
    **dict.fromkeys(TEXT_TYPES, str),
}

_EXACT: dict[type, Encoder] = {
    str: str.__str__,
    int: int.__int__,
    float: float.__float__,
    bytes: lambda value: bytes.__getitem__(value, slice(None)),
}


def encode_value(value: Any) -> Any:  # noqa: PLR0911 - one line for each way
    """Give the stored form of any value by its type; raise CannotStore where there is none."""
    kind = class_of(value)  # not its __class__, which says what an object likes
    if kind in NATIVE:
        return value
    encoder = _BY_TYPE.get(kind)
    if encoder is not None:
        return encoder(value)
    if isinstance(value, Enum):
        return encode_value(value.value)
    for base in kind.__mro__:
        if base in _EXACT:  # what is written is what it holds, whatever the methods of a subclass say
            return encode_value(_EXACT[base](value))
        if base in NATIVE:
            return value
        if base in _BY_TYPE:
            return _BY_TYPE[base](value)
    if dataclasses.is_dataclass(kind):
        return _encode_dataclass(value)
    if is_mapping(value):
        return _encode_mapping(value)
    raise CannotStore(f"a value of type {kind.__name__} has no form in BSON")
