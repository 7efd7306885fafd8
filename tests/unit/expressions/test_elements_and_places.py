"""Conditions on lists as a whole, on one element of them, on numbers, words and places."""

from collections.abc import Callable
from typing import Any, cast

import pytest

from boundwork.models.expressions import (
    any_of,
    compile_filter,
    contains_all,
    elem,
    mod,
    near,
    not_,
    size,
    some,
    text,
    within,
    within_metres,
)
from tests.unit.expressions.shop import Customer, Order, field

lines, tags, grid = field("lines"), field("tags"), field("grid")
sku, price = any_of(lines).sku, any_of(lines).price
RADIUS = 6_378_100


@pytest.mark.parametrize(
    ("condition", "filter_"),
    [
        (elem(lines, sku == "x", price > 1), {"lines": {"$elemMatch": {"sku": {"$eq": "x"}, "p": {"$gt": 1}}}}),
        (elem(lines, (sku == "x") | (price > 1)), {"lines": {"$elemMatch": {"$or": [{"sku": {"$eq": "x"}}, {"p": {"$gt": 1}}]}}}),
        (elem(lines, not_(sku == "x")), {"lines": {"$elemMatch": {"$nor": [{"sku": {"$eq": "x"}}]}}}),
        (elem(lines, price > 1, price < 5), {"lines": {"$elemMatch": {"p": {"$gt": 1, "$lt": 5}}}}),
        (elem(lines, price > 1, price > 5), {"lines": {"$elemMatch": {"$and": [{"p": {"$gt": 1}}, {"p": {"$gt": 5}}]}}}),
        (elem(lines, sku == "x", {"p": {"$gt": 1}}), {"lines": {"$elemMatch": {"sku": {"$eq": "x"}, "p": {"$gt": 1}}}}),
        (elem(tags, any_of(tags) > "a", any_of(tags) < "c"), {"tags": {"$elemMatch": {"$gt": "a", "$lt": "c"}}}),
        (elem(grid, any_of(any_of(grid)) == 1), {"grid": {"$elemMatch": {"$elemMatch": {"$eq": 1}}}}),
        (
            elem(lines, sku == "x", elem(any_of(lines).parts, any_of(any_of(lines).parts).code != 1)),
            {"lines": {"$elemMatch": {"sku": {"$eq": "x"}, "parts": {"$elemMatch": {"code": {"$ne": 1}}}}}},
        ),
        (
            elem(any_of(lines).parts, any_of(any_of(lines).parts).code == 1),
            {"lines": {"$elemMatch": {"parts": {"$elemMatch": {"code": {"$eq": 1}}}}}},
        ),
        (size(lines, 3), {"lines": {"$size": 3}}),
        (size(any_of(lines).parts, 1), {"lines": {"$elemMatch": {"parts": {"$size": 1}}}}),
        (contains_all(tags, ["a", "b"]), {"tags": {"$all": ["a", "b"]}}),
        (contains_all(any_of(grid), [1, 2]), {"grid": {"$elemMatch": {"$all": [1, 2]}}}),
        (mod(field("total"), 3, 1), {"total": {"$mod": [3, 1]}}),
        (mod(price, 2, 0), {"lines.p": {"$mod": [2, 0]}}),
        (text("tea -green"), {"$text": {"$search": "tea -green"}}),
        (
            text("thé", language="french", case_sensitive=True, diacritic_sensitive=True),
            {"$text": {"$search": "thé", "$language": "french", "$caseSensitive": True, "$diacriticSensitive": True}},
        ),
        (
            near(field("extra"), (13.4, 52.5), metres=500, at_least=1),
            {"extra": {"$near": {"$geometry": {"type": "Point", "coordinates": [13.4, 52.5]}, "$maxDistance": 500.0, "$minDistance": 1.0}}},
        ),
        (
            within_metres(some(field("extra")), (13.4, 52.5), RADIUS),
            {"extra": {"$geoWithin": {"$centerSphere": [[13.4, 52.5], 1.0]}}},
        ),
        (
            within(field("extra"), [(0, 0), (1, 0), (1, 1)]),
            {"extra": {"$geoWithin": {"$geometry": {"type": "Polygon", "coordinates": [[[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 0.0]]]}}}},
        ),
    ],
)  # fmt: skip
def test_a_condition_becomes_a_filter(condition: Any, filter_: dict[str, Any]) -> None:
    assert compile_filter(Order, condition) == filter_


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: elem(lines, field("number") == "A"),
        lambda: elem(lines, any_of(field("replies")).text == "A"),
        lambda: elem(lines, lines[0].sku == "A"),
        lambda: elem(lines, text("A")),
    ],
)
def test_a_condition_in_elem_is_about_the_same_list(wrong: Any) -> None:
    with pytest.raises(ValueError, match=r"any_of\(Order\.lines\)|elements of Order\.lines"):
        wrong()


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: elem(tags, (any_of(tags) == "a") | (any_of(tags) == "b")),
        lambda: elem(tags, not_(any_of(tags) == "a")),
        lambda: elem(tags, any_of(tags) > "a", any_of(tags) > "b"),
    ],
)
def test_what_the_server_cannot_ask_of_elements_themselves_is_refused(wrong: Any) -> None:
    with pytest.raises(ValueError, match="elements themselves"):
        wrong()


@pytest.mark.parametrize("word", [size, contains_all, elem])
def test_what_is_no_list_is_refused(word: Any) -> None:
    with pytest.raises(TypeError, match="not a list"):
        word(field("number"), 1)


def test_a_list_of_another_model_is_refused() -> None:
    replies = any_of(field("replies")).replies
    with pytest.raises(TypeError, match="not a field of Customer"):
        compile_filter(Customer, elem(replies, any_of(replies).text == "x"))


OUT_OF_RANGE: list[Callable[[], Any]] = [
    lambda: elem(lines),
    lambda: contains_all(tags, []),
    lambda: contains_all(tags, cast("Any", [{"$elemMatch": {}}])),
    lambda: size(lines, -1),
    lambda: mod(field("total"), 0, 1),
    lambda: near(field("extra"), (52.5, 113.4)),
    lambda: near(field("extra"), (0, 0), metres=float("nan")),
    lambda: within(field("extra"), [(0, 0), (1, 1)]),
]
MISFITS: list[Callable[[], Any]] = [
    lambda: size(lines, True),
    lambda: size(lines, cast("Any", "3")),
    lambda: text(cast("Any", {"$ne": 1})),
    lambda: near(field("extra"), cast("Any", ("0", {"$gt": 1}))),
]


@pytest.mark.parametrize("wrong", OUT_OF_RANGE)
def test_what_is_out_of_range_is_refused_where_it_is_written(wrong: Callable[[], Any]) -> None:
    with pytest.raises(ValueError, match=r"no condition|at least|first key|below|longitude|not negative|three corners"):
        wrong()


@pytest.mark.parametrize("wrong", MISFITS)
def test_a_value_of_another_type_is_refused_where_it_is_written(wrong: Callable[[], Any]) -> None:
    with pytest.raises(TypeError, match="not"):
        wrong()


def test_no_value_is_shown() -> None:
    shown = repr([elem(lines, sku == "secret"), size(lines, 77), text("secret"), near(field("extra"), (77, 7))])
    assert "secret" not in shown
    assert "77" not in shown
