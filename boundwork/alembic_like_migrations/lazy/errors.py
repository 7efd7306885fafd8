"""What can go wrong between a lazy migration, its finisher and what comes after it."""

from boundwork.alembic_like_migrations.errors import MigrationError


class UpcastChanged(MigrationError):
    """An upcast is not the one that its revision was applied with; `revision`, `collection`."""

    def __init__(self, revision: str, collection: str) -> None:
        """Name the revision and the collection."""
        super().__init__(
            f"The upcast of {collection!r} is not the one that revision {revision} was applied with: documents may have "
            "been migrated by the other one. Restore it, or say by `finish --changed` that it does the same, but better."
        )
        self.revision = revision
        self.collection = collection


class NotFinished(MigrationError):
    """A contracting revision comes after a lazy one whose documents are not all migrated; nothing was run of it."""

    def __init__(self, revision: str, lazy: str, collection: str, to: int) -> None:
        """Name both revisions, and what is left."""
        super().__init__(
            f"Revision {revision} contracts, and {collection!r} holds documents older than version {to}, which {lazy} "
            "migrates lazily. Nothing of it was run. Run `finish` first, or upgrade with --phase expand."
        )
        self.revision = revision
        self.lazy = lazy
        self.collection = collection


class NotLazy(MigrationError):
    """There is nothing to finish in a revision; `revision`."""

    def __init__(self, revision: str, why: str) -> None:
        """Name the revision."""
        super().__init__(f"Revision {revision} cannot be finished: {why}")
        self.revision = revision
