"""The examples of a guide run in their order, in one module, and give what the guide says they give.

A `text` block is what the block before it prints; what stands behind `# ->` on a line is the value of that line.
"""

import contextlib
import io
import re
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

GUIDES = Path(__file__).parents[2] / "docs" / "guide"
BLOCK = re.compile(r"^```(python|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PROMISE = re.compile(r"^(\s*)(.+?)  # -> (.+)$", re.MULTILINE)


@pytest.fixture
def module() -> Iterator[types.ModuleType]:
    """Return the module that the examples are written in; models look up names in it."""
    module = types.ModuleType("guide")
    sys.modules["guide"] = module
    yield module
    del sys.modules["guide"]


@pytest.mark.parametrize(
    "name",
    [
        "schema.md",
        "queries.md",
        "scopes.md",
        "models.md",
        "changes.md",
        "references.md",
        "safety.md",
        "applications.md",
    ],
)
def test_the_examples_give_what_the_guide_says(
    name: str, module: types.ModuleType, mongod_client: MongoClient[dict[str, Any]], database_name: str
) -> None:
    wrong: list[str] = []

    def promised(expected: str, found: object) -> None:
        if repr(found) != expected:
            wrong.append(f"promised {expected}, found {found!r}")

    vars(module).update(database=mongod_client[database_name], promised=promised)
    blocks = BLOCK.findall((GUIDES / name).read_text("utf-8"))
    assert len(blocks) > 5
    printed = ""
    for kind, text in blocks:
        if kind == "text":
            assert printed == text
            continue
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            code = compile(PROMISE.sub(_checked, text), f"{name}: {text.splitlines()[0]}", "exec")
            exec(code, vars(module))  # noqa: S102 - our own text
        printed = output.getvalue()
    assert not wrong, "\n".join(wrong)


def _checked(promise: re.Match[str]) -> str:
    return f"{promise[1]}promised({promise[3]!r}, ({promise[2]}))"
