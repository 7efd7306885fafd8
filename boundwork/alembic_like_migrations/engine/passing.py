"""Which failures of a single command pass by themselves: a lost connection, and a primary that is one no longer.

The labels of transactions are not there outside of them, so kinds and codes decide. A server that cannot be found at
all is not among them: the driver has waited for it already, as long as its client was told to.
"""

from boundwork.uow.failures import FailureKind, SessionFailure

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


def passes(failure: SessionFailure) -> bool:
    """Tell whether the same command may do well a little later."""
    return failure.kind is FailureKind.NETWORK or failure.code in PASSING
