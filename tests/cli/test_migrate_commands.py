"""The commands `boundwork migrate` as a user meets them: their output, their exit codes, their one-line errors."""

import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from boundwork.cli.app import app
from boundwork.cli.migrate.exits import Exit

Migrate = Callable[..., Result]
GUIDE = Path(__file__).parents[2] / "docs" / "guide" / "migrations.md"


@pytest.fixture
def migrate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Migrate:
    """Return what runs a command in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return lambda *words: CliRunner().invoke(app, ["migrate", *words])


@pytest.fixture
def forked(migrate: Migrate) -> Migrate:
    """Return what runs a command in a project with two heads."""
    migrate("init")
    migrate("revision", "-m", "create users", "--id", "a1a1")
    migrate("revision", "-m", "split name", "--id", "b2b2", "--phase", "expand")
    migrate("revision", "-m", "add index", "--id", "c3c3", "--after", "a1a1")
    return migrate


def answer(result: Result) -> Any:
    assert (result.exit_code, result.stderr) == (0, "")
    return json.loads(result.stdout)


def refusal(result: Result, code: int) -> str:
    """Return the only line of a command that failed and printed nothing else."""
    assert (result.exit_code, result.stdout) == (code, "")
    (line,) = result.stderr.splitlines()
    return str(line)


def test_init_writes_settings_a_folder_and_a_template(migrate: Migrate, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'shop'\n")
    result = migrate("init", "db/steps", "--models", "shop.models:Shop")
    assert result.exit_code == 0
    assert result.stdout.splitlines()[1:] == [
        "folder  db/steps",
        "template  db/steps/revision.py.template  yours to change",
    ]
    assert 'models = "shop.models:Shop"' in (tmp_path / "pyproject.toml").read_text()
    assert (tmp_path / "db" / "steps" / "revision.py.template").exists()


def test_init_twice_is_refused_and_changes_nothing(migrate: Migrate, tmp_path: Path) -> None:
    migrate("init")
    before = (tmp_path / "pyproject.toml").read_bytes()
    assert "has [tool.boundwork.migrations] already" in refusal(migrate("init", "elsewhere"), 1)
    assert (tmp_path / "pyproject.toml").read_bytes() == before
    assert not (tmp_path / "elsewhere").exists()


def test_before_init_every_command_says_what_to_do(migrate: Migrate) -> None:
    for words in (["heads"], ["history"], ["show", "head"], ["merge"], ["revision", "-m", "x"]):
        assert "Run `boundwork migrate init`" in refusal(migrate(*words), 1)


def test_a_revision_is_a_file_that_comes_after_the_head(forked: Migrate, tmp_path: Path) -> None:
    written = answer(forked("revision", "-m", "  count \n them ", "--after", "b2b2", "--json"))
    assert (written["down_revisions"], written["message"].splitlines()[0]) == (["b2b2"], "count them")
    assert re.fullmatch(r"[0-9a-f]{12}", written["revision"])
    assert Path(written["path"]).parent == tmp_path / "migrations"
    assert Path(written["path"]).exists()
    assert answer(forked("heads", "--json"))["heads"][1]["revision"] in {written["revision"], "c3c3"}


def test_two_heads_are_listed_and_named_where_one_is_needed(forked: Migrate) -> None:
    assert forked("heads").stdout.splitlines() == ["b2b2  (expand, head)  split name", "c3c3  (head)  add index"]
    assert "There are 2 heads: b2b2, c3c3. Merge them" in refusal(forked("revision", "-m", "x"), 1)


def test_a_merge_makes_one_head_of_two(forked: Migrate) -> None:
    assert answer(forked("merge", "--json", "--id", "d4d4"))["down_revisions"] == ["b2b2", "c3c3"]
    assert answer(forked("heads", "--json"))["heads"][0]["message"].startswith("merge b2b2 and c3c3")
    assert "A merge needs two revisions" in refusal(forked("merge"), 1)


def test_a_merge_can_be_of_some_heads_with_a_message_of_its_own(forked: Migrate) -> None:
    forked("revision", "-m", "third", "--id", "e5e5", "--after", "base")
    merged = answer(forked("merge", "e5e5", "b2b2", "-m", "bring together", "--json"))
    assert (sorted(merged["down_revisions"]), merged["message"].splitlines()[0]) == (["b2b2", "e5e5"], "bring together")


def test_the_history_is_a_line_for_each_revision_the_newest_first(forked: Migrate) -> None:
    assert forked("history").stdout.splitlines() == [
        "c3c3  (head)  add index",
        "b2b2  (expand, head)  split name",
        "a1a1  (base, branches)  create users",
    ]
    assert [one["revision"] for one in answer(forked("history", "--json"))["revisions"]] == ["c3c3", "b2b2", "a1a1"]


def test_the_history_can_be_drawn(forked: Migrate) -> None:
    assert forked("history", "--graph").stdout.splitlines() == [
        "●    c3c3 (head) add index",
        "│ ●  b2b2 (expand, head) split name",
        "├─╯",
        "●    a1a1 (base, branches) create users",
    ]


def test_the_history_can_be_a_mermaid_flowchart(forked: Migrate) -> None:
    assert forked("history", "--mermaid").stdout.splitlines()[:2] == ["flowchart TD", '    r_a1a1["a1a1 create users"]']


def test_one_form_of_the_history_at_a_time(forked: Migrate) -> None:
    assert forked("history", "--graph", "--mermaid").exit_code == 2


def test_show_says_all_that_the_file_says(forked: Migrate) -> None:
    lines = forked("show", "b2b2").stdout.splitlines()
    assert lines[:4] == ["revision   b2b2 (expand, head)", "after      a1a1", "before     nothing", "phase      expand"]
    assert re.fullmatch(r"checksum   v1:[0-9a-f]{64}", lines[5])
    assert answer(forked("show", "heads", "--json"))["revisions"][0]["revision"] == "b2b2"


@pytest.mark.parametrize("name", ["nobody", "base", "a1a1-3", "b", "../etc"])
def test_a_name_that_means_nothing_is_wrong_use(forked: Migrate, name: str) -> None:
    assert refusal(forked("show", name), 2).startswith("boundwork: ")


def test_an_id_that_is_taken_or_cannot_be_one_is_wrong_use(forked: Migrate) -> None:
    assert "there is such a revision already" in refusal(
        forked("revision", "-m", "x", "--after", "base", "--id", "a1a1"), 2
    )
    assert "letters, digits" in refusal(forked("revision", "-m", "x", "--after", "base", "--id", "a-1"), 2)


@pytest.mark.parametrize(
    "words", [["revision"], ["revision", "-m", " "], ["revision", "-m", "x", "--phase", "y"], ["up"]]
)
def test_wrong_options_are_wrong_use(forked: Migrate, words: list[str]) -> None:
    assert forked(*words).exit_code == 2


def test_with_json_a_failure_is_an_object_too(forked: Migrate) -> None:
    result = forked("show", "nobody", "--json")
    error = json.loads(result.stdout)["error"]
    assert (result.exit_code, error["kind"], error["exit"]) == (2, "RevisionNotFound", 2)
    assert result.stderr == f"boundwork: {error['message']}\n"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("revision = 1 +", "_z.py:1: is not Python"),
        ("import os\nrevision = os.name\ndown_revision = None", "_z.py:2: revision must be an id in quotes"),
        ("revision = 'z9z9'\ndown_revision = 'gone'", "The parent gone of z9z9"),
        ("revision = 'a1a1'\ndown_revision = None", "The id a1a1 is taken twice"),
        ("revision = 'z9z9'\ndown_revision = 'z9z9'", "z9z9 -> z9z9"),
    ],
)
def test_a_file_that_is_wrong_is_one_line(forked: Migrate, tmp_path: Path, text: str, why: str) -> None:
    (tmp_path / "migrations" / "9_z.py").write_text(text)
    assert why in refusal(forked("history"), 1)


def test_no_command_executes_a_revision_file(forked: Migrate, tmp_path: Path) -> None:
    trace = tmp_path / "it_ran"
    (tmp_path / "migrations" / "9_z.py").write_text(
        f"open({str(trace)!r}, 'w')\nrevision = 'z9z9'\ndown_revision = 'c3c3'\n"
    )
    for words in (["history"], ["history", "--graph"], ["heads"], ["show", "z9z9"], ["merge"], ["history", "--json"]):
        assert forked(*words).exit_code == 0
    assert not trace.exists()


def test_the_project_may_be_elsewhere(forked: Migrate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "deep" / "inside").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "deep" / "inside")
    assert forked("heads").exit_code == 0
    monkeypatch.chdir("/")
    assert forked("heads").exit_code == 1
    assert forked("--project", str(tmp_path), "heads").exit_code == 0


def test_a_folder_that_went_away_is_one_line(forked: Migrate, tmp_path: Path) -> None:
    (tmp_path / "migrations").rename(tmp_path / "elsewhere")
    assert "there is no such folder" in refusal(forked("revision", "-m", "x"), 1)


def test_what_the_file_system_refuses_is_one_line_and_leaves_no_settings(migrate: Migrate, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    assert "taken" in refusal(migrate("init", "taken"), 1)
    assert "taken/below" in refusal(migrate("init", "taken/below"), 1)
    assert not (tmp_path / "pyproject.toml").exists()


def test_on_a_terminal_the_lines_have_colours_and_columns(forked: Migrate, tmp_path: Path) -> None:
    shown = on_a_terminal(tmp_path, "history", "--graph") + on_a_terminal(tmp_path, "history")
    assert "\x1b[1;33mb2b2" in shown
    plain = re.sub(r"\x1b\[[0-9;]*m", "", shown)
    assert "│ ●  b2b2 (expand, head) split name" in plain
    assert "a1a1  (base, branches)  create users" in plain
    assert "c3c3  (head)            add index" in plain


def on_a_terminal(folder: Path, *words: str) -> str:
    """Return what a command writes to a terminal of a hundred columns."""
    ours, theirs = pty.openpty()
    environment = {
        **os.environ,
        "TERM": "xterm-256color",
        "COLUMNS": "100",
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }
    environment.pop("NO_COLOR", None)
    command = [sys.executable, "-W", "error", "-m", "boundwork.cli", "migrate", *words]
    done = subprocess.run(command, cwd=folder, env=environment, stdout=theirs, check=True, timeout=300)  # noqa: S603 - our own
    os.close(theirs)
    assert done.returncode == 0
    pieces = b""
    while piece := _read(ours):
        pieces += piece
    os.close(ours)
    return pieces.decode()


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # the end of a terminal that nobody else has open
        return b""


def test_the_guide_has_the_exit_codes() -> None:
    rows = re.findall(r"^\| (\d) \| (.+) \|$", GUIDE.read_text("utf-8"), re.MULTILINE)
    assert rows == [(str(int(code)), code.meaning) for code in Exit]
