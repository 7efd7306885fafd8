"""What lies inside the values of one annotation: named parts, values under keys, elements of a list.

Models have parts under stored names, dataclasses and TypedDicts under their own, and NamedTuples by position, because
that is how each of them is stored.
"""

import collections
import dataclasses
import difflib
from collections.abc import Collection, Mapping
from typing import Annotated, Any, get_args, get_origin

import typing_extensions
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from typing_extensions import get_type_hints, is_typeddict

from boundwork.models.codec import codec_of
from boundwork.models.data import data
from boundwork.models.kinds import is_class

_NO_EXTRA_ITEMS = getattr(typing_extensions, "NoExtraItems", None)  # older ones know no extra items


@data(frozen=True, slots=True)
class Part:
    """One named part: the segment of the stored path, empty for a root model's own; what it holds, and its field.

    `in_record` says that it is a part of a dataclass or a NamedTuple.
    """

    stored: str
    annotation: object
    info: FieldInfo
    is_element: bool = False
    in_record: bool = False


def part_of(kind: Any, name: str) -> Part | None:
    """Return the part that is an attribute of the values; None if they have no such one."""
    cls = record_of(kind)
    if cls is None:
        return None
    if issubclass(cls, BaseModel):
        info = complete(cls).model_fields.get(name)
        return None if info is None else Part(_stored_under(cls, name), annotated(cls, name), info)
    names = list(_attributes(cls))
    if name not in names:
        return None
    hint = get_type_hints(cls, include_extras=True).get(name, Any)
    if _is_named_tuple(cls):
        return Part(str(names.index(name)), hint, FieldInfo(annotation=hint), is_element=True, in_record=True)
    return Part(name, hint, _info(hint, required=_attributes(cls)[name]), in_record=True)


def names_in(kind: Any) -> list[str]:
    """Return the names of the attributes that are parts."""
    cls = record_of(kind)
    if cls is None:
        return []
    return list(complete(cls).model_fields if issubclass(cls, BaseModel) else _attributes(cls))


def record_of(kind: Any) -> type[Any] | None:
    """Return the class of values that have attributes of their own: a model, a dataclass or a NamedTuple."""
    cls = get_origin(kind) or kind
    if not is_class(cls):
        return None
    return cls if BaseModel in cls.__mro__ or dataclasses.is_dataclass(cls) or _is_named_tuple(cls) else None


def key_of(kind: Any, key: str) -> Part | None:
    """Return the part under a key of a TypedDict; None if it declares no such one."""
    hints = get_type_hints(get_origin(kind) or kind, include_extras=True) if _is_keyed(kind) else {}
    if key not in hints:
        return None
    return Part(key, hints[key], _info(hints[key], required=key in (get_origin(kind) or kind).__required_keys__))


def keys_in(kind: Any) -> list[str] | None:
    """Return the keys of a TypedDict; None for what is none, or may have others as well."""
    if not _is_keyed(kind):
        return None
    cls = get_origin(kind) or kind
    config: Mapping[str, Any] = getattr(cls, "__pydantic_config__", {})
    closed = getattr(cls, "__extra_items__", None) in {None, _NO_EXTRA_ITEMS}
    return list(get_type_hints(cls)) if closed and config.get("extra") != "allow" else None


def element_types(kind: object) -> tuple[object, ...]:
    """Return what the elements of a list, set or tuple may be; empty for anything else."""
    if kind is Any:
        return (Any,)
    container = get_origin(kind) or kind
    if not isinstance(container, type) or not issubclass(container, Collection):
        return ()
    if issubclass(container, str | bytes | Mapping):
        return ()
    if _is_named_tuple(container):
        hints = get_type_hints(container, include_extras=True)
        return tuple(hints.get(name, Any) for name in _attributes(container))
    return tuple(part for part in get_args(kind) if part is not ...) or (Any,)


def value_types(kind: object) -> tuple[object, ...]:
    """Return what the values of a dict may be; empty for anything else."""
    if kind is Any:
        return (Any,)
    container = get_origin(kind) or kind
    if not isinstance(container, type) or not issubclass(container, Mapping):
        return ()
    if issubclass(container, collections.Counter):
        return (int,)
    return (get_args(kind)[1],) if get_args(kind) else (Any,)


def is_key(kind: object, key: object) -> bool:
    """Say whether a kind of value is a dict whose keys are declared to be such as this one."""
    container, parts = get_origin(kind) or kind, get_args(kind)
    if not isinstance(container, type) or not issubclass(container, Mapping) or not parts:
        return False
    declared: object = parts[0]
    return isinstance(declared, type) and isinstance(key, declared) and (declared is bool or not isinstance(key, bool))


def annotated(model: type[BaseModel], name: str) -> object:
    """Return what a model says of a field, with metadata."""
    field = model.model_fields[name]
    return Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation


def complete(model: type[BaseModel]) -> type[BaseModel]:
    """Resolve forward references that could not be resolved when the class was built."""
    if not model.__pydantic_complete__:
        model.model_rebuild(raise_errors=False)
    return model


def advice(name: str, known: Collection[str], otherwise: str = "Its fields are") -> str:
    """Return the nearest of some names as a question, or all of them."""
    nearest = difflib.get_close_matches(name, sorted(known), n=1)
    return f"Did you mean {nearest[0]!r}?" if nearest else f"{otherwise}: {', '.join(sorted(known))}."


def _stored_under(model: type[BaseModel], name: str) -> str:
    # A root model is stored as its one field, without a name of its own.
    return "" if model.__pydantic_root_model__ else codec_of(model).stored(name)


def _attributes(cls: Any) -> dict[str, bool]:
    """Return the names of the parts of a record, and whether each must be there."""
    if _is_named_tuple(cls):
        return dict.fromkeys(cls._fields, True)
    missing = dataclasses.MISSING
    return {part.name: part.default is missing and part.default_factory is missing for part in dataclasses.fields(cls)}


def _info(hint: Any, *, required: bool) -> FieldInfo:
    return FieldInfo(annotation=hint, default=PydanticUndefined if required else None)


def _is_named_tuple(cls: Any) -> bool:
    return is_class(cls) and tuple in cls.__mro__ and hasattr(cls, "_fields")


def _is_keyed(kind: Any) -> bool:
    return is_typeddict(get_origin(kind) or kind)
