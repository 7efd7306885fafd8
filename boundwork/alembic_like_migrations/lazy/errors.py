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
    """A revision must wait until the documents of a lazy one are all migrated; nothing was run of it.

    It contracts, or (`moves`) gives the documents another collection, where the finisher would not look for them.
    """

    def __init__(self, revision: str, lazy: str, collection: str, to: int, *, moves: bool = False) -> None:
        """Name both revisions, and what is left."""
        does = f"gives documents of {collection!r} another collection" if moves else "contracts"
        first = "Run `finish` first" if moves else "Run `finish` first, or upgrade with --phase expand"
        if lazy == revision:
            first = "Put op.lazy into a revision of its own, and run `finish` between the two"
        super().__init__(
            f"Revision {revision} {does}, and {collection!r} holds documents older than version {to}, which "
            f"{'it' if lazy == revision else lazy} migrates lazily. Nothing of it was run. {first}."
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
