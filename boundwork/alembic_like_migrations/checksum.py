"""What a revision file means, as a number that changes when the meaning does.

Comments, formatting and docstrings do not count. The number is the same on every Python that reads the file: the form
that is hashed is our own, because those of `ast.dump` and `ast.unparse` differ from one Python to the next.
"""

import ast
import hashlib
from collections.abc import Iterator
from typing import Any, cast

FORM = "v1"
"""Stands before each checksum; another form of writing down the same meaning needs another one."""

# Of these, `kind` is the u of u"", and the others are never read from the files.
_WITHOUT_MEANING = frozenset({"kind", "type_comment", "type_ignores", "ctx"})
_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def checksum(module: ast.Module) -> str:
    """Return the checksum of a parsed file, as `v1:` and 64 hexadecimal digits."""
    digest = hashlib.sha256()
    for piece in _pieces(module):
        digest.update(piece.encode("utf-8", "surrogatepass"))
    return f"{FORM}:{digest.hexdigest()}"


class _Said(str):
    """A piece of the form, told apart from a text of the tree."""

    __slots__ = ()


_END, _LIST_END = _Said(")"), _Said("]")


def _pieces(module: ast.Module) -> Iterator[str]:
    """Yield `(Name field=value ...)`, and lists in brackets; with a stack, because a tree may be deeper than calls can be."""
    ahead: list[object] = [module]
    while ahead:
        match item := ahead.pop():
            case _Said() as said:
                yield said
            case ast.Constant(value=value):
                yield f"({_constant(value)})"
            case ast.AST() as node:
                yield f"({type(node).__name__}"
                ahead.append(_END)
                ahead.extend(reversed(_fields(node)))
            case list():
                yield "["
                ahead.append(_LIST_END)
                ahead.extend(reversed(cast("list[object]", item)))
            case plain:
                yield f"<{plain!a}>"


def _fields(node: ast.AST) -> list[object]:
    """Return names and values of the fields that mean something; what is empty is left out, as some Pythons do."""
    found: list[object] = []
    for name in node._fields:
        value: Any = getattr(node, name, None)
        if name == "body" and isinstance(node, _DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            value = value[1:]
        elif isinstance(node, ast.JoinedStr) or name == "format_spec":
            value = _joined(value)
        if value is not None and value != [] and name not in _WITHOUT_MEANING:
            found += [_Said(f" {name}="), value]
    return found


def _joined(value: Any) -> Any:
    """Return the parts of an f-string with neighbouring texts as one; Pythons cut them in different places."""
    parts: list[ast.expr] = []
    for part in _flat(value):
        if isinstance(part, ast.Constant) and parts and isinstance(before := parts[-1], ast.Constant):
            parts[-1] = ast.Constant(cast("str", before.value) + cast("str", part.value))
        elif not isinstance(part, ast.Constant) or part.value:
            parts.append(part)
    return parts


def _flat(value: Any) -> Iterator[ast.expr]:
    """Yield the parts of an f-string, or of a format, which is one inside of another."""
    parts: list[ast.expr] = value.values if isinstance(value, ast.JoinedStr) else value or []
    for part in parts:
        yield from _flat(part) if isinstance(part, ast.JoinedStr) else (part,)


def _constant(value: Any) -> str:
    """Return a literal in ASCII; a whole number in hexadecimal, because Python writes no long ones in decimal."""
    return hex(value) if type(value) is int else ascii(value)
