"""Two unique keys, partial keys, and whether keys are asked for where they matter."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from boundwork.uow.changes import Change
from boundwork.uow.commands import UniqueKey
from boundwork.uow.flush_plan import may_contend, planned
from tests.unit.uow.people import alteration, insertion
from tests.unit.uow.test_flush_plan import plan
from tests.unit.uow.test_flush_plan_properties import IDS, VALUES, Documents, check, consistent, states, step, stored
from tests.unit.uow.unique_index import Index, KeyIsTaken, ModelCollection

EMAIL, NAME = Index(UniqueKey("email_1", ("email",))), Index(UniqueKey("name_1", ("name",)))
PAIR = Index(UniqueKey("pair", ("email", "name")))
SMALL = st.integers(min_value=1, max_value=2)
quickly = settings(max_examples=40, deadline=None, database=None)


def test_only_a_document_of_the_circle_gives_its_value_up() -> None:
    changes: list[Change] = [
        alteration(1, {"email": 0}, {"email": 1}),
        alteration(2, {"email": 1, "name": "a"}, {"email": 9, "name": "b"}),
        alteration(3, {"name": "b"}, {"name": "a"}),
        insertion(4, {"email": 0}),
    ]
    assert plan(changes, EMAIL.key, NAME.key) == [("t", 2), ("u", 1), ("i", 4), ("u", 3), ("u", 2)]


def test_a_document_that_is_set_whole_gives_up_the_key_inside() -> None:
    key = UniqueKey("city", ("address.city",))
    before, after = {"address": {"city": 1, "a.b": 0}}, {"address": {"city": 2, "a.b": 1}}
    changes: list[Change] = [
        alteration(1, before, after),
        alteration(2, {"address": {"city": 2}}, {"address": {"city": 1}}),
    ]
    assert plan(changes, key) == [("t", 1), ("u", 2), ("u", 1)]


def test_a_document_that_leaves_a_partial_key_goes_first() -> None:
    key = UniqueKey("email_1", ("email",), conditions=("deleted",))
    changes: list[Change] = [
        insertion(2, {"email": "a", "deleted": False}),
        alteration(1, {"email": "a", "deleted": False}, {"email": "a", "deleted": True}),
    ]
    assert plan(changes, key) == [("u", 1), ("i", 2)]


def test_a_value_that_becomes_missing_takes_the_place_of_null_unless_the_key_is_sparse() -> None:
    changes: list[Change] = [insertion(2, {}), alteration(1, {}, {"email": "a"})]
    assert plan(changes, EMAIL.key) == [("u", 1), ("i", 2)]
    assert plan(changes, UniqueKey("email_1", ("email",), sparse=True)) == [("i", 2), ("u", 1)]


TWO = st.fixed_dictionaries({"email": VALUES, "name": VALUES})


@given(states(TWO, EMAIL, NAME), st.data())
@quickly
def test_a_chain_and_a_circle_of_two_keys(before: Documents, data: st.DataObject) -> None:
    names = data.draw(st.permutations([fields["name"] for fields in before.values()]))
    after = {
        number: {"email": fields["email"] + 10, "name": name}
        for (number, fields), name in zip(before.items(), names, strict=True)
    }
    check(before, after, frozenset(), [EMAIL, NAME])


@given(states(st.fixed_dictionaries({"email": SMALL, "name": SMALL}), PAIR), st.data())
@quickly
def test_keys_are_asked_for_wherever_the_default_order_would_meet_a_taken_one(
    before: Documents, data: st.DataObject
) -> None:
    after = data.draw(states(st.fixed_dictionaries({"email": SMALL, "name": SMALL}), PAIR))
    changes = step(before, after, data.draw(st.frozensets(st.sampled_from(IDS))))
    if not changes or may_contend(changes):
        return
    assert consistent(after, [PAIR])
    collection = ModelCollection(stored(before), [PAIR])
    try:
        collection.carry_out(planned("people", changes, []).command().writes)
    except KeyIsTaken as taken:
        raise AssertionError(_described(changes)) from taken


def _described(changes: list[Change]) -> list[Any]:
    return [(type(change).__name__, change.id) for change in changes]
