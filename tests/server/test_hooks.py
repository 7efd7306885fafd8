"""Hooks on a real server: what the driver sends in them, and hooks of units that fail or are cancelled."""

import asyncio
from typing import Any

import pytest

from boundwork import CommitOutcomeUnknown, TransientFailure
from boundwork.uow.run_sync import run_sync
from tests.contract.colours import Blue
from tests.server.bank import Account, AsyncBank, bank_of, raw, settled
from tests.server.commands_seen import CommandsSeen, name_of
from tests.server.under_way import HOLD_MS, held, left_open

Stored = dict[str, Any]


def hook(uow: Any, work: Any) -> Any:
    """Return a hook of the unit's colour that does what a coroutine function does."""
    return (lambda: run_sync(work())) if isinstance(uow, Blue) else work


async def test_calls_of_the_driver_in_a_hook_are_not_part_of_a_transaction(
    banks: Any, seen: CommandsSeen, stored: Any
) -> None:
    with pytest.raises(ZeroDivisionError):
        async with banks() as uow:
            database = raw(uow)

            async def audit() -> None:
                await settled(database["audit"].insert_one({}))

            uow.accounts.add(Account(id=2))
            uow.on_commit(hook(uow, audit))
            uow.on_rollback(hook(uow, audit))
            await uow.commit()
            await settled(database["accounts"].insert_one({"_id": 3}))
            uow.on_rollback(hook(uow, audit))
            raise ZeroDivisionError
    inserts = [(command["insert"], command.get("autocommit")) for command in seen.take_named("insert")]
    assert inserts == [("accounts", False), ("audit", None), ("accounts", False), ("audit", None)]
    assert stored.count_documents({}) == 2
    assert stored.database["audit"].count_documents({}) == 2


async def test_a_hook_of_an_independent_unit_is_not_part_of_the_outer_one(
    banks: Any, opened: Any, colour: str, seen: CommandsSeen, stored: Any
) -> None:
    database = opened()
    bank, audit = bank_of(colour, database), bank_of(colour, database)
    with pytest.raises(ZeroDivisionError):
        async with bank as uow:

            async def note() -> None:
                await settled(database["audit"].insert_one({}))

            (await uow.accounts.get(1)).balance = 7
            await uow.flush()
            async with audit.independent() as log:
                log.on_commit(hook(uow, note))
            await settled(raw(uow)["accounts"].insert_one({"_id": 9}))
            raise ZeroDivisionError
    (of_hook,) = [command for command in seen.take_named("insert") if "autocommit" not in command]
    assert of_hook["insert"] == "audit"
    assert stored.count_documents({}) == 1


async def test_what_the_driver_writes_in_a_hook_before_the_commit_is_committed(banks: Any, stored: Any) -> None:
    async with banks() as uow:
        database = raw(uow)

        async def count() -> None:
            await uow.flush()
            await settled(database["accounts"].update_many({}, {"$inc": {"balance": 1}}))

        uow.accounts.add(Account(id=2))
        uow.before_commit(hook(uow, count))
    assert [account["balance"] for account in stored.find()] == [1, 1]


async def test_no_hook_runs_where_the_outcome_is_unknown(banks: Any, server: Any, stored: Any) -> None:
    done: list[str] = []
    with server(["commitTransaction"], 20, {"errorCode": 50}), pytest.raises(CommitOutcomeUnknown):
        async with banks(commit_seconds=0.0) as uow:
            (await uow.accounts.get(1)).balance = 7
            uow.on_commit(lambda: done.append("committed"))
            uow.on_rollback(lambda: done.append("rolled back"))
    assert done == []


async def test_a_commit_that_failed_is_a_rollback(banks: Any, server: Any, stored: Any) -> None:
    done: list[str] = []
    lost = {"errorCode": 251, "errorLabels": ["TransientTransactionError"]}
    with server(["commitTransaction"], 1, lost), pytest.raises(TransientFailure):
        async with banks() as uow:
            (await uow.accounts.get(1)).balance = 7
            uow.on_commit(lambda: done.append("committed"))
            uow.on_rollback(lambda: done.append("rolled back"))
    assert done == ["rolled back"]


async def test_hooks_run_once_where_the_unit_repeats_itself(banks: Any, server: Any, stored: Any) -> None:
    done: list[str] = []
    lost = {"errorCode": 251, "errorLabels": ["TransientTransactionError"]}
    with server(["commitTransaction"], 2, lost):
        async with banks(replay_seconds=60.0) as uow:
            (await uow.accounts.get(1)).balance = 7
            uow.before_commit(lambda: done.append("before"))
            uow.on_commit(lambda: done.append("committed"))
    assert uow.receipt.replays == 2
    assert done == ["before", "committed"]


async def test_a_cancelled_hook_leaves_the_outcome_known_and_nothing_open(async_bank: AsyncBank, stored: Any) -> None:
    units: list[AsyncBank] = []

    reached = asyncio.Event()

    async def endless() -> None:
        reached.set()
        await asyncio.sleep(60)

    async def work() -> None:
        async with async_bank as uow:
            units.append(uow)
            (await uow.accounts.get(1)).balance = 7
            uow.on_commit(endless)

    task = asyncio.create_task(work())
    await reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [type(failed.error) for failed in units[0].receipt.failed_hooks] == [asyncio.CancelledError]
    assert units[0].receipt.commits == 1


async def test_a_hook_that_is_cancelled_in_a_call_of_the_driver_before_the_commit_leaves_no_transaction(
    async_bank: AsyncBank, mongod_client: Any, database_name: str
) -> None:
    data = {"failCommands": ["insert"], "blockConnection": True, "blockTimeMS": HOLD_MS}

    async def work() -> None:
        async with async_bank as uow:
            database = uow.database

            async def write() -> None:
                await database["accounts"].insert_one({"_id": 9})

            uow.before_commit(write)

    mongod_client.admin.command("configureFailPoint", "failCommand", mode={"times": 1}, data=data)
    task = asyncio.create_task(work())
    await held(mongod_client, "insert")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await left_open(mongod_client) == []
    assert mongod_client[database_name].accounts.count_documents({}) == 0


async def test_a_unit_without_hooks_and_keys_sends_what_it_always_did(
    banks: Any, seen: CommandsSeen, stored: Any
) -> None:
    async with banks() as uow:
        (await uow.accounts.get(1)).balance = 7
    assert [name_of(command) for command in seen.take()] == ["find", "update", "commitTransaction"]
