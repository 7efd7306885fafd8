"""What a revision file declares when it is run: the steps up and the steps down.

Running the functions `up` and `down` does nothing to any database: the words of `op` only note steps. Both are run
when a revision is prepared, so a mistake in either is met before anything is written. A squash can hold whole files of
what it replaces; their steps are declared under the old ids, so what they remembered of documents is found again.
"""

import importlib.util
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from boundwork.alembic_like_migrations.errors import MigrationError
from boundwork.alembic_like_migrations.revision import Revision
from boundwork.alembic_like_migrations.steps.step import AnyStep, Irreversible

_notes: ContextVar["Notes | None"] = ContextVar("boundwork_steps", default=None)


class RevisionBroken(MigrationError):
    """Running a revision file failed, or it declares something impossible; `revision` says which one."""

    def __init__(self, revision: str, path: object, why: str) -> None:
        """Say which file, and why."""
        super().__init__(f"Revision {revision} ({path}) cannot be run: {why}")
        self.revision = revision
        self.path = path


@dataclass(frozen=True, slots=True)
class Mark:
    """Which step of which revision: what it remembers of documents is found by that, in every process."""

    revision: str
    step: str


File = Callable[[], tuple[Callable[[], object], Callable[[], object] | None]]


@dataclass(frozen=True, slots=True)
class Kept:
    """What a whole file that a squash holds has declared, and its own way back; `begin` is where its steps begin."""

    revision: str
    begin: int
    steps: tuple[AnyStep, ...]
    down: Callable[[], object] | None
    kept: tuple["Kept", ...] = ()

    def back(self) -> list[AnyStep]:
        """Return the steps of the way back. Raises Irreversible."""
        if self.down is None:
            raise Irreversible(self.revision, "it has no down()")
        with _noted_in(Notes([], self.steps, self.revision, kept=list(self.kept))) as notes:
            self.down()
        return notes.steps


@dataclass(slots=True)
class Notes:
    """The steps that were declared so far; `done` are those of `up` while `down` is run, `kept` whole files among them."""

    steps: list[AnyStep]
    done: tuple[AnyStep, ...] | None = None
    revision: str = ""
    marks: int = 0
    kept: list[Kept] = field(default_factory=list[Kept])


@dataclass(frozen=True, slots=True)
class Program:
    """The steps of a revision. `down` is None where the file has no `down` or a step of it cannot be undone."""

    revision: Revision
    up: tuple[AnyStep, ...]
    down: tuple[AnyStep, ...] | None
    why_not_down: str | None = None


def declare(step: AnyStep) -> None:
    """Note a step of the revision that is being prepared. Raises MigrationError outside of `up` and `down`."""
    _present("declare a step").steps.append(step)


def mark() -> Mark:
    """Return the next mark of the revision that is being prepared: the same one whenever it is prepared."""
    notes = _present("declare a step")
    notes.marks += 1
    return Mark(notes.revision, f"{'up' if notes.done is None else 'down'} {notes.marks}")


@contextmanager
def gathering() -> Generator[list[AnyStep]]:
    """Take the steps that are declared in the block out of the revision, for the block to do something with."""
    notes = _present("declare a step")
    outside, notes.steps = notes.steps, []
    try:
        yield notes.steps
    finally:
        notes.steps = outside


def revert() -> None:
    """Declare the inverses of the steps of `up`, last one first. Raises Irreversible."""
    notes = _present("revert")
    if notes.done is None:
        raise MigrationError("op.revert() belongs into down(): it undoes the steps of up().")
    left = list(notes.done)
    for one in (*reversed(notes.kept), None):
        end = 0 if one is None else one.begin + len(one.steps)
        notes.steps += [step.inverse() for step in reversed(left[end:])]
        if one is not None:
            notes.steps += one.back()
            del left[one.begin :]


def keep(revision: str, file: File) -> None:
    """Declare what the file of a replaced revision declared, under its id; `revert` uses its own way back."""
    notes = _present("keep a file")
    if notes.done is not None:
        raise MigrationError("op.keep() belongs into up(): op.revert() goes back over it.")
    up, down = file()
    with _noting(None, revision) as inner:
        up()
    notes.kept.append(Kept(revision, len(notes.steps), tuple(inner.steps), down, tuple(inner.kept)))
    notes.steps += inner.steps


def prepare(revision: Revision) -> Program:
    """Run the file of a revision and its functions, and return what they declare. Raises RevisionBroken."""
    module = _run(revision)
    done = _declared(revision, module, "up", Notes([], None, revision.revision))
    up = tuple(done.steps)
    if "down" not in module:
        return Program(revision, up, None, "it has no down()")
    try:
        back = _declared(revision, module, "down", Notes([], up, revision.revision, kept=done.kept))
        return Program(revision, up, tuple(back.steps))
    except Irreversible as irreversible:
        return Program(revision, up, None, str(irreversible))


def _run(revision: Revision) -> dict[str, Any]:
    if revision.path is None:
        raise RevisionBroken(revision.revision, None, "it has no file.")
    name = f"boundwork_revision_{revision.revision}"
    spec = importlib.util.spec_from_file_location(name, revision.path)
    if spec is None or spec.loader is None:
        raise RevisionBroken(revision.revision, revision.path, "Python cannot load this file.")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise RevisionBroken(revision.revision, revision.path, f"{type(error).__name__}: {error}") from error
    return vars(module)


def _declared(revision: Revision, module: dict[str, Any], word: str, notes: Notes) -> Notes:
    function: Callable[[], object] | None = module.get(word)
    if function is None:
        raise RevisionBroken(revision.revision, revision.path, f"it has no {word}(). Write one; `pass` is enough.")
    with _noted_in(notes):
        try:
            function()
        except Irreversible:
            raise
        except Exception as error:
            why = f"{word}() raised {type(error).__name__}: {error}"
            raise RevisionBroken(revision.revision, revision.path, why) from error
    return notes


def _noting(done: tuple[AnyStep, ...] | None, revision: str = "") -> AbstractContextManager[Notes]:
    return _noted_in(Notes([], done, revision))


@contextmanager
def _noted_in(notes: Notes) -> Generator[Notes]:
    token = _notes.set(notes)
    try:
        yield notes
    finally:
        _notes.reset(token)


def _present(what: str) -> Notes:
    notes = _notes.get()
    if notes is None:
        raise MigrationError(f"op cannot {what} here: its words belong into up() and down() of a revision file.")
    return notes
