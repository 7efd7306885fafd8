"""The command `boundwork migrate prune`: what it says before, the question, and what scripts get."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient
from typer.testing import CliRunner, Result

from boundwork.cli.app import app

pytestmark = pytest.mark.server
Migrate = Callable[..., Result]


@pytest.fixture
def stored(mongod_client: MongoClient[dict[str, Any]], database_name: str) -> Any:
    database = mongod_client[database_name]
    database.things.insert_many([{"_id": number, "a": 1, "b": 1} for number in range(30)])
    return database


@pytest.fixture
def migrate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stored: Any, database_uri: str) -> Migrate:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MONGODB_URI", database_uri)
    runner = CliRunner()
    runner.invoke(app, ["migrate", "init"])
    for name, after, field in (("one1", None, "a"), ("two2", "one1", "b")):
        (tmp_path / "migrations" / f"{name}.py").write_text(
            f"from boundwork.alembic_like_migrations import op\nrevision, down_revision = {name!r}, {after!r}\n"
            f"def up():\n    op.unset_field('things', {field!r})\n\ndef down():\n    op.revert()\n"
        )
    runner.invoke(app, ["migrate", "upgrade"])

    def command(*words: str, answer: str | None = None) -> Result:
        return runner.invoke(app, ["migrate", *words], input=answer)

    return command


SAID = "one1  remembers 30 images of documents, and cannot be reverted without"


def test_it_says_what_goes_and_asks(migrate: Migrate, stored: Any) -> None:
    shown = migrate("prune", "two2", "--dry-run")
    assert (shown.exit_code, shown.stdout.splitlines()[0]) == (0, SAID)
    assert shown.stdout.endswith("would prune one1\n")
    shown = migrate("prune", "two2", answer="n\n")
    assert (shown.exit_code, SAID in shown.stdout) == (0, True)
    assert shown.stdout.endswith("left as it is\n")
    assert migrate("prune", "two2", answer="").exit_code == 1
    assert stored.boundwork_migrations_undo.count_documents({}) == 60
    shown = migrate("prune", "two2", answer="y\n")
    assert (shown.exit_code, shown.stdout.endswith("pruned one1\n")) == (0, True)
    assert stored.boundwork_migrations_undo.count_documents({}) == 30
    assert migrate("prune", "--keep", "1").stdout.endswith("nothing to prune\n")
    refused = migrate("downgrade", "base")
    assert (refused.exit_code, "its undo log was pruned" in refused.stderr) == (1, True)


def test_a_script_says_yes_and_gets_an_object(migrate: Migrate, stored: Any) -> None:
    assert migrate("prune", "two2", "--json").exit_code == 2
    assert migrate("prune").exit_code == 2
    assert migrate("prune", "two2", "--keep", "1").exit_code == 2
    gone = {"revision": "one1", "images": 30, "revertible": False}
    (told,) = json.loads(migrate("prune", "--keep", "1", "--dry-run", "--json").stdout)["databases"]
    assert told["would_prune"] == [gone]
    (told,) = json.loads(migrate("prune", "--keep", "1", "--yes", "--json").stdout)["databases"]
    assert told["pruned"] == [gone]
    assert stored.boundwork_migrations_undo.count_documents({}) == 30
    (told,) = json.loads(migrate("current", "--json").stdout)["databases"]
    assert told["pruned"] == ["one1"]
