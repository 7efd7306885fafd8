"""What a session reports when the server, the network or the driver failed.

A `BoundSession` raises nothing but `SessionFailure`, with the driver's own error as its cause. The unit reads
the facts below and decides; it never looks at a driver's exception class.
"""

from collections.abc import Mapping
from enum import Enum
from typing import Any


class FailureKind(Enum):
    """The class of a failure, as far as the unit decides differently on it."""

    SERVER = "the server refused the command"
    NETWORK = "the connection was lost"
    UNREACHABLE = "no server could be selected"
    LOGIN = "the server refused the login"
    NO_TRANSACTIONS = "the server has no transactions"
    DUPLICATE_KEY = "a unique key is taken"
    INVALID_DOCUMENT = "a validator of the collection refused a document"
    TOO_LARGE = "a document is larger than the server allows"
    MISUSE = "the driver refused the call"


class SessionFailure(Exception):
    """One failed command: kind, server code, labels, and for a bulk the write that failed.

    `transient` and `unknown` are the labels TransientTransactionError and UnknownTransactionCommitResult;
    `write_concern` says that the reply carried a write concern error. `collection` and `index` name the write
    of a bulk that failed; `key` names the fields of the unique key that was taken, never their values.
    """

    def __init__(  # noqa: PLR0913 - facts of one failure, all by keyword
        self,
        kind: FailureKind,
        *,
        code: int | None = None,
        labels: frozenset[str] = frozenset(),
        write_concern: bool = False,
        collection: str | None = None,
        index: int | None = None,
        key: tuple[str, ...] = (),
        detail: Mapping[str, Any] | None = None,
    ) -> None:
        """Record the facts; the driver's own error is the cause."""
        super().__init__(kind.value if code is None else f"{kind.value} (code {code})")
        self.kind = kind
        self.code = code
        self.labels = labels
        self.write_concern = write_concern
        self.collection = collection
        self.index = index
        self.key = key
        self.detail = dict(detail or {})

    @property
    def transient(self) -> bool:
        """Tell whether the whole transaction may be tried again."""
        return "TransientTransactionError" in self.labels

    @property
    def unknown(self) -> bool:
        """Tell whether a commit may or may not have happened."""
        return "UnknownTransactionCommitResult" in self.labels
