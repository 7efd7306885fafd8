"""Which failures of a single command pass by themselves: a lost connection, and a primary that is one no longer.

The labels of transactions are not there outside of them, so kinds and codes decide. A server that cannot be found at
all is not among them: the driver has waited for it already, as long as its client was told to. And what is said of a
failure that does not pass: kind, code, names of fields and ids, never what documents hold.
"""

from boundwork.alembic_like_migrations.engine.errors import Refused
from boundwork.errors import BoundworkError
from boundwork.uow.failures import FailureKind, SessionFailure
from boundwork.uow.reporting import public_error

PASSING = frozenset(
    {
        6,  # HostUnreachable
        7,  # HostNotFound
        89,  # NetworkTimeout
        91,  # ShutdownInProgress
        112,  # WriteConflict
        189,  # PrimarySteppedDown
        246,  # SnapshotUnavailable
        262,  # ExceededTimeLimit
        9001,  # SocketException
        10107,  # NotWritablePrimary
        11600,  # InterruptedAtShutdown
        11602,  # InterruptedDueToReplStateChange
        13435,  # NotPrimaryNoSecondaryOk
        13436,  # NotPrimaryOrSecondary
    }
)

MEANINGS = {
    14: "a value has a type that the operator does not take",
    28: "a path leads through a value that is no document",
    66: "an _id cannot be changed",
    241: "a value cannot be converted",
}
"""Of codes whose own words hold contents: the server sends no name with what it says of a write."""


def passes(failure: SessionFailure) -> bool:
    """Tell whether the same command may do well a little later."""
    return failure.kind is FailureKind.NETWORK or failure.code in PASSING


def refusal(failure: SessionFailure) -> BoundworkError:
    """Return the public error of a failure that did not pass."""
    if failure.kind in {FailureKind.UNREACHABLE, FailureKind.LOGIN}:
        return public_error(failure)
    facts = [] if failure.code is None else [f"code {failure.code}"]
    facts += [text] if (text := failure.detail.get("text", MEANINGS.get(failure.code or 0))) else []
    facts += [f"key {', '.join(failure.key)}"] if failure.key else []
    about = f" ({', '.join(facts)})" if facts else ""
    again = ", again and again," if failure.transient else ""
    batch, documents = failure.detail.get("batch"), failure.detail.get("documents", 0)
    return Refused(
        f"{failure.kind.value}{about}{again if batch else again.rstrip(',')}", failure.code, batch, documents
    )
