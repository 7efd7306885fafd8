"""A generated renaming of an embedded field on a real server: both ways, with documents that miss the parent."""

from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient
from typer.testing import CliRunner

from boundwork import Document, Embedded, Repository, UnitOfWork
from boundwork.alembic_like_migrations import Migrator, StepFailed
from boundwork.alembic_like_migrations.engine.ledger import Place, StepRecord
from boundwork.alembic_like_migrations.engine.runner import Unwatched
from boundwork.cli.app import app

pytestmark = pytest.mark.server
Stored = dict[str, Any]
OLD: list[Stored] = [
    {"_id": 1, "address": {"street": "a", "town": "Bonn", "zip": 1}},
    {"_id": 2},
    {"_id": 3, "address": None},
    {"_id": 4, "address": "unknown"},
    {"_id": 5, "address": {"street": "b"}},
    {"_id": 6, "address": {"town": None}},
]


class Old(Embedded):
    street: str = ""
    town: str


class OldUser(Document[int], collection="users"):
    address: Old


class New(Embedded):
    """Code of the time between the two revisions: it reads the new name and writes both."""

    street: str = ""
    city: str
    town: str


class NewUser(Document[int], collection="users"):
    address: New

    def move(self, city: str) -> None:
        self.address.city = self.address.town = city


class OldApp(UnitOfWork):
    users = Repository(OldUser)


class NewApp(UnitOfWork):
    users = Repository(NewUser)


@pytest.fixture
def database(mongod_client: MongoClient[Stored], database_name: str) -> Any:
    database = mongod_client[database_name]
    database.users.insert_many(OLD)
    return database


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    CliRunner().invoke(app, ["migrate", "init"])
    told = CliRunner().invoke(app, ["migrate", "revision", "--rename", "users.address.town:address.city"])
    assert told.exit_code == 0, told.output
    return tmp_path / "migrations"


def users(database: Any) -> list[Stored]:
    return list(database.users.find().sort("_id"))


def test_an_embedded_field_is_renamed_by_the_pair_and_back(database: Any, folder: Path) -> None:
    migrator = Migrator(database, folder)
    migrator.upgrade(phase="expand")
    both = [*OLD]
    both[0] = {"_id": 1, "address": {"street": "a", "town": "Bonn", "zip": 1, "city": "Bonn"}}
    both[5] = {"_id": 6, "address": {"town": None, "city": None}}
    assert users(database) == both
    migrator.upgrade(phase="contract")
    new = [*OLD]
    new[0] = {"_id": 1, "address": {"street": "a", "zip": 1, "city": "Bonn"}}
    new[5] = {"_id": 6, "address": {"city": None}}
    assert users(database) == new
    migrator.downgrade("-1")
    assert users(database) == both
    migrator.downgrade("base")
    assert users(database) == OLD
    assert database.boundwork_migrations_undo.count_documents({}) == 0


def test_old_and_new_code_work_between_the_halves_and_what_they_write_is_kept(database: Any, folder: Path) -> None:
    migrator = Migrator(database, folder)
    migrator.upgrade(phase="expand")
    with NewApp(database) as uow:
        uow.users.get(1).move("Köln")
        uow.users.add(NewUser(id=7, address=New(city="Ulm", town="Ulm")))
    with OldApp(database) as uow:
        assert uow.users.get(7).address.town == "Ulm"
        uow.users.add(OldUser(id=8, address=Old(town="Jena")))
    migrator.upgrade(phase="contract")
    cities = {one["_id"]: one["address"] for one in users(database) if one["_id"] in {1, 7, 8}}
    assert cities == {
        1: {"street": "a", "zip": 1, "city": "Köln"},
        7: {"street": "", "city": "Ulm"},
        8: {"street": "", "city": "Jena"},
    }
    migrator.downgrade("base")
    assert [one["address"]["town"] for one in users(database) if one["_id"] in {1, 7, 8}] == ["Köln", "Ulm", "Jena"]


def test_what_old_code_changed_alone_stops_the_second_half_and_is_named(database: Any, folder: Path) -> None:
    migrator = Migrator(database, folder)
    migrator.upgrade(phase="expand")
    with OldApp(database) as uow:
        uow.users.get(1).address.town = "Köln"
    with pytest.raises(StepFailed, match=r"both 'address.town' and 'address.city' with different values: 1\."):
        migrator.upgrade(phase="contract")
    database.users.update_one({"_id": 1}, {"$set": {"address.city": "Köln"}})
    migrator.resume()
    assert users(database)[0]["address"]["city"] == "Köln"


class WritingBoth(Unwatched):
    """New code that writes both names whenever a step came on."""

    def __init__(self, database: Any) -> None:
        self.database = database

    def step(self, place: Place, record: StepRecord) -> None:  # noqa: ARG002 - any place
        newest = {"address.town": "newest", "address.city": "newest"}
        self.database.users.update_many({"address.street": {"$exists": True}}, {"$set": newest})


def test_new_code_that_writes_both_names_meanwhile_stops_no_half(database: Any, folder: Path) -> None:
    migrator = Migrator(database, folder, watcher=WritingBoth(database))
    migrator.upgrade()
    migrator.downgrade("base")
    assert set(database.users.distinct("address.town")) == {"newest", None}


def test_a_document_with_an_array_on_the_way_is_named_before_anything_is_copied(database: Any, folder: Path) -> None:
    database.users.insert_many([{"_id": 9, "address": [{"town": "a", "city": "b"}, {"town": "c"}]}])
    before = users(database)
    migrator = Migrator(database, folder)
    told = "1 documents have an array on the way to 'address.town'"
    assert any(told in warning for warning in migrator.plan().warnings)
    with pytest.raises(StepFailed, match=r"an array on the way to 'address.town': 9\."):
        migrator.upgrade(phase="expand")
    assert users(database) == before


def test_copies_in_documents_go_where_they_are_still_like_their_originals(database: Any, tmp_path: Path) -> None:
    before = [
        {"_id": 1, "a": {"b": 1}},
        {"_id": 2, "a": {"b": 2, "c": 2}},
        {"_id": 3, "a": 3},
        {"_id": 4, "a": {"b": 4}},
    ]
    database.users.delete_many({})
    database.users.insert_many(before)
    words = "from boundwork.alembic_like_migrations import op\ndef up():\n    op.copy_field('users', 'a.b', 'a.c')\n"
    file = f"revision, down_revision = 'one', None\n{words}def down():\n    op.revert()\n"
    (tmp_path / "one.py").write_text(file)
    migrator = Migrator(database, tmp_path)
    migrator.upgrade()
    assert [one["a"] for one in users(database)] == [{"b": 1, "c": 1}, {"b": 2, "c": 2}, 3, {"b": 4, "c": 4}]
    database.users.update_one({"_id": 4}, {"$set": {"a.c": 5}})
    migrator.downgrade("base")
    assert users(database) == [*before[:3], {"_id": 4, "a": {"b": 4, "c": 5}}]
