"""How the in-memory database reads and writes BSON, and how it tells BSON types apart.

Values are those that PyMongo decodes, so that int32 (`int`) and int64 (`Int64`) stay different. `MISSING` is
the value of a field that is not there. Everything else in this package works on decoded values.
"""

import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Any, Final, TypeGuard

import bson
from bson import Binary, Code, DatetimeMS, Decimal128, Int64, MaxKey, MinKey, ObjectId, Regex, Timestamp
from bson.binary import UuidRepresentation
from bson.codec_options import CodecOptions, DatetimeConversion
from bson.errors import BSONError
from bson.raw_bson import RawBSONDocument

from boundwork.uow.failures import FailureKind, SessionFailure

Value = Any
"""Any decoded BSON value, or MISSING."""

MISSING: Final[Value] = object()

MAX_DOCUMENT_BYTES: Final = 16 * 1024 * 1024

CODEC: Final[CodecOptions[dict[str, Any]]] = CodecOptions(
    tz_aware=True,
    uuid_representation=UuidRepresentation.STANDARD,
    datetime_conversion=DatetimeConversion.DATETIME_AUTO,
)

_UNOPENED: Final[CodecOptions[RawBSONDocument]] = CODEC.with_options(document_class=RawBSONDocument)
_REFERENCE: Final = b"$ref"

_TYPE_NUMBERS: Final[dict[type, int]] = {
    MinKey: -1,
    float: 1,
    str: 2,
    dict: 3,
    list: 4,
    bytes: 5,
    Binary: 5,
    uuid.UUID: 5,
    ObjectId: 7,
    bool: 8,
    dt.datetime: 9,
    DatetimeMS: 9,
    type(None): 10,
    Regex: 11,
    Code: 13,
    int: 16,
    Timestamp: 17,
    Int64: 18,
    Decimal128: 19,
    MaxKey: 127,
}
_CODE_WITH_SCOPE: Final = 15


def encode(document: Mapping[str, Any]) -> bytes:
    """Encode a document; raise SessionFailure if it has a value that BSON lacks or is too large."""
    try:
        data = bson.encode(document, codec_options=CODEC)
    except (BSONError, OverflowError, UnicodeError, TypeError, ValueError) as error:
        text = f"A value could not be encoded ({type(error).__name__})."  # that of the encoder quotes it
        raise SessionFailure(FailureKind.MISUSE) from TypeError(text)
    if len(data) > MAX_DOCUMENT_BYTES:
        raise SessionFailure(FailureKind.TOO_LARGE, code=10334)
    return data


def decode(data: bytes) -> dict[str, Any]:
    """Decode one document; what refers to another document is an embedded document like others."""
    if _REFERENCE in data:
        # The decoder would make a DBRef of it, which has other fields in another order.
        return _fields(RawBSONDocument(data, _UNOPENED))
    return bson.decode(data, codec_options=CODEC)  # pyright: ignore[reportUnknownMemberType] - an array of unknown items among the types it reads


def _fields(document: RawBSONDocument) -> dict[str, Any]:
    return {name: _plain(inner) for name, inner in document.items()}


def _plain(value: Value) -> Value:
    if isinstance(value, RawBSONDocument):
        return _fields(value)
    return [_plain(item) for item in value] if is_array(value) else value


def as_stored(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values as a server would hold them: what a filter or an update means once it was sent."""
    return decode(encode(document))


def is_document(value: Value) -> TypeGuard[dict[str, Any]]:
    """Tell whether the value is an embedded document."""
    return isinstance(value, dict)


def is_array(value: Value) -> TypeGuard[list[Value]]:
    """Tell whether the value is an array."""
    return isinstance(value, list)


def is_pattern(value: Value) -> TypeGuard["Regex[str]"]:
    """Tell whether the value is a regular expression; those that are decoded hold text."""
    return isinstance(value, Regex)


def type_number(value: Value) -> int:
    """Return the BSON type number of a decoded value."""
    if isinstance(value, Code) and value.scope is not None:
        return _CODE_WITH_SCOPE
    if is_document(value):
        return _TYPE_NUMBERS[dict]
    return _TYPE_NUMBERS[type(value)]
