"""Operations beside other writers, under replays, and in nested units."""

from typing import Any

import pytest

from boundwork import (
    BoundworkError,
    StaleDocument,
    UnitDoomed,
    inc,
)
from tests.contract.accounts import balances
from tests.contract.rivals import Rival, elsewhere
from tests.contract.shop import Account


async def test_as_the_first_word_an_operation_waits_for_a_rival_and_sees_what_it_committed(
    shop: Any, colour: str, accounts: None
) -> None:
    async def update(uow: Any) -> int:
        return int((await uow.accounts.update_where(Account.id == 1, inc(Account.balance, 1))).modified)

    async def delete(uow: Any) -> int:
        return int(await uow.accounts.delete_where(Account.id == 1, Account.balance > 100))

    async def claim(uow: Any) -> int:
        found = await uow.accounts.find_and_update(Account.id == 1, inc(Account.balance, 1))
        return int(found.balance)

    for work, result, after in ((update, 1, 111), (claim, 212, 212), (delete, 1, None)):
        rival = Rival(shop, colour)
        await rival.start()
        async with shop as uow:
            rival.end_once_met(uow, commits=True)
            assert await work(uow) == result
        await rival.finish(commits=True)
        assert uow.receipt.replays > 0
        assert (await balances(shop)).get(1) == after


async def test_an_upsert_finds_what_a_rival_has_inserted_meanwhile(shop: Any, colour: str, accounts: None) -> None:
    async def insert(uow: Any) -> None:
        uow.accounts.add(Account(id=9, balance=100))

    rival = Rival(shop, colour, insert)
    await rival.start()
    async with shop as uow:
        rival.end_once_met(uow, commits=True)
        mine = Account(id=9, balance=1)
        found = await uow.accounts.upsert(Account.id == 9, inc(Account.balance, 1), on_insert=mine)
        assert found is not mine
        assert found.balance == 101
    await rival.finish(commits=True)
    assert (await balances(shop))[9] == 101
    assert mine.balance == 1


async def test_a_unit_repeats_its_operations_and_compares_what_they_counted(
    shop: Any, colour: str, accounts: None
) -> None:
    rival = Rival(shop, colour)
    await rival.start()
    bodies = 0
    async with shop as uow:
        bodies += 1
        assert (await uow.accounts.update_where(Account.balance > 20, inc(Account.balance, 1))).modified == 3
        taken = await uow.accounts.find_and_update(Account.id == 2, inc(Account.balance, 1))
        assert await uow.accounts.delete_where(Account.id == 5) == 1
        await uow.accounts.upsert(Account.id == 9, inc(Account.balance, 1), on_insert=Account(id=9))
        rival.end_once_met(uow, commits=False)
        (await uow.accounts.get(1)).balance += 1
    await rival.finish(commits=False)
    assert bodies == 1
    assert uow.receipt.replays > 0
    assert taken.balance == 21
    assert await balances(shop) == {1: 11, 2: 21, 3: 31, 4: 41, 9: 0}
    assert (uow.receipt.inserted, uow.receipt.updated, uow.receipt.removed) == (1, 3 + 1 + 1, 1)


async def test_other_documents_in_the_same_number_are_the_same_to_the_body(
    shop: Any, colour: str, accounts: None
) -> None:
    """The rival commits, so that other documents match; the body, which saw the count only, could not tell."""

    async def swap(uow: Any) -> None:
        (await uow.accounts.get(2)).balance = 100
        (await uow.accounts.get(5)).balance = 0
        (await uow.accounts.get(1)).balance = 0

    rival = Rival(shop, colour, swap)
    await rival.start()
    async with shop as uow:
        assert await uow.accounts.count() == 5
        rival.end_once_met(uow, commits=True)
        result = await uow.accounts.update_where(Account.balance > 30, inc(Account.balance, 1))
        assert result.modified == 2
    await rival.finish(commits=True)
    assert await balances(shop) == {1: 0, 2: 101, 3: 30, 4: 41, 5: 0}


@pytest.mark.parametrize("word", ["update", "delete", "claim", "upsert"])
async def test_a_unit_whose_operation_would_count_otherwise_is_stale(
    shop: Any, colour: str, accounts: None, word: str
) -> None:
    async def rival_work(uow: Any) -> None:
        (await uow.accounts.get(1)).balance += 100

    async def rival() -> None:
        async with shop as uow:
            (await uow.accounts.get(3)).balance = 0
            (await uow.accounts.get(4)).balance = 0
            uow.accounts.add(Account(id=9))

    blocker = Rival(shop, colour, rival_work)
    with pytest.raises(StaleDocument):
        async with shop as uow:
            if word == "update":
                assert (await uow.accounts.update_where(Account.balance > 45, inc(Account.balance, 1))).matched == 1
                await uow.accounts.update_where(Account.balance == 0, inc(Account.balance, 1))
            elif word == "delete":
                assert await uow.accounts.delete_where(Account.balance == 0) == 0
            elif word == "claim":
                await uow.accounts.find_and_update(Account.balance == 0, inc(Account.balance, 1))
            else:
                await uow.accounts.upsert(Account.balance == 0, inc(Account.balance, 1), on_insert=Account(id=8))
            await elsewhere(colour, rival)
            await blocker.start()
            blocker.end_once_met(uow, commits=False)
            await uow.accounts.update_where(Account.id == 1, inc(Account.balance, 1))
    await blocker.finish(commits=False)
    assert await balances(shop) == {1: 10, 2: 20, 3: 0, 4: 0, 5: 50, 9: 0}


@pytest.mark.parametrize("word", ["update", "delete", "claim"])
async def test_a_nested_unit_that_fails_after_an_operation_dooms_the_whole_unit(
    shop: Any, accounts: None, word: str
) -> None:
    account: Any = None
    with pytest.raises(UnitDoomed) as doomed:
        async with shop as uow:
            account = await uow.accounts.get(1)
            with pytest.raises(ZeroDivisionError) as failure:
                async with shop as inner:
                    if word == "update":
                        await inner.accounts.find().update(inc(Account.balance, 1))
                    elif word == "delete":
                        await inner.accounts.find().delete()
                    else:
                        await inner.accounts.find_and_update(Account.id == 1, inc(Account.balance, 1))
                    raise ZeroDivisionError
            assert any("set-based operation" in note for note in failure.value.__notes__)
            await uow.accounts.count()
    assert isinstance(doomed.value.__cause__, BoundworkError)
    assert account.balance == 10
    assert (await balances(shop))[1] == 10


async def test_a_nested_unit_that_fails_leaves_an_operation_before_it_standing(shop: Any, accounts: None) -> None:
    async with shop as uow:
        account = await uow.accounts.get(1)
        await uow.accounts.find().update(inc(Account.balance, 1))
        await uow.accounts.delete_where(Account.id == 5)
        with pytest.raises(ZeroDivisionError):
            async with shop as inner:
                account.balance = 0
                inner.accounts.add(Account(id=9))
                await inner.flush()
                raise ZeroDivisionError
        assert account.balance == 11
    assert await balances(shop) == {1: 11, 2: 21, 3: 31, 4: 41}


async def test_a_nested_unit_that_ends_well_keeps_its_operations(shop: Any, accounts: None) -> None:
    async with shop as uow:
        async with shop as inner:
            await inner.accounts.find().update(inc(Account.balance, 1))
        assert await uow.accounts.count(Account.balance == 11) == 1
    assert (await balances(shop))[1] == 11
