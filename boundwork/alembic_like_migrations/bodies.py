"""How generated lines come into the functions of a revision file, whatever template the rest of it is from.

The text is parsed to find the ends of `up` and `down`; nothing else of it is touched but one import before the first
function.
"""

import ast
from collections.abc import Sequence
from pathlib import Path

from boundwork.alembic_like_migrations.drafts import Draft
from boundwork.alembic_like_migrations.errors import TemplateWrong

IMPORT = "from boundwork.alembic_like_migrations import op"


def with_bodies(text: str, template: Path | None, draft: Draft) -> str:
    """Return the text of a revision file with the lines of a draft in its functions. Raises TemplateWrong."""
    if not (draft.up or draft.down):
        return text
    try:
        module = ast.parse(text)
    except SyntaxError as error:
        raise TemplateWrong(template, f"makes no Python: {error.msg}.") from error
    functions = {node.name: node for node in module.body if isinstance(node, ast.FunctionDef)}
    if not {"up", "down"} <= functions.keys():
        raise TemplateWrong(template, "must define up() and down(), for what is generated goes there.")
    lines = text.splitlines()
    places = sorted(((functions["up"], draft.up), (functions["down"], draft.down)), key=lambda one: -one[0].lineno)
    for function, body in places:
        _insert(lines, function, body)
    if IMPORT not in lines:
        lines[_import_line(module) : _import_line(module)] = ["", IMPORT]
    return "\n".join([*lines, ""])


def _insert(lines: list[str], function: ast.FunctionDef, body: Sequence[str]) -> None:
    indent = " " * function.body[0].col_offset
    at = function.body[-1].end_lineno or function.lineno
    lines[at:at] = [f"{indent}{line}".rstrip() for line in body]


def _import_line(module: ast.Module) -> int:
    """Return after how many lines the import goes: after the docstring, and what is imported from the future."""
    at = 0
    for number, node in enumerate(module.body):
        docstring = number == 0 and isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        future = isinstance(node, ast.ImportFrom) and node.module == "__future__"
        if not (docstring or future):
            break
        at = node.end_lineno or at
    return at
