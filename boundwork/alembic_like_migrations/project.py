"""What is done with revision files: the settings of a project, the graph of its files, and new files among them.

Nothing asks a database. Only a squash runs files, to know their steps.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from boundwork.alembic_like_migrations.drafts import (
    NO_BODY,
    Body,
    Draft,
    checked_id,
    merge_parents,
    new_id,
    next_parents,
)
from boundwork.alembic_like_migrations.engine.program import prepare
from boundwork.alembic_like_migrations.files import read_folder
from boundwork.alembic_like_migrations.graph import Graph
from boundwork.alembic_like_migrations.revision import Phase, Revision
from boundwork.alembic_like_migrations.rollout.rename_pair import RenamePair
from boundwork.alembic_like_migrations.settings import Section, Settings, find_settings, prepared, write_settings
from boundwork.alembic_like_migrations.squashing.ranges import members, phase_of
from boundwork.alembic_like_migrations.squashing.squash import Squash, Squashed
from boundwork.alembic_like_migrations.writing import write_revision, write_template


@dataclass(frozen=True, slots=True)
class Project:
    """A project as it is now; nothing of it was executed."""

    settings: Settings
    graph: Graph

    @classmethod
    def at(cls, start: Path) -> "Project":
        """Read the project that a folder is in. Raises MigrationError."""
        settings = find_settings(start)
        return cls(settings, Graph(read_folder(settings.folder)))

    def add(
        self, message: str, *, after: str, phase: Phase | None, revision: str | None, body: Body = NO_BODY
    ) -> "Written":
        """Write a revision after another one."""
        return self._write(next_parents(self.graph, after), message, phase, revision, body)

    def rename(self, pair: RenamePair, message: str | None, *, after: str) -> "list[Written]":
        """Write the two revisions of a renaming, one after another."""
        words = message or pair.title
        first = self._write(next_parents(self.graph, after), f"{words}: expand", "expand", None, pair.expand())
        second = Project(self.settings, first.graph)._write(  # noqa: SLF001 - another one of this class
            (first.revision.revision,), f"{words}: contract", "contract", None, pair.contract()
        )
        return [first, second]

    def merge(self, names: list[str], message: str | None, *, revision: str | None) -> "Written":
        """Write a revision that merges others."""
        parents = merge_parents(self.graph, names)
        return self._write(parents, message or f"merge {' and '.join(parents)}", None, revision)

    def squash(self, written: str, message: str | None, *, revision: str | None) -> tuple["Written", Squashed]:
        """Write a revision that replaces those of `first:last`, which stay; one that would do something else does not."""
        replaced = members(self.graph, written)
        squash = Squash.of(replaced)
        names = tuple(one.revision for one in replaced)
        title = " ".join((message or f"squash {names[0]} to {names[-1]}").split())
        chosen = new_id() if revision is None else checked_id(self.graph, revision)
        made = datetime.now(UTC)
        text = f"{title}\n\n{squash.message}"
        draft = Draft(chosen, replaced[0].down_revisions, text, made, phase_of(replaced), squash.body(), replaces=names)
        found = write_revision(self.settings, draft)
        try:
            program = prepare(found)
            squash.compare(program)
            graph = Graph([*self.graph.everything.values(), found])
        except BaseException:
            if found.path is not None:
                found.path.unlink()
            raise
        anew = tuple(name for name in names if name not in squash.kept)
        kept = tuple(name for name in names if name in squash.kept)
        return Written(graph, found), Squashed(found, anew, kept, program.why_not_down)

    def _write(
        self,
        parents: tuple[str, ...],
        message: str,
        phase: Phase | None,
        revision: str | None,
        body: Body = NO_BODY,
    ) -> "Written":
        chosen = new_id() if revision is None else checked_id(self.graph, revision)
        words = " ".join(message.split())
        written = write_revision(self.settings, Draft(chosen, parents, words, datetime.now(UTC), phase, body))
        return Written(Graph([*self.graph.everything.values(), written]), written)


@dataclass(frozen=True, slots=True)
class Written:
    """A revision that was written, and the graph with it."""

    graph: Graph
    revision: Revision


def begin(project: Path, section: Section) -> tuple[Settings, Path]:
    """Make the folder with its template and write the settings, last; return them and where the template is."""
    settings, _ = prepared(project, section)
    template = write_template(settings.folder)
    return write_settings(project, section), template
