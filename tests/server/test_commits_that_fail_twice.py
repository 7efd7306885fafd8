"""A commit that is unknown and then transient, or transient and then unknown: all is done again once, and applied once."""

from collections.abc import Callable
from contextvars import Context
from typing import Any

import pytest
from pymongo import MongoClient

from tests.server.commands_seen import CommandsSeen, failing
from tests.server.convenient import LABELLED, WAYS, Body, balance

COMMIT = "commitTransaction"
UNKNOWN: dict[str, dict[str, Any]] = {
    "connection closed": {"closeConnection": True},
    "write concern error 64": {"writeConcernError": {"code": 64, "errmsg": ""}},
}


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def bank(banks: Callable[..., Any], way: str) -> Any:
    return banks(replay_seconds=WAYS[way])


async def test_a_commit_that_is_unknown_and_then_certainly_failed_does_all_again_once(
    bank: Any, stored: Any, server: Any, way: str
) -> None:
    """The server is asked to abort in between, as a failover would, so that the resent commit finds no transaction."""
    body = Body()
    client = stored.database.client

    async def loses_its_transaction(uow: Any) -> None:
        await body(uow)
        if len(body.units) == 1 and not uow.receipt.replays:
            await uow.flush()
            Context().run(client.admin.command, "killAllSessions", [])

    with server([COMMIT], 2, {"closeConnection": True}):
        await bank.run(loses_its_transaction)
    body.check(way, 1)
    assert balance(stored) == 1


@pytest.mark.parametrize("how", UNKNOWN)
async def test_a_commit_that_certainly_failed_and_is_then_unknown_is_only_sent_again(
    bank: Any,
    stored: Any,
    mongod_client: MongoClient[dict[str, Any]],
    seen: CommandsSeen,
    monkeypatch: pytest.MonkeyPatch,
    way: str,
    how: str,
) -> None:
    body = Body()
    name = stored.database.name
    refused: list[str] = []

    def goes_on_failing(event: Any) -> None:
        """Once the first commit was refused, let the next ones fail in the other way; here no repetition has begun."""
        if event.command_name == COMMIT and not refused:
            refused.append(COMMIT)
            data = {"failCommands": [COMMIT], "appName": name, **UNKNOWN[how]}
            admin = mongod_client.admin
            Context().run(admin.command, "configureFailPoint", "failCommand", mode={"times": 2}, data=data)

    monkeypatch.setattr(seen, "failed", goes_on_failing)
    with failing(mongod_client, [COMMIT], 1, appName=name, errorCode=251, **LABELLED):
        await bank.run(body)
    body.check(way, 1)
    assert balance(stored) == 1
    first, *others = seen.take_named(COMMIT)
    transactions = [(command["lsid"]["id"], command["txnNumber"]) for command in others]
    assert len(others) == 3
    assert len(set(transactions)) == 1
    assert (first["lsid"]["id"], first["txnNumber"]) not in transactions
