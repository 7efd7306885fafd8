"""Values that are read again: equal ones stay the same objects, and nothing old is changed."""

from collections import deque
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import pytest
from pydantic import PrivateAttr, model_validator

from boundwork.models import Document, Embedded
from boundwork.models.mapper import mapper_of
from boundwork.models.renewal import renewed
from boundwork.models.tracking import Tracker


@dataclass
class Weight:
    grams: float
    marks: list[str] = field(default_factory=list[str])


class Line(Embedded):
    sku: str
    notes: dict[str, Any] = {}


def values() -> dict[str, Any]:
    return {
        "lines": [Line(sku="a", notes={"x": [1]}), Line(sku="b")],
        "tags": {"a", "b"},
        "pair": (Line(sku="c"), 1.0),
        "queue": deque([[1], [2]]),
        "weight": Weight(1.5, ["m"]),
        "text": "t",
    }


def test_equal_values_stay_the_same_objects() -> None:
    old = values()
    now = renewed(old, values())
    assert all(now[name] is old[name] for name in old)


Values = dict[str, Any]
DIFFERENCES: list[tuple[Callable[[Values], object], Callable[[Values, Values], bool]]] = [
    (lambda new: new["lines"][0].notes["x"].append(2), lambda old, now: now["lines"][1] is old["lines"][1]),
    (lambda new: new["lines"].append(Line(sku="z")), lambda old, now: now["lines"][0] is old["lines"][0]),
    (lambda new: new["lines"].pop(), lambda old, now: now["lines"][0] is old["lines"][0]),
    (lambda new: new["tags"].add("c"), lambda old, now: now["lines"] is old["lines"]),
    (lambda new: new.update(pair=(Line(sku="c"), -0.0)), lambda old, now: now["tags"] is old["tags"]),
    (lambda new: new["queue"].rotate(), lambda old, now: now["pair"] is old["pair"]),
    (lambda new: setattr(new["weight"], "grams", 2.5), lambda old, now: now["weight"].marks is old["weight"].marks),
    (lambda new: new.update(text=1), lambda old, now: now["queue"] is old["queue"]),
    (lambda new: new["lines"][1].notes.update(y=True), lambda old, now: now["lines"][0] is old["lines"][0]),
]


@pytest.mark.parametrize(("change", "kept"), DIFFERENCES)
def test_what_differs_is_replaced_around_what_does_not(
    change: Callable[[Values], object], kept: Callable[[Values, Values], bool]
) -> None:
    old, new = values(), values()
    change(new)
    before, wanted = deepcopy(old), deepcopy(new)
    now = renewed(old, new)
    assert now == wanted
    assert old == before
    assert kept(old, now)


def test_the_order_of_keys_is_a_difference() -> None:
    old, new = {"d": {"a": 1, "b": 2}}, {"d": {"b": 2, "a": 1}}
    assert list(renewed(old, new)["d"]) == ["b", "a"]


def test_unknown_fields_are_a_difference() -> None:
    class Basket(Document[int], collection="baskets"):
        line: Line

    mapper = mapper_of(Basket)
    old = mapper.load({"_id": 1, "line": {"sku": "a", "notes": {}, "legacy": 1}})
    new = mapper.load({"_id": 1, "line": {"sku": "a", "notes": {}, "legacy": 2}})
    line = new.line
    assert renewed(old.__dict__, new.__dict__)["line"] is line


class Indexed(Document[int], collection="indexed"):
    lines: list[Line] = []
    _by: dict[str, Line] = PrivateAttr(default_factory=dict[str, Line])

    @model_validator(mode="after")
    def _remember(self) -> "Indexed":
        self._by.update({line.sku: line for line in self.lines})
        return self

    @property
    def by(self) -> dict[str, Line]:
        return self._by


class Cached(Document[int], collection="cached"):
    lines: list[Line] = []

    @cached_property
    def first(self) -> Line:
        return self.lines[0]

    @model_validator(mode="after")
    def _look(self) -> "Cached":
        assert self.first.sku
        return self


def test_a_part_that_a_private_attribute_refers_to_is_watched() -> None:
    mapper, tracker = mapper_of(Indexed), Tracker()
    document = mapper.load({"_id": 1, "lines": [{"sku": "a", "notes": {}}]})
    mapper.attach((document,), tracker)
    document.by["a"].sku = "z"
    changes = tracker.changes_of(document)
    update = None if changes is None else changes.update()
    assert update is not None
    assert update.set == {"lines.0.sku": "z"}


def test_a_part_that_was_cached_while_the_document_was_validated_is_watched() -> None:
    mapper, tracker = mapper_of(Cached), Tracker()
    document = mapper.load({"_id": 1, "lines": [{"sku": "a", "notes": {}}]})
    mapper.attach((document,), tracker)
    document.first.sku = "z"
    changes = tracker.changes_of(document)
    update = None if changes is None else changes.update()
    assert update is not None
    assert update.set == {"lines.0.sku": "z"}
