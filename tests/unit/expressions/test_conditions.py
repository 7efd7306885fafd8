"""Conditions and the filters they become."""

import re
from decimal import Decimal
from typing import Any

import pytest
from bson import Decimal128
from pydantic import Field

from boundwork.models import Document
from boundwork.models.expressions import (
    Filter,
    any_of,
    compile_filter,
    contains,
    exists,
    in_,
    is_none,
    not_,
    not_in,
    regex,
    some,
    starts_with,
)
from tests.unit.expressions.shop import Address, Customer, Order, RushOrder, Status, field

number, total, tags = field("number"), field("total"), field("tags")
sku = any_of(field("lines")).sku


@pytest.mark.parametrize(
    ("condition", "compiled"),
    [
        (number == "A", {"number": {"$eq": "A"}}),
        (number != "A", {"number": {"$ne": "A"}}),
        (total < 5, {"total": {"$lt": 5}}),
        (total <= 5, {"total": {"$lte": 5}}),
        (total > 5, {"total": {"$gt": 5}}),
        (total >= 5, {"total": {"$gte": 5}}),
        (5 < total, {"total": {"$gt": 5}}),  # noqa: SIM300 - Python turns it round
        (total == Decimal("1.50"), {"total": {"$eq": Decimal128("1.50")}}),
        (field("status") == Status.OPEN, {"status": {"$eq": "open"}}),
        (field("payment") == {"$ne": None}, {"payment": {"$eq": {"$ne": None}}}),
        (some(field("billing")).city == "Bonn", {"billing.city": {"$eq": "Bonn"}}),
        (field("billing") == None, {"billing": {"$eq": None}}),  # noqa: E711 - an expression
        (is_none(field("billing")), {"billing": {"$eq": None}}),
        (in_(number, ["A", "B"]), {"number": {"$in": ["A", "B"]}}),
        (in_(field("status"), iter(Status)), {"status": {"$in": ["open", "sent"]}}),
        (not_in(number, ("A",)), {"number": {"$nin": ["A"]}}),
        (exists(field("billing")), {"billing": {"$exists": True}}),
        (exists(field("billing"), False), {"billing": {"$exists": False}}),
        (regex(number, "A.1"), {"number": {"$regex": r"A\.1"}}),
        (regex(number, "^A-", raw=True), {"number": {"$regex": "^A-"}}),
        (contains(number, "1+", ignore_case=True), {"number": {"$regex": r"1\+", "$options": "i"}}),
        (starts_with(number, "A."), {"number": {"$regex": r"^A\."}}),
        (not_(number == "A"), {"$nor": [{"number": {"$eq": "A"}}]}),
        (field("paid"), {"paid": {"$eq": True}}),
        (not_(field("paid")), {"$nor": [{"paid": {"$eq": True}}]}),
    ],
)
def test_a_condition_becomes_one_operator_on_one_path(condition: Filter, compiled: dict[str, Any]) -> None:
    assert compile_filter(Order, condition) == compiled


@pytest.mark.parametrize(
    ("condition", "compiled"),
    [
        (sku == "x", {"lines.sku": {"$eq": "x"}}),
        (in_(sku, ["x"]), {"lines.sku": {"$in": ["x"]}}),
        (any_of(tags) == "x", {"tags": {"$eq": "x"}}),
        (sku != "x", {"lines": {"$elemMatch": {"sku": {"$ne": "x"}}}}),
        (sku == None, {"lines": {"$elemMatch": {"sku": {"$eq": None}}}}),  # noqa: E711 - an expression
        (in_(sku, ["x", None]), {"lines": {"$elemMatch": {"sku": {"$in": ["x", None]}}}}),
        (not_in(any_of(tags), ["x"]), {"tags": {"$elemMatch": {"$nin": ["x"]}}}),
        (exists(sku, flag=False), {"lines": {"$elemMatch": {"sku": {"$exists": False}}}}),
        (any_of(any_of(field("grid"))) == 1, {"grid": {"$elemMatch": {"$elemMatch": {"$eq": 1}}}}),
        (any_of(any_of(field("lines")).parts).code == 1, {"lines.parts.code": {"$eq": 1}}),
        (
            any_of(any_of(field("lines")).parts).code != 1,
            {"lines": {"$elemMatch": {"parts": {"$elemMatch": {"code": {"$ne": 1}}}}}},
        ),
    ],
)
def test_any_of_means_any_element_whatever_the_operator(condition: Filter, compiled: dict[str, Any]) -> None:
    assert compile_filter(Order, condition) == compiled


def test_conditions_on_different_fields_become_one_flat_filter() -> None:
    assert compile_filter(Order, number == "A", (total > 1) & {"tags": "x"}) == {
        "number": {"$eq": "A"},
        "total": {"$gt": 1},
        "tags": "x",
    }


def test_conditions_on_the_same_field_are_kept_apart() -> None:
    assert compile_filter(Order, total > 1, total < 5, {}) == {"$and": [{"total": {"$gt": 1}}, {"total": {"$lt": 5}}]}


def test_no_condition_is_the_empty_filter() -> None:
    assert compile_filter(Order) == {}
    assert compile_filter(Order, {}, {}) == {}


def test_or_and_and_nest() -> None:
    either = (number == "A") | (number == "B") | field("paid")
    assert compile_filter(Order, either & (total > 1)) == {
        "$or": [{"number": {"$eq": "A"}}, {"number": {"$eq": "B"}}, {"paid": {"$eq": True}}],
        "total": {"$gt": 1},
    }
    assert compile_filter(Order, either, either)["$and"] == [compile_filter(Order, either)] * 2


def test_a_bool_field_combines_like_a_condition() -> None:
    both = {"paid": {"$eq": True}, "number": {"$eq": "A"}}
    assert compile_filter(Order, field("paid") & (number == "A")) == both
    assert compile_filter(Order, (number == "A") & field("paid")) == both
    assert compile_filter(Order, {"number": "A"} & field("paid")) == {"number": "A", "paid": {"$eq": True}}
    assert compile_filter(Order, field("paid") | (number == "A")) == {
        "$or": [{"paid": {"$eq": True}}, {"number": {"$eq": "A"}}],
    }
    assert compile_filter(Order, {"number": "A"} | field("paid"))["$or"][0] == {"number": "A"}


def test_a_filter_is_compiled_anew_each_time() -> None:
    condition = (number == "A") & {"path": 1}
    compile_filter(Order, condition).clear()
    assert compile_filter(Order, condition) == {"number": {"$eq": "A"}, "path": 1}


def test_a_value_is_read_when_the_condition_is_written() -> None:
    wanted = ["a"]
    condition = tags == wanted
    wanted.append("b")
    assert compile_filter(Order, condition) == {"tags": {"$eq": ["a"]}}


@pytest.mark.parametrize("wrong", [True, False])
def test_a_real_bool_is_refused(wrong: bool) -> None:
    with pytest.raises(TypeError, match="is_none"):
        compile_filter(Order, wrong)
    with pytest.raises(TypeError, match="Compare fields of the class"):
        _ = (number == "A") & wrong
    with pytest.raises(TypeError, match="Compare fields of the class"):
        not_(wrong)


@pytest.mark.parametrize("wrong", ["number", 1, None, ["number"]])
def test_what_is_no_condition_is_refused(wrong: Any) -> None:
    with pytest.raises(TypeError, match="A condition is an expression"):
        compile_filter(Order, wrong)


def test_a_field_alone_is_no_condition() -> None:
    with pytest.raises(TypeError, match=r"Order\.number is a field, not a condition"):
        compile_filter(Order, number)


def test_the_truth_of_an_expression_is_refused() -> None:
    for use in (
        lambda: (number == "A") and (total > 1),
        lambda: (number == "A") or (total > 1),
        lambda: not (number == "A"),  # noqa: SIM201 - the mistake itself
        lambda: 1 < total < 5,
        lambda: bool(number),
    ):
        with pytest.raises(TypeError, match="Use & instead of"):
            use()


def test_a_field_is_not_compared_with_a_field_or_a_condition() -> None:
    with pytest.raises(TypeError, match=r"Use \$expr"):
        _ = number == field("path")
    with pytest.raises(TypeError, match=r"Use \$expr"):
        in_(number, [number == "A"])


def test_a_pattern_is_not_a_value() -> None:
    pattern: Any = re.compile("A")
    for use in (lambda: number == pattern, lambda: in_(number, [pattern]), lambda: number > pattern):
        with pytest.raises(TypeError, match="raw=True"):
            use()
    with pytest.raises(TypeError, match="pass its text"):
        regex(number, pattern, raw=True)


def test_order_against_none_is_refused() -> None:
    with pytest.raises(TypeError, match="cannot be ordered against None"):
        _ = total < None


def test_one_value_in_place_of_a_list_is_refused() -> None:
    with pytest.raises(TypeError, match="takes a list of values, not one str"):
        in_(number, "AB")


def test_a_field_of_another_model_is_refused() -> None:
    with pytest.raises(TypeError, match=r"Customer\.name is not a field of Order"):
        compile_filter(Order, not_((number == "A") | (field("name", Customer) == "x")))


def test_fields_of_bases_and_subclasses_are_accepted() -> None:
    assert compile_filter(RushOrder, number == "A")
    assert compile_filter(Order, field("courier", RushOrder) == "x")


def test_a_field_of_a_base_that_the_model_stores_under_another_name_is_refused() -> None:
    class Page(Document[int], collection="pages"):
        words: list[str] = Field(default=[], alias="W")
        number: int = 0

    class Cover(Page):
        words: list[str] = Field(default=[], alias="WW")

    with pytest.raises(
        TypeError, match=r"Page\.words is stored as 'W', and Cover\.words as 'WW'. Write Cover\.words\."
    ):
        compile_filter(Cover, any_of(Page.words) == "a")
    assert compile_filter(Cover, any_of(Cover.words) == "a", Page.number == 1) == {
        "WW": {"$eq": "a"},
        "number": {"$eq": 1},
    }
    assert compile_filter(Page, any_of(Cover.words) == "a") == {"WW": {"$eq": "a"}}


@pytest.mark.parametrize("value", ["\ud800", 2**64, {"a\0": 1}, object()])
def test_a_value_that_cannot_be_sent_is_refused_without_being_quoted(value: object) -> None:
    with pytest.raises((ValueError, TypeError)) as caught:
        _ = field("meta") == {"key": value}
    assert "18446744073709551616" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_pattern_cannot_hold_nul() -> None:
    with pytest.raises(ValueError, match="NUL"):
        contains(number, "a\0b")


def test_a_condition_does_not_show_its_values() -> None:
    secret = "s3cret"  # noqa: S105 - stands for what must not be shown
    address = Address(city=secret)
    condition = not_((number == secret) & in_(number, [secret])) | {"tags": secret} | (field("address") == address)
    assert repr(condition) == (
        "<Filter (not_((Order.number == ... & Order.number in ...)) | {tags: ...} | Order.address == ...)>"
    )
    assert secret not in repr(contains(number, secret))


def test_operators_that_checkers_would_take_for_arithmetic_name_the_word_instead() -> None:
    number, paid = field("number"), field("paid")
    wrongs: list[Any] = [paid, number == "A", not_(paid)]
    for wrong in wrongs:
        with pytest.raises(TypeError, match=r"Write not_\(\.\.\.\)"):
            _ = ~wrong
    with pytest.raises(TypeError, match=r"Write desc\(field\)"):
        _ = -number
