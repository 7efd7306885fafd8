"""Values never become operators, whatever they are."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

from hypothesis import given, settings
from hypothesis import strategies as st

from boundwork.models.expressions import (
    Filter,
    any_of,
    compile_filter,
    contains,
    contains_all,
    elem,
    in_,
    not_,
    not_in,
    regex,
    some,
    starts_with,
    text,
)
from tests.unit.expressions.shop import Order, field

TEXTS = [
    "$ne", "$gt", "$where", "$function", "$accumulator", "$expr", "$regex", "$in", "$or", "$and", "$nor", "$not", "$exists",
    "$elemMatch", "$jsonSchema", "$text", "$eq", "$options", "$ref", "$id", "$", "$$ROOT", "", ".", "a.b", "$.a", "a.$b",
    "\0", "a\0", "$ne\0", "\ud800", "number", "_id", "'; return true; //", "^.*$", "(a+)+$", "\\", "plain",
]  # fmt: skip
texts = st.sampled_from(TEXTS)
scalars = texts | st.sampled_from([None, True, 0, -1, 2**63, float("nan"), float("inf"), b"$ne"])
hostile = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(texts, inner, min_size=1, max_size=2),
    max_leaves=4,
)

# What may stand beside a path, by the hand of the library; below `LEAVES` everything is a value.
BRANCHES = {"$and", "$or", "$nor", "$elemMatch"}
LEAVES = {"$eq", "$ne", "$lt", "$lte", "$gt", "$gte", "$in", "$nin", "$all", "$regex", "$options", "$exists"}
SEARCH = {"$text", "$search"}
PATHS = {"number", "meta", "extra", "meta.key", "billing.city", "lines", "lines.sku", "sku", "p", "tags"}

meta, extra, sku, tags = field("meta"), field("extra"), any_of(field("lines")).sku, any_of(field("tags"))
city, number = some(field("billing")).city, field("number")
WAYS: list[Callable[[Any], Any]] = [
    lambda value: meta == value,
    lambda value: extra != value,
    lambda value: city == value,
    lambda value: sku == value,
    lambda value: sku != value,
    lambda value: tags != value,
    lambda value: meta["key"] == value,
    lambda value: extra < value,
    lambda value: extra >= value,
    lambda value: in_(extra, [value, value]),
    lambda value: in_(extra, [{"key": value}]),
    lambda value: not_in(tags, [value]),
    lambda value: contains(number, value),
    lambda value: starts_with(number, value, ignore_case=True),
    lambda value: regex(number, value),
    lambda value: contains_all(field("tags"), [value, value]),
    lambda value: contains_all(meta["key"], [value]),
    lambda value: elem(field("lines"), sku == value, any_of(field("lines")).price != value),
    lambda value: elem(field("tags"), tags > value),
    text,
]


def written(filter_: Mapping[str, Any]) -> Iterator[str]:
    """Yield every key of a filter that the server reads as a path or an operator."""
    for key, below in filter_.items():
        yield key
        if key in LEAVES or key == "$search":
            continue
        for part in below if key in {"$and", "$or", "$nor"} else [below]:
            assert isinstance(part, Mapping), "a bare value stands where an operator could"
            yield from written(cast("Mapping[str, Any]", part))


def accepted(value: Any) -> list[Filter]:
    """Return the conditions that take the value; the others refuse it without naming its contents."""
    conditions: list[Filter] = []
    for way in WAYS:
        try:
            conditions.append(way(value))
        except (TypeError, ValueError) as refusal:
            assert "return true" not in str(refusal)  # noqa: PT017 - which ways refuse depends on the value
    return conditions


@settings(max_examples=1000, deadline=None)
@given(hostile)
def test_no_operator_stands_in_a_filter_that_the_program_did_not_write(value: Any) -> None:
    conditions = accepted(value)
    for condition in conditions:
        assert set(written(compile_filter(Order, condition))) <= BRANCHES | LEAVES | PATHS | SEARCH
        assert "return true" not in repr(condition)
    if conditions:
        joined = conditions[0]
        for number_, condition in enumerate(conditions[1:]):
            joined = [joined & condition, joined | condition, not_(joined) & condition][number_ % 3]
        assert set(written(compile_filter(Order, joined))) <= BRANCHES | LEAVES | PATHS | SEARCH


@settings(max_examples=200, deadline=None)
@given(hostile)
def test_equality_is_one_operator_over_the_whole_value(value: Any) -> None:
    try:
        condition = extra == value
    except ValueError:
        return
    ((path, test),) = compile_filter(Order, condition).items()
    assert (path, list(test)) == ("extra", ["$eq"])


@settings(max_examples=100, deadline=None)
@given(texts, hostile)
def test_a_key_from_outside_stays_a_key(key: str, value: Any) -> None:
    try:
        condition = meta[key] == value
    except ValueError:
        return
    (path,) = compile_filter(Order, condition)
    assert path == f"meta.{key}"
    assert not key.startswith("$")
    assert "." not in key
