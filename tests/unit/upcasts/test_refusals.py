"""What has no equal in terms of old documents is refused, with the reason; and values that stay are told from others."""

from datetime import UTC, datetime
from typing import Any

import pytest
from bson import MaxKey, Regex

from boundwork import Upcast
from boundwork.models.upcasts.lineage import Lineage
from boundwork.uow.commands import AS_USUAL, Options
from boundwork.uow.sessions.memory.matching import compile_filter
from boundwork.uow.upcasting.filters import translated
from boundwork.uow.upcasting.places import Untranslatable
from boundwork.uow.upcasting.portions import portions
from boundwork.uow.upcasting.reading import check

NEW_YEAR = datetime(2020, 1, 1, tzinfo=UTC)
MS = 1_577_836_800_000
INSIDE = Upcast(2).rename_field("a.x", "a.y")


@pytest.mark.parametrize(
    ("upcast", "condition", "why"),
    [
        (INSIDE, {"a": {"y": 1}}, "as a whole"),
        (INSIDE, {"a": {"$in": [{"y": 1}]}}, "as a whole"),
        (INSIDE, {"a": {"$not": {"$gt": {"y": 1}}}}, "as a whole"),
        (INSIDE, {"a": {"$elemMatch": {"$eq": {"y": 1}}}}, "as a whole"),
        (INSIDE, {"a": {"$all": [{"$elemMatch": {"y": 1}}]}}, "as a whole"),
        (INSIDE, {"a": {"$geoWithin": {}}}, "as a whole"),
        (INSIDE, {"a.0.y": 1}, "by its number"),
        (Upcast(2).unset_field("a.x"), {"a": {}}, "as a whole"),
        (Upcast(2).set_field("a", 1), {"$expr": {"$eq": ["$a", 1]}}, "as they are stored"),
        (Upcast(2).set_field("a", 1), {"$text": {"$search": "x"}}, "as they are stored"),
        (Upcast(2).set_field("a", 1), {"a": {"$geoWithin": {}}}, "is not known"),
        (Upcast(2).convert("a", "text to int"), {"a": {"$gt": 1}}, "another order"),
        (Upcast(2).convert("a", "object id to text"), {"a": {"$gt": "0"}}, "another order"),
        (Upcast(2).convert("a", "date to text"), {"a": {"$gte": MaxKey()}}, "another order"),
        (Upcast(2).convert("a", {"x": "y"}), {"a": {"$lt": "z"}}, "another order"),
        (Upcast(2).convert("a", {"x": "y"}), {"a": {"$regex": "y"}}, "stored form"),
        (Upcast(2).convert("a", "int to text"), {"a": Regex("1")}, "stored form"),
        (Upcast(2).convert("a", "int to text"), {"a": {"$in": [Regex("1")]}}, "stored form"),
        (Upcast(2).convert("a", "int to text"), {"a": {"$eq": Regex("1")}}, "as a value"),
        (Upcast(2).convert("a", "text to date"), {"a": {"$type": "date"}}, "stored form"),
        (Upcast(2).convert("a", "text to date"), {"a": {"$all": [NEW_YEAR]}}, "stored form"),
        (Upcast(2).compute(lambda _: {}, fields=["a"]), {"$nor": [{"a.b": 1}]}, "by a function"),
    ],
)
def test_a_filter_without_an_equal_is_refused(upcast: Upcast, condition: Any, why: str) -> None:
    with pytest.raises(Untranslatable, match=why):
        translated(condition, [upcast])


@pytest.mark.parametrize(
    ("upcast", "path"),
    [
        (Upcast(2).convert("a", "text to int"), "a"),
        (Upcast(2).convert("a", {1: 2}), "a"),
        (INSIDE, "a"),
        (Upcast(2).compute(lambda _: {}, fields=["a"]), "a"),
    ],
)
def test_a_sort_without_an_equal_is_refused(upcast: Upcast, path: str) -> None:
    with pytest.raises(Untranslatable):
        portions({}, ((path, 1),), Lineage(2, (upcast,)))


@pytest.mark.parametrize(
    ("how", "stored", "condition", "meets"),
    [
        ("milliseconds to date", float(MS), {"$eq": NEW_YEAR}, False),
        ("milliseconds to date", MS, {"$eq": NEW_YEAR}, True),
        ("milliseconds to date", float(MS), {"$gte": NEW_YEAR}, False),
        ("milliseconds to date", MS, {"$gte": NEW_YEAR}, True),
        ("milliseconds to date", MS, {"$gte": 0}, False),
        ("milliseconds to date", 5.0, {"$gte": 0}, True),
        ("text to date", NEW_YEAR, {"$lte": NEW_YEAR}, True),
        ("text to date", "2020-01-01T00:00:00.000Z", {"$lte": NEW_YEAR}, True),
        ("text to date", "2020-01-01T00:00:00.000Z", {"$gt": "2"}, False),
        ("text to int", "7", {"$eq": 7.0}, True),
        ("text to int", "7", {"$eq": "7"}, False),
        ("text to int", "7", {"$nin": [7, None]}, False),
        ("text to int", 7, {"$eq": 7}, True),
        ("int to text", 2, {"$eq": 2.0}, False),
        ("int to text", 2.0, {"$eq": 2.0}, True),
        ({"A": "active"}, "A", {"$ne": "active"}, False),
        ({"A": "active"}, "A", {"$eq": "A"}, False),
        ({"A": "active"}, None, {"$eq": None}, True),
    ],
)
def test_converted_values_and_those_that_stay_are_told_apart(
    how: Any, stored: Any, condition: Any, meets: bool
) -> None:
    upcast = Upcast(2).convert("a", how)
    [piece] = upcast.pieces
    assert compile_filter({"a": condition})(piece.up({"a": stored})) is meets
    assert compile_filter(translated({"a": condition}, [upcast]))({"a": stored}) is meets


def test_what_would_mean_something_else_in_alternatives_is_refused() -> None:
    for condition, options, collated in (
        ({}, Options(collation={"locale": "en"}), False),
        ({}, Options(hint="index"), False),
        ({}, AS_USUAL, True),
        ({"$and": [{"a": {"$near": [0, 0]}}]}, AS_USUAL, False),
    ):
        with pytest.raises(Untranslatable):
            check(condition, options, collated=collated)
    check({"a": 1}, AS_USUAL, collated=False)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Upcast(1),
        lambda: Upcast(2).rename_field("a.b", "c.d"),
        lambda: Upcast(2).rename_field("a", "a"),
        lambda: Upcast(2).set_field("a.b", 1),
        lambda: Upcast(2).set_field("a", object()),
        lambda: Upcast(2).convert("a", {"x": "y", "y": "z"}),
        lambda: Upcast(2).convert("a", {1: True, "b": 1}),
        lambda: Upcast(2).convert("a", {}),
        lambda: Upcast(2).compute(lambda _: {}, fields=[]),
        lambda: Upcast(2).rename_field("_id", "b"),
        lambda: Upcast(2).unset_field("a.0"),
    ],
)
def test_an_upcast_that_cannot_be_is_refused_where_it_is_written(wrong: Any) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        wrong()
