"""The house rules that a file can break. The layers are contracts in pyproject.toml, checked by `make lint`."""

import ast
from pathlib import Path

import pytest

import boundwork

PACKAGE = Path(boundwork.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))
MOST_LINES = 400
BANNED_NAMES = {"utils", "util", "helpers", "helper", "managers", "manager", "misc", "common"}


def name_of(path: Path) -> str:
    return str(path.relative_to(PACKAGE.parent))


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_module_says_what_it_decides_and_decides_one_thing(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert ast.get_docstring(ast.parse(source)), "a module begins with a docstring"
    assert len(source.splitlines()) <= MOST_LINES
    assert path.stem not in BANNED_NAMES


def test_every_folder_of_the_package_is_a_package() -> None:
    folders = {path.parent for path in MODULES}
    assert [name_of(folder) for folder in folders if not (folder / "__init__.py").exists()] == []


def test_the_package_says_that_it_is_typed() -> None:
    assert (PACKAGE / "py.typed").exists()
