"""What the words for the structure declare: titles without values, inverses, and what they refuse."""

from collections.abc import Callable

import pytest

from boundwork.alembic_like_migrations import op
from boundwork.alembic_like_migrations.engine.program import _noting
from boundwork.alembic_like_migrations.steps.errors import StepWrong
from boundwork.alembic_like_migrations.steps.indexes import ChangeIndex
from boundwork.alembic_like_migrations.steps.step import AnyStep, Irreversible
from boundwork.alembic_like_migrations.steps.validators import SetValidator

Words = Callable[[], None]


def declared(words: Words) -> AnyStep:
    with _noting(None) as notes:
        words()
    (step,) = notes.steps
    return step


OLD = {"key": {"a": 1}}
TITLES: dict[str, Words] = {
    "create collection logs (capped, size)": lambda: op.create_collection("logs", capped=True, size=4096),
    "drop collection logs with its documents": lambda: op.drop_collection("logs"),
    "rename collection a to b": lambda: op.rename_collection("a", "b"),
    "change options of a: expireAfterSeconds": lambda: op.collection_options("a", {"expireAfterSeconds": 1}),
    "create unique index a.b_1_c_-1 on x": lambda: op.create_index("x", [("a.b", 1), ("c", -1)], unique=True),
    "create index mine on x": lambda: op.create_index("x", {"a": 1}, name="mine"),
    "drop index a_1 of x": lambda: op.drop_index("x", "a_1"),
    "change index a_1 of x: hidden": lambda: op.change_index("x", "a_1", {**OLD, "hidden": True}, OLD),
    "change index a_1 of x to a_1_2: unique": lambda: op.change_index("x", "a_1", {**OLD, "unique": True}, OLD),
    "create view v on x": lambda: op.create_view("v", "x", [{"$match": {"secret": 1}}]),
    "drop view v": lambda: op.drop_view("v"),
    "change view v": lambda: op.change_view("v", "x", [{"$match": {"secret": 1}}]),
    "set validator of x (moderate, warn)": lambda: op.set_validator("x", {"a": 1}, level="moderate", action="warn"),
    "remove validator of x": lambda: op.set_validator("x", None),
}


@pytest.mark.parametrize(("title", "words"), TITLES.items(), ids=TITLES)
def test_a_title_names_what_is_changed(title: str, words: Words) -> None:
    assert declared(words).title == title


@pytest.mark.parametrize(
    "words",
    [
        lambda: op.drop_collection("x"),
        lambda: op.collection_options("x", {"expireAfterSeconds": 1}),
        lambda: op.drop_index("x", "a_1"),
        lambda: op.drop_view("v"),
        lambda: op.change_view("v", "x", []),
        lambda: op.set_validator("x", {}),
    ],
)
def test_a_step_that_does_not_know_what_was_before_says_so(words: Words) -> None:
    with pytest.raises(Irreversible, match="nobody said what"):
        declared(words).inverse()


def test_a_schema_is_told_from_a_filter_by_its_words() -> None:
    schema, condition = {"required": ["a"]}, {"$or": [{"a": 1}, {"b": 1}]}
    of_schema = declared(lambda: op.set_validator("x", schema, was={}))
    of_filter = declared(lambda: op.set_validator("x", condition, was={}))
    assert isinstance(of_schema, SetValidator)
    assert isinstance(of_filter, SetValidator)
    assert of_schema.to.validator == {"$jsonSchema": schema}
    assert of_filter.to.validator == condition


def test_what_the_validator_was_may_name_its_level() -> None:
    before = {"validator": {"required": ["a"]}, "level": "moderate", "action": "warn"}
    step = declared(lambda: op.set_validator("x", {"required": ["a"]}, was=before))
    assert isinstance(step, SetValidator)
    assert step.tendency == "tightens"
    assert step.inverse().title == "set validator of x (moderate, warn)"


def test_an_index_is_not_built_anew_under_its_own_name() -> None:
    with pytest.raises(StepWrong, match="cannot be changed under its name"):
        op.change_index("x", "a_1", {"key": {"b": 1}, "name": "a_1"}, OLD)


def test_the_way_back_of_a_changed_index_has_its_old_name() -> None:
    step = declared(lambda: op.change_index("x", "mine", {"key": {"b": 1}}, OLD))
    assert isinstance(step, ChangeIndex)
    assert step.inverse() == ChangeIndex("x", "b_1", {**OLD, "name": "mine"}, {"key": {"b": 1}, "name": "b_1"})


@pytest.mark.parametrize(
    "words",
    [lambda: op.create_index("x", {}), lambda: op.drop_view("v", was={"on": "x"})],
    ids=["no keys", "half a view"],
)
def test_words_that_say_too_little_are_refused(words: Words) -> None:
    with pytest.raises(StepWrong):
        declared(words)
