"""Giving up what steps remember of documents: of which revisions, how much that is, and what is no longer reverted then.

The ledger notes it before the first image goes, in a transaction of the holder of the lease, so a crash leaves no revision
that would go back by half of its images. Pruning again removes the rest.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from boundwork.alembic_like_migrations.engine.errors import DatabaseDirty
from boundwork.alembic_like_migrations.engine.ledger import Ledger, Record
from boundwork.alembic_like_migrations.engine.program import Program, RevisionBroken
from boundwork.alembic_like_migrations.engine.remembered import needs_images
from boundwork.alembic_like_migrations.engine.runner import Runner
from boundwork.alembic_like_migrations.engine.server import Server
from boundwork.alembic_like_migrations.errors import MigrationError, RevisionNotFound
from boundwork.alembic_like_migrations.graph import Graph
from boundwork.alembic_like_migrations.steps.undo_log import UNDO, forget_some, of_revision


@dataclass(frozen=True, slots=True)
class Pruned:
    """A revision whose undo log goes: how many images or ids of documents, and whether it can be reverted all the same."""

    revision: str
    images: int
    revertible: bool


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be pruned: applied revisions that come before one, or all but the last ones; `only` leaves out others."""

    before: str | None = None
    keep: int | None = None
    only: Collection[str] | None = None

    def __post_init__(self) -> None:
        """Refuse what says nothing, or both. Raises MigrationError."""
        if (self.before is None) == (self.keep is None) or (self.keep or 0) < 0:
            raise MigrationError("Say either before which revision the undo log is pruned, or how many keep theirs.")

    def chosen(self, seen: Graph) -> list[str]:
        """Return the revisions, in order, as the database of a graph has them. Raises RevisionNotFound."""
        applied = [one.revision for one in seen if one.revision in seen.applied]
        if self.before is None:
            found = applied[: max(len(applied) - (self.keep or 0), 0)]
        else:
            named = seen.resolve(self.before)
            if len(named) != 1:
                raise RevisionNotFound(self.before, "one revision must be named, before which is pruned.")
            older = seen.ancestors(*named)
            found = [one for one in applied if one in older]
        return [one for one in found if self.only is None or one in self.only]


async def prunable(
    server: Server,
    seen: Graph,
    records: Mapping[str, Record],
    wanted: Wanted,
    prepared: Callable[[str], Program],
) -> tuple[Pruned, ...]:
    """Return the revisions that have an undo log among those that are wanted. Raises DatabaseDirty."""
    chosen = wanted.chosen(seen)
    if begun := [one for one in chosen if one in records and records[one].direction is not None]:
        raise DatabaseDirty(begun)
    found: list[Pruned] = []
    for revision in chosen:
        counts = [await _remembered(server, one) for one in _ids_of(seen, records, revision)]
        if sum(counts):
            found.append(Pruned(revision, sum(counts), _goes_back_without(prepared, revision)))
    return tuple(found)


async def prune(runner: Runner, seen: Graph, records: Mapping[str, Record], found: Sequence[Pruned]) -> None:
    """Note that the undo log of revisions is given up, and remove it."""
    ids = [one for pruned in found for one in _ids_of(seen, records, pruned.revision)]
    if ids:
        await Ledger(runner.server).prune(ids)
    for one in ids:
        while await runner.server.fenced(partial(forget_some, revision=one)):
            runner.pulse.check()


def _ids_of(seen: Graph, records: Mapping[str, Record], revision: str) -> list[str]:
    """Return the ids under which steps of a revision remember: its own, and those of what it stands for."""
    found = [revision, *seen.everything[revision].replaces]
    while more := [name for name, one in records.items() if one.replaced_by in found and name not in found]:
        found += more
    return found


async def _remembered(server: Server, revision: str) -> int:
    return int((await server.command({"count": UNDO, "query": of_revision(revision)}))["n"])


def _goes_back_without(prepared: Callable[[str], Program], revision: str) -> bool:
    try:
        program = prepared(revision)
    except RevisionBroken:
        return False
    return program.down is not None and not needs_images(program)
