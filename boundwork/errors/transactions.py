"""What became of a transaction, or of the server that it was for."""

import re
from typing import Self

from boundwork.errors.base import BoundworkError

NEW_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


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
    """The unit failed, nothing was written, and running its body again may succeed: see `run` and `attempts`.

    `may_pass` is False where running the same body again cannot help: `run` and `attempts` do not try.
    """

    may_pass: bool = True


class StaleDocument(TransientFailure):
    """A document changed since it was read; nothing was written.

    Attributes: `model`, `collection`, `id`; where the model is versioned `expected_version`, the one that was read,
    and `found_version`, the present one (None if the document is gone, or was not looked for).
    """

    @classmethod
    def of(  # noqa: PLR0913 - the facts of one document
        cls,
        model: str,
        collection: str,
        id: object,  # noqa: A002 - the field is called id
        expected: int | None = None,
        found: int | None = None,
        *,
        gone: bool = False,
        detached: bool = False,
    ) -> Self:
        """Build the error for one document; `gone` says that it was deleted, `detached` that a copy of it is stale."""
        noun = NEW_WORD.sub(" ", model).lower()
        now = "now deleted" if gone else f"now {found}"
        versions = "" if expected is None or (found is None and not gone) else f" (version {expected}, {now})"
        then = (
            f"Read the {noun} again, and make the changes on that."
            if detached
            else f"Re-run the block (run or attempts), or read the {noun} again."
        )
        error = cls(f"{model} {id!r} changed since it was read{versions}. Nothing was written. {then}")
        error.model, error.collection, error.id = model, collection, id
        error.expected_version, error.found_version = expected, found
        error.may_pass = not detached
        return error

    model: str | None = None
    collection: str | None = None
    id: object = None
    expected_version: int | None = None
    found_version: int | None = None


class TransactionsUnavailable(TransactionFailed):
    """The server has no transactions because it is not a member of a replica set."""


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
