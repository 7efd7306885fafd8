"""Attempts: a block that is run again until its commit succeeds. Each colour has its own `with`, so each its tests."""

import asyncio
import sys
import threading
from collections.abc import Callable, Generator
from itertools import islice
from typing import Any

import pytest

from boundwork import AsyncRepository, AsyncUnitOfWork, Repository, TransientFailure, UnitOfWork
from tests.contract.shop import Account


class Bank(UnitOfWork):
    accounts = Repository(Account)


class AsyncBank(AsyncUnitOfWork):
    accounts = AsyncRepository(Account)


@pytest.fixture
def bank(backend: Any, database_name: str) -> Bank:
    bank = Bank(backend.sync_database(database_name))
    with bank as uow:
        uow.accounts.add(Account(id=1))
    return bank


@pytest.fixture
async def async_bank(backend: Any, database_name: str) -> AsyncBank:
    bank = AsyncBank(backend.async_database(database_name))
    async with bank as uow:
        uow.accounts.add(Account(id=1))
    return bank


def _balance(bank: Bank) -> int:
    with bank as uow:
        return uow.accounts.get(1).balance


def _rival(bank: Bank) -> None:
    def deposit() -> None:
        with bank as uow:
            uow.accounts.get(1).balance += 100

    thread = threading.Thread(target=deposit)
    thread.start()
    thread.join()


async def _async_rival(bank: AsyncBank) -> None:
    async def deposit() -> None:
        async with bank as uow:
            (await uow.accounts.get(1)).balance += 100

    await asyncio.create_task(deposit())


def test_a_block_that_met_a_rival_is_run_again(bank: Bank) -> None:
    blocks = 0
    for attempt in bank.attempts():
        with attempt as uow:
            blocks += 1
            account = uow.accounts.get(1)
            if blocks == 1:
                _rival(bank)
            account.balance += 1
    assert blocks == 2
    assert _balance(bank) == 101


async def test_an_async_block_that_met_a_rival_is_run_again(async_bank: AsyncBank) -> None:
    blocks = 0
    for attempt in async_bank.attempts():
        async with attempt as uow:
            blocks += 1
            account = await uow.accounts.get(1)
            if blocks == 1:
                await _async_rival(async_bank)
            account.balance += 1
    assert blocks == 2
    async with async_bank as uow:
        assert (await uow.accounts.get(1)).balance == 101


def _returning(bank: Bank) -> int:
    for attempt in bank.attempts():
        with attempt as uow:
            account = uow.accounts.get(1)
            _rival(bank)
            account.balance += 1
            return account.balance
    return -1


def _breaking(bank: Bank) -> None:
    for _ in range(2):
        for attempt in bank.attempts():
            with attempt as uow:
                account = uow.accounts.get(1)
                _rival(bank)
                account.balance += 1
                break


def _going_on(bank: Bank) -> None:
    done: list[int] = []
    for attempt in bank.attempts():
        with attempt as uow:
            account = uow.accounts.get(1)
            if not done:
                _rival(bank)
            account.balance += 1
        done.append(1)


@pytest.mark.parametrize("leave", [_returning, _breaking, _going_on])
def test_a_failed_commit_is_never_taken_for_success_when_the_loop_is_left(
    bank: Bank,
    leave: Callable[[Bank], object],
) -> None:
    with pytest.raises(TransientFailure):
        leave(bank)
    assert _balance(bank) == 100


async def test_a_failed_commit_is_never_taken_for_success_when_an_async_loop_is_left(async_bank: AsyncBank) -> None:
    async def returning() -> int:
        for attempt in async_bank.attempts():
            async with attempt as uow:
                account = await uow.accounts.get(1)
                await _async_rival(async_bank)
                account.balance += 1
                return account.balance
        return -1

    with pytest.raises(TransientFailure):
        await returning()


def test_a_clean_block_may_be_left_by_return(bank: Bank) -> None:
    def returning() -> int:
        for attempt in bank.attempts():
            with attempt as uow:
                uow.accounts.get(1).balance = 7
                return uow.accounts.get(1).balance
        return -1

    assert returning() == 7
    assert _balance(bank) == 7


def test_other_errors_end_the_attempts_at_once(bank: Bank) -> None:
    blocks = 0
    with pytest.raises(ZeroDivisionError):
        for attempt in bank.attempts():
            with attempt:
                blocks += 1
                raise ZeroDivisionError
    assert blocks == 1


def test_after_a_commit_in_the_middle_the_block_is_not_repeated(bank: Bank) -> None:
    blocks = 0
    with pytest.raises(TransientFailure):
        for attempt in bank.attempts():
            with attempt as uow:
                blocks += 1
                uow.accounts.add(Account(id=2))
                uow.commit()
                account = uow.accounts.get(1)
                _rival(bank)
                account.balance += 1
    assert blocks == 1


def test_attempts_end_at_their_deadline(bank: Bank) -> None:
    blocks = 0
    with pytest.raises(TransientFailure):
        for attempt in bank.attempts(seconds=0.0):
            with attempt as uow:
                blocks += 1
                account = uow.accounts.get(1)
                _rival(bank)
                account.balance += 1
    assert blocks == 1


def test_a_failure_that_nobody_repeats_is_told(bank: Bank, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who takes some of the attempts by other means would take the last failure for a success."""
    told: list[BaseException | None] = []

    def tell(unraisable: Any) -> None:
        told.append(unraisable.exc_value)

    monkeypatch.setattr(sys, "unraisablehook", tell)
    for attempt in islice(bank.attempts(), 2):
        with attempt as uow:
            uow.accounts.get(1).balance = 5
            raise TransientFailure("as the test wants it")
    [error] = told
    assert isinstance(error, TransientFailure)
    assert any("no other one was asked for" in note for note in error.__notes__)
    for attempt in islice(bank.attempts(), 2):
        with attempt as uow:
            uow.accounts.get(1).balance = 7
    assert (len(told), _balance(bank)) == (1, 7)


def test_a_body_of_which_nothing_would_be_run_is_refused(bank: Bank) -> None:
    async def coroutine(uow: Bank) -> None:
        uow.accounts.get(1).balance = 7

    def generator(uow: Bank) -> Generator[None]:
        uow.accounts.get(1).balance = 7
        yield

    for body in (coroutine, generator):
        with pytest.raises(TypeError, match="plain function"):
            bank.run(body)
    assert _balance(bank) == 0


def test_a_body_that_returns_a_coroutine_is_refused_and_rolled_back(bank: Bank) -> None:
    async def deposit(uow: Bank) -> None:
        uow.accounts.get(1).balance = 7

    def body(uow: Bank) -> Any:
        uow.accounts.get(1).balance = 5
        return deposit(uow)

    with pytest.raises(TypeError, match="returned a coroutine, of which nothing would be run"):
        bank.run(body)
    assert _balance(bank) == 0


async def test_an_async_body_that_cannot_be_awaited_is_refused_and_rolled_back(async_bank: AsyncBank) -> None:
    def plain(uow: AsyncBank) -> Any:
        uow.accounts.add(Account(id=2))
        return 5

    async def generator(uow: AsyncBank) -> Any:
        uow.accounts.add(Account(id=2))
        yield

    for body, returned in ((plain, "int"), (generator, "async_generator")):
        with pytest.raises(TypeError, match=f"coroutine function .async def., and its body returned {returned}"):
            await async_bank.run(body)
    async with async_bank as uow:
        assert await uow.accounts.find_by_id(2) is None
