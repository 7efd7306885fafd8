"""What is wrong with how a unit is used: where, when, or how it ended."""

from typing import TYPE_CHECKING

from boundwork.errors.base import BoundworkError

if TYPE_CHECKING:
    from boundwork.uow.receipt import Receipt


class NoActiveUnitOfWork(BoundworkError):
    """No unit is open here."""


class AmbiguousUnitOfWork(BoundworkError):
    """More than one open unit declares the model."""


class NestedUnitOfWork(BoundworkError):
    """A unit was opened inside another one in a way that would mix the two."""


class TenantMissing(BoundworkError):
    """Documents have tenants, and the unit was not told whose it works with; what would need that was not sent."""


class UnitUsedElsewhere(BoundworkError):
    """A unit was used from another task, thread or process than the one that opened it."""


class UnitClosed(BoundworkError):
    """A unit was used before it was entered or after its end."""


class CommitRefused(BoundworkError):
    """`commit()` or `rollback()` was called where the unit cannot be ended."""


class AlreadyCommitted(BoundworkError):
    """A unit with the same idempotency key has committed; this one wrote nothing.

    Attributes: `key`, and `receipt`, that of the unit that committed, as it was when its marker was written.
    """

    def __init__(self, key: str, receipt: "Receipt") -> None:
        """Name the key and keep the first receipt."""
        super().__init__(
            f"A unit with the idempotency key {key!r} has committed already: the work is done, and nothing was "
            "written now. The receipt of that unit is in `receipt`.",
        )
        self.key = key
        self.receipt = receipt


class UnitFenced(BoundworkError):
    """The idempotency key can never commit: `outcome()` was asked for it first, and told that.

    Attributes: `key`.
    """

    def __init__(self, key: str) -> None:
        """Name the key."""
        super().__init__(
            f"The idempotency key {key!r} was fenced: outcome() was asked for it before a unit had committed, and "
            "answered that none ever will. Nothing was written. Do the work under another key.",
        )
        self.key = key


class UnitDoomed(BoundworkError):
    """A unit was used after an error of the server ended its transaction; the first error is the cause."""


class WriteEscaped(BoundworkError):
    """A write left the session of a unit while the unit was open; the unit wrote nothing, but that write stays.

    Attributes: `command`, `database`, `collection` (None where the command names none).
    """

    def __init__(self, unit: str, command: str, database: str, collection: str | None) -> None:
        """Name the unit, and the write by its command and what it was sent to."""
        place = (
            f"database {database!r}" if collection is None else f"collection {collection!r} of database {database!r}"
        )
        super().__init__(
            f"The unit of work {unit} was refused its commit and wrote nothing, because a write left its session: "
            f"{command} on {place}. That write was sent by itself, and what it did is not undone. "
            "Write through the unit's repositories or uow.database, or step out on purpose: with uow.outside().",
        )
        self.command = command
        self.database = database
        self.collection = collection
