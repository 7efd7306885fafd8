"""Values of changes never become operators, whatever they are."""

from collections.abc import Callable, Iterator
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from boundwork.models.expressions import (
    add_to_set,
    any_of,
    compile_changes,
    each,
    max_,
    min_,
    pull,
    push,
    set_,
)
from tests.properties.expressions.test_hostile_values import hostile, texts
from tests.unit.expressions.shop import Order, field

extra, meta, number, tags, lines = field("extra"), field("meta"), field("number"), field("tags"), field("lines")
WAYS: list[Callable[[Any], Any]] = [
    lambda value: set_(extra, value),
    lambda value: set_(meta, value),
    lambda value: set_(meta["key"], value),
    lambda value: set_(number, value),
    lambda value: set_(each(tags, any_of(tags) == value), "new"),
    lambda value: set_(each(lines, any_of(lines).sku == value).sku, value),
    lambda value: min_(extra, value),
    lambda value: max_(extra, value),
    lambda value: push(extra, value, {"key": value}),
    lambda value: push(meta["key"], value),
    lambda value: add_to_set(extra, value),
    lambda value: add_to_set(tags, value),
    lambda value: pull(extra, value),
    lambda value: pull(tags, any_of(tags) == value),
]
PATHS = {"extra", "meta", "meta.key", "number", "tags", "tags.$[e0]", "lines.$[e0].sku"}
VALUES = {"$set", "$min", "$max"}
LISTS = {"$push", "$addToSet"}


def beside_values(update: Any) -> Iterator[tuple[str, str]]:
    """Yield what the server takes for operators, and where."""
    for operator, operands in update.operators.items():
        for path, operand in operands.items():
            assert path in PATHS
            if operator in LISTS or operator == "$pull":
                yield from ((name, operator) for name in operand)
            else:
                assert operator in VALUES or (operator == "$pullAll" and isinstance(operand, list))
    for condition in update.array_filters:
        for name, test in condition.items():
            assert name in {"e0", "e0.sku"}
            yield from ((operator, "filter") for operator in test)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(WAYS), hostile)
def test_no_value_of_a_change_is_taken_for_an_operator(way: Callable[[Any], Any], value: Any) -> None:
    try:
        change = way(value)
    except (TypeError, ValueError):
        return  # refused by name before it could be sent
    operators = set(beside_values(compile_changes(Order, [change])))
    assert operators <= {("$each", "$push"), ("$each", "$addToSet"), ("$eq", "$pull"), ("$eq", "filter")}


@settings(max_examples=200, deadline=None)
@given(texts)
def test_no_key_of_a_dict_becomes_an_operator_in_a_path(key: str) -> None:
    try:
        update = compile_changes(Order, [set_(meta[key], 1)])
    except ValueError:
        return
    [path] = update.operators["$set"]
    assert path == f"meta.{key}"
    assert "$" not in path.split(".")[1][:1]
    assert path.count(".") == 1
