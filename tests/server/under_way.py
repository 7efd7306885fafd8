"""What a server has under way: a command that a fail point holds, and transactions that are left open.

Tests wait for these themselves, never for a moment by which they ought to be so.
"""

import asyncio
import time
from contextvars import Context
from typing import Any

from pymongo import MongoClient

from tests.server.commands_seen import name_of

# Shorter than the time after which the tests' server gives up a transaction by itself.
PATIENCE_SECONDS = 15.0
LOOK_SECONDS = 0.01
# How long a fail point holds what `held` waits for: longer than a busy machine stands still.
HOLD_MS = 1500
OF_A_TRANSACTION = {"$or": [{"transaction": {"$exists": True}}, {"command.autocommit": False}]}


async def held(client: MongoClient[Any], command: str) -> None:
    """Wait until the server has received a command, which a fail point keeps from being done."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not _found(client, {f"command.{command}": {"$exists": True}}):
        assert time.monotonic() < deadline, f"the server never had the command {command}"
        await asyncio.sleep(LOOK_SECONDS)


async def left_open(client: MongoClient[Any]) -> list[str]:
    """Wait until the server has no transaction, and return [], or what it has in transactions long afterwards."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (found := _found(client, OF_A_TRANSACTION)) and time.monotonic() < deadline:  # noqa: ASYNC110 - the server tells only who asks
        await asyncio.sleep(LOOK_SECONDS)
    return [name_of(one.get("command") or {"nothing": 1}) for one in found]


def _found(client: MongoClient[Any], what: dict[str, Any]) -> list[dict[str, Any]]:
    stages: list[dict[str, Any]] = [{"$currentOp": {"allUsers": True, "idleSessions": True}}, {"$match": what}]
    # In a context of its own: inside a unit no other client is for use.
    return Context().run(lambda: list(client.admin.aggregate(stages)))
