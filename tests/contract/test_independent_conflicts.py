"""An independent unit that meets what the units around it hold: waiting cannot help, and the error says so."""

from collections.abc import Callable
from typing import Any

import pytest

from boundwork import NestedUnitOfWork, TransientFailure, inc
from tests.contract.colours import define
from tests.contract.rivals import Rival
from tests.contract.shop import Account


@pytest.fixture
async def accounts(shop: Any) -> None:
    async with shop as uow:
        uow.accounts.add_all([Account(id=1), Account(id=2)])


@pytest.mark.parametrize("held", ["written", "locked", "added"])
@pytest.mark.parametrize("deep", [False, True])
async def test_a_document_that_the_outer_unit_holds_is_named_at_once(
    shop: Any, accounts: None, held: str, deep: bool
) -> None:
    async with shop as uow:
        if held == "locked":
            await uow.accounts.get(1, for_update=True)
        elif held == "written":
            (await uow.accounts.get(1)).balance = 1
        else:
            uow.accounts.add(Account(id=3))
        await uow.flush()
        wanted = 3 if held == "added" else 1

        async def write(inner: Any) -> None:
            if held == "added":
                inner.accounts.add(Account(id=3))
            else:
                (await inner.accounts.get(1)).balance = 5

        with pytest.raises(NestedUnitOfWork, match=rf"document {wanted} of collection 'accounts'.*around it"):
            async with shop.independent() as inner:
                (await inner.accounts.get(2)).balance = 5
                await inner.flush()
                if deep:
                    async with shop.independent() as innermost:
                        await write(innermost)
                else:
                    await write(inner)
        (await uow.accounts.get(1)).balance += 10
    async with shop as uow:
        balances = {account.id: account.balance for account in await uow.accounts.find().to_list()}
    assert balances == {"written": {1: 11, 2: 0}, "locked": {1: 10, 2: 0}, "added": {1: 10, 2: 0, 3: 0}}[held]


async def test_a_lock_that_the_outer_unit_holds_is_named_at_once(shop: Any, accounts: None) -> None:
    async with shop as uow:
        await uow.lock("others")  # the collection of the locks is made by the first
    async with shop as uow:
        await uow.accounts.get(1, for_update=True)
        await uow.lock("numbers")
        with pytest.raises(NestedUnitOfWork, match="document 1 "):
            async with shop.independent() as inner:
                await inner.accounts.get(1, for_update=True)
        with pytest.raises(NestedUnitOfWork, match="'numbers'"):
            async with shop.independent() as inner:
                await inner.lock("numbers")


CHANGES: dict[str, Callable[[Any], Any]] = {
    "all": lambda uow: uow.accounts.update_where(Account.balance == 0, inc(Account.balance, 1)),
    "one": lambda uow: uow.accounts.find_and_update(Account.balance == 0, inc(Account.balance, 1), sort=Account.id),
    "upsert": lambda uow: uow.accounts.upsert(Account.id == 1, inc(Account.balance, 1), on_insert=Account(id=1)),
    "deleted": lambda uow: uow.accounts.delete_where(Account.id < 3),
    "by id": lambda uow: uow.accounts.get(1, for_update=True),
}


@pytest.mark.parametrize(
    ("outer", "inner"), [*((name, "by id") for name in CHANGES), *(("by id", name) for name in CHANGES), ("all", "one")]
)
async def test_a_document_that_a_condition_chose_is_found_and_named_at_once(
    shop: Any, accounts: None, outer: str, inner: str
) -> None:
    async with shop as uow:
        await CHANGES[outer](uow)
        with pytest.raises(NestedUnitOfWork, match="document 1 of collection 'accounts'"):
            async with shop.independent() as separate:
                await CHANGES[inner](separate)


async def test_a_rival_is_waited_for_where_the_outer_unit_has_changed_other_documents_by_a_condition(
    shop: Any, database: Any, colour: str, accounts: None
) -> None:
    rival = Rival(shop, colour)
    await rival.start()
    async with shop as uow:
        await uow.accounts.update_where(Account.id == 2, inc(Account.balance, 1))
        async with shop.independent() as separate:
            rival.end_once_met(separate, commits=False)
            await separate.accounts.update_where(Account.id == 1, inc(Account.balance, 5))
    await rival.finish(commits=False)
    async with shop as uow:
        assert [account.balance for account in await uow.accounts.find().sort(Account.id).to_list()] == [5, 1]


async def test_a_rival_of_an_independent_unit_is_still_waited_for(
    shop: Any, database: Any, colour: str, accounts: None
) -> None:
    rival = Rival(shop, colour)
    await rival.start()
    async with shop as uow:
        (await uow.accounts.get(2)).balance = 1
        await uow.flush()
        async with shop.independent() as inner:
            rival.end_once_met(inner, commits=False)
            (await inner.accounts.get(1)).balance = 5
            await inner.flush()
        assert inner.receipt.replays > 0
    await rival.finish(commits=False)
    hasty = define(colour, database, {"replay_seconds": 0}, accounts=Account)
    rival = Rival(shop, colour)
    await rival.start()
    async with hasty as uow:
        (await uow.accounts.get(2)).balance = 2
        await uow.flush()
        with pytest.raises(TransientFailure) as caught:
            async with hasty.independent() as inner:
                (await inner.accounts.get(1)).balance = 6
    await rival.finish(commits=False)
    assert any("unit around this one" in note for note in caught.value.__notes__)
