"""Places inside of dataclasses, NamedTuples and TypedDicts, and paths in text, as a server sees them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from enum import Enum, IntEnum
from typing import Any, NamedTuple

import pytest
from pydantic import BaseModel
from typing_extensions import TypedDict

from boundwork import Document, any_of, desc, each, elem, inc, push, set_, some
from tests.backends import Backend
from tests.contract.colours import define


@dataclass
class Point:
    x: int
    y: int = 0


class Pair(NamedTuple):
    word: str
    number: int


class Record(TypedDict):
    left: int


class Chart(Document[int], collection="charts"):
    points: list[Point] = []
    end: Point | None = None
    pair: Pair = Pair("", 0)
    record: Record = {"left": 0}


class Weekday(Enum):
    MONDAY = "mon"


class Level(IntEnum):
    LOW = 1


class Rates(Document[int], collection="rates"):
    by_weekday: dict[Weekday, int] = {}
    by_level: dict[Level, list[int]] = {}
    by_year: dict[int, int] = {}
    by_day: dict[date, int] = {}
    by_name: dict[str, int] = {}


class Row(BaseModel, frozen=True):
    id: int


@pytest.fixture
async def charts(database: Any, colour: str) -> Any:
    unit = define(colour, database, charts=Chart)
    async with unit as uow:
        uow.charts.add(
            Chart(id=1, points=[Point(1, 5), Point(2, 1)], end=Point(9), pair=Pair("a", 1), record={"left": 3})
        )
        uow.charts.add(Chart(id=2, points=[Point(1, 1), Point(2, 5)], pair=Pair("b", 2)))
    return unit


async def test_they_are_found_and_sorted_by(charts: Any) -> None:
    async with charts as uow:
        point = any_of(Chart.points)
        for condition, expected in [
            (point.x == 2, [2, 1]),
            (elem(Chart.points, point.x == 2, point.y == 5), [2]),
            (some(Chart.end).x > 1, [1]),
            (Chart.pair.word == "b", [2]),
            (Chart.record["left"] > 1, [1]),
            (Chart.points[0].y == 5, [1]),
        ]:
            found = await uow.charts.find(condition).sort(desc(Chart.pair.number)).to_list()
            assert [chart.id for chart in found] == expected


async def test_they_are_changed_on_the_server(charts: Any) -> None:
    async with charts as uow:
        chart = await uow.charts.get(1)
        await uow.charts.update_where(
            Chart.id == 1,
            inc(each(Chart.points).y, 10),
            set_(Chart.pair.word, "z"),
            set_(some(Chart.end).y, 4),
            inc(Chart.record["left"], 1),
        )
        await uow.charts.update_where(Chart.id == 1, push(Chart.points, Point(7)))
        assert chart.points == [Point(1, 15), Point(2, 11), Point(7)]
        assert (chart.pair, chart.end, chart.record) == (Pair("z", 1), Point(9, 4), {"left": 4})


async def test_different_values_of_a_part_are_listed(charts: Any, backend: Backend) -> None:
    if backend.name == "embedded":
        pytest.skip("its distinct finds nothing through lists")
    async with charts as uow:
        assert sorted(await uow.charts.find().distinct(any_of(Chart.points).y)) == [1, 5]


@pytest.mark.parametrize("path", ["points.z", "points.0.z", "end.xx", "record.lft", "pair.0.x"])
async def test_a_misspelt_path_fails_before_the_server_is_asked(charts: Any, path: str) -> None:
    async with charts as uow:
        words: list[Callable[[], Any]] = [
            lambda: uow.charts.find({path: 1}).to_list(),
            lambda: uow.charts.find().sort(path).to_list(),
            lambda: uow.charts.find().hint(Chart.id, path).to_list(),
            lambda: uow.charts.update_where({path: 1}, inc(Chart.pair.number, 1)),
            lambda: uow.charts.delete_where({"$or": [{path: 1}]}),
            lambda: uow.charts.find_and_update(Chart.id == 1, inc(Chart.pair.number, 1), sort=path),
            lambda: uow.charts.aggregate([{"$match": {path: 1}}], into=Row),
        ]
        for asked in words:
            with pytest.raises(ValueError, match=r"^A (plain filter|sort) names"):
                await asked()
        assert uow.receipt.commands == 0


async def test_a_dict_is_reached_into_by_keys_of_the_type_that_it_declares(database: Any, colour: str) -> None:
    day = date(2026, 11, 23)
    async with define(colour, database, rates=Rates) as uow:
        uow.rates.add(
            Rates(id=1, by_weekday={Weekday.MONDAY: 5}, by_level={Level.LOW: [7]}, by_year={2026: 8}, by_day={day: 9})
        )
        await uow.rates.find().update(
            inc(Rates.by_weekday[Weekday.MONDAY], 10), set_(Rates.by_year[2027], 1), push(Rates.by_level[Level.LOW], 2)
        )
        changed = await uow.rates.get(1)
        assert (changed.by_weekday, changed.by_year) == ({Weekday.MONDAY: 15}, {2026: 8, 2027: 1})
        assert changed.by_level == {Level.LOW: [7, 2]}
        for condition in (
            Rates.by_weekday[Weekday.MONDAY] == 15,
            Rates.by_level[Level.LOW][1] == 2,
            Rates.by_year[2026] == 8,
            Rates.by_day[day] == 9,
        ):
            assert await uow.rates.count(condition) == 1


@pytest.mark.parametrize(("name", "key"), [("by_name", 5), ("by_year", True), ("by_weekday", 1), ("by_day", 5)])
def test_a_key_of_another_type_is_refused(name: str, key: object) -> None:
    field: Any = getattr(Rates, name)
    with pytest.raises(TypeError):
        _ = field[key]
