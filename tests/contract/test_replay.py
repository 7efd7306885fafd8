"""A unit that meets a rival: repeated if it would see the same again, refused otherwise. Its body runs once."""

from typing import Any

import pytest

from boundwork import StaleDocument, TransientFailure
from tests.contract.colours import define
from tests.contract.rivals import Rival
from tests.contract.shop import Account, Customer


@pytest.fixture
async def accounts(shop: Any) -> None:
    async with shop as uow:
        uow.accounts.add_all([Account(id=number) for number in range(3)])
        uow.customers.add(Customer(id="ann", name="Ann"))


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
        rival.end_once_met(uow, commits=False)
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
        rival.end_once_met(uow, commits=False)
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
            rival.end_once_met(uow, commits=True)
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
            rival.end_once_met(uow, commits=True)
    await rival.finish(commits=True)


async def test_run_gets_over_a_rival_that_commits(shop: Any, colour: str, accounts: None) -> None:
    rival = Rival(shop, colour)
    await rival.start()

    async def deposit(uow: Any) -> None:
        (await uow.accounts.get(1)).balance += 1
        rival.end_once_met(uow, commits=True)

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
