"""From an annotation to the schema of its stored form: which file decides about which kind.

It goes the same ways as `annotations.shape_of`, because the stored form is what the server sees.
"""

import collections
import dataclasses
from enum import Enum
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel, SecretBytes, SecretStr
from typing_extensions import get_type_hints, is_typeddict

from boundwork.models import unions
from boundwork.models.annotations import DICTS, LISTS, SETS, bare
from boundwork.models.codec import codec_of
from boundwork.models.kinds import is_class
from boundwork.models.references.storing import id_annotation, is_reference, referred
from boundwork.models.scalars import known, secret
from boundwork.models.stored_schema.containers import array_schema, mapping_schema, set_schema, tuple_schema
from boundwork.models.stored_schema.place import Place
from boundwork.models.stored_schema.records import dataclass_schema, model_schema, typed_dict_schema
from boundwork.models.stored_schema.rules import Rules, read_rules, tag_of
from boundwork.models.stored_schema.scalars import (
    Schema,
    enum_schema,
    nullable,
    scalar_schema,
    typed,
    values_schema,
)


def converted(annotation: Any, rules: Rules, place: Place, tag: str | None) -> Schema:
    """Return the schema of an annotation; {} where anything may be stored. Rules without a keyword are noted.

    `rules` come from outside the annotation, `tag` is the discriminator of a union.
    """
    marks: list[Any] = []
    plain = bare(annotation, marks)
    rules = read_rules(marks, place, rules)
    if rules.opaque:
        return {}
    tag = tag or tag_of(marks)
    if unions.is_union(plain):
        return _union(get_args(plain), rules, place, tag)
    schema = _dispatched(plain, rules, place)
    rules.leave(place)
    return schema


def _plainly(annotation: Any, place: Place) -> Schema:
    return converted(annotation, Rules(), place, None)


def _union(members: tuple[Any, ...], rules: Rules, place: Place, tag: str | None) -> Schema:
    parts: list[Schema] = []
    for member in members:
        if member is type(None):
            continue
        part = converted(member, rules.copy(), place, tag)
        if tag is not None:
            part = _tagged(part, member, tag)
        if not part:
            return {}
        if part not in parts:
            parts.append(part)
    schema = parts[0] if len(parts) == 1 else {"anyOf": parts}
    return nullable(schema) if type(None) in members else schema


def _tagged(part: Schema, member: Any, tag: str) -> Schema:
    """Demand the field that tells the members of a union apart."""
    cls = bare(member, [])
    if not is_class(cls) or BaseModel not in cls.__mro__ or "properties" not in part:
        return part
    return requiring(part, codec_of(cls).stored(tag))


def requiring(schema: Schema, name: str) -> Schema:
    """Return a schema that demands a field."""
    required = schema.get("required", [])
    return schema if name in required else {**schema, "required": [*required, name]}


def _dispatched(annotation: Any, rules: Rules, place: Place) -> Schema:  # noqa: PLR0911 - one line for each kind
    if annotation in {Any, object}:
        return {}
    if get_origin(annotation) is Literal:
        return values_schema(get_args(annotation))
    if is_class(annotation):
        if is_typeddict(annotation):
            return typed_dict_schema(annotation, place, converted)
        if BaseModel in annotation.__mro__:
            return model_schema(annotation, place, converted)
        if dataclasses.is_dataclass(annotation):
            return dataclass_schema(annotation, place, converted)
        if Enum in annotation.__mro__:
            return enum_schema(annotation, place)
        if tuple in annotation.__mro__ and hasattr(annotation, "_fields"):
            return _named_tuple(annotation, place)
    if is_reference(annotation):
        model = referred(annotation)
        return {} if model is None else converted(id_annotation(model), rules, place, None)
    return _container(annotation, rules, place)


def _scalar(annotation: Any, rules: Rules, place: Place) -> Schema:
    if not is_class(annotation):
        return {}
    if annotation.__module__ == "pydantic.networks" and annotation.__name__ == "EmailStr":
        place.note("the text is that of EmailStr")
        return typed(["string"])
    shape = secret(annotation) if annotation in {SecretStr, SecretBytes} else known(annotation)
    return {} if shape is None else scalar_schema(annotation, shape, rules, place)


def _named_tuple(cls: Any, place: Place) -> Schema:
    hints = get_type_hints(cls, include_extras=True)
    return tuple_schema([hints.get(name, Any) for name in cls._fields], place, _plainly)


def _container(annotation: Any, rules: Rules, place: Place) -> Schema:  # noqa: PLR0911 - one line for each kind
    kind: Any = get_origin(annotation) or annotation
    arguments = get_args(annotation)
    if is_class(kind) and dataclasses.is_dataclass(kind):
        return dataclass_schema(kind, place, converted)
    if is_typeddict(kind):
        return typed_dict_schema(kind, place, converted)
    if kind is tuple and arguments and arguments[-1] is not Ellipsis:
        return tuple_schema([argument for argument in arguments if argument != ()], place, _plainly)
    if kind in LISTS:
        return array_schema(arguments[0] if arguments else Any, rules, place, _plainly)
    if kind in SETS:
        return set_schema(arguments[0] if arguments else Any, rules, place, _plainly)
    if kind in DICTS:
        if kind is collections.Counter:
            return mapping_schema(arguments[0] if arguments else Any, int, rules, place, _plainly)
        key, value = arguments or (Any, Any)
        return mapping_schema(key, value, rules, place, _plainly)
    schema = _scalar(kind, rules, place)
    if schema:
        return schema
    place.note(f"the form of {getattr(annotation, '__name__', annotation)} is not known")
    return {}
