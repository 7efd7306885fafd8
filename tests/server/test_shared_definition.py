"""One definition shared by threads and tasks: each has its own unit, and sees and uses no other."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from pymongo.errors import InvalidOperation

from boundwork import NoActiveUnitOfWork, UnitClosed, UnitUsedElsewhere
from tests.server.bank import (
    ACCOUNTS,
    BALANCE,
    Account,
    AsyncBank,
    Bank,
    async_transfer,
    check_books,
    in_a_thread,
    transfer,
    transfer_number,
)
from tests.server.commands_seen import session_id

THREADS = 16
TASKS = 200
EACH_THREAD = 12


def test_threads_on_one_definition_keep_the_books(bank: Bank, accounts: Any) -> None:
    def work(number: int) -> None:
        for step in range(EACH_THREAD):
            bank.run(transfer, *transfer_number(number * EACH_THREAD + step))
            with bank as uow:
                assert bank.core is uow.core
                assert sum(account.balance for account in uow.accounts.find()) == ACCOUNTS * BALANCE

    with ThreadPoolExecutor(THREADS) as pool:
        for _ in pool.map(work, range(THREADS)):
            pass
    check_books(accounts, THREADS * EACH_THREAD)


async def test_tasks_on_one_definition_keep_the_books(async_bank: AsyncBank, accounts: Any) -> None:
    async def work(number: int) -> None:
        await async_bank.run(async_transfer, *transfer_number(number))
        async with async_bank as uow:
            assert async_bank.core is uow.core
            found = await uow.accounts.find().to_list()
            assert sum(account.balance for account in found) == ACCOUNTS * BALANCE

    async with asyncio.TaskGroup() as group:
        for number in range(TASKS):
            group.create_task(work(number))
    check_books(accounts, TASKS)


def test_threads_inside_their_units_at_once_see_only_their_own(bank: Bank, accounts: Any) -> None:
    together = threading.Barrier(THREADS)

    def work(number: int) -> bytes:
        with bank as uow:
            bank.accounts.add(Account(id=1000 + number))
            uow.flush()
            together.wait()
            assert [account.id for account in uow.accounts.find(Account.id >= 1000)] == [1000 + number]
            together.wait()
            return bytes(session_id(uow)["id"])

    with ThreadPoolExecutor(THREADS) as pool:
        assert len(set(pool.map(work, range(THREADS)))) == THREADS
    assert accounts.count_documents({"_id": {"$gte": 1000}}) == THREADS


async def test_tasks_inside_their_units_at_once_see_only_their_own(async_bank: AsyncBank, accounts: Any) -> None:
    tasks = 50
    together = asyncio.Barrier(tasks)

    async def work(number: int) -> bytes:
        async with async_bank as uow:
            async_bank.accounts.add(Account(id=1000 + number))
            await uow.flush()
            await together.wait()
            found = await uow.accounts.find(Account.id >= 1000).to_list()
            assert [account.id for account in found] == [1000 + number]
            await together.wait()
            return bytes(session_id(uow)["id"])

    assert len(set(await asyncio.gather(*(work(number) for number in range(tasks))))) == tasks
    assert accounts.count_documents({"_id": {"$gte": 1000}}) == tasks


async def test_a_child_task_may_not_use_the_unit_of_its_parent(async_bank: AsyncBank, accounts: Any) -> None:
    async def use_unit(uow: AsyncBank) -> None:
        uow.accounts.add(Account(id=-1))

    async def use_definition(_: AsyncBank) -> None:
        await async_bank.accounts.count()

    async def use_database(uow: AsyncBank) -> None:
        await uow.database.accounts.delete_many({})

    async with async_bank as uow:
        for use in (use_unit, use_definition, use_database):
            with pytest.raises(UnitUsedElsewhere, match="belongs to task 'Task-"):
                await asyncio.create_task(use(uow))
        (await uow.accounts.get(1)).balance = 0
    assert accounts.count_documents({}) == ACCOUNTS
    assert accounts.find_one({"_id": 1})["balance"] == 0


async def test_a_child_task_may_open_a_unit_of_its_own(async_bank: AsyncBank, accounts: Any) -> None:
    async def child() -> None:
        async with async_bank as inner:
            (await inner.accounts.get(2)).balance = 2

    with pytest.raises(ZeroDivisionError):
        async with async_bank as uow:
            (await uow.accounts.get(1)).balance = 1
            await uow.flush()
            await asyncio.create_task(child())
            assert async_bank.core is uow.core
            raise ZeroDivisionError
    assert [accounts.find_one({"_id": number})["balance"] for number in (1, 2)] == [BALANCE, 2]


@pytest.mark.usefixtures("accounts")
async def test_a_child_task_that_outlives_the_block_is_told_that_the_unit_has_ended(async_bank: AsyncBank) -> None:
    ended = asyncio.Event()

    async def child(uow: AsyncBank) -> None:
        await ended.wait()
        with pytest.raises((UnitClosed, UnitUsedElsewhere)):
            await uow.accounts.get(1)
        with pytest.raises(NoActiveUnitOfWork):
            await async_bank.accounts.get(1)

    async with async_bank as uow:
        task = asyncio.create_task(child(uow))
        await asyncio.sleep(0)
    ended.set()
    await task


def test_a_thread_may_not_use_the_unit_of_another_thread(bank: Bank, accounts: Any) -> None:
    with bank as uow:
        for use in (uow.accounts.count, uow.flush, uow.commit, uow.rollback, lambda: uow.database):
            with pytest.raises(UnitUsedElsewhere, match="belongs to thread 'MainThread'"):
                in_a_thread(use)
        with pytest.raises(NoActiveUnitOfWork):
            in_a_thread(bank.accounts.count)
        uow.accounts.get(1).balance = 0
    assert accounts.find_one({"_id": 1})["balance"] == 0


async def test_to_thread_inherits_the_context_but_not_the_unit(bank: Bank, accounts: Any) -> None:
    with bank:
        with pytest.raises(UnitUsedElsewhere):
            await asyncio.to_thread(bank.accounts.count)
        bank.accounts.get(1).balance = 0
    assert accounts.find_one({"_id": 1})["balance"] == 0


async def test_operations_of_one_unit_that_overlap_are_refused_and_the_unit_goes_on(
    async_bank: AsyncBank, accounts: Any
) -> None:
    async with async_bank as uow:
        first = uow.accounts.get(1)
        second = uow.accounts.get(2)
        with pytest.raises(UnitUsedElsewhere):
            await asyncio.gather(first, second)
        (await uow.accounts.get(3)).balance = 0
    assert accounts.find_one({"_id": 3})["balance"] == 0


async def test_a_straggler_of_a_failed_gather_writes_nothing(async_bank: AsyncBank, accounts: Any) -> None:
    failed = asyncio.Event()

    async def straggler(database: Any) -> None:
        await failed.wait()
        await database.accounts.delete_many({})

    async def fail() -> None:
        raise ZeroDivisionError

    stragglers: list[asyncio.Task[None]] = []
    with pytest.raises(ZeroDivisionError):
        async with async_bank as uow:
            (await uow.accounts.get(1)).balance = 0
            await uow.flush()
            stragglers.append(asyncio.create_task(straggler(uow.database)))
            await asyncio.gather(stragglers[0], fail())
    failed.set()
    with pytest.raises(InvalidOperation, match="ended session"):
        await stragglers[0]
    assert accounts.count_documents({"balance": BALANCE}) == ACCOUNTS
