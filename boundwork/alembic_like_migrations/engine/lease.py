"""Who may run migrations: the holder of a lease that is told by the server's clock and kept by a heartbeat.

Taking it raises its epoch and then the fence to that epoch, which every transaction of the holder touches. So it does
not matter what the clocks of the runners say, or whether one of them was stopped for an hour: at most one epoch writes.
"""

import os
import socket
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from secrets import token_hex
from time import monotonic
from typing import Any

from boundwork.alembic_like_migrations.engine.errors import LeaseLost, LockHeld, StandaloneServer
from boundwork.alembic_like_migrations.engine.server import FENCE, LEDGER, MAX_TIME_EXPIRED, Server
from boundwork.uow.failures import FailureKind, SessionFailure

LEASE = "lease"
PASSING_SECONDS = 30.0
"""How long a failover is waited for while a lease is taken or given back."""
LOOK_AGAIN_SECONDS = 0.5
UNLOCK_SECONDS = 90.0
"""How long `unlock` waits for a transaction that is under way: longer than the server lets one live (60 s)."""
NOW: dict[str, Any] = {"$toLong": "$$NOW"}
"""The server's clock in milliseconds; SecantusDB cannot compare its date with a stored one."""
FREE: dict[str, Any] = {"owner": None, "who": None, "expires": None}


@dataclass(slots=True)
class Lease:
    """The right to write, for `seconds` from each renewal."""

    server: Server
    seconds: float
    owner: str
    epoch: int

    async def renew(self) -> None:
        """Keep the lease for another `seconds`. Raises LeaseLost if it is no longer this runner's."""
        mine = {"_id": LEASE, "owner": self.owner, "epoch": self.epoch}
        if not await _update(self.server, mine, [{"$set": {"expires": _in(self.seconds)}}]):
            raise LeaseLost(self.epoch)

    async def release(self) -> None:
        """Give the lease back; one that was lost is left alone."""
        mine = {"_id": LEASE, "owner": self.owner, "epoch": self.epoch}
        await self.server.patiently(lambda: _update(self.server, mine, {"$set": FREE}), PASSING_SECONDS)


async def acquire(server: Server, seconds: float, patience: float) -> Lease:
    """Take the lease for `seconds`, waiting for up to `patience` while another runner has it.

    What the holder does goes through the server of the lease. Raises LockHeld, StandaloneServer.
    """
    await _refuse_standalone(server)
    owner = token_hex(8)
    try:
        return await _acquire(server, owner, seconds, monotonic() + patience)
    except BaseException:
        # An interruption can come between the server's answer and this process.
        with suppress(SessionFailure):
            await _update(server, {"_id": LEASE, "owner": owner}, {"$set": FREE})
        raise


async def _acquire(server: Server, owner: str, seconds: float, deadline: float) -> Lease:
    while True:
        epoch = await server.patiently(lambda: _take(server, owner, seconds), PASSING_SECONDS)
        if epoch is not None:
            lease = Lease(replace(server, epoch=epoch), seconds, owner, epoch)
            await _raise_fence(lease)
            return lease
        if monotonic() >= deadline:
            held = await server.patiently(lambda: _held(server), PASSING_SECONDS)
            if held is None:
                continue
            raise held
        await server.sessions().pause(min(LOOK_AGAIN_SECONDS, max(deadline - monotonic(), 0)))


async def unlock(server: Server) -> str | None:
    """Take the lease away from whoever has it, and return who had it; the fence stops what it still writes."""
    found = await server.all({"find": LEDGER, "filter": {"_id": LEASE}})
    if not found or found[0].get("owner") is None:
        return None
    taken, epoch = {"_id": LEASE, "epoch": found[0]["epoch"]}, found[0]["epoch"] + 1
    if not await _update(server, taken, {"$set": {**FREE, "epoch": epoch}}):
        return None  # it was given back or taken anew in this moment
    await _move_fence(server, epoch, UNLOCK_SECONDS)
    return str(found[0]["who"])


async def _refuse_standalone(server: Server) -> None:
    hello = await server.patiently(lambda: server.command({"hello": 1}), PASSING_SECONDS)
    if "setName" not in hello and hello.get("msg") != "isdbgrid":
        raise StandaloneServer


async def _take(server: Server, owner: str, seconds: float) -> int | None:
    """Take the lease if it is free, and return its epoch; one that was taken by a lost command is taken again."""
    free = [{"expires": None}, {"owner": owner}, {"$expr": {"$lte": ["$expires", NOW]}}]
    taken = {
        "owner": {"$literal": owner},
        "who": {"$literal": f"process {os.getpid()} on {socket.gethostname()}"},
        "epoch": {"$add": ["$epoch", 1]},
        "since": "$$NOW",
        "expires": _in(seconds),
    }
    await _upsert(server, {"_id": LEASE}, {"$setOnInsert": {**FREE, "epoch": 0}})
    query = {"_id": LEASE, "$or": free}
    command = {"findAndModify": LEDGER, "query": query, "update": [{"$set": taken}], "new": True}
    lease = (await server.command(command))["value"]
    return None if lease is None else int(lease["epoch"])


async def _raise_fence(lease: Lease) -> None:
    """Put the fence at the epoch of a lease, which is kept while a transaction of an earlier holder is waited for.

    Raises LeaseLost if a later holder was quicker.
    """
    while True:
        try:
            await _move_fence(lease.server, lease.epoch, lease.seconds / 3)
        except SessionFailure as failure:
            if failure.code != MAX_TIME_EXPIRED:
                raise
            await lease.server.patiently(lease.renew, PASSING_SECONDS)
        else:
            return


async def _move_fence(server: Server, epoch: int, seconds: float) -> None:
    lower = {"_id": FENCE, "epoch": {"$lte": epoch}}

    async def move() -> None:
        if not await _upsert(server, lower, {"$set": {"epoch": epoch}}, maxTimeMS=round(seconds * 1000)):
            raise LeaseLost(epoch)

    await server.patiently(move, PASSING_SECONDS)


async def _upsert(server: Server, query: dict[str, Any], update: Any, **options: Any) -> int:
    """Update or insert a document by its id, and return 0 if there is one that does not match the rest."""
    try:
        return await _update(server, query, update, upsert=True, **options)
    except SessionFailure as failure:
        if failure.kind is FailureKind.DUPLICATE_KEY:
            return 0
        raise


async def _held(server: Server) -> LockHeld | None:
    """Return the error that says who has the lease; None if it was given back in this moment."""
    left = {"$divide": [{"$subtract": ["$expires", NOW]}, 1000]}
    pipeline = [{"$match": {"_id": LEASE}}, {"$project": {"who": 1, "left": left}}]
    found = await server.all({"aggregate": LEDGER, "pipeline": pipeline, "cursor": {}})
    row: Mapping[str, Any] = found[0] if found else FREE
    return None if row["who"] is None else LockHeld(str(row["who"]), float(row["left"]))


async def _update(server: Server, query: dict[str, Any], update: Any, **options: Any) -> int:
    command = {"findAndModify": LEDGER, "query": query, "update": update, "fields": {"_id": 1}, **options}
    return int((await server.command(command))["lastErrorObject"]["n"])


def _in(seconds: float) -> dict[str, Any]:
    return {"$add": [NOW, round(seconds * 1000)]}
