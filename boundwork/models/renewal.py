"""Which values of a document stay when it is read again: those that are as they were read.

Somebody may hold a list or an embedded model of a document since before. If an equal one took its place, what is
changed in the old one later would be written by nobody. What differs is replaced, around the parts that do not;
nothing old is changed, since it may stand in another document as well. So an embedded model that stays keeps its field
set and its private values, too.
"""

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from operator import is_
from typing import Any

from pydantic import BaseModel

from boundwork.models.bson_types import MISSING
from boundwork.models.difference import same
from boundwork.models.encoders import unknown_fields
from boundwork.models.kinds import is_dict, is_list, is_model, is_mutable_set, is_record, is_tuple


def renewed(before: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, Any]:
    """Return the new values of a document's fields, with old ones where these are equal."""
    return {name: _renewed(before.get(name, MISSING), value) for name, value in now.items()}


def renewed_extra(old: dict[str, Any] | None, new: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return the new extra values of a document in the dict that it has: only this document has that."""
    if old is None or new is None:
        return new
    values = renewed(old, new)
    old.clear()
    old.update(values)
    return old


def _renewed(old: Any, new: Any) -> Any:
    if type(old) is not type(new):
        return new
    for is_kind, renew in _CONTAINERS:
        if is_kind(new):
            return renew(old, new)
    equal = old == new if is_mutable_set(new) else same(old, new)
    return old if equal else new


def _model(old: BaseModel, new: BaseModel) -> BaseModel:
    now = renewed(old.__dict__, new.__dict__)
    before, extra = old.__pydantic_extra__ or {}, new.__pydantic_extra__ or {}
    extra = renewed(before, extra)
    if _are_all_in(now, old.__dict__) and _is_all_of(extra, before) and same(unknown_fields(old), unknown_fields(new)):
        return old
    values: Any = new.__dict__
    values.update(now)
    if new.__pydantic_extra__ is not None:
        new.__pydantic_extra__.update(extra)
    return new


def _list(old: Any, new: Any) -> Any:
    items = [*map(_renewed, old, new), *list(new)[len(old) :]]
    if len(old) == len(new) and _all_are(items, old):
        return old
    new.clear()
    new.extend(items)
    return new


def _dict(old: Any, new: Any) -> Any:
    items = renewed(old, new)
    if list(old) == list(items) and _is_all_of(items, old):
        return old
    new.update(items)
    return new


def _tuple(old: Any, new: Any) -> Any:
    parts = tuple(map(_renewed, old, new))
    return old if len(old) == len(new) and _all_are(parts, old) else new


def _record(old: Any, new: Any) -> Any:
    names = [field.name for field in dataclasses.fields(new)]
    parts = [_renewed(getattr(old, name, MISSING), getattr(new, name)) for name in names]
    if all(part is getattr(old, name, MISSING) for name, part in zip(names, parts, strict=True)):
        return old
    for name, part in zip(names, parts, strict=True):
        object.__setattr__(new, name, part)
    return new


def _are_all_in(items: Mapping[Any, Any], old: Mapping[Any, Any]) -> bool:
    return all(items[key] is old.get(key, MISSING) for key in items)


def _is_all_of(items: Mapping[Any, Any], old: Mapping[Any, Any]) -> bool:
    return len(items) == len(old) and _are_all_in(items, old)


def _all_are(items: Iterable[Any], old: Iterable[Any]) -> bool:
    return all(map(is_, items, old))


_CONTAINERS: tuple[tuple[Callable[[Any], bool], Callable[[Any, Any], Any]], ...] = (
    (is_model, _model), (is_list, _list), (is_dict, _dict), (is_tuple, _tuple), (is_record, _record),
)  # fmt: skip
