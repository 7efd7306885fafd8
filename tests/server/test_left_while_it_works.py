"""A unit that is left elsewhere while an operation of it is under way: the abort does not overtake the operation."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import AsyncMongoClient, MongoClient

from boundwork import BoundworkError, UnitUsedElsewhere
from tests.server.bank import Account, AsyncBank, Bank
from tests.server.test_cancellation import slow
from tests.server.under_way import HOLD_MS, held, left_open


@pytest.fixture(params=["async", pytest.param("motor", marks=pytest.mark.filterwarnings("ignore:Motor is deprecated"))])
async def async_bank(request: pytest.FixtureRequest, mongod_uri: str, database_name: str) -> AsyncIterator[AsyncBank]:
    if request.param == "motor":
        motor: Any = AsyncIOMotorClient[Any](mongod_uri)
        yield AsyncBank(motor[database_name])
        motor.close()
    else:
        async with AsyncMongoClient[Any](mongod_uri) as client:
            yield AsyncBank(client[database_name])


async def test_a_unit_that_another_task_leaves_has_no_open_transaction(
    async_bank: AsyncBank, accounts: Any, mongod_client: MongoClient[Any]
) -> None:
    manager = async_bank.unit()

    async def work() -> Account:
        uow = await manager.__aenter__()
        return await uow.accounts.get(1)

    with slow(mongod_client, "find", HOLD_MS):
        task = asyncio.create_task(work())
        await held(mongod_client, "find")
        with pytest.raises(UnitUsedElsewhere):
            await manager.__aexit__(None, None, None)
        with pytest.raises(BoundworkError):
            await task
    assert await left_open(mongod_client) == []


async def test_a_unit_that_another_thread_leaves_has_no_open_transaction(
    bank: Bank, accounts: Any, mongod_client: MongoClient[Any]
) -> None:
    manager = bank.unit()

    def work() -> Account:
        return manager.__enter__().accounts.get(1)

    with slow(mongod_client, "find", HOLD_MS):
        task = asyncio.create_task(asyncio.to_thread(work))
        await held(mongod_client, "find")
        with pytest.raises(UnitUsedElsewhere):
            manager.__exit__(None, None, None)
        with pytest.raises(BoundworkError):
            await task
    assert await left_open(mongod_client) == []
