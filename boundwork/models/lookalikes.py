"""Whether what one class of a union stores might be read back as another one.

Pydantic takes a stored document for any class that accepts it, and between several for the one that sets more fields.
So two classes are told apart for certain only by a Literal, by a field that one of them needs and the other never
writes, or by a field that the other would leave out.
"""

import dataclasses
from collections.abc import Iterable
from itertools import permutations
from typing import Any, Literal, get_args, get_origin

from pydantic import AliasChoices, BaseModel, ConfigDict
from pydantic.fields import FieldInfo
from typing_extensions import get_type_hints

from boundwork.models.bson_types import CannotStore, encode_value
from boundwork.models.data import data


@data(frozen=True, slots=True)
class _Part:
    """One field: where it is stored, under which names it may be read, and what it says."""

    stored: str
    read: frozenset[str]
    required: bool
    says: Any
    tags: frozenset[Any]


@data(frozen=True, slots=True)
class _Form:
    """What a class writes and accepts. `opaque`: its validators may accept anything. `extra`: as in its settings."""

    parts: tuple[_Part, ...]
    opaque: bool
    extra: str
    counted: bool


def alike(first: Iterable[type], second: Iterable[type], *, smart: bool) -> tuple[type, type] | None:
    """Give two classes of two members of a union that may be taken for each other; None if there are none.

    `smart`: of several that accept a document, pydantic chooses the one that sets more fields.
    """
    others = [cls for cls in second if is_record_class(cls)]
    for one in filter(is_record_class, first):
        for other in others:
            pairs = permutations((one, other)) if one is not other else ()
            if any(_passes(_form_of(source), _form_of(target), smart=smart) for source, target in pairs):
                return one, other
    return None


def is_record_class(cls: type) -> bool:
    """Say whether a class is a model or a dataclass."""
    return BaseModel in cls.__mro__ or hasattr(cls, "__dataclass_fields__")


def _form_of(cls: type) -> _Form:
    if BaseModel in cls.__mro__:
        return _form_of_model(cls)
    hints = get_type_hints(cls, include_extras=True)
    parts = [_part(field.name, _info(hints[field.name], field), {field.name}) for field in dataclasses.fields(cls)]
    extra = getattr(cls, "__pydantic_config__", {}).get("extra", "ignore")
    return _Form(tuple(parts), opaque=False, extra=extra, counted=False)


def _info(hint: Any, field: "dataclasses.Field[Any]") -> FieldInfo:
    if isinstance(field.default, FieldInfo):
        return FieldInfo.from_annotated_attribute(hint, field.default)
    info = FieldInfo.from_annotation(hint)
    if field.default is not dataclasses.MISSING or field.default_factory is not dataclasses.MISSING:
        info.default = None
    return info


def _form_of_model(model: type[BaseModel]) -> _Form:
    validators = model.__pydantic_decorators__.model_validators.values()
    parts = [
        _part(name, info, _names(name, info, model.model_config)) for name, info in model.__pydantic_fields__.items()
    ]
    return _Form(
        tuple(parts),
        opaque=model.__pydantic_custom_init__ or any(validator.info.mode != "after" for validator in validators),
        extra=model.model_config.get("extra") or "ignore",
        counted=True,
    )


def _names(name: str, info: FieldInfo, config: ConfigDict) -> set[str]:
    alias = info.validation_alias or info.alias
    by_name = config.get("populate_by_name") or config.get("validate_by_name")
    if alias is None or config.get("validate_by_alias") is False:
        return {name}
    choices = alias.choices if isinstance(alias, AliasChoices) else [alias]
    firsts = {choice if isinstance(choice, str) else str(choice.path[0]) for choice in choices}
    return {name, *firsts} if by_name else firsts


def _part(name: str, info: FieldInfo, read: set[str]) -> _Part:
    stored = info.serialization_alias or info.alias or name
    tags: frozenset[Any] = frozenset()
    if get_origin(info.annotation) is Literal:
        try:
            tags = frozenset(encode_value(value) for value in get_args(info.annotation))
        except CannotStore:  # the shape of the field says so in its own words
            tags = frozenset()
    says = (info.annotation, repr(info.metadata), info.discriminator)
    return _Part(stored, frozenset(read), info.is_required(), says, tags)


def _passes(source: _Form, target: _Form, *, smart: bool) -> bool:
    """Say whether the target may be chosen for what the source has stored."""
    if source.opaque or target.opaque:
        return True
    if any(_differ(one, other) for one in source.parts for other in target.parts):
        return False
    if source.extra == "allow":
        return True
    written = {part.stored for part in source.parts}
    if any(part.required and not part.read & written for part in target.parts):
        return False
    known = frozenset[str]().union(*(part.read for part in target.parts))
    own = [part for part in source.parts if part.stored not in known]
    if own and target.extra == "forbid":
        return False
    return not (smart and any(part.required for part in own) and _sets_fewer(source, target, known))


def _differ(one: _Part, other: _Part) -> bool:
    return one.stored == other.stored and bool(one.tags and other.tags) and not one.tags & other.tags


def _sets_fewer(source: _Form, target: _Form, known: frozenset[str]) -> bool:
    """Say whether the target certainly sets fewer fields than the source: those they share count the same in both."""
    says = {part.stored: part.says for part in target.parts}
    shared = [part for part in source.parts if part.stored in known]
    return source.counted and target.counted and all(says.get(part.stored) == part.says for part in shared)
