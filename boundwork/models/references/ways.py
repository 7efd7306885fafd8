"""Ways along references: from documents to those that they refer to, and on from there.

A way is made of places of models, each of which holds references to the model where the next one begins. What a place
holds is read past the attributes, so that nothing is taken for touched.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from boundwork.models.codec import codec_of
from boundwork.models.expressions.fields import FieldExpression
from boundwork.models.expressions.filters import check_root
from boundwork.models.expressions.targets import Target
from boundwork.models.kinds import is_mapping, is_model, is_ordered, is_record, is_set
from boundwork.models.references.ref import ModelT, Ref
from boundwork.models.references.storing import referred

Place = Ref[Any, Any] | Iterable[Ref[Any, Any]] | None
"""What type checkers see in a field that holds one reference or several."""


@dataclass(frozen=True, slots=True)
class Way:
    """Several references that lead on from each other, made by `via`."""

    places: tuple[Target, ...]


def via(first: Ref[ModelT, Any] | Iterable[Ref[ModelT, Any]] | None, *then: Place) -> Way:
    """Lead on from a reference: `include(via(Order.customer, Customer.region))` loads both.

    Each further one is a field of the model that the one before refers to; TypeError for any other field.
    """
    return way_of((first, *then))


@dataclass(slots=True)
class Branch:
    """The references at one place, and the branches that begin at the documents they lead to."""

    place: Target
    after: "list[Branch]" = field(default_factory=list["Branch"])


def branches(model: type[BaseModel], places: Iterable[object], known: Sequence[Branch] = ()) -> list[Branch]:
    """Return ways from a model as a tree, added to one that is known; TypeError for one that begins elsewhere."""
    tree = [_copied(branch) for branch in known]
    for place in places:
        way = place if isinstance(place, Way) else way_of((place,))
        check_root(model, way.places[0])
        level = tree
        for step in way.places:
            branch = next((other for other in level if other.place == step), None)
            if branch is None:
                branch = Branch(step)
                level.append(branch)
            level = branch.after
    return tree


def _copied(branch: Branch) -> Branch:
    return Branch(branch.place, [_copied(inner) for inner in branch.after])


def way_of(places: Sequence[object]) -> Way:
    """Return the way through some fields; TypeError where one is no reference, or of another model than it must be."""
    steps: list[Target] = []
    models: list[Any] = []
    for place in places:
        if not isinstance(place, FieldExpression):
            raise TypeError(f"A reference is a field of the class, such as Order.customer, and not {_kind(place)}.")
        step = place.__target__
        if steps and not any(issubclass(model, step.root) or issubclass(step.root, model) for model in models):
            names = " or ".join(model.__name__ for model in models)
            raise TypeError(f"{steps[-1].shown} refers to {names}, and {step.shown} is no field of that.")
        models = _models_at(step)
        steps.append(step)
    return Way(tuple(steps))


def _kind(place: object) -> str:
    return "a way of its own inside another" if isinstance(place, Way) else type(place).__name__


def _models_at(place: Target) -> list[Any]:
    """Return the models that a place refers to, by a reference or by a list of them."""
    while not (models := [model for kind in place.kinds if (model := referred(kind)) is not None]):
        try:
            inner = place.element()
        except TypeError:
            inner = place
        if inner.annotations == place.annotations:  # neither a list nor anything else that is known
            raise TypeError(f"{place.shown} is no reference. Declare it as one: Ref[...].")
        place = inner
    return models


def references_at(place: Target, documents: Iterable[BaseModel]) -> Iterator[Ref[Any, Any]]:
    """Yield the references that documents hold at a place."""
    names = [name for segment in place.segments for name in segment.split(".") if name]
    for document in documents:
        yield from _below(document, names)


def _below(value: Any, names: Sequence[str]) -> Iterator[Ref[Any, Any]]:
    if isinstance(value, Ref):
        if not names:
            yield value
    elif is_model(value):
        yield from _below_model(value, names)
    elif is_mapping(value):
        if names:
            yield from _below(value.get(names[0]), names[1:])
    elif is_record(value):
        if names:
            yield from _below(getattr(value, names[0], None), names[1:])
    elif is_ordered(value) or is_set(value):
        yield from _below_items(list(value), names)


def _below_items(items: Sequence[Any], names: Sequence[str]) -> Iterator[Ref[Any, Any]]:
    if names and names[0].isdecimal():
        items, names = items[int(names[0]) :][:1], names[1:]
    for item in items:
        yield from _below(item, names)


def _below_model(value: BaseModel, names: Sequence[str]) -> Iterator[Ref[Any, Any]]:
    if type(value).__pydantic_root_model__:
        yield from _below(value.__dict__.get("root"), names)
        return
    if not names:
        return
    for part in codec_of(type(value)).fields:
        if part.stored == names[0]:
            yield from _below(value.__dict__.get(part.name), names[1:])
