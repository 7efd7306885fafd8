"""How a unit commits: flushed, committed or repeated, and settled or lost.

A commit that certainly failed is repeated with all that led to it. One that was interrupted is resent to learn its
outcome before the interruption goes on. If the outcome stays unknown the unit is lost: it refuses further work.
"""

import logging
from functools import partial
from typing import TYPE_CHECKING

from boundwork.errors import CommitOutcomeUnknown
from boundwork.uow import committing
from boundwork.uow.escapes import refuse_escaped
from boundwork.uow.failures import SessionFailure
from boundwork.uow.hooks import Moment
from boundwork.uow.replaying import Recovery
from boundwork.uow.states import State

if TYPE_CHECKING:
    from boundwork.uow.unit import Unit

logger = logging.getLogger("boundwork.unit")
INTERRUPTIONS = 3


async def commit(unit: "Unit") -> None:
    """Complete the transaction and commit; a failure or an escaped write dooms the unit, an unknown outcome loses it."""
    await unit.complete()
    unit.busy = True
    try:
        await unit.conclude()
    except CommitOutcomeUnknown as error:
        unit.lose(error)
        raise
    except BaseException as error:
        if unit.state is State.ACTIVE:
            await _resolve(unit, error)
        raise
    finally:
        unit.busy = False
    _settle(unit)


async def conclude(unit: "Unit") -> None:
    """Send the commit, again after a transient failure that the unit got over, until its outcome is known."""
    recovery: Recovery | None = None
    while True:
        refuse_escaped(unit)
        try:
            await committing.commit(unit.session, unit.settings.commit_seconds)
        except SessionFailure as failure:
            recovery = recovery or Recovery(unit)
            await _recover(unit, recovery, failure)
        else:
            return


async def _recover(unit: "Unit", recovery: Recovery, failure: SessionFailure) -> None:
    try:
        await recovery.after(failure)
    except BaseException as error:
        unit.interrupted = not isinstance(error, Exception)
        unit.doom(error)
        raise


def _settle(unit: "Unit") -> None:
    unit.settled = True
    worked = unit.workspace.settle(last=unit.leaving)
    unit.committed = worked or unit.session.foreign or unit.committed
    unit.receipt.operation_time = unit.session.operation_time or unit.receipt.operation_time
    unit.hooks.ended(Moment.ON_COMMIT)


async def _resolve(unit: "Unit", interruption: BaseException) -> None:
    """Find out how a commit ended that was interrupted: the server answers the same commit with its outcome."""
    resend = partial(committing.commit, unit.session, unit.settings.commit_seconds, sent=True)
    for _ in range(INTERRUPTIONS):
        try:
            await unit.session.outlast(resend)
        except SessionFailure:
            unit.doom(interruption)
        except Exception as error:  # noqa: BLE001 - the interruption is what is raised; the outcome stays unknown
            logger.warning("unit %s: interrupted in its commit, and its outcome is unknown: %s", unit.name, error)
            unit.lose(interruption)
        except BaseException:  # noqa: BLE001, S112 - interrupted once more; wait, or ask, once more
            continue
        else:
            _settle(unit)
        return
    unit.lose(interruption)
