"""What the server is told about models, dataclasses and TypedDicts: their fields, and which must be there.

A field is demanded if Python demands it: documents that were stored before a field with a default came are right.
Fields that a model does not know are kept by boundwork, so they are allowed unless the model forbids them.
"""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, NotRequired, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from typing_extensions import get_type_hints

from boundwork.models.codec import codec_of
from boundwork.models.stored_schema.place import Place
from boundwork.models.stored_schema.rules import Rules, read_rules, tag_of
from boundwork.models.stored_schema.scalars import Schema

Convert = Callable[[Any, Rules, Place, str | None], Schema]
"""From an annotation, the rules outside of it, the place and the discriminator to a schema."""
UNFOLD = 3
"""How many times a model that refers to itself is unfolded inside itself."""


def _object(properties: Schema, required: list[str], *, closed: bool = False) -> Schema:
    schema: Schema = {"bsonType": "object"}
    if required:
        schema["required"] = required
    properties = {name: part for name, part in properties.items() if part or closed}
    if properties:
        schema["properties"] = properties
    return schema | ({"additionalProperties": False} if closed else {})


def model_schema(model: type[BaseModel], place: Place, convert: Convert) -> Schema:
    """Return the schema of a model's stored form."""
    if place.models.count(model) > UNFOLD:
        place.note(f"what lies deeper: {model.__name__} refers to itself and is unfolded {UNFOLD} times")
        return {} if model.__pydantic_root_model__ else {"bsonType": "object"}
    within = place.of(model, model.model_config)
    codec = codec_of(model)
    _note_validators(model, place)
    opaque = _validated(model, {"wrap", "plain"})
    infos = model.__pydantic_fields__
    parts: Schema = {}
    for field in codec.fields:
        at = within if model.__pydantic_root_model__ else within.inside(f".{field.name}")
        if opaque & {field.name, "*"}:
            at.note("what is stored is decided in Python")
            parts[field.stored] = {}
        else:
            parts[field.stored] = _field(infos[field.name], at, convert)
        if _validated(model, {"before", "after"}) & {field.name, "*"}:
            at.note("a validator in Python")
    if model.__pydantic_root_model__:
        schema: Schema = parts["root"]
        return schema
    required = [field.stored for field in codec.fields if infos[field.name].is_required()]
    return _object(parts, required, closed=model.model_config.get("extra") == "forbid")


def _field(info: FieldInfo, place: Place, convert: Convert) -> Schema:
    return convert(info.annotation, read_rules(info.metadata, place), place, tag_of([info, *info.metadata]))


def _note_validators(model: type[BaseModel], place: Place) -> None:
    if model.__pydantic_decorators__.model_validators or model.__pydantic_custom_init__:
        place.note("a validator of the whole model, in Python")
    if model.model_config.get("extra") == "allow" and "__pydantic_extra__" in model.__annotations__:
        place.note("the types of extra fields")


def _validated(model: type[BaseModel], modes: set[str]) -> set[str]:
    decorators = model.__pydantic_decorators__.field_validators.values()
    return {name for decorator in decorators if decorator.info.mode in modes for name in decorator.info.fields}


def dataclass_schema(cls: Any, place: Place, convert: Convert) -> Schema:
    """Return the schema of a dataclass, of the standard library or of pydantic."""
    within = place.of(cls, {})
    hints = get_type_hints(cls, include_extras=True)
    infos: Mapping[str, FieldInfo] = getattr(cls, "__pydantic_fields__", {})
    if "__pydantic_decorators__" in cls.__dict__ and _has_validators(cls):
        place.note("validators in Python")
        return {"bsonType": "object"}
    parts: Schema = {}
    required: list[str] = []
    for field in dataclasses.fields(cls):
        at = within.inside(f".{field.name}")
        info = infos.get(field.name)
        parts[field.name] = _field(info, at, convert) if info else convert(hints[field.name], Rules(), at, None)
        without_default = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        if info.is_required() if info else without_default:
            required.append(field.name)
    return _object(parts, required)


def _has_validators(cls: Any) -> bool:
    decorators = cls.__pydantic_decorators__
    return bool(decorators.field_validators or decorators.model_validators)


def typed_dict_schema(cls: Any, place: Place, convert: Convert) -> Schema:
    """Return the schema of a TypedDict."""
    within = place.of(cls, {})
    hints = get_type_hints(cls, include_extras=True)
    parts = {name: convert(hint, Rules(), within.inside(f".{name}"), None) for name, hint in hints.items()}
    safe = {name: part for name, part in parts.items() if name and "." not in name and name[0] != "$"}
    if safe.keys() != parts.keys():
        place.note("keys with a dot, a dollar sign or no character")
    # Under postponed annotations Python takes a NotRequired key for a required one.
    required = [name for name in safe if name in cls.__required_keys__ and not _is_not_required(hints[name])]
    return _object(safe, required)


def _is_not_required(hint: Any) -> bool:
    origin: Any = get_origin(hint)
    return origin is NotRequired
