"""Accounts and transfers for tests on a real server, in both colours, and how one test drives either."""

import inspect
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from boundwork import AsyncRepository, AsyncUnitOfWork, Document, Repository, UnitOfWork
from tests.contract.colours import Blue

ACCOUNTS = 100
BALANCE = 1000


class Account(Document[int], collection="accounts"):
    balance: int = 0


class Entry(Document, collection="journal"):
    source: int
    target: int
    amount: int


class Bank(UnitOfWork):
    accounts = Repository(Account)
    journal = Repository(Entry)


class AsyncBank(AsyncUnitOfWork):
    accounts = AsyncRepository(Account)
    journal = AsyncRepository(Entry)


def bank_of(colour: str, database: Any, **options: Any) -> Any:
    """Return a definition of a colour; everything that the asynchronous one awaits is awaited of both."""
    return Blue(Bank(database, **options)) if colour == "sync" else AsyncBank(database, **options)


def raw(uow: Any) -> Any:
    """Return the driver's database of a unit of either colour; use `settled` on what its operations return."""
    return (uow._inner if isinstance(uow, Blue) else uow).database


async def settled(result: Any) -> Any:
    """Return what an operation of the driver returned, awaited if it is to be."""
    return await result if inspect.isawaitable(result) else result


def in_a_thread(work: Callable[[], object]) -> Any:
    """Return what `work` returns in another thread, which has ended by then."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(work).result()


def transfer_number(number: int) -> tuple[int, int, int]:
    """Return source, target and amount: scattered over the accounts, so that only some transfers meet."""
    source = number * 37 % ACCOUNTS
    return source, (source + 1 + number % 89) % ACCOUNTS, 1 + number % 9


def transfer(uow: Bank, source: int, target: int, amount: int) -> int:
    uow.accounts.get(source).balance -= amount
    uow.accounts.get(target).balance += amount
    uow.journal.add(Entry(source=source, target=target, amount=amount))
    return id(uow.core)


async def async_transfer(uow: AsyncBank, source: int, target: int, amount: int) -> int:
    (await uow.accounts.get(source)).balance -= amount
    (await uow.accounts.get(target)).balance += amount
    uow.journal.add(Entry(source=source, target=target, amount=amount))
    return id(uow.core)


def check_books(accounts: Any, transfers: int) -> None:
    """Check that each transfer was carried out once and wholly: the journal explains every balance."""
    journal = list(accounts.database.journal.find())
    assert len(journal) == transfers
    expected = dict.fromkeys(range(ACCOUNTS), BALANCE)
    for entry in journal:
        expected[entry["source"]] -= entry["amount"]
        expected[entry["target"]] += entry["amount"]
    assert {account["_id"]: account["balance"] for account in accounts.find()} == expected
