"""Pruning the undo log on a real server: what goes, what it costs, and that no crash leaves half of a way back."""

from pathlib import Path
from typing import Any

import pytest
from pymongo import AsyncMongoClient, MongoClient

from boundwork.alembic_like_migrations import (
    AsyncMigrator,
    DatabaseDirty,
    ImagesPruned,
    LeaseLost,
    LockHeld,
    MigrationError,
    Migrator,
    Pruned,
    RevisionNotFound,
    StepFailed,
)
from boundwork.alembic_like_migrations.engine import pruning
from boundwork.alembic_like_migrations.engine.lease import acquire
from boundwork.alembic_like_migrations.engine.ledger import Ledger
from boundwork.alembic_like_migrations.engine.server import Server
from boundwork.alembic_like_migrations.steps.undo_log import UNDO, forget_some
from boundwork.uow.run_sync import run_sync
from boundwork.uow.sessions.choice import synchronous_sessions, synchronous_structure
from tests.server.bank import settled

pytestmark = pytest.mark.server
Stored = dict[str, Any]
NUMBER = 1_200
UNSET = "op.unset_field('things', {!r})"


@pytest.fixture
def database(mongod_client: MongoClient[Stored], database_name: str) -> Any:
    database = mongod_client[database_name]
    database.things.insert_many([{"_id": number, "a": number, "b": 1, "c": 1} for number in range(NUMBER)])
    return database


@pytest.fixture
def migrator(database: Any, tmp_path: Path) -> Migrator:
    """Return a migrator of four applied revisions; `index` remembers nothing, and `hand` goes back without images."""
    write(tmp_path, "first", None, UNSET.format("a"))
    write(tmp_path, "index", "first", "op.create_index('things', {'b': 1})")
    hand = "op.update('things', {'$set': {'b': 1}})"
    write(tmp_path, "hand", "index", UNSET.format("b"), hand)
    write(tmp_path, "last", "hand", UNSET.format("c"))
    migrator = Migrator(database, tmp_path)
    migrator.upgrade()
    return migrator


def write(folder: Path, name: str, after: str | None, up: str, down: str = "op.revert()") -> None:
    head = f"revision, down_revision = {name!r}, {after!r}\nfrom boundwork.alembic_like_migrations import op\n"
    (folder / f"{name}.py").write_text(f"{head}\ndef up():\n    {up}\n\ndef down():\n    {down}\n")


def remembered(database: Any) -> dict[str, int]:
    rows = database[UNDO].aggregate([{"$group": {"_id": "$_id.revision", "number": {"$sum": 1}}}])
    return {row["_id"]: row["number"] for row in rows}


FIRST, HAND = Pruned("first", NUMBER, revertible=False), Pruned("hand", NUMBER, revertible=True)


def test_what_is_older_than_a_revision_goes_and_its_way_back_is_refused(database: Any, migrator: Migrator) -> None:
    assert migrator.prune("last", dry_run=True) == (FIRST, HAND)
    assert remembered(database) == {"first": NUMBER, "hand": NUMBER, "last": NUMBER}
    assert migrator.prune("last") == (FIRST, HAND)
    assert remembered(database) == {"last": NUMBER}
    assert migrator.standing().pruned == ("first", "hand")
    assert migrator.prune("last") == ()
    warnings = migrator.plan("base", direction="down").warnings
    assert [one.endswith("and its undo log was pruned") for one in warnings] == [True]
    with pytest.raises(ImagesPruned, match=r"first cannot be reverted: 'undo: unset field a.*its undo log was pruned"):
        migrator.downgrade("base")
    assert migrator.standing().applied == ("first", "index", "hand", "last")
    assert migrator.downgrade("first") == ("last", "hand", "index")
    assert database.things.find_one({"_id": 3}) == {"_id": 3, "b": 1, "c": 1}
    migrator.stamp("base")
    database.things.update_many({}, {"$set": {"a": 7}})
    migrator.upgrade("first")
    assert migrator.standing().pruned == ()
    migrator.downgrade("base")
    assert set(database.things.distinct("a")) == {7}


@pytest.mark.parametrize(
    ("keep", "gone"),
    [(0, {"first", "hand", "last"}), (1, {"first", "hand"}), (2, {"first"}), (4, set[str]()), (9, set[str]())],
)
def test_all_but_the_last_ones_go(database: Any, migrator: Migrator, keep: int, gone: set[str]) -> None:
    assert {one.revision for one in migrator.prune(keep=keep)} == gone
    assert remembered(database).keys() == {"first", "hand", "last"} - gone


def test_nothing_goes_but_what_was_said_before(database: Any, migrator: Migrator) -> None:
    assert migrator.prune(keep=0, only=["hand"]) == (HAND,)
    assert remembered(database).keys() == {"first", "last"}


def test_what_is_not_applied_or_names_no_one_revision_is_not_pruned(database: Any, migrator: Migrator) -> None:
    migrator.downgrade("index")
    assert [one.revision for one in migrator.prune("last")] == ["first"]
    for before, keep in ((None, None), ("last", 1), (None, -1)):
        with pytest.raises(MigrationError, match="Say either"):
            migrator.prune(before, keep=keep)
    for name in ("base", "nobody"):
        with pytest.raises(RevisionNotFound):
            migrator.prune(name)
    assert remembered(database) == {}


def test_a_revision_that_stopped_on_its_way_back_keeps_what_it_needs(database: Any, migrator: Migrator) -> None:
    database.things.update_one({"_id": 5}, {"$set": {"c": "new"}})
    with pytest.raises(StepFailed):
        migrator.downgrade("hand")
    with pytest.raises(DatabaseDirty, match="last"):
        migrator.prune(keep=0)
    assert {one.revision for one in migrator.prune("last")} == {"first", "hand"}


def test_a_file_that_no_longer_runs_stands_in_no_way(database: Any, migrator: Migrator, tmp_path: Path) -> None:
    (tmp_path / "first.py").write_text("revision, down_revision = 'first', None\nimport gone_long_ago\n")
    assert Migrator(database, tmp_path).prune("index") == (FIRST,)
    assert "first" not in remembered(database)


class Stopped(Exception):
    """As if the process had been killed."""


def test_a_crash_while_it_prunes_leaves_no_half_of_a_way_back(
    database: Any, migrator: Migrator, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []

    async def once(session: Any, revision: str) -> int:
        calls.append(revision)
        if len(calls) > 1:
            raise Stopped
        return await forget_some(session, revision)

    monkeypatch.setattr(pruning, "forget_some", once)
    with pytest.raises(Stopped):
        migrator.prune("index")
    assert 0 < remembered(database)["first"] < NUMBER
    migrator.downgrade("first")
    with pytest.raises(ImagesPruned):
        migrator.downgrade("base")
    monkeypatch.undo()
    assert migrator.prune(keep=0) == (Pruned("first", NUMBER - 1_000, revertible=False),)
    assert remembered(database) == {}


def test_pruning_waits_for_the_lease_and_is_fenced(
    database: Any, migrator: Migrator, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = run_sync(acquire(Server(synchronous_structure(database), synchronous_sessions(database)), 30, 0))
    with pytest.raises(LockHeld):
        migrator.prune("index")
    assert migrator.prune("index", dry_run=True) == (FIRST,)
    run_sync(held.release())
    note = Ledger.prune

    async def noted(self: Ledger, revisions: Any) -> None:
        await note(self, revisions)
        migrator.unlock()

    monkeypatch.setattr(Ledger, "prune", noted)
    with pytest.raises(LeaseLost):
        migrator.prune("index")
    assert remembered(database)["first"] == NUMBER


def test_what_was_applied_is_known_as_before_when_it_is_stamped(migrator: Migrator) -> None:
    migrator.prune("index")
    migrator.stamp("last")
    assert migrator.downgrade("first") == ("last", "hand", "index")
    with pytest.raises(ImagesPruned):
        migrator.downgrade("base")


def test_what_an_earlier_time_left_is_not_put_back(database: Any, migrator: Migrator) -> None:
    migrator.stamp("base")
    migrator.upgrade()
    migrator.downgrade("index")
    assert database.things.find_one({"_id": 3}) == {"_id": 3, "b": 1}
    assert set(remembered(database)) == set()


TOGETHER = "with op.transaction():\n        op.unset_field('things', 'a')"


@pytest.mark.parametrize("words", [TOGETHER, "op.set_field('things', 'd', 1)"], ids=["together", "ids alone"])
def test_every_kind_of_step_that_needs_what_is_gone_is_refused(database: Any, tmp_path: Path, words: str) -> None:
    write(tmp_path, "one", None, words)
    migrator = Migrator(database, tmp_path)
    migrator.upgrade()
    (found,) = migrator.prune(keep=0)
    assert (found.images, found.revertible) == (NUMBER, False)
    before = list(database.things.find())
    with pytest.raises(ImagesPruned):
        migrator.downgrade("base")
    assert list(database.things.find()) == before


@pytest.mark.parametrize("noted", [True, False])
def test_a_squash_is_pruned_with_what_it_stands_for(database: Any, migrator: Migrator, noted: bool) -> None:
    migrator.squash("first:hand", revision_id="s")
    if noted:
        migrator.upgrade()
    assert migrator.prune("last") == (Pruned("s", 2 * NUMBER, revertible=False),)
    assert remembered(database) == {"last": NUMBER}
    migrator.upgrade()
    assert migrator.standing().pruned == ("s",)
    with pytest.raises(ImagesPruned, match="s cannot be reverted"):
        migrator.downgrade("base")


async def test_the_asynchronous_migrator_prunes_as_well(
    database: Any, migrator: Migrator, tmp_path: Path, mongod_uri: str
) -> None:
    assert migrator.standing().pruned == ()
    client: AsyncMongoClient[Stored] = AsyncMongoClient(mongod_uri)
    again = AsyncMigrator(client[database.name], tmp_path)
    assert await again.prune(keep=1) == (FIRST, HAND)
    assert remembered(database) == {"last": NUMBER}
    await settled(client.close())
