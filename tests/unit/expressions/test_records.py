"""Fields of dataclasses, NamedTuples and TypedDicts in expressions: what type checkers accept is a place."""

from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple, NotRequired

import pytest
from typing_extensions import TypedDict

from boundwork import Document
from boundwork.models.expressions import (
    Change,
    any_of,
    compile_changes,
    compile_filter,
    compile_sort,
    desc,
    each,
    elem,
    inc,
    push,
    set_,
    some,
    unset,
)


@dataclass
class Point:
    x: float
    y: float = 0
    names: list[str] = field(default_factory=list)


class Pair(NamedTuple):
    word: str
    points: list[Point]


class Record(TypedDict):
    left: Decimal
    right: NotRequired[Point]


class Chart(Document[int], collection="charts"):
    origin: Point
    points: list[Point] = []
    end: Point | None = None
    pair: Pair = Pair("", [])
    record: Record
    counts: Counter[str] = Counter()
    order: OrderedDict[str, Point] = OrderedDict()


def test_a_place_in_a_record_compares_and_sorts() -> None:
    chart: Any = Chart
    conditions: list[tuple[Any, dict[str, Any]]] = [
        (Chart.origin.x > 1, {"origin.x": {"$gt": 1}}),
        (any_of(Chart.points).y == 2, {"points.y": {"$eq": 2}}),
        (any_of(any_of(Chart.points).names) == "a", {"points.names": {"$eq": "a"}}),
        (some(Chart.end).x == 3, {"end.x": {"$eq": 3}}),
        (elem(Chart.points, any_of(Chart.points).x == 1), {"points": {"$elemMatch": {"x": {"$eq": 1}}}}),
        (Chart.pair.word == "a", {"pair.0": {"$eq": "a"}}),
        (Chart.pair.points[0].x == 1, {"pair.1.0.x": {"$eq": 1}}),
        (Chart.record["left"] == Decimal(1), {"record.left": {"$eq": compiled(Decimal(1))}}),
        (chart.record["right"].x == 1, {"record.right.x": {"$eq": 1}}),
        (Chart.counts["a"] > 1, {"counts.a": {"$gt": 1}}),
        (Chart.order["a"].x > 1, {"order.a.x": {"$gt": 1}}),
    ]
    for condition, expected in conditions:
        assert compile_filter(Chart, condition) == expected
    assert compile_sort(Chart, desc(Chart.origin.x)) == (("origin.x", -1),)


def compiled(value: Any) -> Any:
    return compile_filter(Chart, Chart.record["left"] == value)["record.left"]["$eq"]


def test_a_misspelt_part_of_a_record_names_the_nearest_one() -> None:
    chart: Any = Chart
    with pytest.raises(AttributeError, match=r"Chart\.pair has no field 'wrd'\. Did you mean 'word'"):
        _ = chart.pair.wrd
    with pytest.raises(AttributeError, match=r"any_of\(Chart\.points\) has no field 'z'\. Its fields are: names, x, y"):
        _ = any_of(chart.points).z
    with pytest.raises(ValueError, match=r"Chart\.record has no key 'lft'\. Did you mean 'left'"):
        _ = chart.record["lft"]


def test_a_change_in_a_record_takes_what_its_field_takes() -> None:
    changes = [set_(Chart.origin.x, 1.5), inc(each(Chart.points).y, 2), set_(Chart.pair.word, "b")]
    changes += [inc(Chart.counts["a"], 1), set_(Chart.record["left"], Decimal(2))]
    operators = compile_changes(Chart, changes).operators
    assert operators["$inc"] == {"points.$[].y": 2, "counts.a": 1}
    assert [*operators["$set"]] == ["origin.x", "pair.0", "record.left"]
    push(Chart.points, Point(x=1))
    wrong: Any = b"text"
    writes: list[Callable[[], Change]] = [
        lambda: set_(Chart.origin.x, wrong),
        lambda: set_(Chart.record["left"], wrong),
        lambda: set_(Chart.pair.word, wrong),
        lambda: push(Chart.points, wrong),
    ]
    for write in writes:
        with pytest.raises(ValueError, match="does not fit the field"):
            write()


def test_a_part_that_must_be_there_is_not_removed() -> None:
    unset(Chart.origin.y)
    chart: Any = Chart
    unset(chart.record["right"])
    for place in (Chart.origin.x, Chart.record["left"], Chart.pair.word):
        with pytest.raises(ValueError, match=r"required|element"):
            unset(place)
