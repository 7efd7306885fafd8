"""Which subclass a stored document of a shared collection is.

A base declares the field; each subclass gives it a Literal. The table of a base grows while subclasses are defined,
so loading through the base knows those that were defined last. The base need not have the field, and learns from the
first class that has it under which name it is stored; another class cannot have it under another name.
"""

import inspect
from collections.abc import Mapping
from typing import Any

from boundwork.models.bson_types import encode_value
from boundwork.models.codec import codec_of
from boundwork.models.fields import literal_tags

_FIELD = "__boundwork_discriminator__"
_TABLE = "__boundwork_kinds__"
_NAMES = "__boundwork_kind_names__"
"""Where the base of a family keeps the stored name of the field, by the module and name of each class that has it."""


def declare(model: type[Any], field: str | None) -> None:
    """Make a class the base of a family that is told apart by a field."""
    if field is not None:
        setattr(model, _FIELD, field)
        setattr(model, _TABLE, {})
        setattr(model, _NAMES, {})


def _base_of(model: type[Any]) -> type[Any] | None:
    return next((cls for cls in model.__mro__ if _TABLE in cls.__dict__), None)


def register(model: type[Any]) -> None:
    """Enter a complete class under the values of its Literal; raise TypeError where another one has them."""
    base = _base_of(model)
    if base is None:
        return
    field = base.__dict__[_FIELD]
    table: dict[Any, type[Any]] = base.__dict__[_TABLE]
    _check_name(model, base)
    for value in literal_tags(model).get(field, ()):
        other = table.get(value)
        if other is None or _place(other) == _place(model):
            table[value] = model
        elif not issubclass(model, other) or field in inspect.get_annotations(model):
            message = f"{model.__name__}.{field}: the value {value!r} already stands for {other.__name__}"
            raise TypeError(message)
        elif not _stands_for(model, other):
            message = (
                f"{model.__name__}.{field}: a document with the value {value!r} is read as {other.__name__}; "
                f"give {model.__name__} a Literal value of its own"
            )
            raise TypeError(message)
    own = codec_of(model).by_name.get(field)
    if own is not None:
        base.__dict__[_NAMES][_place(model)] = own.stored


def _place(model: type[Any]) -> tuple[str, str]:
    """Say where a class is defined; one that is defined there again takes its place."""
    return model.__module__, model.__qualname__


def _check_name(model: type[Any], base: type[Any]) -> None:
    """Raise TypeError where another class of the family stores the field under another name."""
    field = base.__dict__[_FIELD]
    own = codec_of(model).by_name.get(field)
    for place, name in base.__dict__[_NAMES].items():
        if own is not None and own.stored != name and place != _place(model):
            message = (
                f"{model.__name__}.{field} is stored as {own.stored!r}, and {place[1].rpartition('.')[2]}.{field} as {name!r}; "
                f"give both the same alias, or nothing tells the documents of {base.__name__} apart"
            )
            raise TypeError(message)


def _stored_name(base: type[Any]) -> str:
    """Give the stored name of the field of a family; its own name while no class has it."""
    names: dict[tuple[str, str], str] = base.__dict__[_NAMES]
    return next(iter(names.values()), base.__dict__[_FIELD])


def _stands_for(model: type[Any], entered: type[Any]) -> bool:
    """Say whether a class is the entered one, or that one with its type parameters filled in."""
    return model is entered or model.__pydantic_generic_metadata__["origin"] is entered


def base_filter(model: type[Any]) -> dict[str, Any]:
    """Give the condition that keeps a model's documents apart from its siblings'."""
    base = _base_of(model)
    if base is None or model is base:
        return {}
    values = [value for value, cls in base.__dict__[_TABLE].items() if issubclass(cls, model)]
    if not values:
        values = list(literal_tags(model).get(base.__dict__[_FIELD], ()))
    return {_stored_name(base): values[0] if len(values) == 1 else {"$in": values}}


def choose(model: type[Any], stored: dict[str, Any]) -> type[Any] | None:
    """Give the class of a stored document that is read as `model`; None where no class has its value."""
    base = _base_of(model)
    if base is None:
        return model
    field = base.__dict__[_FIELD]
    codec = codec_of(model)
    value = stored.get(_stored_name(base))
    found = base.__dict__[_TABLE].get(value) if isinstance(value, str | int) else None
    if found is not None:
        return found if issubclass(found, model) else model
    takes_any = field in codec.by_name and field not in codec.tags
    return model if takes_any else None


def read_as(model: type[Any], values: Mapping[str, Any]) -> type[Any] | None:
    """Give the class that the base of the family reads a document with these attributes as; None if it cannot."""
    base = _base_of(model)
    if base is None:
        return model
    field = base.__dict__[_FIELD]
    codec = codec_of(model)
    stored = {_stored_name(base): encode_value(values.get(field))} if field in codec.by_name else {}
    found = choose(base, stored)
    return model if found is not None and _stands_for(model, found) else found


def is_family(model: type[Any]) -> bool:
    """Say whether documents of a model may be of several classes."""
    return _base_of(model) is not None


def are_siblings(model: type[Any], other: type[Any]) -> bool:
    """Say whether two models are told apart in one family, so that no document is of both."""
    base = _base_of(model)
    return base is not None and base is _base_of(other) and not issubclass(other, model)


def field_of(model: type[Any]) -> str:
    """Name the field that tells the classes of a family apart."""
    base = _base_of(model)
    return "" if base is None else base.__dict__[_FIELD]


def family_of(model: type[Any]) -> list[type[Any]]:
    """List the base of a model's family and the classes that are known by a value; [] where there is no family."""
    base = _base_of(model)
    return [] if base is None else [base, *base.__dict__[_TABLE].values()]


def values_of(model: type[Any]) -> list[Any]:
    """List the values of the discriminator that stand for a class of the family."""
    base = _base_of(model)
    return [] if base is None else list(base.__dict__[_TABLE])
