"""Where a field is stored: the way from a model's python field names to a path in the database.

A target is the root model, the stored path, and the kinds of value found there. A path is kept in segments, a new
one after each list that the program reached into with `any_of`, because "any element differs" is not the same
condition as "the dotted path differs". Nothing here knows what is compared.
"""

import types
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Self, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from boundwork.models.annotations import bare
from boundwork.models.bson_types import encode_key
from boundwork.models.data import data
from boundwork.models.expressions.inside import (
    Part,
    advice,
    element_types,
    is_key,
    key_of,
    keys_in,
    names_in,
    part_of,
    record_of,
    value_types,
)
from boundwork.models.references.storing import id_annotation, referred
from boundwork.models.unions import is_union


@data(frozen=True, slots=True)
class Target:
    """One reachable place in the stored form of a root model.

    `shown` is the place as the program wrote it; `segments` are dotted stored paths, where an empty one stands for
    an element itself; `annotations` are what the models say of the value, with metadata. `elements` says of each step
    into a list which elements are meant: None for any, as in conditions. `fields` declare the value, where it is a field;
    `is_element` says that it is an element of a list, `in_record` that it lies in a dataclass or NamedTuple.
    """

    root: type[BaseModel]
    shown: str
    segments: tuple[str, ...]
    annotations: tuple[object, ...]
    elements: tuple[object, ...] = ()
    fields: tuple[FieldInfo, ...] = ()
    is_element: bool = False
    in_record: bool = False

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
        """Step into an embedded model, dataclass or NamedTuple by python name; AttributeError names the nearest one."""
        records = [kind for kind in self.kinds if record_of(kind) is not None]
        if not records:
            if name == "id" and self.references:
                return replace(self, shown=f"{self.shown}.id", annotations=tuple(map(id_annotation, self.references)))
            raise AttributeError(self._why_no_attribute(name))
        parts = [part for kind in records if (part := part_of(kind, name)) is not None]
        if not parts:
            raise AttributeError(_unknown(self.shown, name, records))
        stored = {part.stored for part in parts}
        if len(stored) > 1:
            text = (
                f"{self.shown}.{name} is stored under several names ({', '.join(sorted(stored))}). Use a plain filter."
            )
            raise AttributeError(text)
        return self._at(f"{self.shown}.{name}", stored.pop(), parts)

    def element(self, chosen: object = None) -> Self:
        """Step into any element of a list, set or tuple, or into those `chosen`; TypeError if the field is none."""
        inner = tuple(part for kind in self.kinds for part in element_types(kind))
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
        if not isinstance(key, str) and any(is_key(kind, key) for kind in self.kinds):
            key = encode_key(key)  # an Enum, a number or a date is stored as text
        if isinstance(key, str):
            key = str.__str__(key)
            if not key or key.startswith("$") or "." in key or "\0" in key:
                text = f"{self.shown}[...]: a key in a path must not be empty, begin with '$', or hold '.' or NUL."
                raise ValueError(text)
            keyed = [part for kind in self.kinds if (part := key_of(kind, key)) is not None]
            if keyed:
                return self._at(f"{self.shown}[...]", key, keyed)
            self._refuse_unknown_key(key)
            inner = tuple(part for kind in self.kinds for part in value_types(kind))
        elif isinstance(key, int) and not isinstance(key, bool) and (key := int.__int__(key)) >= 0:
            inner = tuple(part for kind in self.kinds for part in element_types(kind))
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

    def _at(self, shown: str, stored: str, parts: Sequence[Part]) -> Self:
        return replace(
            self,
            shown=shown,
            segments=self._longer(stored),
            annotations=tuple(part.annotation for part in parts),
            fields=tuple(part.info for part in parts),
            is_element=any(part.is_element for part in parts),
            in_record=self.in_record or any(part.in_record for part in parts),
        )

    def _refuse_unknown_key(self, key: str) -> None:
        """Raise ValueError for a key that no TypedDict declares, unless other values may stand here as well."""
        keys = [found for kind in self.kinds if (found := keys_in(kind)) is not None]
        if keys and len(keys) == len(self.kinds):
            raise ValueError(
                f"{self.shown} has no key {key!r}. {advice(key, {name for found in keys for name in found})}"
            )

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
        if any(element_types(kind) for kind in self.kinds if kind is not Any):
            return f"{text} Write any_of({self.shown}).{name} to reach its elements."
        if str in self.kinds:
            return f"{text} For text there are starts_with, contains and regex."
        return text


def target_of(model: type[BaseModel], name: str) -> Target:
    """Return the target of a model's own field; AttributeError names the nearest field."""
    part = part_of(model, name)
    if part is None:
        raise AttributeError(_unknown(model.__name__, name, [model]))
    return Target(model, f"{model.__name__}.{name}", (part.stored,), (part.annotation,), fields=(part.info,))


def kinds_of(annotation: object) -> tuple[object, ...]:
    """Return the alternatives of an annotation without metadata, aliases and `None`."""
    plain: object = bare(annotation, [])
    if is_union(plain):
        return tuple(kind for part in get_args(plain) if part is not types.NoneType for kind in kinds_of(part))
    return (plain,)


def takes_none(annotation: object) -> bool:
    """Tell whether None is a value of an annotation."""
    plain: object = bare(annotation, [])
    if is_union(plain):
        return any(map(takes_none, get_args(plain)))
    return plain in {None, types.NoneType, Any, object}


def _named(kinds: tuple[object, ...]) -> str:
    return " | ".join(kind.__name__ if isinstance(kind, type) else str(kind) for kind in kinds) or "None"


def _unknown(owner: str, name: str, records: Sequence[object]) -> str:
    return f"{owner} has no field {name!r}. {advice(name, {field for record in records for field in names_in(record)})}"
