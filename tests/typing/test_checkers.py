"""mypy and basedpyright, each run once over the files beside this one, agree with the comments in them.

A line ends in `# error: <mypy codes> / <pyright rules>`, `# reveals: <type>`, `# reveals: <mypy's> // <pyright's>`,
or in nothing, and then neither checker says anything about it.
"""

import json
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
FILES = ["shop.py", "must_pass.py", "must_pass_structure.py", "must_reveal.py", "must_fail.py"]
Findings = dict[tuple[str, int], set[str]]
"""What is said about each (file, line): codes of errors, revealed types."""


def run(*command: str) -> str:
    """Return what a checker prints; its exit code only says that must_fail fails."""
    done = subprocess.run(  # noqa: S603 - our own checkers on our own files
        [sys.executable, "-m", *command],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in {0, 1}, done.stdout + done.stderr
    return done.stdout


def plain_type(text: str) -> str:
    """Drop module names: checkers differ in how much of them they print."""
    return re.sub(r"\b(?:\w+\.)+(\w+)", r"\1", text)


@cache
def mypy() -> Findings:
    """Read mypy's findings, with the project's settings so that it shares their cache."""
    found: Findings = defaultdict(set)
    files = [str((HERE / name).relative_to(ROOT)) for name in FILES]
    for line in run("mypy", "--strict", "--explicit-package-bases", "--output", "json", *files).splitlines():
        message = json.loads(line)
        key = (Path(message["file"]).name, int(message["line"]))
        revealed = re.fullmatch(r'Revealed type is "(.*)"', message["message"])
        if revealed:
            found[key].add(plain_type(revealed[1]))
        elif message["severity"] == "error":
            found[key].add(message["code"])
    return found


@cache
def basedpyright() -> Findings:
    """Read basedpyright's findings at its strict level.

    It has settings of its own here, because the project's leave must_fail out and would leave it out here, too.
    """
    found: Findings = defaultdict(set)
    settings = str(HERE / "pyrightconfig.json")
    report = json.loads(run("basedpyright", "--project", settings, "--pythonpath", sys.executable, "--outputjson"))
    assert report["summary"]["filesAnalyzed"] == len(FILES)
    for message in report["generalDiagnostics"]:
        key = (Path(message["file"]).name, int(message["range"]["start"]["line"]) + 1)
        if message["severity"] == "information":
            found[key].add(plain_type(re.sub(r'Type of ".*" is "(.*)"', r"\1", message["message"])))
        else:
            found[key].add(message.get("rule", message["message"]))
    # What is unknown because of a mistake on the same line says nothing more.
    return {
        key: {code for code in codes if not code.startswith("reportUnknown")} or codes for key, codes in found.items()
    }


def expected(name: str, side: int) -> dict[int, set[str]]:
    """Return what the comments of a file promise of one checker: 0 mypy, 1 basedpyright."""
    promised: dict[int, set[str]] = {}
    for number, line in enumerate((HERE / name).read_text("utf-8").splitlines(), 1):
        marker = re.search(r"  # (error|reveals): (.+)$", line)
        if marker is None:
            continue
        word, text = marker.groups()
        sides = text.split(" / " if word == "error" else " // ")
        assert len(sides) == 2 or word == "reveals", f"{name}:{number}: an error names a code for each checker"
        chosen = sides[side % len(sides)].strip()
        promised[number] = set() if chosen == "-" else set(re.split(r", (?![^\[]*\])", chosen))
    return promised


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize(("side", "checker"), [(0, mypy), (1, basedpyright)], ids=["mypy", "basedpyright"])
def test_a_checker_says_of_each_line_what_its_comment_says(
    name: str,
    side: int,
    checker: Callable[[], Findings],
) -> None:
    promised = expected(name, side)
    said = {line: codes for (file, line), codes in checker().items() if file == name}
    wrong = [
        f"{name}:{line}: expected {sorted(promised.get(line, set()))}, said {sorted(said.get(line, set()))}"
        for line in sorted(promised.keys() | said.keys())
        if promised.get(line, set()) != said.get(line, set())
    ]
    assert not wrong, "\n".join(wrong)


def test_the_files_promise_something() -> None:
    assert len(expected("must_reveal.py", 0)) > 40
    assert len(expected("must_fail.py", 1)) > 30
