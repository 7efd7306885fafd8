"""The commands `boundwork migrate` that ask a database, as a user meets them: output, exit codes, several databases."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient
from typer.testing import CliRunner, Result

from boundwork import BoundworkError
from boundwork.alembic_like_migrations import Migrator
from boundwork.alembic_like_migrations.engine.ledger import Place, StepRecord
from boundwork.alembic_like_migrations.engine.runner import Unwatched
from boundwork.alembic_like_migrations.settings import Section, Settings
from boundwork.cli.app import app
from boundwork.cli.migrate.places import places

pytestmark = pytest.mark.server
Migrate = Callable[..., Result]
UP = "    op.update('counters', {'$inc': {'number': 1}}, undo={'$inc': {'number': -1}})"


@pytest.fixture
def stored(mongod_client: MongoClient[dict[str, Any]], database_name: str) -> Any:
    database = mongod_client[database_name]
    database.counters.insert_many([{"_id": number, "number": 0} for number in range(10)])
    return database


@pytest.fixture
def migrate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, database_uri: str) -> Migrate:
    """Return what runs a command in a project with the revisions one and two."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MONGODB_URI", database_uri)
    runner = CliRunner()
    runner.invoke(app, ["migrate", "init"])
    write_revision("one", None)
    write_revision("two", "one")
    return lambda *words: runner.invoke(app, ["migrate", *words])


def write_revision(name: str, after: str | None, up: str = UP) -> None:
    text = f"revision, down_revision = {name!r}, {after!r}\nfrom boundwork.alembic_like_migrations import op\n\n"
    Path(f"migrations/{name}.py").write_text(f"{text}def up():\n{up}\n\ndef down():\n    op.revert()\n")


def test_upgrade_downgrade_and_current_say_what_they_did(migrate: Migrate, stored: Any, database_uri: str) -> None:
    title = database_uri.removeprefix("mongodb://").partition("?")[0]
    assert migrate("upgrade").stdout.splitlines() == [
        "one  update counters: $inc number  10 documents, 10 changed",
        "one  applied",
        "two  update counters: $inc number  10 documents, 10 changed",
        "two  applied",
        f"{title}  applied one, two",
    ]
    assert migrate("upgrade").stdout == f"{title}  nothing to do\n"
    assert migrate("current").stdout == f"{title}  at two\n"
    assert migrate("downgrade", "-1").stdout.splitlines()[-1] == f"{title}  reverted two"
    assert migrate("current").stdout == f"{title}  at one; 1 pending\n"
    assert stored.counters.distinct("number") == [1]


def test_the_answers_are_one_json_object_each(migrate: Migrate, stored: Any) -> None:
    (told,) = json.loads(migrate("upgrade", "one", "--json").stdout)["databases"]
    assert (told["applied"], told["error"]) == (["one"], None)
    (told,) = json.loads(migrate("current", "--json").stdout)["databases"]
    assert {key: told[key] for key in ("applied", "tips", "pending", "half_done", "tampered")} == {
        "applied": ["one"],
        "tips": ["one"],
        "pending": ["two"],
        "half_done": {},
        "tampered": [],
    }


def test_a_step_that_fails_exits_with_1_and_what_is_half_done_with_8(migrate: Migrate, stored: Any) -> None:
    stored.counters.update_one({"_id": 3}, {"$set": {"number": "three"}})
    result = migrate("upgrade")
    assert result.exit_code == 1
    assert "Revision one (up) failed at the step 'update counters: $inc number'" in result.stderr
    assert result.stdout.splitlines()[-1].endswith("failed: StepFailed")
    assert migrate("upgrade").exit_code == 8
    assert migrate("current", "--check").exit_code == 8
    failed = migrate("upgrade", "--json")
    assert json.loads(failed.stdout)["error"]["kind"] == "DatabaseDirty"
    stored.counters.update_one({"_id": 3}, {"$set": {"number": 0}})
    assert migrate("resume").stdout.splitlines()[-1].endswith("ended one")
    assert migrate("resume").stdout.endswith("nothing to do\n")


def test_resolve_decides_by_hand(migrate: Migrate, stored: Any) -> None:
    stored.counters.update_one({"_id": 3}, {"$set": {"number": "three"}})
    migrate("upgrade")
    assert migrate("resolve", "one").exit_code == 2
    assert migrate("resolve", "two", "--applied").exit_code == 2
    assert migrate("resolve", "one", "--applied").exit_code == 0
    assert migrate("current").stdout.endswith("at one; 1 pending\n")


def test_stamp_runs_nothing_and_a_changed_file_exits_with_7(migrate: Migrate, stored: Any) -> None:
    assert migrate("stamp", "head").stdout.endswith("stamped one, two\n")
    assert stored.counters.distinct("number") == [0]
    assert migrate("current", "--check").exit_code == 0
    write_revision("one", None, up="    pass")
    assert migrate("upgrade").exit_code == 7
    assert migrate("current", "--check").exit_code == 7
    assert migrate("resolve", "one", "--applied").exit_code == 0
    assert migrate("current", "--check").exit_code == 0
    assert migrate("stamp", "one").stdout.endswith("stamped one, forgot two\n")
    assert migrate("current", "--check").exit_code == 3
    assert migrate("stamp", "base").stdout.endswith("forgot one\n")


def test_the_lock_of_another_deployer_exits_with_5_until_it_is_unlocked(
    migrate: Migrate, stored: Any, tmp_path: Path
) -> None:
    class Deployer(Unwatched):
        """Another one, in the middle of its work."""

        result: Result

        def began(self, place: Place, record: StepRecord, total: int | None) -> None:  # noqa: ARG002 - at any step
            self.result = migrate("upgrade", "--lock-timeout", "0")

    deployer = Deployer()
    Migrator(stored, tmp_path / "migrations", watcher=deployer).upgrade("one")
    assert deployer.result.exit_code == 5
    assert "being run by process" in deployer.result.stderr
    assert migrate("unlock").stdout.endswith("was not locked\n")


INTERRUPTED = """    from boundwork.alembic_like_migrations.engine.program import declare
    from boundwork.alembic_like_migrations.steps.updates import UpdateStep

    class Interrupted(UpdateStep):
        async def work(self, batch):
            raise KeyboardInterrupt

    declare(Interrupted('counters', {'$set': {'a': 1}}))"""


def test_ctrl_c_says_what_to_do_and_gives_the_lock_back(migrate: Migrate, stored: Any) -> None:
    write_revision("one", None, up=INTERRUPTED)
    result = migrate("upgrade")
    assert result.exit_code == 130
    assert "`resume` goes on with it" in result.stderr
    error = json.loads(migrate("resume", "--json").stdout)["error"]
    assert (error["kind"], error["exit"]) == ("Interrupted", 130)
    write_revision("one", None)
    assert migrate("resume", "--changed", "--lock-timeout", "0").exit_code == 0
    assert stored.counters.distinct("number") == [1]


def test_several_databases_are_taken_one_after_another_until_one_fails(
    migrate: Migrate, mongod_client: MongoClient[dict[str, Any]], stored: Any, database_name: str
) -> None:
    names = [database_name, f"{database_name}_b", f"{database_name}_c"]
    mongod_client[names[1]].counters.insert_one({"_id": 1, "number": "one"})
    words = [word for name in names for word in ("--db", name)]
    try:
        result = migrate("upgrade", *words)
        assert result.exit_code == 1
        table = [line.rpartition("/")[2] for line in result.stdout.splitlines()[-3:]]
        assert table == [f"{names[0]}  applied one, two", f"{names[1]}  failed: StepFailed", f"{names[2]}  not reached"]
        assert names[2] not in mongod_client.list_database_names()
    finally:
        for name in names[1:]:
            mongod_client.drop_database(name)


def test_a_standalone_server_says_what_it_cannot(migrate: Migrate, standalone_uri: str) -> None:
    result = migrate("upgrade", "--url", f"{standalone_uri}/shop")
    assert result.exit_code == 1
    assert "is a standalone and has no transactions" in result.stderr
    assert migrate("current", "--url", f"{standalone_uri}/shop").stdout.endswith("at base; 2 pending\n")
    with MongoClient[dict[str, Any]](standalone_uri) as client:
        assert client["shop"].list_collection_names() == []


def test_a_server_that_is_not_there_is_one_line(migrate: Migrate, unused_tcp_port: int) -> None:
    result = migrate("current", "--url", f"mongodb://127.0.0.1:{unused_tcp_port}/shop?serverSelectionTimeoutMS=100")
    assert result.exit_code == 1
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ("mongodb://h/a", "mongodb://h/b"),
        ("mongodb://h,i/?tls=true", "mongodb://h,i/b?tls=true"),
        ("mongodb://me:x@h/a?tls=true", "mongodb://me:x@h/b?tls=true&authSource=a"),
        ("mongodb://me:x@h", "mongodb://me:x@h/b?authSource=admin"),
        ("mongodb://me:x@h/a?authSource=c", "mongodb://me:x@h/b?authSource=c"),
        ("embedded://folder?database=a", "embedded://folder?database=b"),
    ],
)
def test_another_database_of_a_url_keeps_the_login(given: str, named: str) -> None:
    (place,) = places(Settings(Path(), Section()), [given], ["b"], {})
    assert place.url == named
    assert "x@" not in place.title


def test_a_database_is_taken_once_and_memory_has_no_others() -> None:
    settings = Settings(Path(), Section())
    assert len(places(settings, ["mongodb://h/a", "mongodb://h/a"], [], {})) == 1
    with pytest.raises(BoundworkError, match="--db needs the URL of a server"):
        places(settings, ["memory://a"], ["b"], {})
