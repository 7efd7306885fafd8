"""Rehearsals on a real server: which documents, indexes and options would not come back as they were."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from bson import SON, Int64, ObjectId
from pymongo import AsyncMongoClient, MongoClient
from typer.testing import CliRunner

from boundwork.alembic_like_migrations import AsyncMigrator, LockHeld, Migrator, Rehearsal, StepFailed
from boundwork.alembic_like_migrations.engine.heartbeat import kept_by_thread
from boundwork.alembic_like_migrations.engine.lease import acquire
from boundwork.alembic_like_migrations.engine.server import Server
from boundwork.alembic_like_migrations.planning.scratch import scratch_database
from boundwork.cli.app import app
from boundwork.uow.run_sync import run_sync
from boundwork.uow.sessions.choice import synchronous_sessions, synchronous_structure
from tests.server.bank import settled

pytestmark = pytest.mark.server
Rehearse = Callable[..., Rehearsal]
ODD = ObjectId()


@pytest.fixture
def stored(mongod_client: MongoClient[dict[str, Any]], database_name: str) -> Iterator[Any]:
    database = mongod_client[database_name]
    users = [{"_id": number, "first": "a", "age": number, "nested": SON([("b", 1), ("a", 2)])} for number in range(8)]
    database.users.insert_many([*users, {"_id": ODD, "age": Int64(8)}, {"_id": "x", "first": None, "age": "8"}])
    database.users.create_index("age", name="by_age", expireAfterSeconds=3600)
    database.create_collection("capped", capped=True, size=4096)
    yield database
    mongod_client.drop_database(scratch_database(database, asynchronous=False).name)


@pytest.fixture
def rehearse(stored: Any, tmp_path: Path) -> Rehearse:
    """Return a function that rehearses one revision, and makes sure that nothing of the real database changes."""

    def run(*up: str, down: str = "op.revert()", **choices: Any) -> Rehearsal:
        write(tmp_path, "one", None, up, down)
        before = everything(stored)
        found = Migrator(stored, tmp_path).rehearse(**choices)
        assert everything(stored) == before
        assert scratch_database(stored, asynchronous=False).list_collection_names() == []
        return found

    return run


def everything(stored: Any) -> dict[str, Any]:
    return {
        name: (list(stored[name].find().sort("_id")), stored[name].index_information(), stored[name].options())
        for name in stored.list_collection_names()
    }


def write(folder: Path, name: str, after: str | None, up: Any, down: str = "op.revert()") -> None:
    lines = "\n".join(f"    {line}" for line in up)
    text = f"from boundwork.alembic_like_migrations import op\n\ndef up():\n{lines}\n\ndef down():\n    {down}\n"
    (folder / f"{name}.py").write_text(f"revision, down_revision = {name!r}, {after!r}\n{text}")


def test_what_comes_back_byte_by_byte_is_said_to(rehearse: Rehearse) -> None:
    found = rehearse("op.rename_field('users', 'first', 'given')", "op.set_field('users', 'plan', 'free')")
    assert found.same
    assert (found.revisions, found.documents) == (("one",), 10)


def test_a_field_that_moves_to_the_end_is_found_by_bytes_and_not_in_any_order(rehearse: Rehearse) -> None:
    up, down = (
        f"op.update('users', {{'$rename': {{'{old}': '{new}'}}}})"
        for old, new in (("first", "given"), ("given", "first"))
    )
    (users,) = rehearse(up, down=down).unlike
    assert (users.collection, users.number, set(users.documents)) == ("users", 9, {*range(8), "x"})
    assert rehearse(up, down=down, mode="any-order").same


def test_a_type_that_changes_is_found_in_any_order_too(rehearse: Rehearse) -> None:
    up = "op.update('users', [{'$set': {'age': {'$toString': '$age'}}}])"
    down = "op.update('users', [{'$set': {'age': {'$toInt': '$age'}}}])"
    (users,) = rehearse(up, down=down, mode="any-order").unlike
    assert set(users.documents) == {ODD, "x"}


def test_documents_that_are_gone_or_new_are_named(rehearse: Rehearse) -> None:
    (plans,) = rehearse("op.seed('users', [{'_id': 'new'}])", down="pass").unlike
    assert plans.documents == ("new",)
    (users,) = rehearse("op.drop_collection('users')", down="op.create_collection('users')").unlike
    assert (users.number, users.structure) == (10, ("index by_age",))


def test_indexes_and_options_are_compared(rehearse: Rehearse) -> None:
    (users,) = rehearse(
        "op.drop_index('users', 'by_age', was=None)", down="op.create_index('users', {'age': 1}, name='by_age')"
    ).unlike
    assert (users.number, users.structure) == (0, ("index by_age",))
    (users,) = rehearse("op.set_validator('users', {'required': ['age']}, level='moderate')", down="pass").unlike
    assert users.structure == ("option validationLevel", "option validator")
    assert rehearse("op.set_validator('users', {'required': ['age']}, level='moderate', action='warn', was={})").same
    images = "{'changeStreamPreAndPostImages': {'enabled': %s}}"
    assert rehearse(f"op.collection_options('users', {images % True}, {images % False})").same
    (made,) = rehearse("op.create_collection('made')", down="pass").unlike
    assert made.structure == ("it is there only afterwards",)


def test_rare_documents_that_a_step_is_about_are_among_those_of_the_rehearsal(rehearse: Rehearse) -> None:
    up = "op.update('users', {'$unset': {'first': ''}}, where={'age': '8'})"
    for _ in range(3):
        (users,) = rehearse(up, down="pass", most=1).unlike
        assert users.documents == ("x",)


def test_a_revision_without_a_way_back_is_named_and_those_before_it_are_rehearsed(
    rehearse: Rehearse, tmp_path: Path
) -> None:
    write(tmp_path, "two", "one", ["op.update('users', {'$set': {'x': 1}})"])
    found = rehearse("op.set_field('users', 'plan', 'free')")
    assert (found.revisions, found.irreversible, found.unlike, found.same) == (("one",), ("two",), (), False)


def test_a_rehearsal_begins_where_the_database_stands(stored: Any, rehearse: Rehearse, tmp_path: Path) -> None:
    write(tmp_path, "one", None, ["op.rename_field('users', 'first', 'given')"])
    Migrator(stored, tmp_path).upgrade()
    write(tmp_path, "two", "one", ["op.rename_field('users', 'given', 'name')"])
    found = rehearse("op.rename_field('users', 'first', 'given')")
    assert (found.revisions, found.same) == (("two",), True)


def test_what_an_earlier_rehearsal_left_is_dropped_also_if_this_one_fails(stored: Any, tmp_path: Path) -> None:
    scratch = scratch_database(stored, asynchronous=False)
    scratch.left.insert_one({})
    scratch.users.insert_one({"_id": "left"})
    write(tmp_path, "one", None, ["op.update('users', {'$inc': {'first': 1}})"], "pass")
    with pytest.raises(StepFailed):
        Migrator(stored, tmp_path).rehearse()
    assert scratch.list_collection_names() == []
    write(tmp_path, "one", None, ["op.set_field('users', 'plan', 'free')"])
    scratch.users.insert_one({"_id": "left"})
    image = {"_id": {"revision": "one", "step": "up 1", "of": 1}, "before": {"_id": 1}, "digest": b""}
    scratch.boundwork_migrations_undo.insert_one(image)
    write(tmp_path, "one", None, ["op.unset_field('users', 'nobody')"])
    again = Migrator(stored, tmp_path).rehearse()
    assert (again.documents, again.same) == (10, True)


@pytest.mark.parametrize(
    ("up", "down", "direction"),
    [
        ("op.update('users', {'$inc': {'first': 1}}, undo={'$inc': {'first': -1}})", "op.revert()", "up"),
        ("op.set_field('users', 'plan', 'free')", "op.update('users', {'$inc': {'plan': 1}})", "down"),
    ],
)
def test_a_rehearsal_that_fails_asks_nobody_to_resume(
    stored: Any, tmp_path: Path, up: str, down: str, direction: str
) -> None:
    write(tmp_path, "one", None, [up], down)
    with pytest.raises(StepFailed, match="the database is as it was") as failed:
        Migrator(stored, tmp_path).rehearse()
    assert "resume" not in str(failed.value)
    assert (failed.value.rehearsed, failed.value.direction) == (True, direction)
    assert failed.value.__cause__ is not None
    with pytest.raises(StepFailed, match="resume") as failed:
        Migrator(stored, tmp_path).upgrade()
        Migrator(stored, tmp_path).downgrade("base")
    assert not failed.value.rehearsed


def test_two_rehearsals_of_a_database_do_not_meet(stored: Any, tmp_path: Path) -> None:
    write(tmp_path, "one", None, ["pass"])
    scratch = scratch_database(stored, asynchronous=False)
    server = Server(synchronous_structure(scratch), synchronous_sessions(scratch))

    async def held() -> None:
        async with kept_by_thread(await acquire(server, 30, 0)):
            with pytest.raises(LockHeld):
                Migrator(stored, tmp_path).rehearse()

    run_sync(held())


async def test_an_asynchronous_rehearsal_does_the_same(
    stored: Any, tmp_path: Path, mongod_uri: str, database_name: str
) -> None:
    client: AsyncMongoClient[Any] = AsyncMongoClient(mongod_uri)
    write(tmp_path, "one", None, ["op.update('users', {'$inc': {'nested.a': 1}})"], "pass")
    (users,) = (await AsyncMigrator(client[database_name], tmp_path).rehearse()).unlike
    assert users.number == stored.users.count_documents({})
    await settled(client.close())


def test_the_command_names_what_differs(
    stored: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, database_uri: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MONGODB_URI", database_uri)
    runner = CliRunner()
    runner.invoke(app, ["migrate", "init"])
    write(
        tmp_path / "migrations",
        "one",
        None,
        ["op.update('users', {'$unset': {'first': ''}}, where={'_id': 3})"],
        "pass",
    )
    told = runner.invoke(app, ["migrate", "rehearse"])
    assert told.exit_code == 1
    assert told.stdout.splitlines()[0] == "users: 1 document differs: 3"
    assert told.stdout.splitlines()[1].endswith("1 revision there and back on 10 documents: not all came back")
    (told,) = json.loads(runner.invoke(app, ["migrate", "rehearse", "--json"]).stdout)["databases"]
    assert told["rehearsal"]["unlike"][0]["documents"] == ["3"]
    write(tmp_path / "migrations", "one", None, ["op.set_field('users', 'plan', 'free')"])
    assert runner.invoke(app, ["migrate", "rehearse"]).exit_code == 0
    assert stored.users.count_documents({}) == 10
