"""Whether a path that the program wrote as text leads to something that a model stores.

Stored names belong to any model as far as the server is concerned: a misspelt one finds nothing and says nothing. So
each part of a path must be a field of the model there, or of one of its subclasses. Below a dict, `Any`, a type whose
form is not known and a model that allows extras anything may be stored.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, PlainValidator, WrapValidator

from boundwork.models.annotations import bare, shape_of
from boundwork.models.codec import codec_of
from boundwork.models.expressions.inside import (
    Part,
    advice,
    annotated,
    complete,
    element_types,
    key_of,
    keys_in,
    names_in,
    part_of,
    record_of,
    value_types,
)
from boundwork.models.expressions.targets import kinds_of
from boundwork.models.fields import ID, validated_fields
from boundwork.models.references.storing import id_annotation, is_reference, referred
from boundwork.models.shapes import EVERY_KIND, UnclearType

REMEDY = "Take names as they are with raw({...})."
"""What to do where a plain filter means what the model does not store."""
_HOLDING = frozenset({"array", "document", "other"})
_OPAQUE = frozenset({"wrap", "plain"})


def check_stored_path(model: type[BaseModel], path: str, where: str, remedy: str) -> None:
    """Raise ValueError, naming the nearest name, unless documents of the model may have something at a dotted path."""
    own = codec_of(model).by_name.get(path)
    if own is not None and own.stored == path:
        return
    first, *rest = path.split(".")
    found = _of_models(family_of(model), first)
    if first == ID and not found.annotations:
        return
    for place, part in enumerate((first, *rest)):
        if place:
            found = _below(found.annotations, part)
        if found.anything:
            return
        if not found.annotations:
            owner = model.__name__ if place == 0 else " or ".join(found.owners)
            above = ".".join((first, *rest)[:place])
            raise ValueError(f"{where} names {path!r}, and {found.problem(owner, above, part)} {remedy}")


def family_of(model: type[BaseModel]) -> list[type[BaseModel]]:
    """Return a model and all its subclasses: documents of a collection may be any of them."""
    return [model, *(found for inner in model.__subclasses__() for found in family_of(inner))]


@dataclass(slots=True)
class _Found:
    """What may be stored under one name: its annotations, or anything at all; else what there is instead."""

    annotations: list[object] = field(default_factory=list[object])
    anything: bool = False
    known: set[str] = field(default_factory=set[str])
    renamed: dict[str, str] = field(default_factory=dict[str, str])
    owners: dict[str, None] = field(default_factory=dict[str, None])

    def take(self, other: "_Found") -> None:
        """Take in what else may be there."""
        self.annotations += other.annotations
        self.anything |= other.anything
        self.known |= other.known
        self.renamed |= other.renamed
        self.owners |= other.owners

    def problem(self, owner: str, above: str, part: str) -> str:
        """Return what is wrong with a name that nothing is stored under."""
        if not self.known:
            return f"nothing is stored inside of {above!r}."
        missing = f"{owner} stores no such field" if not above else f"{owner} stores no field {part!r}"
        nearest = self.renamed.get(part)
        return (
            f"{missing}. {advice(part, self.known, 'It stores') if nearest is None else f'Did you mean {nearest!r}?'}"
        )


def _below(annotations: Sequence[object], part: str) -> _Found:
    """Return what lies one step inside of values; lists are looked through, as the server does."""
    found = _Found()
    for annotation in annotations:
        marks: list[Any] = []
        bare(annotation, marks)
        if any(isinstance(mark, PlainValidator | WrapValidator) for mark in marks):
            found.anything = True
        for kind in kinds_of(annotation):
            found.take(_inside(kind, part))
    return found


def _inside(kind: Any, part: str) -> _Found:  # noqa: PLR0911 - one line for each kind
    if is_reference(kind):
        model = referred(kind)
        return _Found(anything=True) if model is None else _below([id_annotation(model)], part)
    record = record_of(kind)
    if record is not None and issubclass(record, BaseModel):
        if record.__pydantic_root_model__:
            return _below([annotated(complete(record), "root")], part)
        return _of_models(family_of(record), part)
    elements = element_types(kind)
    if elements and kind is not Any:
        return _Found([*elements]) if part.isdecimal() else _below(elements, part)
    if record is not None:
        return _declared(record, names_in(record), part_of(record, part))
    if (keys := keys_in(kind)) is not None:
        return _declared(kind, keys, key_of(kind, part))
    values = value_types(kind)
    return _Found([*values]) if values else _Found(anything=not _is_single(kind))


def _of_models(models: Sequence[type[BaseModel]], part: str) -> _Found:
    found = _Found(owners={models[0].__name__: None})
    for model in models:
        codec = codec_of(complete(model))
        found.anything |= codec.extra
        for own in codec.fields:
            found.known.add(own.stored)
            if own.stored == part:
                found.annotations.append(annotated(model, own.name))
                opaque = validated_fields(model, _OPAQUE)
                if opaque & {own.name, "*"}:
                    found.annotations.append(Any)
            elif own.name == part:
                found.renamed[part] = own.stored
    return found


def _declared(owner: Any, known: Sequence[str], part: Part | None) -> _Found:
    return _Found([] if part is None else [part.annotation], known={*known}, owners={owner.__name__: None})


def _is_single(kind: Any) -> bool:
    """Tell whether values are stored as one value with nothing inside: text, a number, a date."""
    try:
        stored = shape_of(kind).kinds
    except UnclearType:
        return False
    return stored != EVERY_KIND and not stored & _HOLDING
