from decimal import Decimal
from typing import Any

import pytest
from bson import Decimal128

from boundwork.models.bson_types import MISSING
from boundwork.models.identity import identity_key
from boundwork.uow.commands import UniqueKey
from boundwork.uow.unique_claims import claims_after, claims_before, touches, value_at
from tests.unit.uow.people import alteration, insertion, removal

EMAIL = UniqueKey("email_1", ("email",))
PLACE = UniqueKey("place", ("country", "address.city"))
TAGS = UniqueKey("tags_1", ("tags",))
PAIRS = UniqueKey("pairs", ("tags", "year"))


def claim(key: UniqueKey, *values: Any) -> tuple[str, tuple[Any, ...]]:
    return key.name, tuple(identity_key(value) for value in values)


def test_an_insertion_takes_and_gives_nothing_up() -> None:
    change = insertion(1, {"email": "a"})
    assert list(claims_before(change, [EMAIL])) == []
    assert list(claims_after(change, [EMAIL])) == [claim(EMAIL, "a")]


def test_a_removal_gives_up_and_takes_nothing() -> None:
    change = removal(1, {"email": "a"})
    assert list(claims_before(change, [EMAIL])) == [claim(EMAIL, "a")]
    assert list(claims_after(change, [EMAIL])) == []


def test_an_alteration_gives_up_the_old_and_takes_the_new_value() -> None:
    change = alteration(1, {"email": "a"}, {"email": "b"})
    assert list(claims_before(change, [EMAIL])) == [claim(EMAIL, "a")]
    assert list(claims_after(change, [EMAIL])) == [claim(EMAIL, "b")]


def test_an_alteration_of_other_fields_has_no_claims() -> None:
    change = alteration(1, {"email": "a", "age": 1}, {"email": "a", "age": 2})
    assert [*claims_before(change, [EMAIL]), *claims_after(change, [EMAIL])] == []


def test_one_field_of_a_compound_key_moves_the_whole_key() -> None:
    before = {"country": "de", "address": {"city": "Ulm", "zip": 1}}
    change = alteration(1, before, {"country": "at", "address": {"city": "Ulm", "zip": 2}})
    assert list(claims_before(change, [PLACE])) == [claim(PLACE, "de", "Ulm")]
    assert list(claims_after(change, [PLACE])) == [claim(PLACE, "at", "Ulm")]


def test_a_missing_part_of_a_compound_key_counts_as_null() -> None:
    missing = insertion(1, {"country": "de"})
    null = insertion(2, {"country": "de", "address": {"city": None}})
    assert list(claims_after(missing, [PLACE])) == list(claims_after(null, [PLACE])) == [claim(PLACE, "de", None)]


def test_null_is_a_value() -> None:
    assert list(claims_after(insertion(1, {"email": None}), [EMAIL])) == [claim(EMAIL, None)]


def test_an_array_claims_each_of_its_elements() -> None:
    change = insertion(1, {"tags": ["x", "y"]})
    assert list(claims_after(change, [TAGS])) == [claim(TAGS, "x"), claim(TAGS, "y")]


def test_an_array_in_a_compound_key_claims_each_combination() -> None:
    change = insertion(1, {"tags": ["x", "y"], "year": 7})
    assert list(claims_after(change, [PAIRS])) == [claim(PAIRS, "x", 7), claim(PAIRS, "y", 7)]


def test_a_path_leads_through_arrays_of_documents() -> None:
    key = UniqueKey("skus", ("lines.sku",))
    change = insertion(1, {"lines": [{"sku": "x"}, {"sku": "y"}]})
    assert list(claims_after(change, [key])) == [claim(key, "x"), claim(key, "y")]


def test_numbers_that_a_server_holds_equal_are_one_claim_and_booleans_are_none_of_them() -> None:
    ones = [list(claims_after(insertion(1, {"email": one}), [EMAIL])) for one in (1, 1.0, Decimal128("1"))]
    assert ones[0] == ones[1] == ones[2] == [claim(EMAIL, Decimal128(Decimal("1.0")))]
    assert list(claims_after(insertion(1, {"email": True}), [EMAIL])) != ones[0]


def test_claims_of_different_keys_never_meet() -> None:
    other = UniqueKey("login_1", ("login",))
    change = insertion(1, {"email": "a", "login": "a"})
    first, second = claims_after(change, [EMAIL, other])
    assert first != second


def test_the_id_may_be_part_of_a_key() -> None:
    key = UniqueKey("id_year", ("_id", "year"))
    assert list(claims_before(removal(4, {"year": 7}), [key])) == [claim(key, 4, 7)]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"address": {"city": "Ulm"}}, {"address": {"city": "Bonn"}}),
        ({"address": {"city": "Ulm"}}, {"address": None}),
        ({"address": {"city": "Ulm"}}, {}),
        ({"address": {"city": {"name": "Ulm"}}}, {"address": {"city": {"name": "Bonn"}}}),
        ({"address": {"city": ["Ulm"]}}, {"address": {"city": ["Ulm", "Bonn"]}}),
    ],
    ids=["the path itself", "above it", "unset above it", "below it", "pushed"],
)
def test_an_update_touches_a_key_at_above_and_below_its_paths(before: Any, after: Any) -> None:
    assert touches(alteration(1, before, after), UniqueKey("city", ("address.city",)))


def test_an_update_of_a_field_with_a_similar_name_does_not_touch_a_key() -> None:
    change = alteration(1, {"email_old": 1, "address": {"cityhall": 1}}, {"email_old": 2, "address": {"cityhall": 2}})
    assert not touches(change, EMAIL)
    assert not touches(change, UniqueKey("city", ("address.city",)))


@pytest.mark.parametrize(
    ("stored", "path", "value"),
    [
        ({"a": 1}, "a", 1),
        ({"a": {"b": {"c": 1}}}, "a.b.c", 1),
        ({"a": None}, "a", None),
        ({}, "a", MISSING),
        ({"a": 1}, "a.b", MISSING),
        ({"a": {}}, "a.b", MISSING),
        ({"a": [1, 2]}, "a", [1, 2]),
        ({"a": [{"b": 1}, {"b": 2}, {}, 5]}, "a.b", [1, 2]),
        ({"a": []}, "a.b", []),
    ],
)
def test_a_value_is_found_as_an_index_sees_it(stored: Any, path: str, value: Any) -> None:
    assert value_at(stored, path) == value
