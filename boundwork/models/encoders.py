"""The function that writes an instance of one model class as a dict of BSON values.

It is generated, because writing is the larger part of what inserting costs: one dict display with a type check for
each field runs twice as fast as a loop. Whatever is not as the annotation says goes to the slower, exact way.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import bson
from pydantic import BaseModel, ValidationError

from boundwork.models.bson_types import (
    MISSING,
    NATIVE,
    REFUSALS,
    CannotStore,
    ForeignClass,
    decode_all,
    encode_key,
    encode_value,
)
from boundwork.models.fields import StoredField
from boundwork.models.kinds import is_model
from boundwork.models.slots import UNKNOWN, Stored

ASIDE = "\0"
"""Prefixes a stored field that would be taken for a field of the model; no BSON name can begin so."""

_NOT_READ: tuple[type[Exception], ...] = (ValidationError, *REFUSALS)
_SOURCE = """
def encode(value):
    if type(value) is not model:
        return encode_other(value)
    values = value.__dict__
    try:
        stored = {{{parts}}}
    except (KeyError, CannotStore) as error:
        stored = exactly(value, error)
    if carries.more:
        add(stored, value)
    return stored
"""


class Carries:
    """Whether instances of a class may carry more than its fields: extra values, or stored fields it does not know."""

    __slots__ = ("more",)

    def __init__(self, *, more: bool) -> None:
        """Begin with what the class says; loading turns it on when it meets unknown fields."""
        self.more = more


def compiled_encoder(model: type[BaseModel], fields: Sequence[StoredField], carries: Carries) -> Callable[[Any], Any]:
    """Generate the encoder of a model."""
    names: dict[str, Any] = {
        "model": model, "encode_other": other_encoder(model), "CannotStore": CannotStore, "native": NATIVE,
        "exactly": partial(_exactly, fields), "low": -(2**63), "high": 2**63 - 1, "int": int,
        "carries": carries, "add": _add,
    }  # fmt: skip
    parts: list[str] = []
    for index, field in enumerate(fields):
        names[f"write{index}"] = field.shape.encode
        names[f"class{index}"] = field.shape.classes[0] if field.shape.classes else None
        parts.append(f"{field.stored!r}: {_part(index, field)}")
    exec(_SOURCE.format(parts=", ".join(parts)), names)  # noqa: S102 - made of reprs of field names only
    encoder: Callable[[Any], Any] = names["encode"]
    return encoder


def other_encoder(model: type[BaseModel]) -> Callable[[Any], Any]:
    """Make what writes a value that stands where an instance of the model belongs.

    An instance of another model is written only if a validator of the model makes one of the same class of it again.
    """

    def encode(value: Any) -> Any:
        stored = encode_value(value)
        if is_model(value) and not _comes_back(model, stored, type(value)):
            raise ForeignClass(type(value), model.__name__)
        return stored

    return encode


def _comes_back(model: type[BaseModel], stored: Any, cls: type) -> bool:
    from boundwork.models.codec import codec_of  # noqa: PLC0415 - a codec is made of its encoder

    try:
        read = decode_all(bson.encode({"": stored}))[0][""]
        return type(model.__pydantic_validator__.validate_python(codec_of(model).decode(read), strict=False)) is cls
    except _NOT_READ:
        return False


def _part(index: int, field: StoredField) -> str:
    """Write the expression of one field: the value itself where its type shows that it is stored as it is."""
    got = f"values[{field.name!r}]"
    classes = field.shape.classes
    if classes == (int,):
        return f"part if type(part := {got}) is int and low <= part <= high else write{index}(part)"
    if len(classes) == 1 and classes[0] in NATIVE:
        return f"part if type(part := {got}) is class{index} else write{index}(part)"
    if len(classes) == 1 and "null" not in field.shape.kinds:
        return f"write{index}({got})"
    return f"part if type(part := {got}) in native else write{index}(part)"


def _exactly(fields: Sequence[StoredField], value: BaseModel, cause: Exception) -> dict[str, Any]:
    """Write a model field by field: attributes may have been deleted, and errors say where."""
    values = value.__dict__
    if isinstance(cause, CannotStore):
        place = cause.place_in((field.name, values.get(field.name)) for field in fields)
        if place is not MISSING:
            raise cause.inside(place, value) from None
    stored: dict[str, Any] = {}
    for field in fields:
        if field.name in values:
            part = values[field.name]
            try:
                stored[field.stored] = part if type(part) in NATIVE else field.shape.encode(part)
            except CannotStore as error:
                raise error.inside(field.name, value) from None
    return stored


def _add(stored: dict[str, Any], value: BaseModel) -> None:
    for name, part in (value.__pydantic_extra__ or {}).items():
        try:
            stored.setdefault(encode_key(name.removeprefix(ASIDE)), encode_value(part))
        except CannotStore as error:
            raise error.inside(name, value) from None
    for name, part in unknown_fields(value).items():
        stored.setdefault(name, encode_value(part))


def unknown_fields(value: BaseModel) -> dict[str, Any]:
    """Give the stored fields that an instance carries without knowing them."""
    if Stored not in type(value).__mro__:
        return {}
    try:
        return UNKNOWN.__get__(value) or {}
    except AttributeError:
        return {}
