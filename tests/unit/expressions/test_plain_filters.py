"""Plain MongoDB filters: stored names, the program's operators, python values."""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from bson import Binary, Decimal128, Regex
from pydantic import BaseModel, Field, RootModel

from boundwork.models.expressions import compile_filter, compile_sort, elem, not_, raw
from tests.unit.expressions.shop import Address, Order, Status, field

BURIALS: list[Callable[[str], Any]] = [
    lambda operator: {operator: "1"},
    lambda operator: {"$or": [{"a": 1}, {"$nor": ({operator: 1},)}]},
    lambda operator: {"$expr": {"$eq": [1, {operator: 1}]}},
    lambda operator: {"a": {"$eq": {"b": {operator: 1}}}},
]


def test_operators_of_the_program_are_kept() -> None:
    plain = {
        "address.zipCode": {"$gt": 1},
        "$or": [{"path": 1}, {"meta.b": {"$exists": True}}],
        "$expr": {"$gt": ["$a", "$b"]},
    }
    assert compile_filter(Order, plain) == plain


def test_python_values_are_encoded_at_any_depth() -> None:
    key = UUID(int=1)
    plain = {
        "status": Status.OPEN,
        "total": {"$in": (Decimal(1),)},
        "$or": [{"extra": key}],
        "address": Address(city="Bonn"),
    }
    compiled = compile_filter(Order, plain)
    assert compiled["status"] == "open"
    assert compiled["total"] == {"$in": [Decimal128("1")]}
    assert compiled["$or"] == [{"extra": Binary.from_uuid(key)}]
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
        compile_filter(Order, {"meta": {1: 2}})


def test_the_given_filter_is_left_as_it_was() -> None:
    plain = {"path": {"$in": [1]}}
    compile_filter(Order, plain)["path"]["$in"].append(2)
    assert plain == {"path": {"$in": [1]}}


@pytest.mark.parametrize(
    ("plain", "nearest"),
    [
        ({"statsu": "open"}, "Did you mean 'status'"),
        ({"$or": [{"number": 1}, {"$nor": [{"totl.x": 1}]}]}, "Did you mean 'total'"),
        ({"qqq": 1}, "It stores: address, billing"),
    ],
)
def test_a_name_that_the_model_does_not_store_is_refused_and_the_nearest_is_named(
    plain: dict[str, Any], nearest: str
) -> None:
    for condition in (plain, not_(plain), not_(plain) & (field("number") == "A")):
        with pytest.raises(ValueError, match=nearest):
            compile_filter(Order, condition)
    assert compile_filter(Order, raw(plain)) == plain


def test_a_name_of_the_model_that_is_stored_under_another_one_is_told() -> None:
    class Account(BaseModel):
        owner: str = Field(alias="o")

    with pytest.raises(ValueError, match=r"names 'owner', and Account stores no such field\. Did you mean 'o'"):
        compile_filter(Account, {"owner": "x"})


def test_a_sort_names_what_the_model_stores() -> None:
    with pytest.raises(ValueError, match=r"names 'numbr'.*Did you mean 'number'"):
        compile_sort(Order, "-numbr")


def test_names_of_subclasses_and_of_models_that_allow_extras_are_known() -> None:
    class Open(BaseModel, extra="allow"):
        number: str

    assert compile_filter(Order, {"courier": "x", "_id": 1}) == {"courier": "x", "_id": 1}
    assert compile_filter(Open, {"anything": 1}) == {"anything": 1}


def test_names_inside_an_element_or_an_expression_of_the_server_are_not_those_of_the_model() -> None:
    plain = {"$expr": {"$gt": ["$anything", 1]}, "$comment": "x"}
    assert compile_filter(Order, plain) == plain
    assert compile_filter(Order, elem(field("lines"), {"p": 1})) == {"lines": {"$elemMatch": {"p": 1}}}


@pytest.mark.parametrize("operator", ["$where", "$function", "$accumulator"])
@pytest.mark.parametrize("bury", BURIALS)
def test_javascript_runs_only_where_the_program_says_so(operator: str, bury: Callable[[str], Any]) -> None:
    with pytest.raises(ValueError, match=f"\\{operator} is refused"):
        raw(bury(operator))
    assert operator in str(compile_filter(Order, raw(bury(operator), allow_javascript=True)))
