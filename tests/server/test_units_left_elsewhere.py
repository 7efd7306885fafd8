"""A unit stays where it was opened: left or used in another thread, task, context or process, or after its end."""

import asyncio
import subprocess
import sys
from collections.abc import Callable
from contextlib import nullcontext, suppress
from contextvars import Context
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from pymongo.errors import InvalidOperation

from boundwork import UnitClosed, UnitUsedElsewhere
from tests.server.bank import ACCOUNTS, BALANCE, Account, AsyncBank, Bank, check_books, in_a_thread, transfer
from tests.server.commands_seen import CommandsSeen
from tests.server.leaving import begin, check_rolled_back


def test_a_unit_that_is_left_in_another_thread_is_rolled_back_and_its_session_ended(
    bank: Bank, accounts: Any, seen: CommandsSeen, opener: Any
) -> None:
    held = bank.unit()
    uow, account = opener(lambda: begin(held))
    with pytest.raises(UnitUsedElsewhere):
        held.__exit__(None, None, None)
    check_rolled_back(uow, account, accounts, seen)
    with pytest.raises(UnitClosed, match=r"was opened by thread .*0' of process \d+ and closed by thread 'MainThread'"):
        opener(uow.accounts.count)


def test_a_thread_whose_unit_was_left_elsewhere_works_on(bank: Bank, accounts: Any, opener: Any) -> None:
    held = bank.unit()
    opener(lambda: begin(held))
    with pytest.raises(UnitUsedElsewhere):
        held.__exit__(None, None, None)

    def work() -> None:
        with bank as uow:
            uow.accounts.get(1).balance = 7

    opener(work)
    assert opener(accounts.find_one)["_id"] == 0
    assert accounts.find_one({"_id": 1})["balance"] == 7


def test_a_unit_of_a_thread_that_has_ended_is_refused_to_all_others(
    bank: Bank, accounts: Any, seen: CommandsSeen
) -> None:
    # The system gives a new thread the identity of one that has ended, as often as not.
    for _ in range(10):
        held = bank.unit()
        uow, account = in_a_thread(partial(begin, held))
        with pytest.raises(UnitUsedElsewhere):
            in_a_thread(uow.accounts.count)
        with pytest.raises(UnitUsedElsewhere):
            in_a_thread(partial(held.__exit__, None, None, None))
        check_rolled_back(uow, account, accounts, seen)


def test_raw_calls_of_a_thread_whose_unit_was_left_elsewhere_stand_by_themselves(
    bank: Bank, accounts: Any, seen: CommandsSeen, opener: Any
) -> None:
    held, handed = bank.unit(), bank.unit(handover=True)
    for manager, refusal in ((held, pytest.raises(UnitUsedElsewhere)), (handed, nullcontext())):
        database = opener(manager.__enter__).core.session.database
        with refusal:
            manager.__exit__(None, None, None)
        seen.take()
        for balance in (7, 8):
            opener(partial(database.accounts.update_one, {"_id": 1}, {"$set": {"balance": balance}}))
            assert accounts.find_one({"_id": 1})["balance"] == balance
        assert [command.get("autocommit") for command in seen.take()] == [None, None]
        assert opener(lambda: transfer_alone(bank)) == BALANCE


def transfer_alone(bank: Bank) -> int:
    with bank as uow:
        return uow.accounts.get(2).balance


def test_the_binding_of_a_later_unit_outlives_one_that_was_left_elsewhere(
    bank: Bank, accounts: Any, opener: Any
) -> None:
    first, second = bank.unit(handover=True), bank.unit()
    opener(first.__enter__)
    first.__exit__(None, None, None)
    uow = opener(second.__enter__)
    opener(lambda: uow.database.accounts.update_one({"_id": 1}, {"$set": {"balance": 7}}))
    assert accounts.find_one({"_id": 1})["balance"] == BALANCE
    opener(lambda: second.__exit__(None, None, None))
    assert accounts.find_one({"_id": 1})["balance"] == 7


async def test_raw_calls_of_a_task_whose_unit_was_left_elsewhere_stand_by_themselves(
    async_bank: AsyncBank, accounts: Any
) -> None:
    held = async_bank.unit(handover=True)
    database = (await held.__aenter__()).database
    first, second = asyncio.Event(), asyncio.Event()

    async def copied() -> None:
        first.set()
        await second.wait()
        with pytest.raises(InvalidOperation, match="ended session"):
            await database.accounts.find_one()

    task = asyncio.create_task(copied())
    await first.wait()
    await asyncio.create_task(held.__aexit__(None, None, None))
    await database.accounts.update_one({"_id": 1}, {"$set": {"balance": 7}})
    assert accounts.find_one({"_id": 1})["balance"] == 7
    second.set()
    await task


async def test_raw_calls_of_a_child_task_that_outlives_the_block_are_refused_by_the_driver(
    async_bank: AsyncBank, accounts: Any
) -> None:
    ended = asyncio.Event()

    async def child(database: Any) -> None:
        await ended.wait()
        await database.accounts.delete_many({})

    async with async_bank as uow:
        task = asyncio.create_task(child(uow.database))
        await asyncio.sleep(0)
    ended.set()
    with pytest.raises(InvalidOperation, match="ended session"):
        await task
    assert accounts.count_documents({}) == ACCOUNTS


async def test_a_unit_that_is_left_in_another_task_is_rolled_back_and_its_session_ended(
    async_bank: AsyncBank, accounts: Any, seen: CommandsSeen
) -> None:
    held = async_bank.unit()

    async def begin() -> tuple[AsyncBank, Account]:
        uow = await held.__aenter__()
        account = await uow.accounts.get(1)
        account.balance = 0
        await uow.flush()
        return uow, account

    uow, account = await asyncio.create_task(begin())
    with pytest.raises(UnitUsedElsewhere):
        await asyncio.create_task(held.__aexit__(None, None, None))
    check_rolled_back(uow, account, accounts, seen)
    async with async_bank as another:
        (await another.accounts.get(1)).balance = 7
    assert accounts.find_one({"_id": 1})["balance"] == 7


def test_a_unit_that_may_be_handed_over_is_used_and_left_by_other_threads(bank: Bank, accounts: Any) -> None:
    held = bank.unit(handover=True)
    uow = in_a_thread(held.__enter__)
    in_a_thread(lambda: transfer(uow, 1, 2, 5))
    in_a_thread(uow.flush)
    in_a_thread(lambda: held.__exit__(None, None, None))
    check_books(accounts, 1)


async def test_a_unit_that_may_be_handed_over_refuses_two_at_once(async_bank: AsyncBank, accounts: Any) -> None:
    async with async_bank.unit(handover=True) as uow:
        outcomes = await asyncio.gather(*(uow.accounts.get(number) for number in range(5)), return_exceptions=True)
        assert [type(outcome) for outcome in outcomes] == [Account, *[UnitUsedElsewhere] * 4]
        (await uow.accounts.get(1)).balance = 0
    assert accounts.find_one({"_id": 1})["balance"] == 0


def test_calls_of_the_driver_never_leave_a_unit_that_was_handed_over(bank: Bank, accounts: Any, opener: Any) -> None:
    held = bank.unit(handover=True)
    uow = opener(held.__enter__)
    with suppress(UnitUsedElsewhere):
        uow.database.accounts.delete_many({})
    opener(lambda: held.__exit__(ZeroDivisionError, ZeroDivisionError(), None))
    assert accounts.count_documents({}) == ACCOUNTS


def test_calls_of_the_driver_never_leave_a_unit_in_another_context_of_its_thread(bank: Bank, accounts: Any) -> None:
    held = bank.unit()
    uow = Context().run(held.__enter__)
    with suppress(UnitUsedElsewhere):
        uow.database.accounts.delete_many({})
    held.__exit__(ZeroDivisionError, ZeroDivisionError(), None)
    assert accounts.count_documents({}) == ACCOUNTS


@pytest.mark.usefixtures("accounts")
def test_a_unit_refuses_everything_after_its_end(bank: Bank, seen: CommandsSeen) -> None:
    with bank as uow:
        account = uow.accounts.get(1)
        query = uow.accounts.find()
    seen.take()
    uses: list[Callable[[], object]] = [
        uow.accounts.count,
        lambda: uow.accounts.find().to_list(),
        query.to_list,
        uow.flush,
        uow.commit,
        uow.rollback,
        lambda: uow.refresh(account),
        lambda: uow.remove(account),
        lambda: uow.database,
    ]
    for use in uses:
        with pytest.raises(UnitClosed):
            use()
    assert seen.take() == []


@pytest.mark.parametrize("child", ["uses the unit", "leaves the block"])
def test_a_forked_child_may_not_use_the_unit_nor_end_its_transaction(
    mongod_uri: str, database_name: str, accounts: Any, child: str
) -> None:
    words = [sys.executable, "-W", "ignore", "-c", FORK, mongod_uri, database_name, child]
    done = subprocess.run(  # noqa: S603 - our own script
        words, cwd=Path(__file__).parents[2], capture_output=True, text=True, timeout=300, check=False
    )
    assert (done.returncode, done.stdout) == (0, "UnitUsedElsewhere\n"), done.stderr
    assert accounts.find_one({"_id": 1})["balance"] == 7


FORK = """
import os, sys
from pymongo import MongoClient
from boundwork import UnitUsedElsewhere
from tests.server.bank import Bank

uri, name, child = sys.argv[1:]
with MongoClient(uri) as client:
    held = Bank(client[name]).unit()
    with held as uow:
        uow.accounts.get(1).balance = 7
        uow.flush()
        if os.fork() == 0:
            try:
                uow.accounts.count() if child == "uses the unit" else held.__exit__(None, None, None)
            except UnitUsedElsewhere as error:
                print(type(error).__name__, flush=True)
            os._exit(0)
        os.wait()
"""
