"""A renaming that old and new code live through: one revision that expands, and one that contracts when the old is gone.

Between the two, documents have both names. New code reads the new name and writes both; what old code adds or changes
meanwhile is taken over by the second revision, which names the documents whose two values differ instead of choosing.
"""

from dataclasses import dataclass
from typing import Self

from boundwork.alembic_like_migrations.drafts import Body
from boundwork.alembic_like_migrations.errors import MigrationError

IMPORTS = ("from boundwork.alembic_like_migrations import op",)


class RenameUnclear(MigrationError):
    """What is to be renamed is not written as a collection with two names of a field."""

    def __init__(self, written: str) -> None:
        """Say what was written, and how it is meant."""
        super().__init__(
            f"{written!r} is no renaming. Write collection.old:new, as users.first_name:given_name, and for a field of "
            "embedded documents both whole paths, which differ in their last name: users.address.town:address.city. For "
            "one inside of arrays write the two revisions by hand."
        )
        self.written = written


@dataclass(frozen=True, slots=True)
class RenamePair:
    """A field of a collection, with its old and its new name, or path."""

    collection: str
    old: str
    new: str

    @classmethod
    def parsed(cls, written: str) -> Self:
        """Read `collection.old:new`: the old path has as many names as the new one. Raises RenameUnclear."""
        before, colon, new = written.partition(":")
        parts, names = before.split("."), new.split(".")
        collection, old = parts[: -len(names)], parts[-len(names) :]
        said = bool(colon) and ":" not in new and bool(collection) and all([*collection, *old, *names])
        if not said or any(name.startswith("$") for name in [*old, *names]) or not _two_names(old, names):
            raise RenameUnclear(written)
        return cls(".".join(collection), ".".join(old), new)

    @property
    def title(self) -> str:
        """The message of the pair."""
        return f"rename {self.old} of {self.collection} to {self.new}"

    def expand(self) -> Body:
        """Return the body of the first revision."""
        up = [
            "# Old code goes on with the old name; new code reads the new one and writes both until the next revision.",
            *self._copy(self.old, self.new),
        ]
        return Body(IMPORTS, tuple(up), tuple(self._take_over(self.new, self.old)))

    def contract(self) -> Body:
        """Return the body of the second revision."""
        return Body(IMPORTS, tuple(self._take_over(self.old, self.new)), tuple(self._copy(self.new, self.old)))

    def _copy(self, source: str, target: str) -> list[str]:
        return [f"op.copy_field({self.collection!r}, {source!r}, {target!r}, undo=False)"]

    def _take_over(self, source: str, target: str) -> list[str]:
        return [
            "# One step, since code that writes both names may be at work: where both have the same value, one is enough.",
            "# Where the two differ it stops and names the documents; keep_new or keep_old would decide for all of them.",
            f'op.rename_field({self.collection!r}, {source!r}, {target!r}, on_conflict="error_if_different")',
        ]


def _two_names(old: list[str], new: list[str]) -> bool:
    """Tell whether two paths are different names at one place that steps can change."""
    return old[:-1] == new[:-1] and old[-1] != new[-1] and "_id" not in (old[0], new[0])
