"""The words for collections, indexes, validators and views on a real server: up, up again as after a crash, and down."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from boundwork.alembic_like_migrations import op
from boundwork.alembic_like_migrations.engine.program import _noting
from boundwork.alembic_like_migrations.engine.server import Server
from boundwork.alembic_like_migrations.steps.duplicates import ENOUGH, find_duplicates
from boundwork.alembic_like_migrations.steps.errors import (
    DuplicatesFound,
    LockedOut,
    StepWrong,
    StructureDiffers,
    StructureRefused,
)
from boundwork.alembic_like_migrations.steps.step import AnyStep, StructureStep
from boundwork.alembic_like_migrations.steps.validators import non_conforming
from boundwork.uow.run_sync import run_sync
from boundwork.uow.sessions.choice import synchronous_sessions, synchronous_structure

pytestmark = pytest.mark.server
Stored = dict[str, Any]


def server_of(database: Any, **keywords: Any) -> Server:
    return Server(synchronous_structure(database), synchronous_sessions(database), **keywords)


def declared(words: Callable[[], None]) -> tuple[AnyStep, ...]:
    with _noting(None) as notes:
        words()
    return tuple(notes.steps)


def carried_out(server: Server, step: AnyStep) -> None:
    """Carry a step out twice, as when a crash comes between the change and its record."""
    assert isinstance(step, StructureStep)
    run_sync(step.apply(server))
    run_sync(step.apply(server))


def structure(database: Any) -> Any:
    """Return what a database has, as the server shows it."""
    found: Stored = {}
    for entry in database.list_collections():
        if entry["name"] != "system.views":
            indexes = [] if entry["type"] == "view" else sorted(database[entry["name"]].list_indexes(), key=str)
            found[entry["name"]] = (entry["type"], entry["options"], indexes)
    return found


SCHEMA = {"bsonType": "object", "required": ["name"]}
OLD, NEW = {"key": {"x": 1}}, {"key": {"x": 1}, "unique": True}
ROUND_TRIPS: dict[str, Callable[[], None]] = {
    "collection": lambda: op.create_collection("new", indexes=[{"key": {"a": 1}}], capped=True, size=1000),
    "time series": lambda: op.create_collection("new", timeseries={"timeField": "at"}, expireAfterSeconds=60),
    "collation": lambda: op.create_collection("new", collation={"locale": "de"}),
    "renamed": lambda: op.rename_collection("things", "other"),
    "options": lambda: op.collection_options(
        "things",
        {"changeStreamPreAndPostImages": {"enabled": True}},
        {"changeStreamPreAndPostImages": {"enabled": False}},
    ),
    "index": lambda: op.create_index("things", {"a": 1, "b": -1}, sparse=True),
    "index on a new collection": lambda: op.create_index("new", [("a", 1)], unique=True),
    "text index": lambda: op.create_index("things", {"a": "text"}, weights={"a": 3}),
    "dropped index": lambda: op.drop_index("things", "x_1", was=OLD),
    "hidden index": lambda: op.change_index("things", "x_1", {**OLD, "hidden": True}, OLD),
    "index that expires": lambda: op.change_index("things", "x_1", {**OLD, "expireAfterSeconds": 9}, OLD),
    "index made unique": lambda: op.change_index("things", "x_1", NEW, OLD),
    "other keys": lambda: op.change_index("things", "x_1", {"key": {"y": 1}}, OLD),
    "index that expires no more": lambda: op.change_index("expiring", "x_1", OLD, {**OLD, "expireAfterSeconds": 9}),
    "fields of a text index": lambda: op.change_index(
        "texts", "a_text", {"key": {"b": "text"}}, {"key": {"a": "text"}}
    ),
    "view": lambda: op.create_view("new", "things", [{"$match": {"a": 1}}]),
    "dropped view": lambda: op.drop_view("seen", was={"on": "things", "pipeline": []}),
    "changed view": lambda: op.change_view(
        "seen", "things", [{"$match": {"a": 2}}], was={"on": "things", "pipeline": []}
    ),
    "validator": lambda: op.set_validator("things", SCHEMA, level="moderate", action="warn", was={}),
}


@pytest.fixture
def things(mongod_client: MongoClient[Stored], database_name: str) -> Any:
    """Return a database with a collection, an index and a view."""
    database = mongod_client[database_name]
    database.things.insert_many([{"_id": number, "x": number} for number in range(5)])
    database.things.create_index({"x": 1})
    database.texts.create_index([("a", "text")])
    database.expiring.create_index({"x": 1}, expireAfterSeconds=9)
    database.create_collection("seen", viewOn="things", pipeline=[])
    return database


@pytest.mark.parametrize("words", ROUND_TRIPS.values(), ids=ROUND_TRIPS)
def test_a_change_of_the_structure_can_be_made_twice_and_undone(things: Any, words: Callable[[], None]) -> None:
    server, before = server_of(things), structure(things)
    (step,) = declared(words)
    carried_out(server, step)
    changed = structure(things)
    assert changed != before
    carried_out(server, step.inverse())
    left = structure(things)
    left["things"][1].pop("validationLevel", None)  # the server remembers that there was a validator
    left["things"][1].pop("validationAction", None)
    left["things"][1].pop("changeStreamPreAndPostImages", None) if words is ROUND_TRIPS["options"] else None
    for name in left.keys() - before.keys():
        assert things[name].find_one() is None
        del left[name]  # an index that was dropped again leaves its collection
    assert left == before
    carried_out(server, step.inverse().inverse())
    assert {name: part[1:] for name, part in structure(things).items()} == {
        name: part[1:] for name, part in changed.items()
    }


def test_a_dropped_collection_comes_back_empty_with_its_indexes(things: Any) -> None:
    before = structure(things)["things"]
    (step,) = declared(lambda: op.drop_collection("things", was={"indexes": [OLD]}))
    carried_out(server_of(things), step)
    assert "things" not in structure(things)
    carried_out(server_of(things), step.inverse())
    assert structure(things)["things"] == before
    assert things.things.find_one() is None


@pytest.mark.parametrize(
    "words",
    [
        lambda: op.create_collection("things", capped=True, size=4096),
        lambda: op.create_view("seen", "things", [{"$match": {"a": 1}}]),
        lambda: op.create_view("things", "things", []),
        lambda: op.drop_view("things"),
    ],
    ids=["options", "pipeline", "a collection", "no view"],
)
def test_what_is_there_and_is_another_is_refused(things: Any, words: Callable[[], None]) -> None:
    before = structure(things)
    with pytest.raises(StructureDiffers, match=r"There is already a (collection|view) '(things|seen)'"):
        carried_out(server_of(things), declared(words)[0])
    assert structure(things) == before


@pytest.mark.parametrize(
    "words",
    [
        lambda: op.rename_collection("nobody", "other"),
        lambda: op.create_index("things", {"x": 1}, name="second"),
        lambda: op.create_index("things", {"y": 1}, name="x_1"),
        lambda: op.create_collection("$wrong"),
    ],
    ids=["no collection", "same keys", "same name", "a wrong name"],
)
def test_what_the_server_refuses_is_named(things: Any, words: Callable[[], None]) -> None:
    with pytest.raises(StructureRefused, match="The server refused to"):
        carried_out(server_of(things), declared(words)[0])


def test_what_the_server_says_of_a_declaration_is_told(things: Any) -> None:
    wrong = declared(
        lambda: op.create_index("things", {"x": 1}, name="z", sparse=True, partialFilterExpression={"x": 1})
    )
    with pytest.raises(StructureRefused, match=r'code 67\).*cannot mix "partialFilterExpression" and "sparse"'):
        carried_out(server_of(things), wrong[0])


def test_what_the_server_quotes_of_documents_while_it_builds_an_index_is_not_told(things: Any) -> None:
    things.things.insert_one({"_id": "far", "place": {"type": "Point", "coordinates": [999, 999]}, "word": "secret"})
    with pytest.raises(StructureRefused, match="in `details` of the cause") as caught:
        carried_out(server_of(things), declared(lambda: op.create_index("things", {"place": "2dsphere"}))[0])
    assert "secret" not in str(caught.value)
    cause = caught.value.__cause__
    assert isinstance(cause, OperationFailure)
    assert "secret" in (cause.details or {})["errmsg"]


IN_ANY_CASE = {"collation": {"locale": "en", "strength": 2}}
DUPLICATES: dict[str, tuple[list[Stored], Stored, set[Any]]] = {
    "a value": ([{"_id": 1, "a": 1}, {"_id": 2, "a": 1.0}, {"_id": 3, "a": 2}], {}, {(1, 2)}),
    "what is missing": ([{"_id": 1}, {"_id": 2, "a": None}], {}, {(1, 2)}),
    "an item of an array": ([{"_id": 1, "a": [1, 2, 2]}, {"_id": 2, "a": [2, 3]}], {}, {(1, 2)}),
    "a collation": (
        [{"_id": 1, "a": "x"}, {"_id": 2, "a": "X"}],
        IN_ANY_CASE,
        {(1, 2)},
    ),
    "a collation, and ids of another case": (
        [{"_id": "x", "a": "m"}, {"_id": "X", "a": "M"}, {"_id": {"n": "y"}, "a": "n"}, {"_id": {"n": "Y"}, "a": "N"}],
        IN_ANY_CASE,
        {("x", "X"), ("y", "Y")},
    ),
    "none: a collation, within one": ([{"_id": "x", "a": ["m", "M"]}, {"_id": "X", "a": ["n"]}], IN_ANY_CASE, set()),
    "none: sparse": ([{"_id": 1}, {"_id": 2}], {"sparse": True}, set()),
    "none: partial": (
        [{"_id": 1, "a": 1}, {"_id": 2, "a": 1}],
        {"partialFilterExpression": {"a": {"$gt": 1}}},
        set(),
    ),
    "an id that is null": ([{"_id": None, "a": 1}, {"_id": 2, "a": 1}], {}, {(None, 2)}),
    "none: within one": ([{"_id": 1, "a": [1, 1]}, {"_id": 2, "a": []}], {}, set()),
}


@pytest.mark.parametrize(("documents", "options", "expected"), DUPLICATES.values(), ids=DUPLICATES)
def test_documents_that_a_unique_index_would_refuse_are_named_before_it_is_tried(
    things: Any, documents: list[Stored], options: Stored, expected: set[Any]
) -> None:
    things.many.insert_many(documents)
    (step,) = declared(lambda: op.create_index("many", {"a": 1}, unique=True, **options))
    if not expected:
        carried_out(server_of(things), step)
        return
    with pytest.raises(DuplicatesFound, match="Nothing was tried") as caught:
        carried_out(server_of(things), step)
    assert {(plain(first), plain(last)) for first, last in caught.value.pairs} == expected
    assert [index["name"] for index in things.many.list_indexes()] == ["_id_"]


def plain(value: Any) -> Any:
    """Return an id, of a document the value in it."""
    return dict(value)["n"] if hasattr(value, "items") else value


def test_duplicates_under_a_collation_are_found_behind_many_rows_of_single_documents_and_not_all_are_named(
    things: Any,
) -> None:
    things.many.insert_many([{"_id": f"{number}", "a": [f"a{number}", f"A{number}"]} for number in range(300)])
    index = {"key": {"a": 1}, **IN_ANY_CASE}
    assert run_sync(find_duplicates(server_of(things), "many", index)) == []
    doubled = [{"_id": f"{letter}{number}", "a": f"{letter}{number}"} for number in range(50) for letter in "xX"]
    things.many.insert_many(doubled)
    found = run_sync(find_duplicates(server_of(things), "many", index))
    assert len({first for first, _ in found}) == ENOUGH
    assert all(first != last and first.lower() == last.lower() for first, last in found)


def test_an_index_of_places_in_arrays_is_left_to_the_server(things: Any) -> None:
    things.many.insert_many([{"_id": 1, "a": ["x"]}, {"_id": 2, "a": ["y"]}])
    (step,) = declared(lambda: op.create_index("many", {"a.0": 1}, unique=True))
    carried_out(server_of(things), step)


def test_a_view_is_not_made_as_a_collection() -> None:
    with pytest.raises(StepWrong, match=r"Use op\.create_view"):
        declared(lambda: op.create_collection("new", viewOn="things", pipeline=[]))


@pytest.mark.parametrize(
    "words",
    [lambda: op.set_validator("things", SCHEMA), lambda: op.create_index("things", {"y": 1})],
    ids=["collMod", "createIndexes"],
)
def test_a_change_that_long_transactions_hold_up_gives_up_and_names_them(
    things: Any, mongod_client: MongoClient[Stored], words: Callable[[], None]
) -> None:
    server = server_of(things, lock_seconds=0.2, lock_tries=2)
    with mongod_client.start_session() as session, session.start_transaction():
        things.things.update_one({"_id": 1}, {"$set": {"y": 1}}, session=session)
        with pytest.raises(LockedOut, match="was not free") as caught:
            run_sync(_apply(server, words))
        assert caught.value.holders
        things.command({"insert": "things", "documents": [{"_id": "free"}], "maxTimeMS": 5000})  # nothing is queued


class Ending(Server):
    """The transaction that holds a lock ends when the change has given up for the first time."""

    async def _pause(self, seconds: float) -> None:  # noqa: ARG002 - no need to wait
        self.held.abort_transaction()

    def until(self, held: Any) -> None:
        self.held = held


def test_a_change_that_was_held_up_goes_through_when_the_transaction_has_ended(
    things: Any, mongod_client: MongoClient[Stored]
) -> None:
    server = Ending(synchronous_structure(things), synchronous_sessions(things), lock_seconds=0.2, lock_tries=2)
    with mongod_client.start_session() as session, session.start_transaction():
        things.things.update_one({"_id": 1}, {"$set": {"y": 1}}, session=session)
        server.until(session)
        run_sync(_apply(server, lambda: op.set_validator("things", SCHEMA)))
    assert things.things.options()["validator"]


async def _apply(server: Server, words: Callable[[], None]) -> None:
    (step,) = declared(words)
    assert isinstance(step, StructureStep)
    await step.apply(server)


def test_an_index_that_is_still_being_built_is_waited_for(things: Any, mongod_client: MongoClient[Stored]) -> None:
    pause = {"configureFailPoint": "hangAfterStartingIndexBuild", "mode": "alwaysOn"}
    (step,) = declared(lambda: op.create_index("things", {"y": 1}))
    builds = [threading.Thread(target=carried_out, args=(server_of(things), step)) for _ in range(2)]
    mongod_client.admin.command(pause)
    try:
        builds[0].start()
        while "y_1" not in {index["name"] for index in things.things.list_indexes()}:
            builds[0].join(0.01)
        builds[1].start()
        builds[1].join(0.3)
        assert builds[1].is_alive()
    finally:
        mongod_client.admin.command({**pause, "mode": "off"})
        for build in filter(threading.Thread.is_alive, builds):
            build.join(20)
    assert [index.get("building") for index in things.things.aggregate([{"$indexStats": {}}])] == [None, None, None]


def test_documents_that_do_not_conform_are_counted(things: Any) -> None:
    things.things.insert_one({"_id": "named", "name": "x"})
    assert run_sync(non_conforming(server_of(things), "things", {"$jsonSchema": SCHEMA})) == 5
    assert run_sync(non_conforming(server_of(things), "things", {})) == 0
