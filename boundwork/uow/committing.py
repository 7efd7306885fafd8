"""How a commit ends: committed, certainly not committed, or unknown.

A commit whose reply was lost is sent again, which the server answers with the first outcome. It is never
replaced by another transaction, since the first may have happened.
"""

from time import monotonic

from boundwork.uow.failures import FailureKind, SessionFailure
from boundwork.uow.port import BoundSession
from boundwork.uow.reporting import unknown_outcome
from boundwork.uow.waits import wait_before

TIME_LIMIT_EXCEEDED = 50


async def commit(session: BoundSession, seconds: float) -> None:
    """Commit, resending for up to `seconds` while the outcome is unknown.

    Raises SessionFailure when nothing was written, CommitOutcomeUnknown when nobody can say.
    """
    deadline = monotonic() + seconds
    resends = 0
    while True:
        try:
            await session.commit()
        except SessionFailure as failure:
            resend = failure.unknown and failure.code != TIME_LIMIT_EXCEEDED and monotonic() < deadline
            if resend:
                resends += 1
                await session.pause(wait_before(resends))
                continue
            if certainly_not_committed(failure):
                raise
            raise unknown_outcome(failure) from failure.__cause__
        return


def certainly_not_committed(failure: SessionFailure) -> bool:
    """Tell whether a failed commit left nothing behind."""
    if failure.unknown or failure.write_concern:
        return False
    return failure.transient or failure.kind in {FailureKind.NO_TRANSACTIONS, FailureKind.LOGIN, FailureKind.MISUSE}
