"""Each command of `boundwork migrate` against the classes, and each exit code against a real process and server."""

import inspect
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest
import typer
from pymongo import MongoClient

from boundwork.alembic_like_migrations import AsyncMigrator, Migrator, StepFailed
from boundwork.alembic_like_migrations.engine.lease import acquire
from boundwork.alembic_like_migrations.engine.server import Server
from boundwork.alembic_like_migrations.rollout.instance import Presence
from boundwork.cli.app import app
from boundwork.cli.migrate.exits import Exit
from boundwork.uow.run_sync import run_sync
from boundwork.uow.sessions.choice import synchronous_sessions, synchronous_structure

FILES = {
    "init": "init",
    "revision": "revision",
    "merge": "merge",
    "squash": "squash",
    "heads": "heads",
    "history": "history",
    "show": "show",
}
DATABASES = {
    "check": "check",
    "current": "standing",
    "downgrade": "downgrade",
    "finish": "finish",
    "plan": "plan",
    "prune": "prune",
    "rehearse": "rehearse",
    "resolve": "resolve",
    "resume": "resume",
    "stamp": "stamp",
    "unlock": "unlock",
    "upgrade": "upgrade",
}
BESIDE = {"autogenerate": "revision --auto", "rename": "revision --rename", "graph": "history --graph"}
ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="module")
def commands() -> dict[str, click.Command]:
    group: Any = typer.main.get_command(app)
    found: dict[str, click.Command] = group.commands["migrate"].commands
    return found


def options(command: click.Command) -> dict[str, click.Parameter]:
    return {name: one for one in command.params for name in one.opts}


def test_each_command_is_a_word_of_both_migrators_and_each_word_a_command(commands: dict[str, click.Command]) -> None:
    assert set(commands) == {*FILES, *DATABASES}
    for kind in (Migrator, AsyncMigrator):
        words = {name for name in dir(kind) if not name.startswith("_")}
        assert words == {*FILES.values(), *DATABASES.values(), *BESIDE}


def test_the_words_of_both_migrators_take_the_same() -> None:
    for word in (*FILES.values(), *DATABASES.values(), "autogenerate", "rename"):
        mine, other = getattr(Migrator, word), getattr(AsyncMigrator, word)
        assert str(inspect.signature(mine)) == str(inspect.signature(other)), word
        asks = word in {*DATABASES.values(), "autogenerate"}
        assert (inspect.iscoroutinefunction(mine), inspect.iscoroutinefunction(other)) == (False, asks), word


def test_each_command_answers_with_json_and_those_for_databases_take_several(
    commands: dict[str, click.Command],
) -> None:
    for name, command in commands.items():
        given = options(command)
        assert "--json" in given, name
        if name in DATABASES:
            assert (given["--url"].multiple, given["--db"].multiple) == (True, True), name


Run = Callable[..., "subprocess.CompletedProcess[str]"]
MODELS = """
from boundwork import Document, Index

class Order(Document, collection="orders", indexes=[Index("number")]):
    number: int

class Person(Document, collection="people"):
    name: str

orders, people = [Order], [Person]
"""


@pytest.fixture
def stored(mongod_client: MongoClient[dict[str, Any]], database_name: str) -> Any:
    return mongod_client[database_name]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mongod_uri: str, database_name: str) -> Run:
    """Return what runs a command as a process, in a project with one revision."""
    before, _, rest = mongod_uri.partition("?")
    monkeypatch.chdir(tmp_path)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "MONGODB_URI": f"{before}{database_name}?{rest}"}
    Migrator.init(tmp_path, models="exit_models:people")
    (tmp_path / "exit_models.py").write_text(MODELS)

    def process(*words: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "boundwork.cli", "migrate", *words]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=300)  # noqa: S603 - our own command line

    write("one", None)
    return process


def write(name: str, after: str | None, up: str = "op.create_collection('people')", phase: str | None = None) -> None:
    Path(f"migrations/{name}.py").write_text(
        "from boundwork.alembic_like_migrations import op\n"
        f"revision, down_revision, phase = {name!r}, {after!r}, {phase!r}\n"
        f"def up():\n    {up}\n\ndef down():\n    op.revert()\n"
    )


def ok(stored: Any) -> list[str]:
    Migrator(stored, "migrations").upgrade()
    assert stored.list_collection_names(filter={"name": "people"}) == ["people"]
    return ["check"]


def failed(stored: Any) -> list[str]:
    write("two", "one", "op.rename_collection('nowhere', 'elsewhere')")
    return ["upgrade"]


def usage(stored: Any) -> list[str]:
    return ["upgrade", "nobody"]


def pending(stored: Any) -> list[str]:
    settings = Path("pyproject.toml")
    settings.write_text(settings.read_text().replace("exit_models:people", "exit_models:orders"))
    return ["check"]


def drift(stored: Any) -> list[str]:
    Migrator(stored, "migrations").upgrade()
    stored.people.create_index("x")
    return ["check"]


def locked(stored: Any) -> list[str]:
    run_sync(acquire(Server(synchronous_structure(stored), synchronous_sessions(stored)), 300, 0))
    return ["upgrade", "--lock-timeout", "0"]


def refused(stored: Any) -> list[str]:
    write("two", "one", "op.drop_collection('old')", "contract")
    run_sync(Presence(synchronous_structure(stored), "web", "base", 300.0).enter())
    return ["upgrade"]


def tampered(stored: Any) -> list[str]:
    Migrator(stored, "migrations").upgrade()
    write("one", None, "op.create_collection('animals')")
    return ["upgrade"]


def dirty(stored: Any) -> list[str]:
    failed(stored)
    with pytest.raises(StepFailed):
        Migrator(stored, "migrations").upgrade()
    return ["upgrade"]


@pytest.mark.server
@pytest.mark.parametrize("code", list(Exit), ids=[code.name for code in Exit])
def test_each_exit_code_is_that_of_a_process(run: Run, stored: Any, code: Exit) -> None:
    ways = (ok, failed, usage, pending, drift, locked, refused, tampered, dirty)
    assert [way.__name__ for way in ways] == [one.name.lower() for one in Exit]
    ended = run(*ways[code](stored), "--json")
    assert ended.returncode == code, ended.stderr
    told = json.loads(ended.stdout)
    if "error" in told:
        assert told["error"]["exit"] == code
    else:
        assert told["databases"][0]["exit"] == code
