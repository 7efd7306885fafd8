"""The smallest update that turns one stored form into another.

Pure data: dotted paths into documents, indexes into lists of equal length, `$push` for lists that only grew, and the
nearest whole value where a path would be unsafe. Values are compared as BSON sees them: 1, 1.0 and True differ, a
NaN equals itself, 0.0 and -0.0 differ, and so do documents whose fields are in another order.
"""

import math
from dataclasses import dataclass, field
from operator import eq, is_
from typing import Any

from boundwork.models.bson_types import MISSING
from boundwork.models.data import data
from boundwork.models.kinds import is_array, is_document


@data(frozen=True, slots=True)
class Update:
    """What must be sent so that the stored document becomes the present one.

    `set` and `push` map dotted paths to values, `unset` lists paths, `fields` names the model's changed fields.
    """

    set: dict[str, Any] = field(default_factory=dict, repr=False)
    unset: tuple[str, ...] = ()
    push: dict[str, list[Any]] = field(default_factory=dict, repr=False)
    fields: tuple[str, ...] = ()

    def operators(self) -> dict[str, Any]:
        """Write it as MongoDB's update operators; empty ones are left out."""
        operators: dict[str, Any] = {}
        if self.set:
            operators["$set"] = self.set
        if self.unset:
            operators["$unset"] = dict.fromkeys(self.unset, "")
        if self.push:
            operators["$push"] = {path: {"$each": items} for path, items in self.push.items()}
        return operators


@dataclass(slots=True)
class Changed:
    """Collects the paths of an update."""

    set: dict[str, Any] = field(default_factory=dict, repr=False)
    unset: list[str] = field(default_factory=list)
    push: dict[str, list[Any]] = field(default_factory=dict, repr=False)

    def __len__(self) -> int:
        """Count the paths."""
        return len(self.set) + len(self.unset) + len(self.push)


def same(before: Any, now: Any) -> bool:  # noqa: PLR0911 - one line for each kind
    """Say whether two stored values are the same in BSON."""
    if before is now:
        return True
    kind: Any = before.__class__
    if kind is not now.__class__:
        return False
    if kind is dict:
        return _same_documents(before, now)
    if kind is list:
        return len(before) == len(now) and all(map(same, before, now))
    if kind is float:
        if before != before:  # noqa: PLR0124 - only a NaN differs from itself
            return bool(now != now)  # noqa: PLR0124 - as above
        return bool(before == now) and math.copysign(1.0, before) == math.copysign(1.0, now)
    if hasattr(before, "bid"):
        return bool(before.bid == now.bid)
    return bool(before == now)


def _same_documents(before: dict[str, Any], now: dict[str, Any]) -> bool:
    if len(before) != len(now):
        return False
    if all(map(is_, before.values(), now.values())) and all(map(is_, before, now)):
        return True
    for (name, value), (other_name, other) in zip(before.items(), now.items(), strict=True):
        if name != other_name or (other is not value and not same(value, other)):
            return False
    return True


def compare(path: str, before: Any, now: Any, changed: Changed) -> None:
    """Note under a path what turns the one stored value into the other; nothing if they are the same."""
    if now is MISSING:
        if before is not MISSING:
            changed.unset.append(path)
    elif is_document(before) and is_document(now) and _reachable(before, now):
        _compare_documents(path, before, now, changed)
    elif is_array(before) and is_array(now):
        _compare_lists(path, before, now, changed)
    elif not same(before, now):
        changed.set[path] = now


def _reachable(before: dict[str, Any], now: dict[str, Any]) -> bool:
    """Say whether paths into the one document make the other one of it, its order included."""
    if before.keys() == now.keys():
        return all(map(eq, before, now)) and _safe(now)
    return _safe(before) and _safe(now) and _in_order(before, now)


def _in_order(before: dict[str, Any], now: dict[str, Any]) -> bool:
    """Say whether the server would put the fields in this order: kept ones stay, new ones follow sorted by name."""
    kept = [name for name in before if name in now]
    added = [name for name in now if name not in before]
    if len(added) > 1 and any(map(str.isdigit, added)):  # it sorts names that are numbers in a way of its own
        return False
    return [*kept, *sorted(added)] == list(now)


def _safe(document: dict[str, Any]) -> bool:
    return all(name and name[0] != "$" and "." not in name for name in document)


def _compare_documents(path: str, before: dict[str, Any], now: dict[str, Any], changed: Changed) -> None:
    for name, value in before.items():
        other = now.get(name, MISSING)
        if other is not value:
            compare(f"{path}.{name}", value, other, changed)
    for name, value in now.items():
        if name not in before:
            changed.set[f"{path}.{name}"] = value


def _compare_lists(path: str, before: list[Any], now: list[Any], changed: Changed) -> None:
    if len(now) > len(before) and all(map(same, before, now[: len(before)])):
        changed.push[path] = now[len(before) :]
        return
    if len(now) == len(before):
        pairs = enumerate(zip(before, now, strict=True))
        other = [(index, old, new) for index, (old, new) in pairs if not (old is new or same(old, new))]
        if all(is_document(old) and is_document(new) and _reachable(old, new) for _, old, new in other):
            for index, old, new in other:
                _compare_documents(f"{path}.{index}", old, new, changed)
            return
    changed.set[path] = now
