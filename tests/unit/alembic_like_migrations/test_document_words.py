"""What the words for documents declare: titles without values, ways back, and what they refuse when a file is read."""

from collections.abc import Callable
from typing import Any

import pytest
from bson import encode
from bson.raw_bson import RawBSONDocument

from boundwork.alembic_like_migrations import op
from boundwork.alembic_like_migrations.engine.program import Mark, _noting
from boundwork.alembic_like_migrations.steps.errors import StepWrong
from boundwork.alembic_like_migrations.steps.step import AnyStep, DataStep, Irreversible
from boundwork.alembic_like_migrations.steps.transforms import update_of
from boundwork.alembic_like_migrations.steps.updates import UpdateStep, hides_its_documents

Words = Callable[[], object]
SECRET = "s3cret"  # noqa: S105 - a value that must not be shown


def declared(words: Words) -> tuple[AnyStep, ...]:
    with _noting(None, "one") as notes:
        words()
    return tuple(notes.steps)


def grouped() -> None:
    with op.transaction():
        op.set_field("x", "a", SECRET)
        op.seed("x", [{"_id": SECRET}])


TITLES: dict[str, Words] = {
    "update x: $set a; $inc b": lambda: op.update("x", {"$set": {"a": SECRET}, "$inc": {"b": 1}}),
    "update x: $set a; $unset b": lambda: op.update("x", [{"$set": {"a": SECRET}}, {"$unset": "b"}]),
    "set field a of x where it is missing": lambda: op.set_field("x", "a", SECRET),
    "set field a of x": lambda: op.set_field("x", "a", SECRET, only_missing=False),
    "unset field a.b of x": lambda: op.unset_field("x", "a.b"),
    "unset field a of x for good": lambda: op.unset_field("x", "a", keep=False),
    "rename field a of x to b": lambda: op.rename_field("x", "a", "b"),
    "rename field l.a of x to l.b (keep_new)": lambda: op.rename_field("x", "l.a", "l.b", on_conflict="keep_new"),
    "move field a of x to b.a": lambda: op.move_field("x", "a", "b.a"),
    "copy field a.b of x to a.c where that is missing": lambda: op.copy_field("x", "a.b", "a.c"),
    "convert field a of x to int": lambda: op.convert_type("x", "a", "int"),
    "move documents of x to y (kind)": lambda: op.split_collection("x", "y", {"kind": SECRET}),
    "move documents of x to y": lambda: op.merge_collections("x", "y"),
    "transform x by slugs": lambda: op.transform("x", where={"a": SECRET})(slugs),
    "execute print in one transaction": lambda: op.execute(print),
    "execute print at least once": lambda: op.execute(print, transaction=False),
    "seed x: 1 documents": lambda: op.seed("x", [{"_id": SECRET}]),
    "in one transaction: set field a of x where it is missing; seed x: 1 documents": grouped,
}


def slugs(_: Any) -> None:
    """Do nothing."""


@pytest.mark.parametrize(("title", "words"), TITLES.items(), ids=TITLES)
def test_a_title_names_what_is_changed_and_never_a_value(title: str, words: Words) -> None:
    assert [step.title for step in declared(words)] == [title]


IRREVERSIBLE: dict[str, Words] = {
    "nobody said how": lambda: op.update("x", {"$inc": {"a": 1}}),
    "its values are not kept": lambda: op.unset_field("x", "a", keep=False),
    "the ids of the documents are not kept": lambda: op.copy_field("x", "a", "b", undo=False),
    "no images of the documents are kept": lambda: op.transform("x", undo=False)(slugs),
    "nobody knows what a function does": lambda: op.execute(print),
}


@pytest.mark.parametrize(("why", "words"), IRREVERSIBLE.items(), ids=IRREVERSIBLE)
def test_a_step_without_a_way_back_says_why(why: str, words: Words) -> None:
    with pytest.raises(Irreversible, match=why):
        declared(words)[0].inverse()


async def coroutine(_: Any) -> None:
    """Do nothing."""


def structure_inside() -> None:
    with op.transaction():
        op.drop_collection("x")


WRONG: dict[str, Words] = {
    "the id": lambda: op.set_field("x", "_id", 1),
    "an empty name": lambda: op.unset_field("x", "a..b"),
    "an operator": lambda: op.rename_field("x", "$a", "b"),
    "another place": lambda: op.rename_field("x", "a.b", "c.d"),
    "the same name": lambda: op.rename_field("x", "a", "a"),
    "a choice that is none": lambda: op.rename_field("x", "a", "b", on_conflict="both"),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - what is refused
    "a copy at another place": lambda: op.copy_field("x", "a", "b.a"),
    "into itself": lambda: op.move_field("x", "a", "a.b"),
    "an item that a query finds": lambda: op.update("x", {"$set": {"a.$.b": 1}}, where={"a.c": 1}),
    "an item that array filters find": lambda: op.update("x", {"$set": {"a.$[one].b": 1}}),
    "such an item on the way back": lambda: op.update("x", {"$set": {"b": 1}}, undo={"$unset": {"a.$": ""}}),
    "a whole document": lambda: op.update("x", {"a": 1}),
    "no change": lambda: op.update("x", {}),
    "no stage": lambda: op.update("x", []),
    "a way back that is none": lambda: op.update("x", {"$set": {"a": 1}}, undo={}),
    "a way back of documents": lambda: op.update("x", {"$set": {"a": 1}}, undo=[{"a": 1}]),
    "a search for text": lambda: op.update("x", {"$set": {"b": 1}}, where={"$and": [{"$text": {"$search": "a"}}]}),
    "a search for what is near": lambda: op.split_collection("x", "y", {"place": {"$near": [1, 2]}}),
    "one collection": lambda: op.merge_collections("x", "x"),
    "a coroutine": lambda: op.transform("x")(coroutine),
    "a batch without end": lambda: op.transform("x", batch="60s"),
    "a batch of no time": lambda: op.transform("x", batch="soon"),
    "a seed without id": lambda: op.seed("x", [{"a": 1}]),
    "a seed twice": lambda: op.seed("x", [{"_id": 1}, {"_id": 1}]),
    "structure in a transaction": structure_inside,
}


@pytest.mark.parametrize("words", WRONG.values(), ids=WRONG)
def test_words_that_cannot_be_carried_out_are_refused_when_the_file_is_read(words: Words) -> None:
    with pytest.raises(StepWrong):
        declared(words)


HIDDEN: list[tuple[Any, Any, bool]] = [
    ({"$set": {"a": 1}}, {}, False),
    ({"$set": {"a": 1}}, {"b": 1}, False),
    ({"$set": {"a": 1}}, {"a": 2}, True),
    ({"$set": {"a.b": 1}}, {"a": 2}, True),
    ({"$set": {"a": 1}}, {"$or": [{"b": 1}, {"a.c": 1}]}, True),
    ({"$rename": {"b": "a"}}, {"a": 1}, True),
    ({"$set": {"a.$[].b": 1}}, {"a.c": 1}, True),
    ({"$set": {"a": 1}}, {"$expr": {"$gt": ["$b", 1]}}, True),
    ([{"$set": {"a": 1}}, {"$unset": "b"}], {"b": 1}, True),
    ([{"$set": {"a": 1}}], {"b": 1}, False),
    ([{"$replaceWith": {"a": 1}}], {"b": 1}, True),
]


@pytest.mark.parametrize(("change", "where", "expected"), HIDDEN)
def test_an_update_hides_documents_from_a_filter_that_looks_at_what_it_changes(
    change: Any, where: Any, expected: bool
) -> None:
    assert hides_its_documents(change, where) is expected
    words = lambda: op.update("x", change, where=where, undo={"$unset": {"a": ""}})  # noqa: E731 - as the others
    (step,) = declared(words)
    assert isinstance(step, UpdateStep)
    assert (step.mark is not None) is expected


def test_what_a_step_remembers_is_found_by_its_place_in_the_revision() -> None:
    def up() -> None:
        op.unset_field("x", "a")
        op.transform("x", undo=False)(slugs)
        op.unset_field("x", "b")

    marks = [getattr(step, "mark", None) for step in declared(up)]
    assert marks == [Mark("one", "up 1"), None, Mark("one", "up 2")]
    assert [step.title for step in declared(up) if isinstance(step, DataStep)] == [step.title for step in declared(up)]


CHANGES: dict[str, tuple[Any, Any]] = {
    "nothing": (None, None),
    "the same": ({"a": 1, "b": {"c": [1]}}, None),
    "operators": ({"$inc": {"a": 1}}, {"$inc": {"a": 1}}),
    "a pipeline": ([{"$unset": "a"}], [{"$unset": "a"}]),
    "a value": ({"a": 2, "b": {"c": [1]}}, {"$set": {"a": 2}}),
    "inside": ({"a": 1, "b": {"c": [1, 2]}}, {"$push": {"b.c": {"$each": [2]}}}),
    "one less, one more": ({"b": {"c": [1]}, "d": 1}, {"$set": {"d": 1}, "$unset": {"a": ""}}),
    "another order": ({"b": {"c": [1]}, "a": 1}, {"_id": 1, "b": {"c": [1]}, "a": 1}),
    "a name with a dot": ({"a.b": 1}, {"_id": 1, "a.b": 1}),
}


@pytest.mark.parametrize(("said", "expected"), CHANGES.values(), ids=CHANGES)
def test_what_a_function_says_becomes_the_smallest_update(said: Any, expected: Any) -> None:
    document = RawBSONDocument(encode({"_id": 1, "a": 1, "b": {"c": [1]}}))
    found = update_of(document, said)
    assert found == expected
    assert str(found) == str(expected)
