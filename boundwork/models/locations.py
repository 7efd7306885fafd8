"""How a place inside a model is called in errors: names that the model declares, and positions.

The location of a pydantic error also holds the keys of dicts, which are contents. They are shown as `[...]`, and so is
everything that no declaration accounts for.
"""

import dataclasses
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, get_args, get_origin, get_type_hints

from pydantic import BaseModel
from typing_extensions import is_typeddict

from boundwork.models.annotations import bare
from boundwork.models.bson_types import HIDDEN
from boundwork.models.codec import codec_of
from boundwork.models.kinds import is_class
from boundwork.models.unions import is_union


def place_of(kind: object, location: Sequence[int | str], *, named: bool = False) -> str:
    """Return the dotted path of a location, in python names; the last part is shown if it is `named` a field."""
    kinds = _kinds([kind])
    parts: list[str] = []
    for part in location:
        shown, kinds = _stepped(kinds, part)
        parts.append(shown)
    if named and parts:
        parts[-1] = str(location[-1])
    return ".".join(parts)


def _stepped(kinds: list[object], part: int | str) -> tuple[str, list[object]]:
    """Return how a part is shown, and the kinds of what lies there."""
    if isinstance(part, int):
        return str(part), _kinds(inner for kind in kinds for inner in _items(kind))
    for kind in kinds:
        found = _field(kind, part)
        if found is not None:
            return found[0], _kinds([found[1]])
    named = [kind for kind in kinds if part in _labels(kind)]
    if named:  # which alternative of a union was tried
        return part, named
    return HIDDEN, _kinds(inner for kind in kinds for inner in _items(kind, of_keys=True)) or kinds


def _labels(kind: object) -> set[str]:
    """Return what validators call an alternative of a union: its name, or the tag that it declares."""
    labels = {getattr(kind, "__name__", "")}
    if is_class(kind) and issubclass(kind, BaseModel):
        labels.update(str(tag) for tags in codec_of(kind).tags.values() for tag in tags)
    return labels


def _field(kind: object, name: str) -> tuple[str, object] | None:
    """Return the python name and annotation of a field that goes by a name, as validators call it."""
    if not is_class(kind):
        return None
    if issubclass(kind, BaseModel):
        for field in codec_of(kind).fields:
            if name in {field.name, field.accepted}:
                return field.name, kind.model_fields[field.name].annotation
        return None
    if dataclasses.is_dataclass(kind) or is_typeddict(kind) or hasattr(kind, "_fields"):
        hints = get_type_hints(kind)
        return (name, hints[name]) if name in hints else None
    return None


def _items(kind: object, *, of_keys: bool = False) -> Iterable[object]:
    container = get_origin(kind) or kind
    if not of_keys and is_class(container) and hasattr(container, "_fields"):
        return get_type_hints(container).values()
    if not is_class(container) or not issubclass(container, Collection):
        return ()
    arguments = tuple(part for part in get_args(kind) if part is not ...)
    if issubclass(container, Mapping):
        return arguments[1:] if of_keys else ()
    return () if of_keys else arguments


def _kinds(annotations: Iterable[object]) -> list[object]:
    kinds: list[object] = []
    for annotation in annotations:
        plain: Any = bare(annotation, [])
        if is_union(plain):
            kinds += _kinds(get_args(plain))
        elif is_class(plain) and issubclass(plain, BaseModel) and plain.__pydantic_root_model__:
            kinds += _kinds([plain.model_fields["root"].annotation])
        else:
            kinds.append(plain)
    return kinds
