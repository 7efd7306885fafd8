"""The examples of the guide to migrations run in their order, in an empty folder, and give what the guide says.

A `console` block holds commands and what they print; `cat` shows a file. Dates and times in it are those of the author.
"""

import contextlib
import io
import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient
from typer.testing import CliRunner

from boundwork.cli.app import app

GUIDE = Path(__file__).parents[2] / "docs" / "guide" / "migrations.md"
BLOCK = re.compile(r"^```(python|text|console)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PROMISE = re.compile(r"^(\s*)(.+?)  # -> (.+)$", re.MULTILINE)
PLACE = re.compile(r"[\w.,:-]+/test_\w+")
MOMENT = re.compile(r"\b\d{8}(?=_)|\d{4}-\d\d-\d\d \d\d:\d\d UTC")


@pytest.fixture
def database(
    mongod_client: MongoClient[dict[str, Any]], mongod_uri: str, database_name: str, monkeypatch: pytest.MonkeyPatch
) -> Any:
    """Return the database that the guide calls localhost:27017/shop."""
    before, _, options = mongod_uri.partition("?")
    monkeypatch.setenv("MONGODB_URI", f"{before}{database_name}?{options}")
    return mongod_client[database_name]


def test_the_examples_give_what_the_guide_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, database: Any) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    checked: list[str] = []

    def promised(expected: str, found: object) -> None:
        assert repr(found) == expected
        checked.append(expected)

    module: dict[str, Any] = {"__name__": "guide", "promised": promised, "database": database}
    blocks = BLOCK.findall(GUIDE.read_text("utf-8"))
    printed = ""
    for kind, text in blocks:
        if kind == "console":
            for command, expected in commands(text):
                printed = PLACE.sub("localhost:27017/shop", output(command))
                assert MOMENT.sub("*", printed) == MOMENT.sub("*", expected), command
                checked.append(command)
        elif kind == "text":
            assert printed == text
        else:
            out = io.StringIO()
            with contextlib.redirect_stdout(out):
                code = compile(PROMISE.sub(_checked, text), GUIDE.name, "exec")
                exec(code, module)  # noqa: S102 - our own text
            printed = out.getvalue()
    assert len(checked) > 15
    for name in [name for name in sys.modules if name.partition(".")[0] == "shop"]:  # those of the folder that is gone
        sys.modules.pop(name)


def _checked(promise: re.Match[str]) -> str:
    return f"{promise[1]}promised({promise[3]!r}, ({promise[2]}))"


def commands(text: str) -> Iterator[tuple[str, str]]:
    """Yield the commands of a block and what each prints."""
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, _, expected = part.partition("\n")
        yield command, expected


def output(command: str) -> str:
    """Run a command and return what it prints; a file that is named by its date is found by the rest of its name."""
    name, *words = shlex.split(command)
    if name == "cat":
        pattern = MOMENT.sub("*", words[0])
        (path,) = Path().glob(pattern)
        return path.read_text("utf-8")
    assert name == "boundwork"
    result = CliRunner().invoke(app, words)
    return result.stdout + result.stderr
