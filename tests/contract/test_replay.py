"""A unit that meets a rival: repeated if it would see the same again, refused otherwise. Its body runs once."""

import asyncio
import threading
from typing import Any

import pytest

from boundwork import StaleDocument, TransientFailure
from tests.contract.colours import define
from tests.contract.shop import Account, Customer


@pytest.fixture
async def accounts(shop: Any) -> None:
    async with shop as uow:
        uow.accounts.add_all([Account(id=number) for number in range(3)])
        uow.customers.add(Customer(id="ann", name="Ann"))


class Rival:
    """A unit that writes to account 1 and stays open until it is told how to end."""

    def __init__(self, shop: Any, colour: str) -> None:
        self._shop = shop
        self._colour = colour
        self._wrote = threading.Event()
        self._end = threading.Event()
        self._commits = False
        self._work: Any = None

    async def start(self) -> None:
        if self._colour == "sync":
            self._work = threading.Thread(target=self._in_thread)
            self._work.start()
        else:
            self._work = asyncio.create_task(self._run())
        while not self._wrote.is_set():
            await self._nap()

    async def finish(self, *, commits: bool) -> None:
        self._commits = commits
        self._end.set()
        if self._colour == "sync":
            self._work.join()
        else:
            await self._work

    def end_soon(self, *, commits: bool) -> None:
        """End while the unit under test is trying again."""
        self._commits = commits
        threading.Timer(0.1, self._end.set).start()

    async def _run(self) -> None:
        async with self._shop as uow:
            (await uow.accounts.get(1)).balance += 100
            await uow.flush()
            self._wrote.set()
            while not self._end.is_set():
                await self._nap()
            if not self._commits:
                await uow.rollback()

    def _in_thread(self) -> None:
        try:
            self._run().send(None)
        except StopIteration:
            return

    async def _nap(self) -> None:
        if self._colour == "sync":
            threading.Event().wait(0.01)
        else:
            await asyncio.sleep(0.01)


async def test_a_rival_that_gives_up_is_waited_for_and_the_body_runs_once(
    shop: Any, colour: str, accounts: None
) -> None:
    rival = Rival(shop, colour)
    await rival.start()
    bodies = 0
    async with shop as uow:
        bodies += 1
        mine = await uow.accounts.get(1)
        assert len(await uow.accounts.find().to_list()) == 3
        mine.balance += 1
        rival.end_soon(commits=False)
    await rival.finish(commits=False)
    assert bodies == 1
    assert uow.receipt.replays > 0
    async with shop as uow:
        assert (await uow.accounts.get(1)).balance == 1


async def test_what_was_flushed_before_the_conflict_is_repeated_too(shop: Any, colour: str, accounts: None) -> None:
    rival = Rival(shop, colour)
    await rival.start()
    async with shop as uow:
        (await uow.accounts.get(2)).balance = 5
        await uow.flush()
        fresh = Account(id=9, balance=9)
        assert await uow.accounts.add_if_absent(fresh)
        (await uow.accounts.get(1)).balance += 1
        rival.end_soon(commits=False)
    await rival.finish(commits=False)
    async with shop as uow:
        balances = {account.id: account.balance for account in await uow.accounts.find().to_list()}
    assert balances == {0: 0, 1: 1, 2: 5, 9: 9}


async def test_a_rival_that_commits_the_document_means_stale(shop: Any, colour: str, accounts: None) -> None:
    rival = Rival(shop, colour)
    await rival.start()
    mine: Any = None
    with pytest.raises(StaleDocument, match="Account 1 changed since it was read"):
        async with shop as uow:
            mine = await uow.accounts.get(1)
            mine.balance += 1
            rival.end_soon(commits=True)
    await rival.finish(commits=True)
    assert mine.balance == 0
    async with shop as uow:
        assert (await uow.accounts.get(1)).balance == 100


async def test_a_document_that_was_only_read_is_verified_as_well(shop: Any, colour: str, accounts: None) -> None:
    rival = Rival(shop, colour)
    await rival.start()
    with pytest.raises(StaleDocument):
        async with shop as uow:
            assert await uow.accounts.count({"balance": 0}) == 3
            (await uow.accounts.get(1)).balance += 1
            rival.end_soon(commits=True)
    await rival.finish(commits=True)


async def test_run_gets_over_a_rival_that_commits(shop: Any, colour: str, accounts: None) -> None:
    rival = Rival(shop, colour)
    await rival.start()

    async def deposit(uow: Any) -> None:
        (await uow.accounts.get(1)).balance += 1
        rival.end_soon(commits=True)

    await shop.run(deposit)
    await rival.finish(commits=True)
    async with shop as uow:
        assert (await uow.accounts.get(1)).balance == 101


async def test_without_replay_a_conflict_is_the_programs_to_meet(
    database: Any, shop: Any, colour: str, accounts: None
) -> None:
    plain = define(colour, database, {"replay_seconds": 0.0}, accounts=Account)
    rival = Rival(shop, colour)
    await rival.start()
    with pytest.raises(TransientFailure):
        async with plain as uow:
            (await uow.accounts.get(1)).balance += 1
    await rival.finish(commits=False)
