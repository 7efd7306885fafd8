"""Two unique keys, and partial and sparse ones."""

from boundwork.uow.changes import Change
from boundwork.uow.commands import UniqueKey
from tests.unit.uow.people import alteration, insertion
from tests.unit.uow.test_flush_plan import plan
from tests.unit.uow.unique_index import Index

EMAIL, NAME = Index(UniqueKey("email_1", ("email",))), Index(UniqueKey("name_1", ("name",)))


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
