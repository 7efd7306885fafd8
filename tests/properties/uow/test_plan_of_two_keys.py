"""Any step under two unique keys, and whether keys are asked for where they matter."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from boundwork.uow.changes import Change
from boundwork.uow.commands import UniqueKey
from boundwork.uow.flush_plan import may_contend, planned
from tests.properties.uow.test_flush_plan_properties import EMAIL, IDS, VALUES, quickly, states
from tests.unit.uow.steps import Documents, check, consistent, step, stored
from tests.unit.uow.unique_index import Index, KeyIsTaken, ModelCollection

NAME = Index(UniqueKey("name_1", ("name",)))
PAIR = Index(UniqueKey("pair", ("email", "name")))
SMALL = st.integers(min_value=1, max_value=2)
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
