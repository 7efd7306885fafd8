"""Revisions that are carried out on a real server: each document once, whatever the type of its id."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from bson import Decimal128, Int64, ObjectId
from pymongo import MongoClient

from boundwork.alembic_like_migrations.engine.errors import DatabaseDirty, LockHeld, RevisionTampered, StepFailed
from boundwork.alembic_like_migrations.engine.heartbeat import kept_by_thread
from boundwork.alembic_like_migrations.engine.lease import acquire
from boundwork.alembic_like_migrations.engine.server import Server
from boundwork.alembic_like_migrations.migrator import Migrator
from boundwork.uow.run_sync import run_sync
from boundwork.uow.sessions.choice import synchronous_sessions, synchronous_structure

pytestmark = pytest.mark.server
Stored = Any
Write = Callable[..., None]
COUNT = "op.update('counters', {'$inc': {'number': 1}}, undo={'$inc': {'number': -1}})"
IDS = [None, 1, Int64(2), 2.5, Decimal128("3"), "a", {"of": 1}, b"x", ObjectId(), True, False]


@pytest.fixture
def stored(mongod_client: MongoClient[dict[str, Any]], database_name: str) -> Any:
    """Return the test's database, with a counter for each kind of id."""
    database = mongod_client[database_name]
    database.counters.insert_many([{"_id": value, "number": 0} for value in [*IDS, *(f"n{n}" for n in range(700))]])
    return database


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Return a function that writes a revision file."""

    def revision(name: str, *up: str, down: str = "op.revert()", after: str | None = None) -> None:
        head = f"revision = {name!r}\ndown_revision = {after!r}\nfrom boundwork.alembic_like_migrations import op\n"
        body = "\n".join(f"    {line}" for line in up or ("pass",))
        (tmp_path / f"{name}.py").write_text(f"{head}\ndef up():\n{body}\n\ndef down():\n    {down}\n")

    return revision


def numbers(stored: Any) -> set[int]:
    return {counter["number"] for counter in stored.counters.find()}


def test_each_document_is_updated_once_whatever_the_type_of_its_id(stored: Any, write: Write, tmp_path: Path) -> None:
    write("one", COUNT)
    migrator = Migrator(stored, tmp_path)
    assert migrator.upgrade() == ("one",)
    assert numbers(stored) == {1}
    assert migrator.upgrade() == ()
    assert migrator.standing().tips == ("one",)


def test_a_downgrade_applies_the_inverse_of_each_step(stored: Any, write: Write, tmp_path: Path) -> None:
    write("one", COUNT)
    write("two", COUNT, COUNT, after="one")
    migrator = Migrator(stored, tmp_path)
    migrator.upgrade()
    assert numbers(stored) == {3}
    assert migrator.downgrade("one") == ("two",)
    assert numbers(stored) == {1}
    assert migrator.standing().applied == ("one",)


def test_a_revision_that_failed_is_gone_on_with_where_it_stopped(stored: Any, write: Write, tmp_path: Path) -> None:
    stored.counters.update_one({"_id": "n699"}, {"$set": {"number": "seven"}})
    write("one", COUNT)
    migrator = Migrator(stored, tmp_path)
    with pytest.raises(StepFailed, match="update counters"):
        migrator.upgrade()
    with pytest.raises(DatabaseDirty, match="one"):
        migrator.upgrade()
    stored.counters.update_one({"_id": "n699"}, {"$set": {"number": 0}})
    assert migrator.resume() == ("one",)
    assert numbers(stored) == {1}


def test_a_file_that_changed_after_it_was_applied_is_refused(stored: Any, write: Write, tmp_path: Path) -> None:
    write("one", COUNT)
    migrator = Migrator(stored, tmp_path)
    migrator.upgrade()
    write("one", COUNT, COUNT)
    with pytest.raises(RevisionTampered, match="one"):
        Migrator(stored, tmp_path).upgrade()


def test_a_second_runner_is_told_who_has_the_lease(stored: Any, write: Write, tmp_path: Path) -> None:
    write("one", COUNT)
    server = Server(synchronous_structure(stored), synchronous_sessions(stored))

    async def held() -> None:
        async with kept_by_thread(await acquire(server, 30, 0)):
            with pytest.raises(LockHeld, match="process"):
                Migrator(stored, tmp_path).upgrade()

    run_sync(held())
    assert numbers(stored) == {0}
