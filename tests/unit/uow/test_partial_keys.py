"""Which documents a partial unique key takes in; None is "not certain", and counts as taken in."""

from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
from bson import Decimal128, ObjectId

from boundwork.uow.changes import Change
from boundwork.uow.commands import UniqueKey
from boundwork.uow.partial_keys import takes_in
from boundwork.uow.unique_claims import value_at
from tests.unit.uow.people import alteration
from tests.unit.uow.test_flush_plan import plan

ONE = ObjectId(b"0" * 12)
CASES: list[tuple[Any, Any, bool | None]] = [
    ({"n": {"$gt": 0}}, {"n": 1}, True),
    ({"n": {"$gt": 0}}, {"n": 0.0}, False),
    ({"n": {"$gt": 0}}, {"n": Decimal128("0.5")}, True),
    ({"n": {"$gt": 0}}, {"n": Decimal128("NaN")}, None),
    ({"n": {"$gt": float("nan")}}, {"n": 1}, None),
    ({"n": {"$gt": 0}}, {"n": float("nan")}, None),
    ({"n": {"$gt": 0}}, {"n": "1"}, False),
    ({"n": {"$gt": 0}}, {"n": True}, False),
    ({"n": {"$gt": 0}}, {"n": None}, False),
    ({"n": {"$gt": 0}}, {}, False),
    ({"n": {"$gt": 0}}, {"n": [1]}, None),
    ({"n": {"$gt": [0]}}, {"n": 1}, None),
    ({"n": {"$gte": 1, "$lt": 3}}, {"n": 3}, False),
    ({"n": {"$lte": "b"}}, {"n": "a"}, True),
    ({"n": {"$gt": ONE}}, {"n": ONE}, False),
    ({"n": {"$lt": datetime(2020, 1, 1)}}, {"n": datetime(2019, 1, 1, tzinfo=UTC)}, True),  # noqa: DTZ001 - as the driver reads it
    ({"n": 1}, {"n": 1.0}, True),
    ({"n": 1}, {"n": True}, False),
    ({"n": None}, {}, True),
    ({"n": 1}, {}, False),
    ({"n": 1}, {"n": [1]}, None),
    ({"n": {"a": 1}}, {"n": {"a": 1}}, None),
    ({"n": {"$eq": "a"}}, {"n": "a"}, True),
    ({"n": {"$in": [1, 2]}}, {"n": 2}, True),
    ({"n": {"$in": [1, 2]}}, {"n": 3}, False),
    ({"n": {"$exists": True}}, {"n": None}, True),
    ({"n": {"$exists": True}}, {}, False),
    ({"a.n": {"$exists": True}}, {"a": [{}]}, None),
    ({"n": {"$type": "string"}}, {"n": "a"}, True),
    ({"n": {"$type": ["string", "number"]}}, {"n": 1}, True),
    ({"n": {"$type": "string"}}, {"n": None}, False),
    ({"n": {"$type": "string"}}, {}, False),
    ({"n": {"$type": "long"}}, {"n": 1}, None),
    ({"n": {"$regex": "a"}}, {"n": "a"}, None),
    ({"$nor": [{"n": 1}]}, {"n": 1}, None),
    ({"$and": [{"n": 1}, {"m": 2}]}, {"n": 1, "m": 3}, False),
    ({"$or": [{"n": 1}, {"m": 2}]}, {"n": 1, "m": 3}, True),
    ({"$or": [{"n": 1}, {"m": [2]}]}, {"n": 0, "m": 3}, None),
    ({"a.n": {"$gt": 0}}, {"a": {"n": 1}}, True),
]


@pytest.mark.parametrize(("condition", "stored", "expected"), CASES)
def test_a_filter_takes_in_what_it_surely_matches(condition: Any, stored: Any, expected: bool | None) -> None:
    assert takes_in(condition, partial(value_at, stored)) is expected


def test_under_a_collation_only_equal_texts_are_certain() -> None:
    look = partial(value_at, {"n": "a"})
    assert takes_in({"n": "a"}, look, collated=True) is True
    assert takes_in({"n": "A"}, look, collated=True) is None
    assert takes_in({"n": {"$gt": "0"}}, look, collated=True) is None
    assert takes_in({"n": 1}, look, collated=True) is False


def test_who_leaves_a_partial_key_goes_before_who_enters_it() -> None:
    key = UniqueKey("email_1", ("email",), conditions=("n",), partial={"n": {"$gt": 0}})
    enters = alteration(1, {"email": "a", "n": 0}, {"email": "a", "n": 1})
    leaves = alteration(2, {"email": "a", "n": 1}, {"email": "a", "n": 0})
    changes: list[Change] = [enters, leaves]
    assert plan(changes, key) == [("u", 2), ("u", 1)]


def test_texts_that_a_collation_may_hold_equal_wait_for_each_other() -> None:
    key = UniqueKey("email_1", ("email",), collated=True)
    changes: list[Change] = [
        alteration(1, {"email": "ann-a"}, {"email": "Stra\u00dfe"}),
        alteration(2, {"email": "STRASSE"}, {"email": {"x": ["b"]}}),
        alteration(3, {"email": {"x": ["B"]}}, {"email": "\u00c4NN A"}),
    ]
    assert plan(changes, key) == [("t", 1), ("u", 3), ("u", 2), ("u", 1)]


def test_an_element_of_an_array_gives_its_value_up_for_a_moment() -> None:
    key = UniqueKey("skus", ("lines.sku",))
    changes: list[Change] = [
        alteration(1, {"lines": [{"sku": "a"}, {"sku": "b"}]}, {"lines": [{"sku": "c"}, {"sku": "b"}]}),
        alteration(2, {"lines": [{"sku": "c"}]}, {"lines": [{"sku": "a"}]}),
    ]
    assert plan(changes, key) == [("t", 1), ("u", 2), ("u", 1)]


def test_an_index_may_name_a_place_in_an_array() -> None:
    key = UniqueKey("first", ("codes.0.name",))
    changes: list[Change] = [
        alteration(1, {"codes": {"0": {"name": 1}}}, {"codes": {"0": {"name": 2}}}),
        alteration(2, {"codes": {"0": {"name": 2}}}, {"codes": {"0": {"name": 3}}}),
    ]
    assert plan(changes, key) == [("u", 2), ("u", 1)]
