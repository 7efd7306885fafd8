"""Collections that came into being by what a revision put into them, on a real server: when its way back drops them."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from boundwork.alembic_like_migrations import Migrator, StepFailed, StructureRefused
from boundwork.alembic_like_migrations.engine.making import ASIDE, take_away
from boundwork.alembic_like_migrations.engine.server import Server
from boundwork.alembic_like_migrations.planning.scratch import scratch_database
from boundwork.uow.run_sync import run_sync
from boundwork.uow.sessions.choice import synchronous_sessions, synchronous_structure

pytestmark = pytest.mark.server
Stored = dict[str, Any]
Revision = Callable[..., Migrator]
WORDS = {
    "seed": "op.seed('plans', [{'_id': 1}])",
    "split": "op.split_collection('users', 'plans', {'a': 1})",
    "merge": "op.merge_collections('users', 'plans')",
    "together": "with op.transaction():\n        op.seed('plans', [{'_id': 9}])",
    "index": "op.create_index('plans', {'a': 1})",
    "index and seed": "op.create_index('plans', {'a': 1})\n    op.seed('plans', [{'_id': 1}])",
    "seed and another name": "op.seed('tariffs', [{'_id': 1}])\n    op.rename_collection('tariffs', 'plans')",
}


@pytest.fixture
def database(mongod_client: MongoClient[Stored], database_name: str) -> Iterator[Any]:
    database = mongod_client[database_name]
    database.users.insert_many([{"_id": number, "a": number % 2} for number in range(4)])
    yield database
    mongod_client.drop_database(scratch_database(database, asynchronous=False).name)


@pytest.fixture
def revision(database: Any, tmp_path: Path) -> Revision:
    def written(up: str, name: str = "one", after: str | None = None) -> Migrator:
        head = f"revision, down_revision = {name!r}, {after!r}\nfrom boundwork.alembic_like_migrations import op\n"
        (tmp_path / f"{name}.py").write_text(f"{head}\ndef up():\n    {up}\n\ndef down():\n    op.revert()\n")
        return Migrator(database, tmp_path)

    return written


def collections(database: Any) -> list[str]:
    kept = {"boundwork_migrations", "boundwork_migrations_undo", "boundwork_instances"}
    return sorted(set(database.list_collection_names()) - kept)


@pytest.mark.parametrize("words", WORDS.values(), ids=WORDS)
def test_the_way_back_drops_what_came_into_being_and_a_rehearsal_agrees(
    database: Any, revision: Revision, words: str
) -> None:
    migrator = revision(words)
    assert migrator.rehearse().same
    for _ in range(2):
        migrator.upgrade()
        assert collections(database) == ["plans", "users"]
        migrator.downgrade("base")
        assert collections(database) == ["users"]
    assert database.users.count_documents({}) == 4


SINCE: dict[str, Callable[[Any], object]] = {
    "a document": lambda database: database.plans.insert_one({"_id": "new"}),
    "an index": lambda database: database.plans.create_index("x"),
    "an option": lambda database: database.command("collMod", "plans", validator={"x": {"$exists": False}}),
}


@pytest.mark.parametrize("since", SINCE.values(), ids=SINCE)
def test_what_somebody_has_added_since_keeps_a_collection(
    database: Any, revision: Revision, since: Callable[[Any], object]
) -> None:
    migrator = revision(WORDS["seed"])
    migrator.upgrade()
    since(database)
    state = (list(database.plans.find({"_id": "new"})), database.plans.index_information(), database.plans.options())
    migrator.downgrade("base")
    assert state == (list(database.plans.find()), database.plans.index_information(), database.plans.options())
    assert collections(database) == ["plans", "users"]


@pytest.mark.parametrize("words", WORDS.values(), ids=WORDS)
def test_an_empty_collection_that_was_there_before_stays(database: Any, revision: Revision, words: str) -> None:
    database.create_collection("tariffs" if "tariffs" in words else "plans")
    migrator = revision(words)
    migrator.upgrade()
    migrator.downgrade("base")
    assert len(collections(database)) == 2


def test_a_step_that_goes_on_after_a_failure_still_knows_what_it_made(database: Any, revision: Revision) -> None:
    migrator = revision(WORDS["merge"] + "\n    op.seed('users', [{'_id': 0}])", "one")
    migrator.upgrade()
    database.users.insert_one({"_id": 3})
    with pytest.raises(StepFailed, match="3"):
        migrator.downgrade("base")
    database.users.delete_one({"_id": 3})
    migrator.resume()
    assert collections(database) == ["users"]


def test_a_squash_that_was_noted_takes_away_what_its_old_files_made(database: Any, revision: Revision) -> None:
    revision(WORDS["seed"])
    migrator = revision("op.seed('others', [{'_id': 1}])", "two", "one")
    migrator.upgrade()
    migrator.squash("one:two", revision_id="both")
    migrator.upgrade()
    assert migrator.downgrade("base") == ("both",)
    assert collections(database) == ["users"]


def server_of(database: Any) -> Server:
    return Server(synchronous_structure(database), synchronous_sessions(database))


class Meddled(Server):
    """Somebody adds a document right before a change of the structure, the first or a later one."""

    def meddle(self, database: Any, number: int) -> None:
        self.database, self.left = database, number

    async def change_structure(self, command: Any) -> Any:
        self.left -= 1
        if self.left < 0:
            self.database.plans.insert_one({"_id": self.left})
        return await super().change_structure(command)


@pytest.mark.parametrize("number", [0, 1])
def test_a_document_that_is_added_in_the_very_moment_is_never_lost(database: Any, number: int) -> None:
    database.create_collection("plans")
    server = Meddled(synchronous_structure(database), synchronous_sessions(database))
    server.meddle(database, number)
    with suppress(StructureRefused):  # where a second one took the name meanwhile
        run_sync(take_away(server, "plans"))
    added = range(-1, server.left - 1, -1)
    found = [one["_id"] for name in ("plans", f"{ASIDE}plans") for one in database[name].find()]
    assert sorted(found) == sorted(added)
    assert found


def test_what_an_attempt_left_aside_is_dropped_or_comes_back(database: Any) -> None:
    aside = f"{ASIDE}plans"
    database.create_collection(aside)
    run_sync(take_away(server_of(database), "plans"))
    assert collections(database) == ["users"]
    database[aside].insert_one({"_id": 1})
    run_sync(take_away(server_of(database), "plans"))
    assert (collections(database), database.plans.count_documents({})) == (["plans", "users"], 1)
    database[aside].insert_one({"_id": 2})
    with pytest.raises(StructureRefused, match=f"rename the collection '{aside}' to 'plans'"):
        run_sync(take_away(server_of(database), "plans"))
    assert (database.plans.count_documents({}), database[aside].count_documents({})) == (1, 1)
