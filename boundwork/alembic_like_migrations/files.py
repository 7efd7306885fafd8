"""What revision files say, read from their syntax: listing a project never executes one.

So `revision`, `down_revision`, `phase` and `replaces` must be literals, assigned once at the top level; a value that only running
the file would tell is refused, with file and line. Files that begin with an underscore or a dot are no revisions.
"""

import ast
import inspect
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from boundwork.alembic_like_migrations.checksum import checksum
from boundwork.alembic_like_migrations.errors import RevisionUnreadable
from boundwork.alembic_like_migrations.names import wrong_id
from boundwork.alembic_like_migrations.revision import PHASES, Phase, Revision

WORDS = frozenset({"revision", "down_revision", "phase", "replaces"})
_OWN_SCOPE = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def read_folder(folder: Path) -> tuple[Revision, ...]:
    """Read the revision files of a folder, sorted by name; subfolders are not looked into.

    Raises RevisionUnreadable for the first file that is none, and where there is no folder.
    """
    if not folder.is_dir():
        raise RevisionUnreadable(folder, None, "there is no such folder. Run `boundwork migrate init`.")
    files = sorted(path for path in folder.glob("*.py") if not path.name.startswith(("_", ".")))
    return tuple(read_file(path) for path in files)


def read_file(path: Path) -> Revision:
    """Read a revision file. Raises RevisionUnreadable."""
    try:
        source = path.read_bytes()
    except OSError as error:
        raise RevisionUnreadable(path, None, f"cannot be read: {error.strerror or error}.") from error
    return read_source(source, path)


def read_source(source: bytes | str, path: Path) -> Revision:
    """Read the source of a revision file; `path` is only named. Raises RevisionUnreadable."""
    try:
        with warnings.catch_warnings():  # those of the syntax are for the one who runs the file
            warnings.simplefilter("ignore")
            module = ast.parse(source, str(path))
    except SyntaxError as error:
        raise RevisionUnreadable(path, error.lineno, f"is not Python: {error.msg}.") from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise RevisionUnreadable(path, None, f"is not Python: {error}.") from error
    said = _Literals(path, _assigned(module, path))
    return Revision(
        revision=said.revision(),
        down_revisions=said.down_revisions(),
        phase=said.phase(),
        message=_message(module),
        checksum=checksum(module),
        path=path,
        replaces=said.replaces(),
    )


def _message(module: ast.Module) -> str:
    return inspect.cleandoc(ast.get_docstring(module, clean=False) or "").strip()


@dataclass(frozen=True, slots=True)
class _Literals:
    """The words of a file as they must be, or an error that says where they are not."""

    path: Path
    values: Mapping[str, ast.expr]

    def revision(self) -> str:
        if "revision" not in self.values:
            raise RevisionUnreadable(
                self.path,
                None,
                "does not say `revision = ...`. If it is no revision, let its name begin with an underscore.",
            )
        return self._id("revision", self.values["revision"])

    def down_revisions(self) -> tuple[str, ...]:
        value = self.values.get("down_revision")
        if value is None:
            raise RevisionUnreadable(
                self.path, None, "does not say `down_revision = ...`. Write None if it comes after nothing."
            )
        if isinstance(value, ast.Constant) and value.value is None:
            return ()
        if not isinstance(value, ast.Tuple):
            return (self._id("down_revision", value, "None, an id in quotes, or a tuple of ids"),)
        parents = tuple(self._id("down_revision", element) for element in value.elts)
        if not parents:
            raise self._wrong(value, "down_revision is an empty tuple. Write None if it comes after nothing.")
        if len(set(parents)) < len(parents):
            raise self._wrong(value, "down_revision names the same parent twice.")
        return parents

    def phase(self) -> Phase | None:
        value = self.values.get("phase")
        if value is None or (isinstance(value, ast.Constant) and value.value is None):
            return None
        for phase in PHASES:
            if isinstance(value, ast.Constant) and value.value == phase:
                return phase
        raise self._wrong(value, 'phase must be "expand", "contract" or None, written as it is.')

    def replaces(self) -> tuple[str, ...]:
        value = self.values.get("replaces")
        if value is None:
            return ()
        if not isinstance(value, ast.Tuple) or not value.elts:
            raise self._wrong(value, "replaces must be a tuple of ids, written as it is.")
        replaced = tuple(self._id("replaces", element) for element in value.elts)
        if len(set(replaced)) < len(replaced):
            raise self._wrong(value, "replaces names the same revision twice.")
        return replaced

    def _id(self, word: str, value: ast.expr, wanted: str = "an id in quotes") -> str:
        if not isinstance(value, ast.Constant) or not isinstance(value.value, str):
            raise self._wrong(value, f"{word} must be {wanted}, not computed: the file is read without running it.")
        problem = wrong_id(value.value)
        if problem:
            raise self._wrong(value, f"{word} is {value.value!r}; {problem}.")
        return value.value

    def _wrong(self, value: ast.expr, what: str) -> RevisionUnreadable:
        return RevisionUnreadable(self.path, value.lineno, what)


def _assigned(module: ast.Module, path: Path) -> dict[str, ast.expr]:
    """Return what the words are assigned, each once and at the top level, as running the file would see it."""
    found: dict[str, ast.expr] = {}
    seen: set[ast.AST] = set()
    for statement in module.body:
        for target, value in _pairs(statement):
            if isinstance(target, ast.Name) and target.id in WORDS and target.id not in found:
                found[target.id] = value
                seen.add(target)
    for node in _of_module(module):
        word = _bound(node)
        if word in WORDS and node not in seen:
            line = getattr(node, "lineno", None)
            raise RevisionUnreadable(
                path, line, f"{word} must be assigned once, at the top level, and never bound again."
            )
    return found


def _pairs(statement: ast.stmt) -> Iterator[tuple[ast.expr, ast.expr]]:
    """Yield what a statement assigns to what; `a, b = x, y` is two assignments."""
    match statement:
        case ast.AnnAssign(target=annotated, value=value) if value is not None:
            yield annotated, value
        case ast.Assign(targets=targets, value=value):
            for target in targets:
                if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
                    if len(target.elts) == len(value.elts):
                        yield from zip(target.elts, value.elts, strict=True)
                else:
                    yield target, value
        case _:
            return


def _of_module(module: ast.Module) -> Iterator[ast.AST]:
    """Yield all nodes that can bind a name of the module; functions and classes have names of their own."""
    ahead: list[ast.AST] = [module]
    while ahead:
        node = ahead.pop()
        yield node
        if isinstance(node, _OWN_SCOPE):
            ahead += [inner for inner in ast.walk(node) if isinstance(inner, ast.Global)]
        elif not isinstance(node, ast.Lambda):
            ahead.extend(ast.iter_child_nodes(node))


def _bound(node: ast.AST) -> str | None:
    match node:
        case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
            return name
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return name
        case ast.alias(name=name, asname=asname):
            return asname or name.partition(".")[0]
        case ast.Global(names=names):
            return next((name for name in names if name in WORDS), None)
        case ast.ExceptHandler(name=name) | ast.MatchAs(name=name) | ast.MatchStar(name=name):
            return name
        case _:
            return None
