"""What `Migrator` and `AsyncMigrator` have in common: how they are made, and the words that ask no database."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from pathlib import Path

from boundwork.alembic_like_migrations.drafts import NO_BODY, Body
from boundwork.alembic_like_migrations.engine.holding import Keep
from boundwork.alembic_like_migrations.engine.runner import Unwatched, Watcher
from boundwork.alembic_like_migrations.engine.server import Server
from boundwork.alembic_like_migrations.engine.work import Work
from boundwork.alembic_like_migrations.errors import NoFolder, RevisionNotFound
from boundwork.alembic_like_migrations.files import read_folder
from boundwork.alembic_like_migrations.graph import Graph
from boundwork.alembic_like_migrations.project import Project, begin
from boundwork.alembic_like_migrations.revision import Phase, Revision
from boundwork.alembic_like_migrations.rollout.rename_pair import RenamePair
from boundwork.alembic_like_migrations.settings import FILE_NAME, URL_VARIABLE, Section, settings_of
from boundwork.alembic_like_migrations.squashing.squash import Squashed

Revisions = str | Path | Iterable[Revision]


class Revising(ABC):
    """The revisions of a folder and a database that they are applied to."""

    def __init__(  # noqa: PLR0913 - one choice each, all by keyword
        self,
        database: object,
        revisions: Revisions,
        *,
        watcher: Watcher | None = None,
        lease_seconds: float = 30.0,
        patience: float = 0.0,
        batch_seconds: float = 1.0,
    ) -> None:
        """Prepare; nothing is asked of the database yet.

        `patience` is how many seconds another runner is waited for; a batch of documents takes about `batch_seconds`.
        """
        self._database = database
        self._folder = Path(revisions) if isinstance(revisions, str | Path) else None
        server, keep = self._opened(database)
        self._work = Work(
            _graph(revisions), server, watcher or Unwatched(), keep, lease_seconds, patience, batch_seconds
        )

    @staticmethod
    @abstractmethod
    def _opened(database: object) -> tuple[Server, Keep]:
        """Return how a database is asked, and how a lease is kept meanwhile."""

    @staticmethod
    def init(
        project: str | Path,
        folder: str = "migrations",
        *,
        models: str | None = None,
        url_variable: str = URL_VARIABLE,
        file_name: str = FILE_NAME,
    ) -> Path:
        """Begin a project: write its settings, make the folder of revisions with its template, and return the folder."""
        section = Section(folder=folder, models=models, url_variable=url_variable, file_name=file_name)
        settings, _ = begin(Path(project), section)
        return settings.folder

    @property
    def graph(self) -> Graph:
        """The revisions, as an empty database sees them."""
        return self._work.graph

    def heads(self) -> tuple[Revision, ...]:
        """Return the revisions that nothing comes after."""
        return tuple(self.graph[head] for head in self.graph.heads)

    def history(self) -> tuple[Revision, ...]:
        """Return all revisions, the newest first."""
        return tuple(reversed(list(self.graph)))

    def show(self, name: str) -> Revision:
        """Return the revision that a name means. Raises as `Graph.resolve`, and RevisionNotFound for several or none."""
        found = self.graph.resolve(name)
        if len(found) != 1:
            raise RevisionNotFound(name, "it means no single revision.")
        return self.graph[found[0]]

    def revision(
        self, message: str, *, after: str = "head", phase: Phase | None = None, revision_id: str | None = None
    ) -> Revision:
        """Write the file of a new revision, and return what it says. Raises NoFolder and others of MigrationError."""
        return self._added(message, after, phase, revision_id)

    def rename(self, written: str, message: str | None = None, *, after: str = "head") -> tuple[Revision, Revision]:
        """Write the two revisions that rename a field in a rolling deploy, from `collection.old:new`."""
        first, second = self._project().rename(RenamePair.parsed(written), message, after=after)
        self._work.graph = second.graph
        return first.revision, second.revision

    def merge(self, *names: str, message: str | None = None, revision_id: str | None = None) -> Revision:
        """Write a revision that comes after several, or after all heads. Raises NothingToMerge."""
        written = self._project().merge(list(names), message, revision=revision_id)
        self._work.graph = written.graph
        return written.revision

    def squash(self, written: str, message: str | None = None, *, revision_id: str | None = None) -> Squashed:
        """Write a revision that replaces those of a range, `first:last`, whose files stay until you delete them.

        Raises SquashImpossible for a range that branches off or is entered in its middle.
        """
        found, squashed = self._project().squash(written, message, revision=revision_id)
        self._work.graph = found.graph
        return squashed

    def _added(
        self, message: str, after: str, phase: Phase | None, revision_id: str | None, body: Body = NO_BODY
    ) -> Revision:
        written = self._project().add(message, after=after, phase=phase, revision=revision_id, body=body)
        self._work.graph = written.graph
        return written.revision

    def _project(self) -> Project:
        if self._folder is None:
            raise NoFolder
        return Project(settings_of(self._folder), self._work.graph)


def _graph(revisions: Revisions) -> Graph:
    if isinstance(revisions, Graph):
        return revisions
    return Graph(read_folder(Path(revisions)) if isinstance(revisions, str | Path) else revisions)
