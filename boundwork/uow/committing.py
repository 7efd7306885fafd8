"""How a commit ends: committed, certainly not committed, or unknown.

A commit whose reply was lost is sent again, which the server answers with the first outcome. It is never replaced by
another transaction, since the first may have happened. After an error that says nothing of the outcome the transaction
is aborted: the answer to that tells whether there was still something to abort.
"""

from enum import Enum
from time import monotonic

from boundwork.uow.failures import FailureKind, SessionFailure
from boundwork.uow.port import BoundSession
from boundwork.uow.reporting import unknown_outcome
from boundwork.uow.waits import wait_before

NO_SUCH_TRANSACTION = 251
TRANSACTION_COMMITTED = 256
TRANSACTION_TOO_OLD = 225


class Fate(Enum):
    """What is known of a commit that failed."""

    UNDONE = "nothing was written"
    OPEN = "the same commit, sent again, will tell"
    UNKNOWN = "nobody can say"


async def commit(session: BoundSession, seconds: float, *, sent: bool = False) -> None:
    """Commit, resending for up to `seconds` while the outcome is unknown.

    `sent` says that the commit may have been sent before. Raises SessionFailure when nothing was written,
    CommitOutcomeUnknown when nobody can say.
    """
    deadline = monotonic() + seconds
    resends = 0
    while True:
        try:
            await session.commit()
        except SessionFailure as failure:
            fate = fate_of(failure, sent=sent or resends > 0)
            if fate is None:
                fate = await _probed(session, deadline)
            if fate is Fate.UNDONE:
                raise
            if fate is Fate.UNKNOWN or monotonic() >= deadline:
                raise unknown_outcome(failure) from failure.__cause__
            resends += 1
            await session.pause(wait_before(resends))
            continue
        return


def fate_of(failure: SessionFailure, *, sent: bool = False) -> Fate | None:
    """Return what a failed commit says of itself, None where only the server can tell.

    `sent` says that the same commit may have been sent before: then a call that the driver refuses proves nothing.
    """
    if failure.unknown:
        return Fate.OPEN
    if failure.write_concern:
        return Fate.UNKNOWN
    if failure.transient:
        return Fate.UNDONE
    if failure.code in {NO_SUCH_TRANSACTION, TRANSACTION_TOO_OLD}:
        return Fate.UNKNOWN
    if failure.kind in {FailureKind.NO_TRANSACTIONS, FailureKind.MISUSE}:
        return Fate.UNKNOWN if sent else Fate.UNDONE
    return None


async def _probed(session: BoundSession, deadline: float) -> Fate:
    """Abort the transaction of a commit that failed, and conclude from the answer what became of it."""
    probes = 0
    while True:
        try:
            await session.probe()
        except SessionFailure as failure:
            if failure.code == TRANSACTION_COMMITTED:
                return Fate.OPEN
            if failure.code == NO_SUCH_TRANSACTION and not failure.write_concern:
                return Fate.UNDONE
            passing = failure.kind in {FailureKind.NETWORK, FailureKind.UNREACHABLE} or failure.labels
            if not passing or monotonic() >= deadline:
                return Fate.UNKNOWN
            probes += 1
            await session.pause(wait_before(probes))
        else:
            return Fate.UNDONE
