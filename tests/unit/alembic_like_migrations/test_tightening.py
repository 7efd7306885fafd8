"""A validator that refuses what another took is never taken for one that loosens."""

from typing import Any

import pytest
from bson import Decimal128

from boundwork.alembic_like_migrations.steps.tightening import Strictness, tendency

NAME = {"bsonType": "string"}
BASE = {"bsonType": "object", "required": ["name"], "properties": {"name": NAME}}


def strictness(schema: dict[str, Any], level: str = "strict", action: str = "error") -> Strictness:
    return Strictness({"$jsonSchema": schema} if schema else {}, level, action)


LOOSER: dict[str, dict[str, Any]] = {
    "nothing is asked": {},
    "a field need not be there": {**BASE, "required": []},
    "no rule for the field": {**BASE, "properties": {}},
    "another type is taken": {**BASE, "properties": {"name": {"bsonType": ["string", "null"]}}},
}
TIGHTER: dict[str, dict[str, Any]] = {
    "one more field is required": {**BASE, "required": ["name", "mail"]},
    "a rule for another field": {**BASE, "properties": {"name": NAME, "mail": NAME}},
    "another type alone": {**BASE, "properties": {"name": {"bsonType": "int"}}},
    "a shortest length": {**BASE, "properties": {"name": {**NAME, "minLength": 1}}},
    "no further fields": {**BASE, "additionalProperties": False},
    "a word that cannot be compared": {**BASE, "not": {"required": ["old"]}},
}


@pytest.mark.parametrize("schema", LOOSER.values(), ids=LOOSER)
def test_what_takes_more_loosens_and_the_way_back_tightens(schema: dict[str, Any]) -> None:
    assert tendency(strictness(BASE), strictness(schema)) == "loosens"
    assert tendency(strictness(schema), strictness(BASE)) == "tightens"


@pytest.mark.parametrize("schema", TIGHTER.values(), ids=TIGHTER)
def test_what_takes_less_tightens(schema: dict[str, Any]) -> None:
    assert tendency(strictness(BASE), strictness(schema)) == "tightens"


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({"minimum": 5}, {"minimum": 3}, "loosens"),
        ({"maximum": 5}, {"maximum": 3}, "tightens"),
        ({"enum": ["a"]}, {"enum": ["a", "b"]}, "loosens"),
        ({"enum": ["a", "b"]}, {"enum": ["a"]}, "tightens"),
        ({"bsonType": "int"}, {"bsonType": "number"}, "loosens"),
        ({"items": {"minimum": 1}}, {"items": {"minimum": 0}}, "loosens"),
        ({"pattern": "^a"}, {"pattern": "^b"}, "tightens"),
    ],
)
def test_rules_of_a_field_are_compared_by_what_they_mean(
    before: dict[str, Any], after: dict[str, Any], expected: str
) -> None:
    found = tendency(strictness({"properties": {"x": before}}), strictness({"properties": {"x": after}}))
    assert found == expected


def test_a_closed_schema_that_forgets_a_field_tightens() -> None:
    closed: dict[str, Any] = {"properties": {"a": {}, "b": {}}, "additionalProperties": False}
    assert tendency(strictness(closed), strictness({**closed, "properties": {"a": {}}})) == "tightens"
    assert tendency(strictness({**closed, "properties": {"a": {}}}), strictness(closed)) == "loosens"


def test_a_closed_schema_that_opens_still_tightens_for_fields_that_a_pattern_let_in() -> None:
    closed: dict[str, Any] = {"patternProperties": {"^x": {}}, "additionalProperties": False}
    opened: dict[str, Any] = {"properties": {"x1": {"bsonType": "int"}}}
    assert tendency(strictness(closed), strictness(opened)) == "tightens"


@pytest.mark.parametrize(
    ("before", "after", "expected"), [("5", 3, "loosens"), (3, "5", "tightens"), ("1", "1.5", "tightens")]
)
def test_bounds_of_any_kind_of_number_are_compared(before: Any, after: Any, expected: str) -> None:
    was, now = ({"minimum": Decimal128(one) if isinstance(one, str) else one} for one in (before, after))
    assert tendency(strictness({"properties": {"x": was}}), strictness({"properties": {"x": now}})) == expected


def test_a_validator_that_only_warns_refuses_nothing() -> None:
    assert tendency(strictness({}), strictness(BASE, action="warn")) == "same"
    assert tendency(strictness(BASE, "off"), strictness(BASE, "moderate", "warn")) == "same"
    assert tendency(strictness(BASE), strictness({**BASE, "additionalProperties": False}, action="warn")) == "loosens"


def test_levels_and_actions_count() -> None:
    assert tendency(strictness(BASE), strictness(BASE)) == "same"
    assert tendency(strictness(BASE, action="warn"), strictness(BASE)) == "tightens"
    assert tendency(strictness(BASE), strictness(BASE, "moderate")) == "loosens"
    assert tendency(strictness(BASE, "off"), strictness(BASE, "moderate")) == "tightens"
    assert tendency(strictness({}), strictness({})) == "same"
