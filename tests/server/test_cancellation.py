"""A unit that is cancelled, timed out or interrupted: all or nothing, and no transaction stays open."""

import asyncio
import os
import signal
import threading
from collections.abc import AsyncIterator, Generator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from pymongo import AsyncMongoClient, MongoClient

from boundwork import AsyncRepository, AsyncUnitOfWork, Repository, UnitOfWork
from tests.contract.shop import Account
from tests.server.under_way import HOLD_MS, held, left_open


class Bank(UnitOfWork):
    accounts = Repository(Account)


class AsyncBank(AsyncUnitOfWork):
    accounts = AsyncRepository(Account)


@pytest.fixture
async def bank(mongod_uri: str, database_name: str) -> AsyncIterator[AsyncBank]:
    async with AsyncMongoClient[Any](mongod_uri) as client:
        bank = AsyncBank(client[database_name])
        async with bank as uow:
            uow.accounts.add(Account(id=1))
        yield bank


@contextmanager
def slow(client: MongoClient[Any], command: str, milliseconds: int) -> Generator[None]:
    data = {"failCommands": [command], "blockConnection": True, "blockTimeMS": milliseconds}
    client.admin.command("configureFailPoint", "failCommand", mode={"times": 1}, data=data)
    try:
        yield
    finally:
        client.admin.command("configureFailPoint", "failCommand", mode="off")


async def transfer(bank: AsyncBank) -> None:
    async with bank as uow:
        account = await uow.accounts.get(1)
        account.balance += 1
        await uow.flush()
        await uow.accounts.count()
        uow.accounts.add(Account(id=2))


async def documents(bank: AsyncBank) -> tuple[int, int]:
    async with bank as uow:
        return (await uow.accounts.get(1)).balance, await uow.accounts.count()


@pytest.mark.parametrize("command", ["find", "update", "aggregate", "insert", "commitTransaction"])
@pytest.mark.parametrize("moment", [0.05, 0.25])
async def test_a_cancelled_unit_is_all_or_nothing_and_leaves_no_transaction(
    bank: AsyncBank, mongod_client: MongoClient[Any], command: str, moment: float
) -> None:
    with slow(mongod_client, command, 200):
        task = asyncio.create_task(transfer(bank))
        await asyncio.sleep(moment)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    assert await documents(bank) in {(0, 1), (1, 2)}
    assert await left_open(mongod_client) == []


async def test_a_task_that_is_cancelled_again_and_again_leaves_no_transaction(
    bank: AsyncBank, mongod_client: MongoClient[Any]
) -> None:
    with slow(mongod_client, "find", 200):
        task = asyncio.create_task(transfer(bank))
        for _ in range(4):
            await asyncio.sleep(0.03)
            task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    assert await left_open(mongod_client) == []
    assert await documents(bank) == (0, 1)


async def test_a_call_of_the_driver_that_is_cancelled_leaves_no_transaction(
    bank: AsyncBank, mongod_client: MongoClient[Any]
) -> None:
    async def write() -> None:
        async with bank as uow:
            await uow.database["accounts"].insert_one({"_id": 9})

    with slow(mongod_client, "insert", HOLD_MS):
        task = asyncio.create_task(write())
        await held(mongod_client, "insert")
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    assert await left_open(mongod_client) == []
    assert await documents(bank) == (0, 1)


async def test_a_timeout_in_a_slow_commit_tells_the_truth(bank: AsyncBank, mongod_client: MongoClient[Any]) -> None:
    accounts: list[Account] = []

    async def end(limit: asyncio.Timeout) -> None:
        await held(mongod_client, "commitTransaction")
        limit.reschedule(0)

    async with asyncio.TaskGroup() as tasks:
        with slow(mongod_client, "commitTransaction", HOLD_MS), pytest.raises(TimeoutError):
            async with asyncio.timeout(None) as limit:
                tasks.create_task(end(limit))
                async with bank as uow:
                    accounts.append(await uow.accounts.get(1))
                    accounts[0].balance = 7
    async with bank as uow:
        assert (await uow.accounts.get(1)).balance == accounts[0].balance


async def interrupt_when_held(client: MongoClient[Any], command: str) -> None:
    await held(client, command)
    os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.parametrize("command", ["find", "update", "commitTransaction"])
def test_ctrl_c_leaves_no_transaction(
    mongod_uri: str, mongod_client: MongoClient[Any], database_name: str, command: str
) -> None:
    with MongoClient[Any](mongod_uri) as client:
        bank = Bank(client[database_name])
        with bank as uow:
            uow.accounts.add(Account(id=1))
        accounts: list[Account] = []
        with slow(client, command, HOLD_MS):
            interrupting = threading.Thread(target=asyncio.run, args=[interrupt_when_held(mongod_client, command)])
            interrupting.start()
            with pytest.raises(KeyboardInterrupt), bank as uow:
                accounts.append(uow.accounts.get(1))
                accounts[0].balance = 7
            interrupting.join()
        assert asyncio.run(left_open(mongod_client)) == []
        with bank as uow:
            stored = uow.accounts.get(1).balance
        assert stored in {0, 7}
        assert all(account.balance == stored for account in accounts)
