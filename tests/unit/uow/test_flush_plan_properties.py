"""Any consistent step from one state of a collection to another is written without meeting a taken key."""

from collections.abc import Mapping, Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from boundwork.uow.changes import Change
from boundwork.uow.commands import UniqueKey
from boundwork.uow.flush_plan import RANK, PlannedBulk, planned
from tests.unit.uow.people import alteration, insertion, removal
from tests.unit.uow.unique_index import Index, KeyIsTaken, ModelCollection

Documents = Mapping[int, Mapping[str, Any]]
VALUES = st.integers(min_value=1, max_value=5)
IDS = range(5)
EMAIL = Index(UniqueKey("email_1", ("email",)))
SPARSE = Index(UniqueKey("email_1", ("email",), sparse=True), sparse=True)
PLACE = Index(UniqueKey("place", ("country", "address.city")))
TAGS = Index(UniqueKey("tags_1", ("tags",)))
LINES = Index(UniqueKey("skus", ("lines.sku",), sparse=True), sparse=True)
quickly = settings(max_examples=40, deadline=None, database=None)


def step(before: Documents, after: Documents, replaced: frozenset[int]) -> list[Change]:
    """Give the changes from one state to the other; replaced documents are removed and inserted anew."""
    changes: list[Change] = []
    for number in sorted({*before, *after}):
        old, new = before.get(number), after.get(number)
        if old is not None and new is not None and number not in replaced:
            if old != new:
                changes.append(alteration(number, old, new))
            continue
        if old is not None:
            changes.append(removal(number, old))
        if new is not None:
            changes.append(insertion(number, new))
    return changes


def consistent(documents: Documents, indexes: Sequence[Index]) -> bool:
    try:
        ModelCollection(stored(documents), indexes)
    except KeyIsTaken:
        return False
    return True


def stored(documents: Documents) -> list[dict[str, Any]]:
    return [{"_id": number, **fields} for number, fields in documents.items()]


def check(
    before: Documents, after: Documents, replaced: frozenset[int], indexes: Sequence[Index]
) -> PlannedBulk | None:
    changes = step(before, after, replaced)
    if not changes:
        return None
    collection = ModelCollection(stored(before), indexes)
    bulk = planned("people", changes, [index.key for index in indexes])
    collection.carry_out(bulk.command().writes)
    assert collection.documents == {document["_id"]: document for document in stored(after)}
    return bulk


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
