"""`boundwork migrate squash`, and how the other commands show a squash, as a user meets them."""

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
FILES = {
    "one1": "op.create_collection('people')",
    "two2": "op.update('people', {'$inc': {'n': 1}}, undo={'$inc': {'n': -1}})",
    "three3": "op.create_index('people', {'n': 1})",
}


@pytest.fixture
def title(mongod_client: MongoClient[dict[str, Any]], database_name: str) -> str:
    assert mongod_client.address is not None
    return "{}:{}/{}".format(*mongod_client.address, database_name)


@pytest.fixture
def migrate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, database_uri: str) -> Migrate:
    """Return what runs a command in a project with three revisions."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MONGODB_URI", database_uri)
    runner = CliRunner()
    runner.invoke(app, ["migrate", "init"])
    for after, name in zip([None, *FILES], FILES, strict=False):
        Path(f"migrations/{name}.py").write_text(
            f'"""do {name}"""\nfrom boundwork.alembic_like_migrations import op\nrevision, down_revision = {name!r}, {after!r}\n'
            f"def up():\n    {FILES[name]}\n\ndef down():\n    op.revert()\n"
        )
    return lambda *words: runner.invoke(app, ["migrate", *words])


def test_squash_writes_one_file_and_says_what_became_of_each(migrate: Migrate) -> None:
    result = migrate("squash", "one1:head", "--id", "s5s5")
    (file,) = Path("migrations").glob("*_s5s5.py")
    assert (result.exit_code, result.stdout.splitlines()) == (
        0,
        [f"s5s5  {file}", "written anew  one1, three3", "kept whole  two2"],
    )
    assert 'replaces = ("one1", "two2", "three3")' in file.read_text()
    told = json.loads(migrate("show", "s5s5", "--json").stdout)["revisions"][0]
    assert (told["replaces"], told["replaced_by"]) == (["one1", "two2", "three3"], None)


def test_squash_answers_with_json(migrate: Migrate) -> None:
    told = json.loads(migrate("squash", "one1:two2", "-m", "begin", "--id", "s5s5", "--json").stdout)
    assert {key: told[key] for key in ("revision", "replaces", "anew", "kept", "irreversible", "children")} == {
        "revision": "s5s5",
        "replaces": ["one1", "two2"],
        "anew": ["one1"],
        "kept": ["two2"],
        "irreversible": None,
        "children": ["three3"],
    }
    assert told["message"].startswith("begin\n")


@pytest.mark.parametrize(
    ("written", "said"), [("one1", "is no range"), ("two2:one1", "does not come after"), ("x:head", "x")]
)
def test_a_range_that_means_nothing_exits_with_2(migrate: Migrate, written: str, said: str) -> None:
    result = migrate("squash", written)
    assert (result.exit_code, said in result.stderr) == (2, True)


def test_a_squash_without_a_way_back_says_why(migrate: Migrate) -> None:
    Path("migrations/two2.py").write_text("revision, down_revision = 'two2', 'one1'\ndef up():\n    pass\n")
    result = migrate("squash", "one1:two2", "--id", "s5s5")
    assert "no way back  'two2' cannot be undone: it has no down()" in result.stdout


def test_listings_show_the_squash_and_what_it_replaces(migrate: Migrate) -> None:
    migrate("squash", "one1:two2", "-m", "begin", "--id", "s5s5")
    assert migrate("history").stdout.splitlines() == [
        "three3  (head)  do three3",
        "s5s5  (base, squash)  begin",
        "one1  (replaced by s5s5)  do one1",
        "two2  (replaced by s5s5)  do two2",
    ]
    told = json.loads(migrate("history", "--json").stdout)
    assert [one["revision"] for one in told["revisions"]] == ["three3", "s5s5"]
    assert {one["revision"]: one["replaced_by"] for one in told["replaced"]} == {"one1": "s5s5", "two2": "s5s5"}
    assert '    r_s5s5[["s5s5 begin (replaces one1, two2)"]]\n' in migrate("history", "--mermaid").stdout
    assert "s5s5 (base, squash) begin" in migrate("history", "--graph").stdout
    assert "replaced by s5s5" in migrate("show", "one1").stdout
    assert "replaces   one1, two2" in migrate("show", "s5s5").stdout


def test_current_and_upgrade_say_what_is_noted(migrate: Migrate, title: str) -> None:
    migrate("upgrade", "two2")
    migrate("squash", "one1:two2", "--id", "s5s5")
    noted = "s5s5 stands for what is applied, and is noted by the next run"
    assert migrate("current").stdout == f"{title}  at s5s5; 1 pending; {noted}\n"
    lines = migrate("plan").stdout.splitlines()
    assert lines[0] == "note s5s5  it stands for one1, two2, which are applied; nothing of it is run"
    assert "would apply 1 revision and note s5s5 in about" in lines[-1]
    result = migrate("upgrade")
    assert result.stdout.splitlines() == [
        "s5s5  adopted: it stands for one1, two2, which are applied",
        "three3  create index n_1 on people",
        "three3  applied",
        f"{title}  applied three3; adopted s5s5",
    ]
    (told,) = json.loads(migrate("current", "--json").stdout)["databases"]
    assert (told["applied"], told["replaced"]) == (["s5s5", "three3"], {"one1": "s5s5", "two2": "s5s5"})
    assert migrate("upgrade").stdout == f"{title}  nothing to do\n"


def test_a_run_that_only_notes_a_squash_answers_with_its_name(migrate: Migrate, title: str) -> None:
    migrate("upgrade")
    migrate("squash", "one1:two2", "--id", "s5s5")
    assert migrate("upgrade", "--dry-run").stdout.splitlines()[-1] == f"{title}  would note s5s5"
    assert migrate("upgrade").stdout.splitlines()[-1] == f"{title}  adopted s5s5"


def test_a_run_that_only_notes_a_squash_has_it_in_its_object(migrate: Migrate) -> None:
    migrate("upgrade")
    migrate("squash", "one1:three3", "--id", "s5s5")
    (told,) = json.loads(migrate("plan", "--json").stdout)["databases"]
    squash = {"squash": "s5s5", "replaces": ["one1", "two2", "three3"], "when": "before"}
    assert (told["plan"]["revisions"], told["plan"]["adopting"]) == ([], [squash])
    (told,) = json.loads(migrate("upgrade", "--json").stdout)["databases"]
    assert (told["applied"], told["adopted"]) == ([], ["s5s5"])


def test_a_squash_that_waits_says_for_what(migrate: Migrate, title: str) -> None:
    migrate("upgrade", "one1")
    migrate("squash", "one1:two2", "--id", "s5s5")
    assert migrate("current").stdout == f"{title}  at one1; 2 pending; s5s5 waits for two2\n"
    (note, whole) = migrate("plan").stdout.splitlines()[-2:]
    assert note == "note s5s5  it stands for one1, two2, which are applied then; nothing of it is run"
    assert "would apply 2 revisions and note s5s5 in about" in whole
    Path("migrations/one1.py").unlink()
    Path("migrations/two2.py").unlink()
    result = migrate("upgrade")
    assert (result.exit_code, "two2 is missing" in result.stderr) == (1, True)
