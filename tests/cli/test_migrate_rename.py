"""A renaming written as two revisions by the command: what is written can be read and run."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from boundwork.alembic_like_migrations import read_folder
from boundwork.alembic_like_migrations.engine.program import prepare
from boundwork.cli.app import app


def test_two_revisions_are_written_that_declare_their_steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    CliRunner().invoke(app, ["migrate", "init"])
    told = CliRunner().invoke(app, ["migrate", "revision", "--rename", "users.it's:given"])
    assert told.exit_code == 0, told.output
    assert len(told.stdout.splitlines()) == 2
    first, second = sorted(read_folder(Path("migrations")), key=lambda one: one.phase or "", reverse=True)
    assert (first.phase, second.phase, second.down_revisions) == ("expand", "contract", (first.revision,))
    assert [len(prepare(one).up) for one in (first, second)] == [1, 1]
    assert [len(prepare(one).down or ()) for one in (first, second)] == [1, 1]


def test_a_wrong_renaming_is_a_wrong_call_and_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    CliRunner().invoke(app, ["migrate", "init"])
    assert CliRunner().invoke(app, ["migrate", "revision", "--rename", "users"]).exit_code == 2
    assert CliRunner().invoke(app, ["migrate", "revision", "--rename", "a.b:c", "--id", "abcd"]).exit_code == 2
    assert not list(Path("migrations").glob("*.py"))
