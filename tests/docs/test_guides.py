"""The examples of a guide run in their order, in one module, and print what the guide says they print."""

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


@pytest.fixture
def module() -> Iterator[types.ModuleType]:
    """Return the module that the examples are written in; models look up names in it."""
    module = types.ModuleType("guide")
    sys.modules["guide"] = module
    yield module
    del sys.modules["guide"]


@pytest.mark.parametrize("name", ["schema.md"])
def test_the_examples_print_what_the_guide_says(
    name: str, module: types.ModuleType, mongod_client: MongoClient[dict[str, Any]], database_name: str
) -> None:
    vars(module)["database"] = mongod_client[database_name]
    blocks = BLOCK.findall((GUIDES / name).read_text("utf-8"))
    assert len(blocks) > 5
    printed = ""
    for kind, text in blocks:
        if kind == "text":
            assert printed == text
            continue
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            exec(compile(text, f"{name}: {text.splitlines()[0]}", "exec"), vars(module))  # noqa: S102 - our own text
        printed = output.getvalue()
