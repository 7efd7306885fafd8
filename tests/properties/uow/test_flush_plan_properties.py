"""Any consistent step from one state of a collection to another is written without meeting a taken key."""

from collections.abc import Mapping, Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from boundwork.uow.changes import Change
from boundwork.uow.commands import UniqueKey
from boundwork.uow.flush_plan import RANK
from tests.unit.uow.steps import TAGS, Documents, check, consistent
from tests.unit.uow.unique_index import Index

VALUES = st.integers(min_value=1, max_value=5)
IDS = range(5)
EMAIL = Index(UniqueKey("email_1", ("email",)))
SPARSE = Index(UniqueKey("email_1", ("email",), sparse=True), sparse=True)
PLACE = Index(UniqueKey("place", ("country", "address.city")))
LINES = Index(UniqueKey("skus", ("lines.sku",), sparse=True), sparse=True)
quickly = settings(max_examples=40, deadline=None, database=None)


def states(fields: st.SearchStrategy[dict[str, Any]], *indexes: Index) -> st.SearchStrategy[Documents]:
    """Give states of up to five documents in which no two hold the same key."""

    @st.composite
    def build(draw: st.DrawFn) -> Documents:
        documents: dict[int, Mapping[str, Any]] = {}
        for number, document in zip(IDS, draw(st.lists(fields, min_size=3, max_size=5)), strict=False):
            candidate = {**documents, number: document}
            if consistent(candidate, indexes):
                documents = candidate
        numbers = draw(st.permutations(list(documents)))
        return dict(zip(numbers, documents.values(), strict=True))

    return build()


def circles(changes: Sequence[Change], email: str = "email") -> int:
    """Count the rings of documents that hand the values of one key round."""
    moves: dict[Any, Any] = {}
    for change in changes:
        if RANK[type(change)] == 1:
            alter: Any = change
            moves[alter.before(email)] = alter.after(email)
    rings, left = 0, dict(moves)
    while left:
        start, value = left.popitem()
        while value in left:
            value = left.pop(value)
        rings += value == start
    return rings


@given(states(st.fixed_dictionaries({"email": VALUES}), EMAIL), st.data())
@quickly
def test_one_key(before: Documents, data: st.DataObject) -> None:
    after = data.draw(states(st.fixed_dictionaries({"email": VALUES}), EMAIL))
    replaced = data.draw(st.frozensets(st.sampled_from(IDS)))
    bulk = check(before, after, replaced, [EMAIL])
    if bulk is not None:
        temporaries = sum(write.temporary for write in bulk.writes)
        assert temporaries == circles([write.change for write in bulk.writes if not write.temporary])


@given(states(st.fixed_dictionaries({}, optional={"email": VALUES}), SPARSE), st.data())
@quickly
def test_a_sparse_key_whose_values_come_and_go(before: Documents, data: st.DataObject) -> None:
    after = data.draw(states(st.fixed_dictionaries({}, optional={"email": VALUES}), SPARSE))
    check(before, after, data.draw(st.frozensets(st.sampled_from(IDS))), [SPARSE])


ADDRESSES: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {"city": st.integers(1, 2), "zip": st.integers(1, 2)}
)
PLACES: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {
        "country": st.integers(1, 2),
        "address": ADDRESSES,
    }
)


@given(states(PLACES, PLACE), st.data())
@quickly
def test_a_compound_key_with_a_dotted_path(before: Documents, data: st.DataObject) -> None:
    check(before, data.draw(states(PLACES, PLACE)), data.draw(st.frozensets(st.sampled_from(IDS))), [PLACE])


TAGGED = st.fixed_dictionaries({"tags": st.lists(VALUES, min_size=1, max_size=2, unique=True)})


@given(states(TAGGED, TAGS), st.data())
@quickly
def test_arrays_that_only_lose_or_exchange_elements(before: Documents, data: st.DataObject) -> None:
    after = data.draw(states(TAGGED, TAGS))
    if not any(is_pushed(before, after, number) for number in before):
        check(before, after, data.draw(st.frozensets(st.sampled_from(IDS))), [TAGS])


LINED = st.fixed_dictionaries(
    {
        "lines": st.lists(
            st.fixed_dictionaries({"sku": VALUES}), min_size=1, max_size=2, unique_by=lambda line: line["sku"]
        )
    }
)


@given(states(LINED, LINES), st.data())
@quickly
def test_elements_of_arrays_of_documents(before: Documents, data: st.DataObject) -> None:
    after = data.draw(states(LINED, LINES))
    if not any(is_pushed(before, after, number, "lines") for number in before):
        check(before, after, data.draw(st.frozensets(st.sampled_from(IDS))), [LINES])


def is_pushed(before: Documents, after: Documents, number: int, field: str = "tags") -> bool:
    """Tell whether a list only grows: it cannot be unset for a moment, so it cannot break a circle."""
    old, new = before[number], after.get(number, {})
    return len(new.get(field, ())) > len(old[field])


@given(states(st.fixed_dictionaries({"email": VALUES}), EMAIL), st.data())
@quickly
def test_the_default_order_is_kept_where_nothing_contends(before: Documents, data: st.DataObject) -> None:
    fresh = st.fixed_dictionaries({"email": st.integers(min_value=11, max_value=19)})
    after = data.draw(states(fresh, EMAIL))
    bulk = check(before, after, frozenset(), [EMAIL])
    if bulk is not None:
        ranks = [RANK[type(write.change)] for write in bulk.writes]
        assert ranks == sorted(ranks)
        for rank in set(ranks):
            ids = [write.change.id for write in bulk.writes if RANK[type(write.change)] == rank]
            assert ids == sorted(ids)
        assert not any(write.temporary for write in bulk.writes)
