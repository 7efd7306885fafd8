"""The failures that the in-memory database reports.

What a server would refuse has the server's code. What only this database does not understand is refused by
name: a fake that guesses makes a test pass that should fail. Both texts are meant to be read.
"""

from typing import Final

from boundwork.uow.failures import FailureKind, SessionFailure

TRANSIENT: Final = frozenset({"TransientTransactionError"})

BAD_VALUE: Final = 2
FAILED_TO_PARSE: Final = 9
TYPE_MISMATCH: Final = 14
PATH_NOT_VIABLE: Final = 28
CANNOT_BACKFILL: Final = 34
CONFLICTING_OPERATORS: Final = 40
DOLLAR_PREFIXED_NAME: Final = 52
INVALID_ID: Final = 53
EMPTY_NAME: Final = 56
IMMUTABLE_FIELD: Final = 66
WRITE_CONFLICT: Final = 112
PARALLEL_ARRAYS: Final = 171
NO_SUCH_TRANSACTION: Final = 251
TRANSACTION_COMMITTED: Final = 256
DUPLICATE_KEY: Final = 11000
AMBIGUOUS_NAME: Final = 16746
INVALID_PATTERN: Final = 51091
TWO_PATTERN_OPTIONS: Final = 51075
PATH_COLLISION: Final = 31249
MIXED_PROJECTION: Final = 31254


class WriteConflict(Exception):
    """Another transaction wrote the entry, or committed it since this one's snapshot."""


class KeyTaken(Exception):
    """A unique key is held by another document."""

    def __init__(self, index: str, paths: tuple[str, ...]) -> None:
        """Name the index and its fields."""
        super().__init__(f"unique index {index} on {', '.join(paths)}")
        self.index = index
        self.paths = paths


class ServerRefusal(Exception):
    """What a server would have said."""


def refused(operator: str, where: str) -> SessionFailure:
    """Return the failure for an operator that the in-memory database does not know."""
    text = f"The in-memory database does not know {operator} in {where}. Run this on a real server."
    failure = SessionFailure(FailureKind.MISUSE, detail={"operator": operator, "text": text})
    failure.args = (text,)
    failure.__cause__ = NotImplementedError(text)
    return failure


def misused(text: str) -> SessionFailure:
    """Return the failure for a call that a driver would have refused."""
    failure = SessionFailure(FailureKind.MISUSE, detail={"text": text})
    failure.args = (text,)
    return failure


def server_refusal(code: int, text: str) -> SessionFailure:
    """Return the failure that a server reports with this code."""
    failure = SessionFailure(FailureKind.SERVER, code=code, detail={"text": text})
    failure.args = (f"{text} (code {code})",)
    failure.__cause__ = ServerRefusal(text)
    return failure
