"""Plain MongoDB filters: stored names, the program's operators, python values."""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from bson import Binary, Decimal128, Regex
from pydantic import RootModel

from boundwork.models.expressions import compile_filter
from tests.unit.expressions.shop import Address, Order, Status, field

BURIALS: list[Callable[[str], Any]] = [
    lambda operator: {operator: "1"},
    lambda operator: {"$or": [{"a": 1}, {"$nor": ({operator: 1},)}]},
    lambda operator: {"$expr": {"$eq": [1, {operator: 1}]}},
    lambda operator: {"a": {"$eq": {"b": {operator: 1}}}},
]


def test_operators_of_the_program_are_kept() -> None:
    plain = {"zipCode": {"$gt": 1}, "$or": [{"a": 1}, {"b": {"$exists": True}}], "$expr": {"$gt": ["$a", "$b"]}}
    assert compile_filter(Order, plain) == plain


def test_python_values_are_encoded_at_any_depth() -> None:
    key = UUID(int=1)
    plain = {
        "status": Status.OPEN,
        "total": {"$in": (Decimal(1),)},
        "$or": [{"k": key}],
        "address": Address(city="Bonn"),
    }
    compiled = compile_filter(Order, plain)
    assert compiled["status"] == "open"
    assert compiled["total"] == {"$in": [Decimal128("1")]}
    assert compiled["$or"] == [{"k": Binary.from_uuid(key)}]
    assert compiled["address"]["city"] == "Bonn"


def test_patterns_of_the_program_are_kept() -> None:
    compiled = compile_filter(Order, {"number": re.compile("^A"), "path": {"$in": [Regex("^B")]}})
    assert compiled == {"number": re.compile("^A"), "path": {"$in": [Regex("^B")]}}


@pytest.mark.parametrize("operator", ["$where", "$function", "$accumulator"])
@pytest.mark.parametrize("bury", BURIALS)
def test_operators_that_run_javascript_are_refused_at_any_depth(operator: str, bury: Callable[[str], Any]) -> None:
    with pytest.raises(ValueError, match=f"\\{operator} is refused"):
        compile_filter(Order, bury(operator))


def test_a_value_of_the_program_cannot_bring_an_operator_along() -> None:
    class Body(RootModel[dict[str, object]]):
        pass

    with pytest.raises(ValueError, match="would be read as an operator"):
        compile_filter(Order, {"meta": Body({"$ne": None})})


def test_an_expression_inside_is_refused() -> None:
    for inside in (field("number"), field("number") == "A"):
        with pytest.raises(TypeError, match=r"Combine them with & and \|"):
            compile_filter(Order, {"$or": [inside]})


def test_a_key_that_is_no_text_is_refused() -> None:
    with pytest.raises(TypeError, match="key of type int"):
        compile_filter(Order, {"a": {1: 2}})


def test_the_given_filter_is_left_as_it_was() -> None:
    plain = {"a": {"$in": [1]}}
    compile_filter(Order, plain)["a"]["$in"].append(2)
    assert plain == {"a": {"$in": [1]}}
