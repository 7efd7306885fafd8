"""What differs between the declared and the found form is named, each thing by its path, and nothing else is."""

from dataclasses import replace
from typing import Any

import pytest
from bson import Int64

from boundwork.models.structure.changes import changes
from boundwork.models.structure.comparison import Difference, compare
from boundwork.models.structure.declared import DeclaredCollection, DeclaredIndex, FoundCollection, StoredOptions
from boundwork.models.structure.found import found_collection

BY_NAME = DeclaredIndex(name="name_1", keys=(("name", 1),), unique=True, where={"name": {"$gt": 2**40}})
WORDS = DeclaredIndex(
    name="words",
    keys=(("kind", 1), ("_fts", "text")),
    weights={"title": 2, "body": 1},
    default_language="english",
    language_override="language",
)
OPTIONS = StoredOptions(
    collation={"locale": "de", "strength": 2},
    validator={"$jsonSchema": {"required": ["a", "b"], "properties": {"a": {"bsonType": "int", "maximum": 5}}}},
)
DECLARED = DeclaredCollection(name="books", options=OPTIONS, indexes=(BY_NAME, WORDS))
FOUND = FoundCollection(name="books", options=OPTIONS, indexes=(WORDS, BY_NAME))
COLLATION = {
    "locale": "de", "caseLevel": False, "caseFirst": "off", "strength": 2, "numericOrdering": False,
    "alternate": "non-ignorable", "maxVariable": "punct", "normalization": False, "backwards": False, "version": "57.1",
}  # fmt: skip


def differing(declared: DeclaredCollection, found: FoundCollection) -> dict[str, tuple[Any, Any]]:
    return {one.path: (one.declared, one.found) for one in compare(declared, found).differing}


def test_what_is_as_declared_does_not_differ() -> None:
    assert differing(DECLARED, FOUND) == {}
    assert compare(DECLARED, FOUND).missing == ()


def test_what_the_server_fills_in_does_not_differ() -> None:
    listed = {
        "name": "books",
        "type": "collection",
        "options": {
            "collation": COLLATION,
            "validator": {
                "$jsonSchema": {"properties": {"a": {"maximum": 5.0, "bsonType": "int"}}, "required": ["b", "a"]}
            },
            "validationLevel": "strict",
        },
    }
    indexes: list[dict[str, Any]] = [
        {"v": 2, "key": {"_id": 1}, "name": "_id_", "collation": COLLATION},
        {"v": 2, "key": {"name": 1.0}, "name": "name_1", "unique": True, "sparse": False,
         "partialFilterExpression": {"name": {"$gt": Int64(2**40)}}},
        {"v": 2, "key": {"kind": 1, "_fts": "text", "_ftsx": 1}, "name": "words", "weights": {"body": 1, "title": 2.0},
         "default_language": "english", "language_override": "language", "textIndexVersion": 3},
    ]  # fmt: skip
    assert differing(DECLARED, found_collection(listed, indexes)) == {}


def test_a_missing_index_is_missing_and_an_unknown_one_differs() -> None:
    other = DeclaredIndex(name="other_1", keys=(("other", 1),))
    comparison = compare(DECLARED, replace(FOUND, indexes=(WORDS, other)))
    assert comparison.missing == (BY_NAME,)
    assert [(one.path, one.declared) for one in comparison.differing] == [("books.indexes.other_1", None)]


def test_an_equal_index_under_another_name_differs_by_its_name() -> None:
    found = replace(FOUND, indexes=(replace(BY_NAME, name="old", hidden=True), WORDS))
    comparison = compare(DECLARED, found)
    assert comparison.missing == ()
    assert {one.path: (one.declared, one.found) for one in comparison.differing} == {
        "books.indexes.name_1.name": ("name_1", "old"),
        "books.indexes.name_1.hidden": (False, True),
    }


def test_a_collection_has_one_text_index_so_another_one_stands_in_the_way() -> None:
    found = replace(FOUND, indexes=(BY_NAME, replace(WORDS, name="old", keys=(("_fts", "text"),), weights={"body": 1})))
    comparison = compare(DECLARED, found)
    assert comparison.missing == ()
    assert [one.path for one in comparison.differing] == [
        "books.indexes.words.name",
        "books.indexes.words.keys",
        "books.indexes.words.weights",
    ]


@pytest.mark.parametrize(
    "change",
    [{"unique": False}, {"sparse": True}, {"where": None}, {"collation": COLLATION}, {"keys": (("name", -1),)}],
)
def test_an_index_beside_which_the_server_takes_another_is_no_twin(change: dict[str, Any]) -> None:
    other = replace(BY_NAME, name="other", **change)
    assert compare(DECLARED, replace(FOUND, indexes=(other, WORDS))).missing == (BY_NAME,)


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("keys", (("name", -1),)),
        ("unique", False),
        ("sparse", True),
        ("hidden", True),
        ("where", {"name": {"$gt": 7}}),
        ("expire_after_seconds", 5),
        ("projection", {"a": 1}),
        ("collation", COLLATION),
    ],
)
def test_each_option_of_an_index_is_compared(part: str, value: Any) -> None:
    found = replace(FOUND, indexes=(replace(BY_NAME, **{part: value}), WORDS))
    assert differing(DECLARED, found) == {f"books.indexes.name_1.{part}": (getattr(BY_NAME, part), value)}


@pytest.mark.parametrize(
    ("part", "value"),
    [("weights", {"title": 1, "body": 1}), ("default_language", "german"), ("language_override", "x")],
)
def test_each_option_of_a_text_index_is_compared(part: str, value: Any) -> None:
    found = replace(FOUND, indexes=(BY_NAME, replace(WORDS, **{part: value})))
    assert list(differing(DECLARED, found)) == [f"books.indexes.words.{part}"]


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("capped_size", 512),
        ("capped_documents", 5),
        ("time_series", {"timeField": "t"}),
        ("clustered", True),
        ("change_images", True),
        ("expire_after_seconds", 9),
        ("collation", {**COLLATION, "strength": 1}),
        ("collation", {**COLLATION, "numericOrdering": True}),
        ("collation", None),
        ("validator", None),
        ("validation_level", "moderate"),
        ("validation_action", "warn"),
    ],
)
def test_each_option_of_a_collection_is_compared(part: str, value: Any) -> None:
    found = replace(FOUND, options=replace(OPTIONS, **{part: value}))
    assert list(differing(DECLARED, found)) == [f"books.options.{part}"]


def test_a_validator_is_compared_part_by_part() -> None:
    other = {"$jsonSchema": {"required": ["a"], "properties": {"a": {"bsonType": "int", "maximum": 6, "minimum": 0}}}}
    at = "books.options.validator.$jsonSchema"
    assert differing(DECLARED, replace(FOUND, options=replace(OPTIONS, validator=other))) == {
        f"{at}.required": (["a", "b"], ["a"]),
        f"{at}.properties.a.maximum": (5, 6),
        f"{at}.properties.a.minimum": (None, 0),
    }


def test_a_validator_that_no_model_asked_for_is_named_and_its_level_is_not() -> None:
    plain = replace(DECLARED, options=replace(OPTIONS, validator=None))
    found = replace(FOUND, options=replace(OPTIONS, validation_level="moderate"))
    assert list(differing(plain, found)) == ["books.options.validator"]


def test_another_kind_of_collection_is_all_that_is_said_of_it() -> None:
    assert differing(DECLARED, FoundCollection(name="books", kind="view")) == {"books.type": ("collection", "view")}
    assert compare(DECLARED, FoundCollection(name="books", kind="view")).missing == ()


def test_only_what_is_declared_is_changed_in_place() -> None:
    found = FoundCollection(
        name="books",
        options=replace(OPTIONS, validator={}, validation_level="moderate", change_images=True, expire_after_seconds=9),
        indexes=(replace(BY_NAME, hidden=True, expire_after_seconds=5, unique=False), WORDS),
    )
    commands = [change.command for change in changes(DECLARED, compare(DECLARED, found).differing)]
    assert commands == [
        {
            "collMod": "books",
            "validator": OPTIONS.validator,
            "validationLevel": "strict",
            "validationAction": "error",
        },
        {"collMod": "books", "index": {"name": "name_1", "hidden": False}},
    ]


def test_a_validator_that_no_model_asked_for_is_not_touched() -> None:
    plain = replace(DECLARED, options=replace(OPTIONS, validator=None))
    assert changes(plain, compare(plain, FOUND).differing) == ()


def test_change_images_and_expiry_can_be_changed_in_place() -> None:
    declared = replace(
        DECLARED,
        options=replace(OPTIONS, change_images=True, expire_after_seconds=7),
        indexes=(replace(BY_NAME, expire_after_seconds=6), WORDS),
    )
    assert [change.command for change in changes(declared, compare(declared, FOUND).differing)] == [
        {"collMod": "books", "changeStreamPreAndPostImages": {"enabled": True}},
        {"collMod": "books", "expireAfterSeconds": 7},
        {"collMod": "books", "index": {"name": "name_1", "expireAfterSeconds": 6}},
    ]


def test_a_difference_can_be_read() -> None:
    assert str(Difference("a.b", 1, None)) == "a.b: declared 1, found None"
