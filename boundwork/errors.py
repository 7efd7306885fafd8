"""Every error that boundwork raises.

    BoundworkError
    +-- NoActiveUnitOfWork         a repository was used outside a unit
    +-- AmbiguousUnitOfWork        several open units declare the model
    +-- NestedUnitOfWork           another definition was opened inside an open unit
    +-- TenantMissing              documents have tenants, and the unit was not told whose it works with
    +-- UnitUsedElsewhere          a unit was used from another task, thread or process
    +-- UnitClosed                 a unit was used after its end
    +-- CommitRefused              commit() or rollback() was called where the unit cannot be ended
    +-- AlreadyCommitted           a unit with the same idempotency key has committed
    +-- UnitFenced                 outcome() was asked for the idempotency key before a unit committed
    +-- UnitDoomed                 a unit was used after a server error ended its transaction
    +-- DocumentNotFound           no document has the id, or meets the conditions of `one()`
    +-- MultipleDocumentsFound     more than one document meets the conditions of `one()`
    +-- InvalidPageToken           a page token was not made for the query
    +-- InvalidDocument            a document does not fit its model or cannot be stored
    +-- WrongModel                 a document was asked for as another model than it was loaded as
    +-- NotInUnit                  a document was handed to a unit that it does not belong to
    +-- DuplicateKey               a unique key is taken
    +-- TransactionFailed          the server refused a command; the base of the next two
    |   +-- TransientFailure       the unit failed, and running its body again may succeed
    |   |   +-- StaleDocument      a document changed since it was read
    |   +-- TransactionsUnavailable  the server is a standalone
    +-- WriteEscaped               a write left the session of a unit, whose commit was refused
    +-- CommitOutcomeUnknown       the commit was sent, and nobody can say whether it happened
    +-- ServerUnavailable          no server could be reached, or it refused the login
    +-- SchemaNotEnsured           a declared collection or index could not be made

Those of migrations are in boundwork.alembic_like_migrations.errors, on the same base.

Texts name ids and fields, never contents. The facts are attributes, the driver's error is `__cause__`, and
every error can be pickled.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from boundwork.uow.receipt import Receipt

NAMED = 10


class BoundworkError(Exception):
    """Base of all errors of boundwork."""

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle text and attributes, whatever the signature of the class."""
        return _restored, (type(self), self.args, self.__dict__)


def _restored(kind: type[BoundworkError], args: tuple[Any, ...], facts: dict[str, Any]) -> BoundworkError:
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(facts)
    return error


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


class DocumentNotFound(BoundworkError):
    """No document of the model has the id, or meets the conditions of a query.

    Attributes: `model` (name), `collection`, `id` (None for a query), `ids` (all that are missing; `id` is the first).
    """

    def __init__(self, model: str, collection: str, id: object) -> None:  # noqa: A002 - the field is called id
        """Name the model, the collection and the id."""
        super().__init__(
            f"{model} {id!r} was not found in collection {collection!r}. Use find_by_id to get None instead."
        )
        self.model = model
        self.collection = collection
        self.id = id
        self.ids: tuple[object, ...] = (id,)

    @classmethod
    def of_many(cls, model: str, collection: str, ids: Sequence[object]) -> Self:
        """Build the error for several ids; the text names the first ten."""
        error = cls(model, collection, ids[0])
        named = ", ".join(map(repr, ids[:NAMED]))
        more = f" and {len(ids) - NAMED} more" if len(ids) > NAMED else ""
        error.args = (
            f"{model} {named}{more} not found in collection {collection!r}. Use find with in_ to get those that exist.",
        )
        error.ids = tuple(ids)
        return error

    @classmethod
    def of_query(cls, model: str, collection: str) -> Self:
        """Build the error for a query that found nothing."""
        error = cls(model, collection, None)
        error.args = (f"No {model} in collection {collection!r} meets the conditions. Use one_or_none to get None.",)
        return error


class MultipleDocumentsFound(BoundworkError):
    """More than one document meets the conditions of a query that was asked for one.

    Attributes: `model` (name), `collection`.
    """

    def __init__(self, model: str, collection: str) -> None:
        """Name the model and the collection."""
        super().__init__(
            f"More than one {model} in collection {collection!r} meets the conditions. "
            "Narrow them, or use first() with a sort.",
        )
        self.model = model
        self.collection = collection


class InvalidPageToken(BoundworkError):
    """A page token is malformed, was made for another query, or was not signed with the key."""

    def __init__(self, text: str | None = None) -> None:
        """Say what may have happened; the token itself is the client's and is not quoted."""
        super().__init__(
            text
            or "The page token was not made for this query: it is malformed, of another sort, or not signed with this "
            "key. Begin at the first page.",
        )


class InvalidDocument(BoundworkError):
    """A document does not fit its model, or has a value that cannot be stored.

    Attributes: `collection`, `id`, `fields` (dotted paths), `problems` (one text a field, without values).
    """

    def __init__(
        self,
        collection: str,
        id: object,  # noqa: A002 - the field is called id
        problems: Sequence[tuple[str, str]],
        *,
        stored: bool,
    ) -> None:
        """Name collection, id and fields; `stored` says that the document came from the database."""
        where = "The stored document" if stored else "The document"
        what = "; ".join(f"{field}: {problem}" for field, problem in problems)
        then = "Mend it in the database or in the model." if stored else "It was not written. Mend the value."
        super().__init__(f"{where} {id!r} of collection {collection!r} does not fit its model: {what}. {then}")
        self.collection = collection
        self.id = id
        self.fields = tuple(field for field, _ in problems)
        self.problems = tuple(problem for _, problem in problems)


class WrongModel(BoundworkError):
    """The same document was asked for as a model that it was not loaded as."""


class NotInUnit(BoundworkError):
    """A document was handed to a unit that it does not belong to."""


class DuplicateKey(BoundworkError):
    """A unique key is taken by another document; nothing was written.

    Attributes: `collection`, `id`, `fields` (the key's fields), `origin` (where the document was added).
    """

    def __init__(
        self,
        collection: str,
        id: object,  # noqa: A002 - the field is called id
        fields: tuple[str, ...],
        origin: str | None = None,
    ) -> None:
        """Name collection, id, the key's fields and the call that added the document."""
        key = ", ".join(fields) or "a unique key"
        came = f" (added at {origin})" if origin else ""
        super().__init__(
            f"The key ({key}) of document {id!r}{came} is taken in collection {collection!r}. "
            "The unit was rolled back. Use add_if_absent where another document with the same id is expected.",
        )
        self.collection = collection
        self.id = id
        self.fields = fields
        self.origin = origin


class TransactionFailed(BoundworkError):
    """The server refused a command of the unit; nothing was written.

    Attributes: `code` (the server's, or None), `labels`.
    """

    def __init__(self, text: str, *, code: int | None = None, labels: frozenset[str] = frozenset()) -> None:
        """Keep the server's code and labels."""
        super().__init__(text)
        self.code = code
        self.labels = labels


class TransientFailure(TransactionFailed):
    """The unit failed, nothing was written, and running its body again may succeed: see `run` and `attempts`."""


class StaleDocument(TransientFailure):
    """A document changed since it was read; nothing was written.

    Attributes: `model`, `collection`, `id`.
    """

    @classmethod
    def of(cls, model: str, collection: str, id: object) -> Self:  # noqa: A002 - the field is called id
        """Build the error for one document."""
        error = cls(
            f"{model} {id!r} changed since it was read. Nothing was written. "
            "Re-run the block (run or attempts), or read the document again.",
        )
        error.model, error.collection, error.id = model, collection, id
        return error

    model: str | None = None
    collection: str | None = None
    id: object = None


class TransactionsUnavailable(TransactionFailed):
    """The server has no transactions because it is not a member of a replica set."""


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


class CommitOutcomeUnknown(BoundworkError):
    """The commit was sent, and nobody can say whether it happened; look before you repeat the work.

    Attributes: `code`, `labels` of the last reply.
    """

    def __init__(self, text: str, *, code: int | None = None, labels: frozenset[str] = frozenset()) -> None:
        """Keep the server's code and labels."""
        super().__init__(text)
        self.code = code
        self.labels = labels


class ServerUnavailable(BoundworkError):
    """No server could be reached, or it refused the login."""


class SchemaNotEnsured(BoundworkError):
    """A declared collection or index could not be made or changed; what was made before stays.

    Attributes: `collection`, `indexes` (names), `code` (the server's, or None).
    """

    def __init__(
        self,
        text: str,
        *,
        collection: str | None = None,
        indexes: tuple[str, ...] = (),
        code: int | None = None,
    ) -> None:
        """Keep what it was about."""
        super().__init__(text)
        self.collection = collection
        self.indexes = indexes
        self.code = code
