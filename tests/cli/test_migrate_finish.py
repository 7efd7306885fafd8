"""The command `boundwork migrate finish`, and what other commands say of lazy revisions."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient
from typer.testing import CliRunner, Result

from boundwork.cli.app import app
from tests.server.lazy_shop import old_accounts, write

pytestmark = pytest.mark.server
Migrate = Callable[..., Result]


@pytest.fixture
def stored(mongod_client: MongoClient[dict[str, Any]], database_name: str) -> Any:
    database = mongod_client[database_name]
    database.lazy_accounts.insert_many(old_accounts(30))
    return database


@pytest.fixture
def migrate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stored: Any, database_uri: str) -> Migrate:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MONGODB_URI", database_uri)
    runner = CliRunner()
    runner.invoke(app, ["migrate", "init"])
    write(tmp_path / "migrations", "two", None, "op.lazy('lazy_accounts', TO_2)")
    return lambda *words: runner.invoke(app, ["migrate", *words])


def test_finish_migrates_what_is_left_and_current_says_how_much_that_is(migrate: Migrate, stored: Any) -> None:
    assert "leaves" not in migrate("current").stdout
    assert "30 documents" in migrate("plan").stdout
    assert migrate("upgrade").exit_code == 0
    assert "at two; two leaves 30 documents of lazy_accounts to finish" in migrate("current").stdout
    shown = migrate("finish")
    assert shown.exit_code == 0
    assert "two  lazy_accounts is of version 2: 30 documents migrated" in shown.stdout
    assert stored.lazy_accounts.count_documents({"_sv": 2}) == 30
    assert "leaves" not in migrate("current").stdout


def test_finish_answers_in_json(migrate: Migrate) -> None:
    migrate("upgrade")
    [database] = json.loads(migrate("current", "--json").stdout)["databases"]
    assert database["unfinished"] == [{"revision": "two", "collection": "lazy_accounts", "version": 2, "left": 30}]
    [database] = json.loads(migrate("finish", "two", "--batch", "0.05", "--json").stdout)["databases"]
    done = {"revision": "two", "collection": "lazy_accounts", "version": 2, "migrated": 30, "left": 0}
    assert database["finished"] == [done]


def test_finish_names_a_document_that_cannot_be_upcast_and_goes_on_from_there(migrate: Migrate, stored: Any) -> None:
    stored.lazy_accounts.update_one({"_id": 20}, {"$set": {"age": "secret"}})
    migrate("upgrade")
    failed = migrate("finish")
    assert failed.exit_code == 1
    assert "The document 20 of collection 'lazy_accounts'" in failed.stderr
    assert "secret" not in failed.stderr
    stored.lazy_accounts.update_one({"_id": 20}, {"$set": {"age": "4"}})
    assert migrate("finish").exit_code == 0


def test_what_has_nothing_to_finish_is_a_wrong_name(migrate: Migrate) -> None:
    assert migrate("finish", "two").exit_code == 2
    assert "nothing to finish" in migrate("finish").stdout
