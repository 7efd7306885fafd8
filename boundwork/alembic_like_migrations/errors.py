"""What can be wrong with revisions, their files and their settings.

    MigrationError
    +-- GraphUnsound             the files together make no graph
    |   +-- DuplicateRevision    two files have the same id
    |   +-- MissingParent        a file names a parent that no file has
    |   +-- RevisionCycle        revisions are each other's ancestors
    |   +-- ReplacesWrong        squashes replace the same revision, or each other
    +-- RevisionNotFound         a name means no revision
    +-- RevisionAmbiguous        a name means more than one revision
    |   +-- SeveralHeads         `head` was asked for, and there are several
    +-- UnknownApplied           a database has a revision that no file has
    +-- PartlyReplaced           a database has some of what a squash replaces, and files of it are gone
    +-- SquashImpossible         a range of revisions cannot be replaced by one
    +-- NoFolder                 a file was to be written, and nobody said where the revisions are
    +-- RevisionNotApplied       one cannot go down to what was never applied
    +-- StepsImpossible          there are not as many steps as were asked for
    +-- NothingToMerge           a merge needs two revisions, none before another
    +-- IdRefused                the id that was chosen for a new revision cannot be used
    +-- RevisionUnreadable       a file is no revision file
    +-- TemplateWrong            the template of the user makes no revision file
    +-- RevisionExists           a new file would take the place of an old one
    +-- SettingsWrong            the settings are missing, wrong, or there already

The facts are attributes. Every text says what to do next.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

from boundwork.errors import BoundworkError
from boundwork.models.kinds import is_array, is_mapping

NAMED = 10


class MigrationError(BoundworkError):
    """Base of all errors of migrations."""


class GraphUnsound(MigrationError):
    """The revision files together make no graph."""


class DuplicateRevision(GraphUnsound):
    """Two files have the same id; `paths` are the files."""

    def __init__(self, revision: str, paths: Sequence[Path | None]) -> None:
        places = " and ".join(str(path) for path in paths if path is not None)
        where = f": {places}" if places else ""
        super().__init__(f"The id {revision} is taken twice{where}. Give one of them another id.")
        self.revision = revision
        self.paths = tuple(paths)


class MissingParent(GraphUnsound):
    """A revision names a parent that no file has."""

    def __init__(self, revision: str, parent: str, path: Path | None) -> None:
        where = f" ({path})" if path is not None else ""
        super().__init__(
            f"The parent {parent} of {revision}{where} has no file. Bring the file back, or correct down_revision."
        )
        self.revision = revision
        self.parent = parent
        self.path = path


class RevisionCycle(GraphUnsound):
    """Revisions are each other's ancestors; `revisions` go from parent to child, the first is also the last."""

    def __init__(self, revisions: Sequence[str]) -> None:
        super().__init__(
            f"These revisions are each other's ancestors: {' -> '.join(revisions)}. Correct one down_revision."
        )
        self.revisions = tuple(revisions)


class ReplacesWrong(GraphUnsound):
    """Squashes replace the same revision, or each other; `revisions` are the squashes."""

    def __init__(self, revisions: Sequence[str], what: str) -> None:
        super().__init__(f"{listed(revisions)} {what}. Correct one `replaces`.")
        self.revisions = tuple(revisions)


class RevisionNotFound(MigrationError):
    """A name means no revision."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"No revision is called {name}: {why}")
        self.name = name


class RevisionAmbiguous(MigrationError):
    """A name means more than one revision; `candidates` are their ids."""

    def __init__(self, name: str, candidates: Sequence[str], text: str) -> None:
        super().__init__(text)
        self.name = name
        self.candidates = tuple(candidates)


class SeveralHeads(RevisionAmbiguous):
    """One head was asked for, and there are several."""

    def __init__(self, name: str, heads: Sequence[str], text: str | None = None) -> None:
        usual = (
            f"There are {len(heads)} heads: {listed(heads)}. Merge them (boundwork migrate merge), "
            "or name the one you mean, or all with heads."
        )
        super().__init__(name, heads, text or usual)


class UnknownApplied(MigrationError):
    """A database has revisions that no file has."""

    def __init__(self, revisions: Sequence[str]) -> None:
        super().__init__(
            f"The database has revisions without a file here: {listed(revisions)}. "
            "They came from newer code or another branch; bring their files here first."
        )
        self.revisions = tuple(revisions)


class PartlyReplaced(MigrationError):
    """A database has some of the revisions that a squash replaces, and files of them are gone.

    `missing` are those that are not applied, `gone` those without a file.
    """

    def __init__(self, squash: str, missing: Sequence[str], gone: Sequence[str]) -> None:
        super().__init__(
            f"The database has only some of what {squash} replaces: {listed(missing)} is missing. It must be upgraded with "
            f"the old files first. Bring back those of {listed(gone)}, upgrade, and delete them again."
        )
        self.squash = squash
        self.missing = tuple(missing)
        self.gone = tuple(gone)


class SquashImpossible(MigrationError):
    """A range of revisions cannot be replaced by one."""


class NoFolder(MigrationError):
    """A file was to be written, and nobody said where the revisions are."""

    def __init__(self) -> None:
        super().__init__("These revisions were given as values, so no file can be written. Give the folder instead.")


class RevisionNotApplied(MigrationError):
    """One cannot go down to a revision that was never applied."""

    def __init__(self, revision: str) -> None:
        super().__init__(f"The revision {revision} is not applied, so one cannot go down to it. Upgrade to it instead.")
        self.revision = revision


class StepsImpossible(MigrationError):
    """There are not as many steps as were asked for, or they are not clear."""


class NothingToMerge(MigrationError):
    """A merge needs two revisions, none of them an ancestor of another."""


class IdRefused(MigrationError):
    """The id that was chosen for a new revision cannot be used."""


class RevisionUnreadable(MigrationError):
    """A file is no revision file; `path` and `line` say where, the line is None where a whole file is meant."""

    def __init__(self, path: Path, line: int | None, what: str) -> None:
        super().__init__(f"{path}{'' if line is None else f':{line}'}: {what}")
        self.path = path
        self.line = line


class TemplateWrong(MigrationError):
    """The template of the user makes no revision file."""

    def __init__(self, path: Path | None, what: str) -> None:
        super().__init__(f"{'the built-in template' if path is None else path}: {what}")
        self.path = path


class RevisionExists(MigrationError):
    """A new file would take the place of an old one."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} is there already, and was left as it is. Choose another message or file_name.")
        self.path = path


class SettingsWrong(MigrationError):
    """The settings are missing, wrong, or there already."""


def shown(value: object) -> str:
    """Return an id as people read it: one that is a document as a dict, whatever class holds it."""
    return repr(_plain(value))


def _plain(value: object) -> object:
    if is_mapping(value):
        return {name: _plain(part) for name, part in value.items()}
    return [_plain(item) for item in value] if is_array(value) else value


def listed(names: Iterable[str]) -> str:
    """Return names separated by commas, the first ten of them."""
    every = list(names)
    more = f" and {len(every) - NAMED} more" if len(every) > NAMED else ""
    return ", ".join(every[:NAMED]) + more
