"""Changes of people written down by hand, for tests of what a flush makes of them."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from boundwork import Document
from boundwork.models.bson_types import MISSING
from boundwork.models.difference import Changed, Update, compare
from boundwork.models.mapper import mapper_of
from boundwork.uow.changes import Alteration, Change, Insertion, Removal
from boundwork.uow.flush_plan import PlannedBulk, PlannedWrite
from boundwork.uow.unique_claims import value_at

Stored = Mapping[str, Any]


class Person(Document[int], collection="people"):
    name: str | None = None


class Town(Document[int], collection="towns"):
    name: str | None = None


def insertion(person_id: int, stored: Stored, origin: str | None = None) -> Insertion:
    return Insertion(Person(id=person_id), mapper_of(Person), person_id, {"_id": person_id, **stored}, origin)


def alteration(person_id: int, before: Stored, after: Stored) -> Alteration:
    look_before, look_after = partial(value_at, before), partial(value_at, after)
    return Alteration(
        Person(id=person_id), mapper_of(Person), person_id, update(before, after), look_before, look_after
    )


def removal(person_id: int, before: Stored) -> Removal:
    return Removal(Person(id=person_id), mapper_of(Person), person_id, partial(value_at, before), guarded=False)


def update(before: Stored, after: Stored) -> Update:
    changed = Changed()
    for name in {**before, **after}:
        compare(name, before.get(name, MISSING), after.get(name, MISSING), changed)
    paths = (*changed.set, *changed.unset, *changed.push)
    fields = tuple(dict.fromkeys(path.partition(".")[0] for path in paths))
    return Update(changed.set, tuple(changed.unset), changed.push, fields)


def bulk(*changes: Change) -> PlannedBulk:
    return PlannedBulk("people", [PlannedWrite(_any_write(), change) for change in changes])


def _any_write() -> Any:
    return object()
