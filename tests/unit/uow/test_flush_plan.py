from collections.abc import Sequence

import pytest

from boundwork.models.mapper import mapper_of
from boundwork.uow.changes import Change, Insertion
from boundwork.uow.commands import BulkWrite, DeleteOne, InsertOne, UniqueKey, UpdateOne, Write
from boundwork.uow.flush_plan import PlannedBulk, by_collection, may_contend, planned
from tests.unit.uow.people import Person, Town, alteration, insertion, removal

EMAIL = UniqueKey("email_1", ("email",))
PLACE = UniqueKey("place", ("country", "city"))


def order(bulk: PlannedBulk) -> list[tuple[str, int]]:
    letters: dict[type[Write], str] = {InsertOne: "i", UpdateOne: "u", DeleteOne: "d"}
    return [("t" if write.temporary else letters[type(write.write)], write.change.id) for write in bulk.writes]


def plan(changes: Sequence[Change], *keys: UniqueKey) -> list[tuple[str, int]]:
    return order(planned("people", changes, keys))


def test_inserts_come_before_updates_before_deletes() -> None:
    changes: list[Change] = [
        removal(1, {}),
        alteration(2, {"a": 1}, {"a": 2}),
        insertion(3, {}),
        removal(4, {}),
        insertion(5, {}),
    ]
    assert plan(changes) == [("i", 3), ("i", 5), ("u", 2), ("d", 1), ("d", 4)]


def test_keys_that_nobody_contends_for_change_nothing() -> None:
    changes: list[Change] = [
        removal(1, {"email": "a"}),
        alteration(2, {"email": "b"}, {"email": "c"}),
        insertion(3, {"email": "d"}),
    ]
    assert plan(changes, EMAIL) == [("i", 3), ("u", 2), ("d", 1)]


def test_a_removed_document_makes_way_for_a_new_one_with_its_id() -> None:
    assert plan([removal(1, {}), insertion(1, {})]) == [("d", 1), ("i", 1)]


def test_a_removed_document_makes_way_for_its_unique_value_and_for_nothing_else() -> None:
    changes: list[Change] = [insertion(2, {"email": "a"}), insertion(3, {"email": "b"}), removal(1, {"email": "a"})]
    assert plan(changes, EMAIL) == [("i", 3), ("d", 1), ("i", 2)]


def test_a_chain_of_values_is_written_from_its_free_end() -> None:
    changes: list[Change] = [
        insertion(3, {"email": "a"}),
        alteration(1, {"email": "a"}, {"email": "b"}),
        alteration(2, {"email": "b"}, {"email": "c"}),
    ]
    assert plan(changes, EMAIL) == [("u", 2), ("u", 1), ("i", 3)]


def test_two_documents_that_exchange_values_need_one_temporary() -> None:
    changes: list[Change] = [
        alteration(1, {"email": "a"}, {"email": "b"}),
        alteration(2, {"email": "b"}, {"email": "a"}),
    ]
    assert plan(changes, EMAIL) == [("t", 1), ("u", 2), ("u", 1)]


def test_a_temporary_unsets_the_key_and_nothing_else() -> None:
    changes: list[Change] = [
        alteration(1, {"email": "a", "age": 1}, {"email": "b", "age": 2}),
        alteration(2, {"email": "b"}, {"email": "a"}),
    ]
    first, *_, last = planned("people", changes, [EMAIL]).writes
    assert first.write == UpdateOne({"_id": 1}, {"$unset": {"email": ""}})
    assert last.write == UpdateOne({"_id": 1}, {"$set": {"email": "b", "age": 2}})


def test_a_ring_of_three_needs_one_temporary() -> None:
    changes: list[Change] = [alteration(n, {"email": n}, {"email": (n + 1) % 3}) for n in range(3)]
    assert [kind for kind, _ in plan(changes, EMAIL)] == ["t", "u", "u", "u"]


def test_two_rings_need_two_temporaries_and_the_first_is_closed_before_the_second() -> None:
    changes: list[Change] = [alteration(n, {"email": n}, {"email": n ^ 1}) for n in range(4)]
    assert plan(changes, EMAIL) == [("t", 0), ("u", 1), ("u", 0), ("t", 2), ("u", 3), ("u", 2)]


def test_half_of_a_compound_key_is_contended_for_as_a_whole() -> None:
    changes: list[Change] = [
        alteration(1, {"country": "de", "city": "x"}, {"country": "at", "city": "x"}),
        alteration(2, {"country": "at", "city": "x"}, {"country": "at", "city": "y"}),
    ]
    assert plan(changes, PLACE) == [("u", 2), ("u", 1)]


def test_equal_halves_of_different_compound_keys_do_not_contend() -> None:
    changes: list[Change] = [
        alteration(1, {"country": "de", "city": "x"}, {"country": "at", "city": "x"}),
        alteration(2, {"country": "at", "city": "z"}, {"country": "at", "city": "y"}),
    ]
    assert plan(changes, PLACE) == [("u", 1), ("u", 2)]


def test_an_element_of_an_array_is_free_only_after_the_array_lost_it() -> None:
    tags = UniqueKey("tags_1", ("tags",))
    changes: list[Change] = [
        alteration(1, {"tags": [1]}, {"tags": [1, 2]}),
        alteration(2, {"tags": [2, 3]}, {"tags": [3]}),
    ]
    assert plan(changes, tags) == [("u", 2), ("u", 1)]


def test_a_circle_that_cannot_be_broken_is_sent_as_it_is() -> None:
    key = UniqueKey("address", ("address",))
    changes: list[Change] = [
        alteration(1, {"address": {"city": "a"}}, {"address": {"city": "b"}}),
        alteration(2, {"address": {"city": "b"}}, {"address": {"city": "a"}}),
    ]
    assert sorted(plan(changes, key)) == [("u", 1), ("u", 2)]


def test_a_document_that_keeps_its_own_value_does_not_wait_for_itself() -> None:
    changes: list[Change] = [
        alteration(1, {"tags": ["x", "y"]}, {"tags": ["y", "x"]}),
        alteration(2, {"tags": []}, {"tags": ["z"]}),
    ]
    assert plan(changes, UniqueKey("tags_1", ("tags",))) == [("u", 1), ("u", 2)]


def test_a_plan_is_a_command_with_its_writes_in_order() -> None:
    command = planned("people", [insertion(1, {"a": 1}), removal(2, {})], []).command()
    assert command == BulkWrite("people", (InsertOne({"_id": 1, "a": 1}), DeleteOne({"_id": 2})))


def test_collections_come_in_the_order_of_their_first_change() -> None:
    town = Insertion(Town(id=1), mapper_of(Town), 1, {"_id": 1}, None)
    first, second, third = insertion(1, {}), insertion(2, {}), removal(3, {})
    groups = by_collection([first, town, second, third])
    assert list(groups) == [mapper_of(Person).collection, "towns"]
    assert groups["people"] == [first, second, third]


@pytest.mark.parametrize(
    ("changes", "answer"),
    [
        ([insertion(1, {}), insertion(2, {})], False),
        ([removal(1, {}), removal(2, {})], False),
        ([alteration(1, {"a": 1}, {"a": 2})], False),
        ([insertion(1, {}), removal(2, {})], True),
        ([insertion(1, {}), alteration(2, {"a": 1}, {"a": 2})], True),
        ([removal(1, {}), alteration(2, {"a": 1}, {"a": 2})], True),
        ([alteration(1, {"a": 1}, {"a": 2}), alteration(2, {"a": 1}, {"a": 2})], True),
    ],
    ids=["inserts", "deletes", "one update", "insert, delete", "insert, update", "delete, update", "two updates"],
)
def test_keys_are_worth_asking_for_only_where_one_change_can_free_what_another_takes(
    changes: list[Change], answer: bool
) -> None:
    assert may_contend(changes) is answer
