"""Who may run migrations: the holder of a lease that is told by the server's clock and kept by a heartbeat.

Taking it raises its epoch and then the fence to that epoch, which every transaction of the holder touches. So it does
not matter what the clocks of the runners say, or whether one of them was stopped for an hour: at most one epoch writes.
"""

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from secrets import token_hex
from time import monotonic
from typing import Any

from boundwork.alembic_like_migrations.engine.errors import LeaseLost, LockHeld
from boundwork.alembic_like_migrations.engine.server import FENCE, LEDGER, Server
from boundwork.uow.failures import FailureKind, SessionFailure

LEASE = "lease"
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
        await _update(self.server, {"_id": LEASE, "owner": self.owner, "epoch": self.epoch}, {"$set": FREE})


async def acquire(server: Server, seconds: float, patience: float) -> Lease:
    """Take the lease for `seconds`, waiting for up to `patience` while another runner has it. Raises LockHeld."""
    owner, deadline = token_hex(8), monotonic() + patience
    while True:
        epoch = await _take(server, owner, seconds)
        if epoch is not None:
            await _raise_fence(server, epoch)
            server.epoch = epoch
            return Lease(server, seconds, owner, epoch)
        if monotonic() >= deadline:
            raise await _held(server)
        await server.sessions().pause(min(0.5, patience))


async def unlock(server: Server) -> str | None:
    """Take the lease away from whoever has it, and return who had it; the fence stops what it still writes."""
    found = await server.all({"find": LEDGER, "filter": {"_id": LEASE}})
    if not found or found[0].get("owner") is None:
        return None
    stage = {"$set": {**FREE, "epoch": {"$add": ["$epoch", 1]}}}
    if await _update(server, {"_id": LEASE, "epoch": found[0]["epoch"]}, [stage]):
        await _raise_fence(server, found[0]["epoch"] + 1)
    return str(found[0]["who"])


async def _take(server: Server, owner: str, seconds: float) -> int | None:
    free = {"$or": [{"expires": None}, {"$expr": {"$lte": ["$expires", "$$NOW"]}}]}
    taken = {
        "owner": {"$literal": owner},
        "who": {"$literal": f"process {os.getpid()} on {socket.gethostname()}"},
        "epoch": {"$add": ["$epoch", 1]},
        "since": "$$NOW",
        "expires": _in(seconds),
    }
    await _update(server, {"_id": LEASE}, {"$setOnInsert": {**FREE, "epoch": 0}}, upsert=True)
    query = {"_id": LEASE, **free}
    command = {"findAndModify": LEDGER, "query": query, "update": [{"$set": taken}], "new": True}
    lease = (await server.command(command))["value"]
    return None if lease is None else int(lease["epoch"])


async def _raise_fence(server: Server, epoch: int) -> None:
    """Put the fence at an epoch; waits for what an earlier holder has begun. LeaseLost if a later one was quicker."""
    lower = {"_id": FENCE, "epoch": {"$lt": epoch}}
    try:
        await _update(server, lower, {"$set": {"epoch": epoch}}, upsert=True)
    except SessionFailure as failure:
        if failure.kind is FailureKind.DUPLICATE_KEY:
            raise LeaseLost(epoch) from failure.__cause__
        raise


async def _held(server: Server) -> LockHeld:
    left = {"$divide": [{"$subtract": ["$expires", "$$NOW"]}, 1000]}
    pipeline = [{"$match": {"_id": LEASE}}, {"$project": {"who": 1, "left": left}}]
    found = await server.all({"aggregate": LEDGER, "pipeline": pipeline, "cursor": {}})
    row: Mapping[str, Any] = found[0] if found else FREE
    return LockHeld(str(row.get("who")), float(row.get("left") or 0))


async def _update(server: Server, query: dict[str, Any], update: Any, *, upsert: bool = False) -> int:
    command = {"findAndModify": LEDGER, "query": query, "update": update, "upsert": upsert, "fields": {"_id": 1}}
    return int((await server.command(command))["lastErrorObject"]["n"])


def _in(seconds: float) -> dict[str, Any]:
    return {"$add": ["$$NOW", round(seconds * 1000)]}
