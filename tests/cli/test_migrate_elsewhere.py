"""`boundwork migrate` on a standalone, which it says what is impossible on, and on the embedded server, where it works."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pymongo import AsyncMongoClient, MongoClient
from typer.testing import CliRunner, Result

from boundwork.alembic_like_migrations import AsyncMigrator, Migrator, StandaloneServer
from boundwork.alembic_like_migrations.engine.server import LEDGER
from boundwork.cli.app import app

Migrate = Callable[..., Result]
MODELS = """
from boundwork import Document, Index

class Person(Document, collection="people", indexes=[Index("number")]):
    number: int

people = [Person]
"""
REFUSED = (
    "boundwork: The server is a standalone and has no transactions, so a crash could apply a step twice. Start it with "
    "--replSet and initiate the set (one node is enough).\n"
)


def write(name: str, after: str | None, up: str) -> None:
    Path(f"migrations/{name}.py").write_text(
        f"from boundwork.alembic_like_migrations import op\nrevision, down_revision = {name!r}, {after!r}\n"
        f"def up():\n    {up}\n\ndef down():\n    op.revert()\n"
    )


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, database_name: str) -> Callable[[str], Migrate]:
    """Return what makes a project for a database, and returns what runs a command in it."""
    module = f"elsewhere_{database_name}"
    monkeypatch.chdir(tmp_path)
    Migrator.init(tmp_path, models=f"{module}:people")
    (tmp_path / f"{module}.py").write_text(MODELS)
    write("one1", None, "op.create_collection('people')\n    op.create_index('people', {'number': 1})")
    write("two2", "one1", "op.update('people', {'$inc': {'number': 1}}, undo={'$inc': {'number': -1}})")

    def at(url: str) -> Migrate:
        monkeypatch.setenv("MONGODB_URI", url)
        return lambda *words: CliRunner().invoke(app, ["migrate", *words])

    return at


@pytest.mark.server
def test_on_a_standalone_what_writes_says_what_is_missing_and_what_looks_works(
    standalone_uri: str, database_name: str, project: Callable[[str], Migrate]
) -> None:
    migrate = project(f"{standalone_uri}/{database_name}")
    for words in (["upgrade"], ["resume"], ["stamp", "head"], ["resolve", "one1", "--applied"], ["rehearse"]):
        refused = migrate(*words)
        assert (words, refused.exit_code, refused.stderr) == (words, 1, REFUSED)
    assert migrate("downgrade", "base").stdout.endswith("nothing to do\n")
    told = json.loads(migrate("upgrade", "--json").stdout)
    assert told["error"]["kind"] == "StandaloneServer"
    title = f"{standalone_uri.removeprefix('mongodb://')}/{database_name}"
    assert migrate("current").stdout == f"{title}  at base; 2 pending\n"
    assert "would apply 2 revisions" in migrate("plan").stdout
    assert (migrate("check").exit_code, migrate("unlock").exit_code) == (0, 0)
    with MongoClient[dict[str, Any]](standalone_uri) as client:
        assert LEDGER not in client[database_name].list_collection_names()
        assert [name for name in client.list_database_names() if name.startswith(database_name)] == []
        with pytest.raises(StandaloneServer):
            Migrator(client[database_name], "migrations").upgrade()


def test_on_the_embedded_server_each_word_does_its_work(
    embedded_uri: str, database_name: str, project: Callable[[str], Migrate]
) -> None:
    before, _, options = embedded_uri.partition("?")
    migrate = project(f"{before.rstrip('/')}/{database_name}?{options}")

    def done(*words: str, code: int = 0) -> str:
        result = migrate(*words)
        assert (words, result.exit_code, result.stderr) == (words, code, "")
        return result.stdout

    with MongoClient[dict[str, Any]](embedded_uri) as client:
        stored = client[database_name]
        assert "would apply 2 revisions" in done("plan")
        done("upgrade", "one1")
        stored.people.insert_one({"_id": 1, "number": 1})
        assert "all came back" in done("rehearse")
        done("upgrade")
        assert "nothing differs" in done("check")
        stored.people.create_index("extra")
        assert "people.indexes.extra_1: extra index" in done("check", code=4)
        stored.people.drop_index("extra_1")
        done("squash", "one1:two2", "--id", "s5s5")
        assert done("upgrade").splitlines()[-1].endswith("adopted s5s5")
        assert "at s5s5" in done("current")
        assert stored.people.find_one() == {"_id": 1, "number": 2}
        done("downgrade", "base")
        assert "people" not in stored.list_collection_names()
        done("stamp", "head")
        assert "at s5s5" in done("current")
        assert "was not locked" in done("unlock")
        assert "nothing to do" in done("resume")
        done("revision", "--auto", "-m", "nothing", "--id", "e6e6")
        assert "op." not in next(Path("migrations").glob("*_e6e6.py")).read_text()


def test_a_failure_on_the_embedded_server_is_resumed_or_resolved(
    embedded_uri: str, database_name: str, project: Callable[[str], Migrate]
) -> None:
    before, _, options = embedded_uri.partition("?")
    migrate = project(f"{before.rstrip('/')}/{database_name}?{options}")
    with MongoClient[dict[str, Any]](embedded_uri) as client:
        people = client[database_name].people
        people.insert_many([{"_id": 1, "number": 1}, {"_id": 2, "number": "two"}])
        assert migrate("upgrade").exit_code == 1
        assert migrate("upgrade").exit_code == 8
        people.update_one({"_id": 2}, {"$set": {"number": 2}})
        assert migrate("resume").exit_code == 0
        assert [one["number"] for one in people.find(sort=[("_id", 1)])] == [2, 3]


@pytest.mark.server
async def test_the_asynchronous_migrator_refuses_a_standalone_as_well(
    standalone_uri: str, database_name: str, project: Callable[[str], Migrate]
) -> None:
    project(standalone_uri)
    client: AsyncMongoClient[Any] = AsyncMongoClient(standalone_uri)
    with pytest.raises(StandaloneServer):
        await AsyncMigrator(client[database_name], "migrations").upgrade()
    await client.close()
