"""Many documents by their ids: read, read again and locked at once."""

from typing import Any

import pytest

from boundwork import DocumentNotFound
from tests.contract.rivals import Rival, deposit, elsewhere, is_shut_out


def _deposits(number: int) -> Any:
    async def work(uow: Any) -> None:
        (await uow.accounts.get(number)).balance += 1

    return work


async def test_many_are_got_at_once_in_the_order_of_their_ids(shop: Any, five_accounts: None) -> None:
    async with shop as uow:
        known = await uow.accounts.get(3)
        sent = uow.core.session.commands
        found = await uow.accounts.get_many([4, 3, 1, 4])
        assert [account.id for account in found] == [4, 3, 1, 4]
        assert found[1] is known
        assert found[0] is found[3]
        assert await uow.accounts.get(4) is found[0]
        assert uow.core.session.commands == sent + 1
        assert await uow.accounts.get_many(iter([1, 3])) == [found[2], known]
        assert await uow.accounts.get_many([]) == []
        assert uow.core.session.commands == sent + 1


async def test_all_of_many_that_are_missing_are_named(shop: Any, five_accounts: None) -> None:
    async with shop as uow:
        uow.accounts.remove(await uow.accounts.get(2))
        with pytest.raises(DocumentNotFound, match=r"Account 9, 2, 8 not found in collection 'accounts'") as caught:
            await uow.accounts.get_many([1, 9, 2, 8])
        assert (caught.value.id, caught.value.ids) == (9, (9, 2, 8))


async def test_many_are_read_again_after_a_commit_unless_they_were_changed(
    shop: Any, colour: str, five_accounts: None
) -> None:
    async def rival() -> None:
        async with shop as uow:
            await deposit(uow)

    async with shop as uow:
        first, second = await uow.accounts.get_many([1, 2])
        await uow.commit()
        await elsewhere(colour, rival)
        second.balance = 50
        again = await uow.accounts.get_many([1, 2])
        assert again[0] is first
        assert again[1] is second
        assert (first.balance, second.balance) == (101, 50)


async def test_many_are_locked_at_once(shop: Any, impatient: Any, colour: str, five_accounts: None) -> None:
    async with shop as uow:
        await uow.accounts.get(3)
        found = await uow.accounts.get_many([4, 3, 1], for_update=True)
        assert [account.balance for account in found] == [4, 3, 1]
        for number, shut in {0: False, 1: True, 2: False, 3: True, 4: True}.items():
            assert await is_shut_out(impatient, colour, _deposits(number)) is shut


async def test_units_that_lock_the_same_in_another_order_all_go_on(shop: Any, colour: str, five_accounts: None) -> None:
    async def move(uow: Any) -> None:
        for account in await uow.accounts.get_many([2, 1, 3], for_update=True):
            account.balance += 100

    rival = Rival(shop, colour, move)
    await rival.start()
    async with shop as uow:
        rival.end_once_met(uow, commits=True)
        found = await uow.accounts.get_many([3, 2, 1], for_update=True)
        assert [account.balance for account in found] == [103, 102, 101]
    await rival.finish(commits=True)
