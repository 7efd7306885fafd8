"""A whole revision file as a function of another file, and whether a file always declares the same.

The text is indented and else left as it is, lines inside of texts not even that. What cannot stand in a function is
named: then the range must leave that file out.
"""

import ast
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from boundwork.alembic_like_migrations.errors import SquashImpossible
from boundwork.alembic_like_migrations.revision import Revision

INDENT = "    "
VALUES = frozenset({"bson", "datetime", "re", "uuid", "decimal", "typing", "__future__"})
"""Modules that give values, and nothing that may be another one tomorrow."""

OP = "boundwork.alembic_like_migrations"
BSON_TYPES = {"ObjectId", "Int64", "Decimal128", "Regex", "Binary", "Timestamp", "DBRef", "Code", "SON"}
PYTHON_TYPES = {"datetime", "date", "timedelta", "timezone", "UUID", "Decimal", "compile", "dict", "list", "tuple"}
MADE_BY = BSON_TYPES | PYTHON_TYPES


@dataclass(frozen=True, slots=True)
class Source:
    """The text of a revision file and its syntax."""

    path: Path
    text: str
    module: ast.Module

    @classmethod
    def of(cls, revision: Revision) -> "Source":
        """Read the file of a revision. Raises SquashImpossible where there is none."""
        if revision.path is None:
            raise SquashImpossible(f"{revision.revision} has no file, so it cannot be squashed.")
        with tokenize.open(revision.path) as file:
            text = file.read()
        return cls(revision.path, text, ast.parse(text))

    @property
    def constant(self) -> bool:
        """Tell whether the file says the same whenever it is run: it only calls the words of `op`, with values."""
        return all(_is_constant(node) for node in ast.walk(self.module))

    @property
    def future(self) -> list[str]:
        """The imports that must come first in a file."""
        return [ast.unparse(one) for one in self.module.body if _is_future(one)]

    def as_function(self, name: str, *, has_down: bool) -> list[str]:
        """Return the lines of a function that returns `up` and `down`. Raises SquashImpossible."""
        for node in ast.walk(self.module):
            self._refuse(node)
        lines = self.text.split("\n")
        inside = {line for node in ast.walk(self.module) for line in _inside(node)}
        for one in self.module.body:
            if _is_future(one):
                lines[one.lineno - 1 : one.end_lineno] = [""] * ((one.end_lineno or one.lineno) - one.lineno + 1)
        indented = [
            line if number in inside or not line.strip() else f"{INDENT}{line}" for number, line in enumerate(lines, 1)
        ]
        while indented and not indented[-1].strip():
            indented.pop()
        return [f"def {name}():", *indented, "", f"{INDENT}return up, {'down' if has_down else 'None'}"]

    def _refuse(self, node: ast.AST) -> None:
        what = "global" if isinstance(node, ast.Global) else None
        if isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names):
            what = "import *"
        if what is not None:
            line = getattr(node, "lineno", 0)
            raise SquashImpossible(
                f"{self.path}:{line}: `{what}` cannot be kept in a squash. Change that line, or leave this revision out."
            )


def _is_future(node: ast.AST) -> bool:
    return isinstance(node, ast.ImportFrom) and node.module == "__future__"


def _inside(node: ast.AST) -> Iterator[int]:
    """Yield the lines that begin inside of a text: their first characters belong to it."""
    if not isinstance(node, ast.expr):
        return
    # Texts of templates are there from Python 3.14 on.
    joined = type(node).__name__ in {"JoinedStr", "TemplateStr"}
    if joined or (isinstance(node, ast.Constant) and isinstance(node.value, str | bytes)):
        yield from range(node.lineno + 1, (node.end_lineno or node.lineno) + 1)


def _is_constant(node: ast.AST) -> bool:
    match node:
        case ast.Import(names=names):
            return all(alias.name.partition(".")[0] in VALUES for alias in names)
        case ast.ImportFrom(module=module):
            return module == OP or (module or "").partition(".")[0] in VALUES
        case ast.FunctionDef(name=name, decorator_list=decorators):
            return name in {"up", "down"} and not decorators
        case ast.Call():
            return _gives_a_value(node)
        case _:
            return not isinstance(node, ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda)


def _gives_a_value(call: ast.Call) -> bool:
    match call.func:
        case ast.Attribute(value=ast.Name(id="op")):
            return True
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name in MADE_BY and bool(call.args or call.keywords)
        case _:
            return False
