"""Under which names a field is stored and validated, and what else compiling needs to know of it."""

from typing import Any, Literal, get_args, get_origin

from pydantic import (
    AfterValidator,
    AliasChoices,
    BaseModel,
    BeforeValidator,
    PlainValidator,
    WrapValidator,
)
from pydantic.fields import FieldInfo

from boundwork.models.annotations import shape_of
from boundwork.models.bson_types import CannotStore, encode_value
from boundwork.models.data import data
from boundwork.models.shapes import EVERY_KIND, Shape, UnclearType

ID = "_id"
SCRATCH = "_boundwork_lock"
"""The field that a lock sets and unsets. It is never stored, but a validator that forbids unknown fields must allow it."""
_RESHAPING = frozenset({"before", "wrap", "plain"})
_EVERY = _RESHAPING | {"after"}
_VALIDATORS = (AfterValidator, BeforeValidator, WrapValidator, PlainValidator)


@data(frozen=True, slots=True)
class StoredField:
    """One field: its Python name, its stored name, the name the validator takes, and its shape.

    `whole`: its stored form may look different from what is encoded. `validated`: the user has validators for it.
    """

    name: str
    stored: str
    accepted: str
    shape: Shape
    whole: bool
    validated: bool


def stored_fields(model: type[BaseModel], *, has_id: bool) -> tuple[StoredField, ...]:
    """Describe the fields of a complete model; raise TypeError naming a field that cannot be stored."""
    reshaped = validated_fields(model, _RESHAPING)
    validated = validated_fields(model, _EVERY)
    fields: list[StoredField] = []
    for name, info in model.__pydantic_fields__.items():
        try:
            shape = shape_of(info.annotation, info.metadata, info.discriminator)
        except UnclearType as error:
            message = f"{model.__name__}.{name}: {error}"
            raise UnclearType(message) from None
        if has_id and name == "id" and shape.kinds & {"array", "regex"} and shape.kinds != EVERY_KIND:
            message = (
                f"{model.__name__}.id: an id cannot be stored as an array or a regular expression; use a model or text"
            )
            raise UnclearType(message)
        stored = ID if has_id and name == "id" else info.serialization_alias or info.alias or name
        whole = shape.whole or bool(reshaped & {name, "*"})
        own = bool(validated & {name, "*"}) or any(isinstance(mark, _VALIDATORS) for mark in info.metadata)
        shape = shape.trusting() if own else shape
        fields.append(StoredField(name, stored, _accepted(model, name, info), shape, whole, own))
    _check_names(model, fields, has_id=has_id)
    return tuple(fields)


def validated_fields(model: type[BaseModel], modes: frozenset[str]) -> set[str]:
    """Name the fields with validators of these modes; `*` is all of them."""
    decorators = model.__pydantic_decorators__
    names = {
        name
        for decorator in decorators.field_validators.values()
        if decorator.info.mode in modes
        for name in decorator.info.fields
    }
    if any(decorator.info.mode in modes for decorator in decorators.model_validators.values()):
        names.add("*")
    return names


def _accepted(model: type[BaseModel], name: str, info: FieldInfo) -> str:
    alias = info.validation_alias or info.alias
    config = model.model_config
    by_name = config.get("populate_by_name") or config.get("validate_by_name")
    if alias is None or config.get("validate_by_alias") is False:
        return name
    if isinstance(alias, str):
        return alias
    choices = alias.choices if isinstance(alias, AliasChoices) else [alias]
    for choice in choices:
        if isinstance(choice, str):
            return choice
        if len(choice.path) == 1:
            return str(choice.path[0])
    if by_name:
        return name
    raise UnclearType(
        f"{model.__name__}.{name}: its alias is only a path; add a plain name to AliasChoices, or set "
        "validate_by_name=True, so that what was stored can be read back",
    )


def _check_names(model: type[BaseModel], fields: list[StoredField], *, has_id: bool) -> None:
    taken: dict[str, str] = {}
    for field in fields:
        where = f"{model.__name__}.{field.name}"
        if not field.stored or "." in field.stored or field.stored[0] == "$" or "\0" in field.stored:
            raise UnclearType(f"{where}: {field.stored!r} cannot be the name of a stored field")
        if has_id and field.stored == ID and field.name != "id":
            raise UnclearType(f"{where}: the stored name {ID!r} belongs to the field id")
        if field.stored in taken:
            raise UnclearType(f"{where}: the stored name {field.stored!r} is taken by {taken[field.stored]}")
        taken[field.stored] = field.name


def literal_tags(model: type[BaseModel]) -> dict[str, tuple[Any, ...]]:
    """Give the stored values of the Literal fields of a model, by field name."""
    tags: dict[str, tuple[Any, ...]] = {}
    for name, info in model.__pydantic_fields__.items():
        if get_origin(info.annotation) is Literal:
            try:
                tags[name] = tuple(encode_value(value) for value in get_args(info.annotation))
            except CannotStore:  # the shape of the field says so in its own words
                continue
    return tags
