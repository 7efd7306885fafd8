"""How a detached copy is brought into a document: only what was set in the copy and differs is changed.

Embedded models are merged field by field, so that what is stored beside their fields stays. Any other value is replaced
as a whole where it differs, around the elements that are equal. What the document gets is never part of the copy.
"""

from collections import deque
from collections.abc import Iterable, Mapping
from copy import copy as shallow
from copy import deepcopy
from itertools import takewhile
from typing import Any

from pydantic import BaseModel

from boundwork.errors import InvalidDocument
from boundwork.models.bson_types import MISSING, CannotStore, encode_value
from boundwork.models.codec import codec_of
from boundwork.models.difference import same
from boundwork.models.document import Document
from boundwork.models.fixed_fields import refuse_write
from boundwork.models.kinds import is_dict, is_list, is_model, is_mutable_set, is_ordered
from boundwork.models.mapper import mapper_of
from boundwork.models.problems import collection_of, too_deep
from boundwork.models.slots import SharedNames
from boundwork.models.tracking import touch_field


def merge_into(document: Document[Any], copy: Document[Any]) -> None:
    """Give a document the fields that are set in a copy of the same class and differ.

    The id and the version are left alone. InvalidDocument, before anything is changed, for a field that must not change.
    """
    fixed = mapper_of(type(document)).fixed
    kept = {"id", None if fixed is None else fixed.version}
    try:
        changed = {name: value for name, value in _changed(document, copy).items() if name not in kept}
    except RecursionError:
        raise too_deep(copy, codec_of(type(copy))) from None
    for name, value in changed.items():
        _refuse_frozen(document, name)
        _refuse_tenant(document, name)
        refuse_write(document, name, value)
    for name, value in changed.items():
        touch_field(document, name)
        _write(document, name, value)
    for name, value in (copy.__pydantic_extra__ or {}).items():
        if not _equal((document.model_extra or {}).get(name, MISSING), value):
            setattr(document, name, deepcopy(value))


def _refuse_frozen(document: Document[Any], name: str) -> None:
    model = type(document)
    if model.model_config.get("frozen") or model.__pydantic_fields__[name].frozen:
        problem = (name, "the model says that it is frozen")
        raise InvalidDocument(collection_of(model), document.id, [problem], stored=False)


def _refuse_tenant(document: Document[Any], name: str) -> None:
    model = type(document)
    if name == model.__boundwork_scope__.tenant_field:
        problem = (name, "the copy has another tenant, and a document stays with its own")
        raise InvalidDocument(collection_of(model), document.id, [problem], stored=False)


def _write(model: BaseModel, name: str, value: Any) -> None:
    """Write past validators of assignments, which would see half of the changes; the copy has passed them all."""
    values: Any = model.__dict__
    values[name] = value
    if type(model.__pydantic_fields_set__) is not SharedNames:
        model.__pydantic_fields_set__.add(name)


def _changed(old: BaseModel, new: BaseModel) -> dict[str, Any]:
    """Return the values of the fields that are set in the new one and differ in the old one."""
    changed: dict[str, Any] = {}
    for name in _set_fields(new):
        before = getattr(old, name, MISSING)  # by its name, so that a document notices
        value = _value(before, new.__dict__[name])
        if value is not before:
            changed[name] = value
    return changed


def _set_fields(model: BaseModel) -> list[str]:
    names = model.__pydantic_fields_set__
    return [name for name in codec_of(type(model)).by_name if name in names and name in model.__dict__]


def _value(old: Any, new: Any) -> Any:
    """Return what is to stand where the old value stood: that one if nothing differs."""
    if _equal(old, new):
        return old
    if type(old) is type(new):
        if is_model(new) and not new.__pydantic_root_model__:
            return _model(old, new)
        if is_list(new):
            items: list[Any] | deque[Any] = shallow(new)  # a deque has its length, a defaultdict its factory
            items.clear()
            items.extend(_items(list(old), list(new)))
            return items
        if is_dict(new):
            entries: dict[Any, Any] = shallow(new)
            entries.clear()
            entries.update(_entries(old, new))
            return entries
    return deepcopy(new)


def _model(old: BaseModel, new: BaseModel) -> BaseModel:
    merged = old.model_copy()
    values: Any = merged.__dict__
    for name in values.keys() - codec_of(type(merged)).by_name.keys():
        del values[name]  # a cached property is of the old values
    for name, value in _changed(old, new).items():
        _write(merged, name, value)
    if merged.__pydantic_extra__ is not None:
        merged.__pydantic_extra__.update(deepcopy(new.__pydantic_extra__ or {}))
    return merged


def _items(old: list[Any], new: list[Any]) -> list[Any]:
    """Return new items, with the old ones at both ends that are equal."""
    first = _alike(old, new)
    last = _alike(reversed(old[first:]), reversed(new[first:]))
    end = len(new) - last
    return [*old[:first], *deepcopy(new[first:end]), *old[len(old) - last :]]


def _alike(old: Iterable[Any], new: Iterable[Any]) -> int:
    """Count the equal items at the beginning."""
    return sum(1 for _ in takewhile(lambda pair: _equal(*pair), zip(old, new, strict=False)))


def _entries(old: Mapping[Any, Any], new: Mapping[Any, Any]) -> dict[Any, Any]:
    return {key: old[key] if _equal(old.get(key, MISSING), part) else deepcopy(part) for key, part in new.items()}


def _equal(old: Any, new: Any) -> bool:
    """Tell whether two values are stored alike, as far as the new one was set."""
    if type(old) is not type(new):
        return False
    if is_model(new):
        before: dict[str, Any] = {**old.__dict__, **(old.__pydantic_extra__ or {})}
        now = {name: new.__dict__[name] for name in _set_fields(new)} | (new.__pydantic_extra__ or {})
        return all(_equal(before.get(name, MISSING), part) for name, part in now.items())
    if is_ordered(new):
        return len(old) == len(new) and all(map(_equal, old, new))
    if is_dict(new):
        return list(old) == list(new) and all(map(_equal, old.values(), new.values()))
    try:
        return bool(old == new) if is_mutable_set(new) else same(encode_value(old), encode_value(new))
    except CannotStore:
        return bool(old == new)
