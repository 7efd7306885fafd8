"""How dataclasses, TypedDicts and NamedTuples are written and read back.

They have no place for fields they do not know, so such fields are lost when the value is written.
"""

import dataclasses
import typing
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from typing_extensions import get_type_hints

from boundwork.models.bson_types import NATIVE, CannotStore, Encoder, ForeignClass, encode_key, encode_value
from boundwork.models.containers import fixed_tuple
from boundwork.models.kinds import class_of, is_dict, is_document
from boundwork.models.shapes import Shape, UnclearType

ShapeOf = Callable[[Any], Shape]
_open: ContextVar[tuple[type, ...]] = ContextVar("boundwork_open_records", default=())


def _parts(cls: type, shape_of: ShapeOf, names: typing.Iterable[str] | None = None) -> dict[str, Shape]:
    """Give the shape of each part; a type that contains itself is refused."""
    if cls in _open.get():
        raise UnclearType(f"{cls.__name__} contains itself; make it a boundwork.Embedded")
    token = _open.set((*_open.get(), cls))
    try:
        hints = get_type_hints(cls, include_extras=True)
        return {name: shape_of(hints[name]) for name in (hints if names is None else names)}
    finally:
        _open.reset(token)


def _encode_part(name: str, value: Any, encode: Encoder, whole: object) -> Any:
    try:
        return value if type(value) in NATIVE else encode(value)
    except CannotStore as error:
        raise error.inside(name, whole) from None


def _decoder(parts: dict[str, Shape]) -> Callable[[Any], Any] | None:
    readers = {name: part.decode for name, part in parts.items() if part.decode is not None}
    if not readers:
        return None

    def decode(stored: Any) -> Any:
        if not is_document(stored):
            return stored
        return {name: readers[name](value) if name in readers else value for name, value in stored.items()}

    return decode


def dataclass(cls: type, shape_of: ShapeOf) -> Shape:
    """Give the shape of a dataclass, of the standard library or of pydantic: a document with a field for each field."""
    names = [field.name for field in dataclasses.fields(cls)]
    parts = _parts(cls, shape_of, names)

    def encode(value: Any) -> Any:
        if type(value) is not cls:
            if isinstance(value, cls):
                raise ForeignClass(class_of(value), cls.__name__)
            return encode_value(value)
        return {name: _encode_part(name, getattr(value, name), part.encode, value) for name, part in parts.items()}

    return Shape(
        encode=encode,
        decode=_decoder(parts),
        kinds=frozenset({"document"}),
        classes=(cls,),
        steered=any(part.steered for part in parts.values()),
        mutable=True,
        whole=True,  # fields left to their defaults may be missing from what is stored
    )


def typed_dict(cls: Any, shape_of: ShapeOf) -> Shape:
    """Give the shape of a TypedDict: a dict whose values have annotations of their own."""
    parts = _parts(cls, shape_of)

    def encode(value: Any) -> Any:
        if not is_dict(value):
            return encode_value(value)
        return {
            encode_key(name): _encode_part(name, item, parts[name].encode if name in parts else encode_value, value)
            for name, item in value.items()
        }

    return Shape(
        encode=encode,
        decode=_decoder(parts),
        kinds=frozenset({"document"}),
        classes=(dict,),
        steered=any(part.steered for part in parts.values()),
        mutable=True,
        whole=any(part.whole for part in parts.values()),
    )


def named_tuple(cls: Any, shape_of: ShapeOf) -> Shape:
    """Give the shape of a NamedTuple, which is stored as a list."""
    hints = get_type_hints(cls, include_extras=True)
    names: tuple[str, ...] = cls._fields
    shape = fixed_tuple([_parts(cls, shape_of, [name])[name] if name in hints else shape_of(Any) for name in names])
    return dataclasses.replace(shape, classes=(cls,), whole=True)
