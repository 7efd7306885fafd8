"""A generator that holds a unit ends it with itself, whoever closes it: nobody, another thread or another task."""

import asyncio
import gc
from collections.abc import AsyncIterator, Generator, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from boundwork import UnitUsedElsewhere
from tests.server.bank import ACCOUNTS, Account, AsyncBank, Bank
from tests.server.commands_seen import CommandsSeen, names
from tests.server.leaving import begin, check_rolled_back


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # it says that work is lost
def test_a_generator_that_holds_its_unit_ends_it_with_itself(bank: Bank, accounts: Any, seen: CommandsSeen) -> None:
    def pages() -> Iterator[Account]:
        with bank.unit() as uow:
            yield from uow.accounts.find().sort(Account.id)

    for account in pages():
        account.balance = 0
        if account.id == 1:
            break
    assert accounts.count_documents({"balance": 0}) == 0
    assert names(seen.take())[-1] == "abortTransaction"
    for account in pages():
        account.balance = 1
    assert accounts.count_documents({"balance": 1}) == ACCOUNTS


def held_by_a_generator(bank: Bank) -> Generator[Bank]:
    with bank.unit() as uow:
        yield uow


def test_a_generator_that_is_closed_in_another_thread_rolls_back(
    bank: Bank, accounts: Any, seen: CommandsSeen, opener: Any
) -> None:
    generator = held_by_a_generator(bank)
    uow, account = opener(lambda: begin(contextmanager(lambda: generator)()))
    with pytest.raises(UnitUsedElsewhere):
        generator.close()
    check_rolled_back(uow, account, accounts, seen)


async def test_an_asynchronous_generator_that_is_closed_in_another_task_rolls_back(
    async_bank: AsyncBank, accounts: Any, seen: CommandsSeen
) -> None:
    async def unit() -> AsyncIterator[AsyncBank]:
        async with async_bank.unit() as uow:
            yield uow

    generator: Any = unit()

    async def begin() -> tuple[AsyncBank, Account]:
        uow = await anext(generator)
        account = await uow.accounts.get(1)
        account.balance = 0
        await uow.flush()
        return uow, account

    uow, account = await asyncio.create_task(begin())
    with pytest.raises(UnitUsedElsewhere):
        await asyncio.create_task(generator.aclose())
    check_rolled_back(uow, account, accounts, seen)


async def test_an_asynchronous_generator_that_nobody_closes_rolls_back(
    async_bank: AsyncBank, accounts: Any, seen: CommandsSeen
) -> None:
    async def unit() -> AsyncIterator[AsyncBank]:
        async with async_bank.unit() as uow:
            yield uow

    async def begin() -> tuple[AsyncBank, Account]:
        async for uow in unit():
            account = await uow.accounts.get(1)
            account.balance = 0
            await uow.flush()
            return uow, account
        raise AssertionError

    told: list[dict[str, Any]] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: told.append(context))
    uow, account = await asyncio.create_task(begin())
    # The loop closes the generator in a task of its own as soon as it is collected.
    while uow.core.is_open or not told:
        gc.collect()
        await asyncio.sleep(0.01)
    check_rolled_back(uow, account, accounts, seen)
    assert [type(context["exception"]) for context in told] == [UnitUsedElsewhere]
