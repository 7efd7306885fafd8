"""Locks of names: the units that take the same one follow each other."""

from typing import Any

import pytest

from boundwork import StaleDocument
from tests.contract.rivals import Rival, deposit, is_shut_out
from tests.contract.shop import Account


async def test_units_that_lock_the_same_name_follow_each_other(shop: Any, colour: str, impatient: Any) -> None:
    async def count_and_add(uow: Any) -> None:
        await uow.lock("accounts")
        number = await uow.accounts.count()
        uow.accounts.add(Account(id=number))

    rival = Rival(shop, colour, count_and_add)
    await rival.start()
    assert await is_shut_out(impatient, colour, lambda other: other.lock("accounts"))
    assert not await is_shut_out(impatient, colour, lambda other: other.lock("customers"))
    async with shop as uow:
        rival.end_once_met(uow, commits=True)
        await count_and_add(uow)
    await rival.finish(commits=True)
    async with shop as uow:
        assert sorted(account.id for account in await uow.accounts.find().to_list()) == [0, 1]


async def test_a_name_is_locked_once_a_transaction_and_of_the_innermost_unit(
    shop: Any, impatient: Any, colour: str
) -> None:
    async with shop as uow:
        await shop.lock("a")
        sent = uow.core.session.commands
        await uow.lock("a")
        async with shop:
            await shop.lock("a")
        assert uow.core.session.commands == sent
        assert await is_shut_out(impatient, colour, lambda other: other.lock("a"))
        await uow.commit()
        assert not await is_shut_out(impatient, colour, lambda other: other.lock("a"))
        await uow.lock("a")
        assert await is_shut_out(impatient, colour, lambda other: other.lock("a"))
    assert (uow.receipt.inserted, uow.receipt.updated) == (0, 0)


async def test_a_lock_needs_a_name(shop: Any) -> None:
    async with shop as uow:
        with pytest.raises(ValueError, match="needs a name"):
            await uow.lock("")


async def test_a_name_locked_after_a_read_verifies_the_read(shop: Any, colour: str, five_accounts: None) -> None:
    async def work(uow: Any) -> None:
        await uow.lock("accounts")
        await deposit(uow)

    rival = Rival(shop, colour, work)
    await rival.start()
    with pytest.raises(StaleDocument):
        async with shop as uow:
            await uow.accounts.get(1)
            rival.end_once_met(uow, commits=True)
            await uow.lock("accounts")
    await rival.finish(commits=True)
