"""How a change of the structure is sent, so that it may be sent twice and what fails says why.

A code that says "it is as you want it" is no failure: a crash may have come between the change and its record.
"""

from collections.abc import Collection, Mapping
from typing import Any

from boundwork.alembic_like_migrations.engine.passing import passes
from boundwork.alembic_like_migrations.engine.server import LOCK_TIMEOUT, MAX_TIME_EXPIRED, Server
from boundwork.alembic_like_migrations.steps.errors import LockedOut, StructureRefused
from boundwork.uow.declarations_refused import what_it_said
from boundwork.uow.failures import FailureKind, SessionFailure

NAMESPACE_NOT_FOUND = 26
INDEX_NOT_FOUND = 27
NAMESPACE_EXISTS = 48
_UNREACHED = {FailureKind.UNREACHABLE, FailureKind.LOGIN}
HOLDERS = 3


async def change(server: Server, what: str, command: Mapping[str, Any], done: Collection[int] = ()) -> bool:
    """Send a change that takes exclusive locks; False if the server answers with a code of `done`.

    `what` completes "the server refused to ...". Raises StructureRefused, LockedOut.
    """
    try:
        await server.change_structure(command)
    except SessionFailure as failure:
        if failure.code in done:
            return False
        raise await refusal(server, what, failure) from failure.__cause__
    return True


async def refusal(server: Server, what: str, failure: SessionFailure) -> StructureRefused | SessionFailure:
    """Return the error for a change that was refused; what passes by itself stays what it is."""
    if failure.kind in _UNREACHED or passes(failure):
        return failure
    if failure.code in {MAX_TIME_EXPIRED, LOCK_TIMEOUT}:
        return LockedOut(what, failure.code, server.lock_seconds, await _holders(server))
    word = failure.detail.get("text", failure.kind.value)
    return StructureRefused(what, failure.code, f"{word} (code {failure.code}). {what_it_said(failure)}")


async def _holders(server: Server) -> list[str]:
    """Name the clients whose transactions are open longest; nobody where the server does not tell."""
    try:
        reply = await server.command({"currentOp": True, "transaction": {"$exists": True}})
    except SessionFailure:
        return []
    opened = [one for one in reply["inprog"] if "timeOpenMicros" in one["transaction"]]
    opened.sort(key=lambda one: -one["transaction"]["timeOpenMicros"])
    return [_holder(one) for one in opened[:HOLDERS]]


def _holder(operation: Mapping[str, Any]) -> str:
    seconds = operation["transaction"]["timeOpenMicros"] / 1_000_000
    name = f"{operation['appName']!r} at " if operation.get("appName") else ""
    return f"{name}{operation.get('client', 'unknown client')}, open for {seconds:.0f} s"
