"""Where a field is stored: the way from a model's python field names to a path in the database.

A target is the root model, the stored path, and the kinds of value found there. A path is kept in segments, a new
one after each list that the program reached into with `any_of`, because "any element differs" is not the same
condition as "the dotted path differs". Nothing here knows what is compared.
"""

import difflib
import types
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, Self, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from boundwork.models.annotations import _bare as bare
from boundwork.models.codec import codec_of
from boundwork.models.references.storing import id_annotation, referred
from boundwork.models.unions import is_union


@dataclass(frozen=True, slots=True)
class Target:
    """One reachable place in the stored form of a root model.

    `shown` is the place as the program wrote it; `segments` are dotted stored paths, where an empty one stands for
    an element itself; `annotations` are what the models say of the value, with metadata. `elements` says of each step
    into a list which elements are meant: None for any, as in conditions. `fields` declare the value, where it is a field;
    `is_element` says that it is an element of a list.
    """

    root: type[BaseModel]
    shown: str
    segments: tuple[str, ...]
    annotations: tuple[object, ...]
    elements: tuple[object, ...] = ()
    fields: tuple[FieldInfo, ...] = ()
    is_element: bool = False

    @property
    def kinds(self) -> tuple[object, ...]:
        """The classes or bare annotations that the value may have, `None` left out."""
        return tuple(kind for annotation in self.annotations for kind in kinds_of(annotation))

    @property
    def references(self) -> list[Any]:
        """The models that the value may refer to; empty unless it is a reference and nothing else."""
        models = [referred(kind) for kind in self.kinds]
        return models if all(models) else []

    @property
    def path(self) -> str:
        """Return the dotted path as MongoDB takes it."""
        return ".".join(segment for segment in self.segments if segment)

    def attribute(self, name: str) -> Self:
        """Step into an embedded model by python field name; AttributeError names the nearest one."""
        models = [kind for kind in self.kinds if isinstance(kind, type) and issubclass(kind, BaseModel)]
        if not models:
            if name == "id" and self.references:
                return replace(self, shown=f"{self.shown}.id", annotations=tuple(map(id_annotation, self.references)))
            raise AttributeError(self._why_no_attribute(name))
        owners = [model for model in models if name in _complete(model).model_fields]
        if not owners:
            raise AttributeError(_unknown(self.shown, name, models))
        stored = {_stored_under(model, name) for model in owners}
        if len(stored) > 1:
            text = (
                f"{self.shown}.{name} is stored under several names ({', '.join(sorted(stored))}). Use a plain filter."
            )
            raise AttributeError(text)
        return replace(
            self,
            shown=f"{self.shown}.{name}",
            segments=self._longer(stored.pop()),
            annotations=tuple(_annotated(model, name) for model in owners),
            fields=tuple(model.model_fields[name] for model in owners),
            is_element=False,
        )

    def element(self, chosen: object = None) -> Self:
        """Step into any element of a list, set or tuple, or into those `chosen`; TypeError if the field is none."""
        inner = tuple(part for kind in self.kinds for part in _element_types(kind))
        if not inner:
            text = f"any_of({self.shown}): the field is {_named(self.kinds)}, not a list, set or tuple."
            raise TypeError(text)
        return replace(
            self,
            shown=f"{'any_of' if chosen is None else 'each'}({self.shown})",
            segments=(*self.segments, ""),
            annotations=inner,
            elements=(*self.elements, chosen),
            fields=(),
            is_element=True,
        )

    def item(self, key: object) -> Self:
        """Step to one key of a dict or one position of a list; the key becomes part of the path, never an operator."""
        if isinstance(key, str):
            key = str.__str__(key)
            if not key or key.startswith("$") or "." in key or "\0" in key:
                text = f"{self.shown}[...]: a key in a path must not be empty, begin with '$', or hold '.' or NUL."
                raise ValueError(text)
            inner = tuple(part for kind in self.kinds for part in _value_types(kind))
        elif isinstance(key, int) and not isinstance(key, bool) and (key := int.__int__(key)) >= 0:
            inner = tuple(part for kind in self.kinds for part in _element_types(kind))
        else:
            text = f"{self.shown}[...]: a path takes the str key of a dict or the position (0, 1, ...) of an element."
            raise TypeError(text)
        if not inner:
            text = f"{self.shown}[...]: the field is {_named(self.kinds)}, which has no {type(key).__name__} keys."
            raise TypeError(text)
        return replace(
            self,
            shown=f"{self.shown}[...]",
            segments=self._longer(str(key)),
            annotations=inner,
            fields=(),
            is_element=isinstance(key, int),
        )

    def below(self, elements: "Target") -> Self:
        """Return the part of this place below the elements of a list; ValueError if it does not begin with them."""
        depth = len(elements.segments)
        if self.root is not elements.root or len(self.segments) <= depth or self.segments[:depth] != elements.segments:
            text = (
                f"{self.shown} is no place in the elements of {elements.shown}. Begin it with any_of({elements.shown})."
            )
            raise ValueError(text)
        return replace(self, segments=self.segments[depth:], elements=self.elements[depth:])

    def _longer(self, name: str) -> tuple[str, ...]:
        if not name:
            return self.segments
        *outer, last = self.segments
        return (*outer, f"{last}.{name}" if last else name)

    def _why_no_attribute(self, name: str) -> str:
        if self.references:
            names = " or ".join(model.__name__ for model in self.references)
            return f"{self.shown} is the id of a {names}, so there is no field {name!r} in it. Find the {names} first."
        text = f"{self.shown} is {_named(self.kinds)}, so there is no field {name!r} in it."
        if any(_element_types(kind) for kind in self.kinds if kind is not Any):
            return f"{text} Write any_of({self.shown}).{name} to reach its elements."
        if str in self.kinds:
            return f"{text} For text there are starts_with, contains and regex."
        return text


def target_of(model: type[BaseModel], name: str) -> Target:
    """Return the target of a model's own field; AttributeError names the nearest field."""
    fields = _complete(model).model_fields
    if name not in fields:
        raise AttributeError(_unknown(model.__name__, name, [model]))
    shown, stored = f"{model.__name__}.{name}", (_stored_under(model, name),)
    return Target(model, shown, stored, (_annotated(model, name),), fields=(fields[name],))


def kinds_of(annotation: object) -> tuple[object, ...]:
    """Return the alternatives of an annotation without metadata, aliases and `None`."""
    plain: object = bare(annotation, [])
    if is_union(plain):
        return tuple(kind for part in get_args(plain) if part is not types.NoneType for kind in kinds_of(part))
    return (plain,)


def _stored_under(model: type[BaseModel], name: str) -> str:
    # A root model is stored as its one field, without a name of its own.
    return "" if model.__pydantic_root_model__ else codec_of(model).stored(name)


def _complete(model: type[BaseModel]) -> type[BaseModel]:
    """Resolve forward references that could not be resolved when the class was built."""
    if not model.__pydantic_complete__:
        model.model_rebuild(raise_errors=False)
    return model


def _annotated(model: type[BaseModel], name: str) -> object:
    field = model.model_fields[name]
    return Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation


def _element_types(kind: object) -> tuple[object, ...]:
    if kind is Any:
        return (Any,)
    container = get_origin(kind) or kind
    if not isinstance(container, type) or not issubclass(container, Collection):
        return ()
    if issubclass(container, str | bytes | Mapping):
        return ()
    return tuple(part for part in get_args(kind) if part is not ...) or (Any,)


def _value_types(kind: object) -> tuple[object, ...]:
    if kind is Any:
        return (Any,)
    container = get_origin(kind) or kind
    if not isinstance(container, type) or not issubclass(container, Mapping):
        return ()
    return (get_args(kind)[1],) if get_args(kind) else (Any,)


def _named(kinds: tuple[object, ...]) -> str:
    return " | ".join(kind.__name__ if isinstance(kind, type) else str(kind) for kind in kinds) or "None"


def _unknown(owner: str, name: str, models: list[type[BaseModel]]) -> str:
    known = sorted({field for model in models for field in model.model_fields})
    nearest = difflib.get_close_matches(name, known, n=1)
    advice = f"Did you mean {nearest[0]!r}?" if nearest else f"Its fields are: {', '.join(known)}."
    return f"{owner} has no field {name!r}. {advice}"
