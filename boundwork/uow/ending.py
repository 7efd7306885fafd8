"""How a unit ends: the objects rewound, the transaction aborted, the session unbound and ended.

Each step has a `finally` of its own, so that none can be skipped; a step that fails is logged, never raised, since it
must not hide the outcome.
"""

import logging
from collections.abc import Coroutine
from time import perf_counter
from typing import TYPE_CHECKING, Any, cast

from boundwork.uow.ended_workspace import EndedWorkspace
from boundwork.uow.escapes import report_escaped
from boundwork.uow.failures import SessionFailure
from boundwork.uow.hooks import Moment
from boundwork.uow.waits import wait_before

if TYPE_CHECKING:
    from boundwork.uow.unit import Unit
    from boundwork.uow.workspace import Workspace

logger = logging.getLogger("boundwork.unit")
TRIES = 5


async def roll_back(unit: "Unit") -> None:
    """Rewind the objects and abort the transaction."""
    report_escaped(unit)
    busy, unit.busy = unit.busy, True
    unit.hooks.ended(Moment.ON_ROLLBACK)
    try:
        unit.workspace.rewind()
    finally:
        try:
            await _abort(unit)
        finally:
            unit.busy = busy


async def _abort(unit: "Unit") -> None:
    if unit.interrupted:
        await overtake(unit)
        return
    try:
        await clean_up(unit, "abort", unit.session.abort())
    except BaseException:
        unit.interrupted = True
        await overtake(unit)
        raise


async def overtake(unit: "Unit") -> None:
    """Abort a transaction one of whose commands was interrupted; another interruption ends only the waiting for that."""
    session = unit.session

    async def persistently() -> None:
        for number in range(1, TRIES):
            try:
                await session.overtake()
            except SessionFailure:  # PyMongo takes an interrupted connection for a lost one, and drops others with it
                await session.pause(wait_before(number))
            else:
                return
        await session.overtake()

    await clean_up(unit, "abort", session.outlast(persistently))
    unit.interrupted = False


async def end(unit: "Unit") -> None:
    """Complete the receipt, let the documents go, and end the session."""
    report_escaped(unit)
    unit.forget()
    unit.receipt.commands = unit.session.commands
    unit.receipt.seconds = perf_counter() - unit.began
    try:
        unit.workspace.close()
        unit.workspace = cast("Workspace", EndedWorkspace(unit))
    finally:
        try:
            await clean_up(unit, "unbind", unit.session.unbind())
        finally:
            await clean_up(unit, "close", unit.session.close())


async def forsake(unit: "Unit") -> None:
    """Let go of the unit in a forked child and send nothing: transaction and session are the parent's."""
    unit.forget()
    unit.workspace.close()
    await unit.session.unbind()


async def clean_up(unit: "Unit", what: str, command: Coroutine[Any, Any, object]) -> None:
    """Await one step of the end; a failure is logged, so that it never hides the outcome."""
    try:
        await command
    except SessionFailure as failure:
        logger.warning("unit %s: the %s failed: %s: %s", unit.name, what, failure, failure.detail.get("text", ""))
