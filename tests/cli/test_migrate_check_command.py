"""`boundwork migrate revision --auto` and `check` as a user meets them, on a real server."""

import json
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient
from typer.testing import CliRunner, Result

from boundwork.alembic_like_migrations.migrator import Migrator
from boundwork.cli.app import app

pytestmark = pytest.mark.server
Migrate = Callable[..., Result]
MODELS = """
    from boundwork import CollectionOptions, Document, Index, Repository, UnitOfWork, Validation

    class Order(
        Document,
        collection="orders",
        indexes=[Index("number", unique=True), Index("customer")],
        options=CollectionOptions(validation=Validation()),
    ):
        number: int
        customer: str

    class {definition}(UnitOfWork):
        orders = Repository(Order)
"""


@pytest.fixture
def stored(mongod_client: MongoClient[dict[str, Any]], database_name: str) -> Any:
    return mongod_client[database_name]


@pytest.fixture
def migrate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, database_uri: str, stored: Any) -> Migrate:
    """Return what runs a command in a project with models, whose database is the test's."""
    module = f"models_of_{stored.name}"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    monkeypatch.setenv("MONGODB_URI", database_uri)
    (tmp_path / f"{module}.py").write_text(textwrap.dedent(MODELS.format(definition="Shop")))

    def run(*words: str) -> Result:
        return CliRunner().invoke(app, ["migrate", *words])

    run("init", "--models", f"{module}:Shop")
    return run


def named(result: Result, side: str) -> list[str]:
    (told,) = json.loads(result.stdout)["databases"]
    return [one["path"] for one in told[side]]


def test_what_auto_writes_brings_an_empty_database_to_the_models(migrate: Migrate, tmp_path: Path, stored: Any) -> None:
    before = migrate("check", "--json")
    assert (before.exit_code, named(before, "models")) == (3, ["orders"])
    assert migrate("revision", "--auto", "-m", "first", "--id", "a1a1").exit_code == 0
    (file,) = (tmp_path / "migrations").glob("*_a1a1.py")
    assert 'op.create_index("orders", {"number": 1}, unique=True)' in file.read_text()
    title = f"{stored.client.address[0]}:{stored.client.address[1]}/{stored.name}"
    pending = migrate("check")
    assert (pending.exit_code, pending.stdout) == (0, f"{title}  nothing differs; 1 pending\n")
    assert Migrator(stored, tmp_path / "migrations").upgrade() == ("a1a1",)
    clean = migrate("check")
    assert (clean.exit_code, clean.stdout) == (0, f"{title}  nothing differs\n")
    assert sorted(stored.orders.index_information()) == ["_id_", "customer_1", "number_1"]


def test_a_second_auto_with_nothing_to_do_writes_a_revision_that_does_nothing(migrate: Migrate, tmp_path: Path) -> None:
    migrate("revision", "--auto", "-m", "first", "--id", "a1a1")
    migrate("revision", "--auto", "-m", "second", "--id", "b2b2")
    (file,) = (tmp_path / "migrations").glob("*_b2b2.py")
    assert "op." not in file.read_text()


def test_check_names_drift_of_the_database_and_leaves_no_scratch_database(
    migrate: Migrate, tmp_path: Path, stored: Any
) -> None:
    migrate("revision", "--auto", "-m", "first", "--id", "a1a1")
    Migrator(stored, tmp_path / "migrations").upgrade()
    stored.orders.drop_index("customer_1")
    stored.command("collMod", "orders", validationLevel="moderate")
    stored.command("create", "stray", viewOn="orders", pipeline=[])
    stored.more.insert_one({})
    result = migrate("check", "--json")
    assert result.exit_code == 4
    assert named(result, "database") == [
        "more",
        "orders.options.validationLevel",
        "orders.indexes.customer_1",
        "stray",
    ]
    assert named(result, "models") == []
    assert "database  orders.indexes.customer_1: missing index" in migrate("check").stdout
    names = [name for name in stored.client.list_database_names() if name.startswith(f"{stored.name}_boundwork_")]
    assert names == []


SINGLE: list[tuple[dict[str, Any], str]] = [
    ({"dropIndexes": "orders", "index": "number_1"}, "orders.indexes.number_1"),
    ({"collMod": "orders", "index": {"name": "number_1", "hidden": True}}, "orders.indexes.number_1.hidden"),
    ({"createIndexes": "orders", "indexes": [{"key": {"x": 1}, "name": "x"}]}, "orders.indexes.x"),
    ({"collMod": "orders", "validationAction": "warn"}, "orders.options.validationAction"),
    ({"collMod": "orders", "validator": {}}, "orders.options.validator"),
    (
        {"collMod": "orders", "changeStreamPreAndPostImages": {"enabled": True}},
        "orders.options.changeStreamPreAndPostImages",
    ),
    ({"drop": "orders"}, "orders"),
    ({"create": "more", "capped": True, "size": 4096}, "more"),
]


def test_single_mutations_of_a_database_are_each_named_and_end_with_4(
    migrate: Migrate, tmp_path: Path, stored: Any
) -> None:
    migrate("revision", "--auto", "-m", "first", "--id", "a1a1")
    for command, path in SINGLE:
        stored.client.drop_database(stored.name)
        Migrator(stored, tmp_path / "migrations").upgrade()
        stored.command(command)
        result = migrate("check", "--json")
        assert (result.exit_code, named(result, "models"), named(result, "database")) == (4, [], [path])


def test_what_no_model_declares_is_proposed_as_a_comment_unless_it_was_asked_for(
    migrate: Migrate, tmp_path: Path, stored: Any
) -> None:
    stored.old.insert_one({})
    stored.command("create", "orders")
    stored.orders.create_index("left")
    migrate("revision", "--auto", "--against", "database", "-m", "adopt", "--id", "a1a1")
    (file,) = (tmp_path / "migrations").glob("*_a1a1.py")
    text = file.read_text()
    assert '# op.drop_index("orders", "left_1", was={"key": {"left": 1}})' in text
    assert '# op.drop_collection("old", was={})' in text
    assert "    # Tightens: documents that were taken before are refused from now on" in text
    assert "    # Unique: documents with the same keys make it fail" in text
    migrate("revision", "--auto", "--against", "database", "--drop", "-m", "tidy", "--id", "b2b2", "--after", "base")
    (file,) = (tmp_path / "migrations").glob("*_b2b2.py")
    assert '\n    op.drop_collection("old", was={})' in file.read_text()


def test_a_template_without_a_place_for_what_was_found_is_refused_and_leaves_no_file(
    migrate: Migrate, tmp_path: Path
) -> None:
    template = tmp_path / "migrations" / "revision.py.template"
    template.write_text(template.read_text().replace("$up", ""))
    result = migrate("revision", "--auto", "-m", "first")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "$imports, $up and $down" in result.stderr
    assert list((tmp_path / "migrations").glob("*.py")) == []


@pytest.mark.parametrize(
    ("models", "said"),
    [("nowhere_at_all:Shop", "cannot be imported"), ("json:dumps", "is no unit of work and no list of documents")],
)
def test_models_that_are_not_there_are_named(migrate: Migrate, tmp_path: Path, models: str, said: str) -> None:
    settings = tmp_path / "pyproject.toml"
    section, _, _ = settings.read_text().partition("models =")
    settings.write_text(f'{section}models = "{models}"\n')
    result = migrate("check")
    assert (result.exit_code, result.stdout) == (1, "")
    assert said in result.stderr


def test_a_revision_that_needs_what_no_revision_made_says_so(migrate: Migrate, tmp_path: Path) -> None:
    migrate("revision", "-m", "odd", "--id", "a1a1")
    (file,) = (tmp_path / "migrations").glob("*_a1a1.py")
    file.write_text(
        "from boundwork.alembic_like_migrations import op\nrevision, down_revision = 'a1a1', None\n"
        "def up():\n    op.rename_collection('none', 'orders')\n"
    )
    result = migrate("check")
    assert result.exit_code == 1
    assert "Revision a1a1 cannot be replayed in an empty database" in result.stderr
