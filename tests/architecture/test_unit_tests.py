"""Unit tests stay quick: what draws many values is in tests/properties, and what starts a program is elsewhere."""

import ast
from collections.abc import Iterator
from pathlib import Path

UNIT = Path(__file__).parent.parent / "unit"
ELSEWHERE = {"hypothesis", "random", "subprocess", "multiprocessing", "typer", "click", "rich"}


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (node.module.partition(".")[0], ".".join(node.module.split(".")[:2]))


def test_no_unit_test_draws_values_or_starts_a_program() -> None:
    files = sorted(UNIT.rglob("*.py"))
    assert files
    found = {str(path.relative_to(UNIT)): set(imported(path)) & {*ELSEWHERE, "tests.properties"} for path in files}
    assert {path: names for path, names in found.items() if names} == {}
