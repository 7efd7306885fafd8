"""Locks: who read for update is alone with the document until the transaction ends, and changes nothing by it."""

from typing import Any

import pytest

from boundwork import DocumentNotFound, StaleDocument, TransientFailure
from tests.contract.colours import define
from tests.contract.rivals import Rival, deposit, elsewhere, is_shut_out
from tests.contract.shop import Account, Customer, Order


def _deposits(number: int) -> Any:
    async def work(uow: Any) -> None:
        (await uow.accounts.get(number)).balance += 1

    return work


async def test_a_document_read_for_update_is_closed_to_other_writers(
    shop: Any, impatient: Any, colour: str, five_accounts: None
) -> None:
    async with shop as uow:
        assert (await uow.accounts.get(1)).balance == 1
        assert not await is_shut_out(impatient, colour, _deposits(1))
        assert (await uow.accounts.get(2, for_update=True)).balance == 2
        assert (await uow.accounts.find_by_id(3, for_update=True)).balance == 3
        assert await is_shut_out(impatient, colour, _deposits(2))
        assert await is_shut_out(impatient, colour, _deposits(3))
        assert not await is_shut_out(impatient, colour, _deposits(4))
    assert not await is_shut_out(impatient, colour, _deposits(2))


async def test_a_lock_that_is_rolled_back_is_gone(shop: Any, impatient: Any, colour: str, five_accounts: None) -> None:
    async with shop as uow:
        await uow.accounts.get(1, for_update=True)
        await uow.rollback()
        assert not await is_shut_out(impatient, colour, _deposits(1))
        await uow.accounts.get(1, for_update=True)
        assert await is_shut_out(impatient, colour, _deposits(1))
        await uow.commit()
        assert not await is_shut_out(impatient, colour, _deposits(1))
        await uow.accounts.get(1, for_update=True)
        assert await is_shut_out(impatient, colour, _deposits(1))


async def test_a_lock_writes_nothing_that_anybody_could_see(shop: Any, five_accounts: None) -> None:
    async with shop as uow:
        before = await uow.orders.first()
    async with shop as uow:
        order = await uow.orders.get(before.id, for_update=True)
        assert order == before
        assert order.model_fields_set == before.model_fields_set
        await uow.orders.find().to_list()
    assert (uow.receipt.updated, uow.receipt.commits) == (0, 1)
    async with shop as uow:
        (await uow.orders.get(before.id, for_update=True)).number = "A-2"
    assert uow.receipt.updated == 1
    async with shop as uow:
        assert (await uow.orders.get(before.id)).model_dump() == {**before.model_dump(), "number": "A-2"}


async def test_a_lock_as_the_first_word_waits_for_a_rival_and_reads_what_it_committed(
    shop: Any, colour: str, five_accounts: None
) -> None:
    rival = Rival(shop, colour)
    await rival.start()
    bodies = 0
    async with shop as uow:
        bodies += 1
        rival.end_once_met(uow, commits=True)
        mine = await uow.accounts.get(1, for_update=True)
        assert mine.balance == 101
        mine.balance += 1
    await rival.finish(commits=True)
    assert bodies == 1
    assert uow.receipt.replays > 0
    async with shop as uow:
        assert (await uow.accounts.get(1)).balance == 102


async def test_without_replay_a_lock_does_not_wait(shop: Any, impatient: Any, colour: str, five_accounts: None) -> None:
    rival = Rival(shop, colour)
    await rival.start()
    with pytest.raises(TransientFailure):
        async with impatient as uow:
            await uow.accounts.get(1, for_update=True)
    await rival.finish(commits=False)


async def test_a_later_lock_waits_too_if_what_was_read_before_is_the_same(
    shop: Any, colour: str, five_accounts: None
) -> None:
    rival = Rival(shop, colour)
    await rival.start()
    async with shop as uow:
        await uow.accounts.get(2)
        rival.end_once_met(uow, commits=True)
        assert (await uow.accounts.get(1, for_update=True)).balance == 101
    await rival.finish(commits=True)


async def test_a_later_lock_is_refused_if_the_rival_changed_what_was_read_before(
    shop: Any, colour: str, five_accounts: None
) -> None:
    rival = Rival(shop, colour)
    await rival.start()
    with pytest.raises(StaleDocument):
        async with shop as uow:
            assert await uow.accounts.count({"balance": {"$gt": 50}}) == 0
            rival.end_once_met(uow, commits=True)
            await uow.accounts.get(1, for_update=True)
    await rival.finish(commits=True)


async def test_a_document_that_is_known_is_locked_as_it_was_read(
    shop: Any, impatient: Any, colour: str, five_accounts: None
) -> None:
    async with shop as uow:
        mine = await uow.accounts.get(1)
        assert await uow.accounts.get(1, for_update=True) is mine
        assert await is_shut_out(impatient, colour, _deposits(1))
        sent = uow.core.session.commands
        assert await uow.accounts.get(1, for_update=True) is mine
        assert uow.core.session.commands == sent


async def test_a_known_document_that_changed_meanwhile_is_not_locked(
    shop: Any, colour: str, five_accounts: None
) -> None:
    async def rival() -> None:
        async with shop as uow:
            await deposit(uow)

    with pytest.raises(StaleDocument, match="Account 1 changed since it was read"):
        async with shop as uow:
            await uow.accounts.get(1)
            await elsewhere(colour, rival)
            await uow.accounts.get(1, for_update=True)


async def test_what_is_not_there_is_not_locked(shop: Any, impatient: Any, colour: str, five_accounts: None) -> None:
    async def insert(uow: Any) -> None:
        uow.accounts.add(Account(id=9))

    async with shop as uow:
        assert await uow.accounts.find_by_id(9, for_update=True) is None
        with pytest.raises(DocumentNotFound):
            await uow.accounts.get(9, for_update=True)
        uow.accounts.remove(await uow.accounts.get(1))
        assert await uow.accounts.find_by_id(1, for_update=True) is None
        assert not await is_shut_out(impatient, colour, insert)


async def test_a_new_document_needs_no_lock(shop: Any) -> None:
    async with shop as uow:
        mine = uow.accounts.add(Account(id=1))
        assert await uow.accounts.get(1, for_update=True) is mine
        assert uow.core.session.commands == 0
        await uow.flush()
        assert await uow.accounts.get_many([1], for_update=True) == [mine]
        assert uow.core.session.commands == 1


async def test_a_changed_document_can_be_locked_before_and_after_its_flush(shop: Any, five_accounts: None) -> None:
    async with shop as uow:
        mine = await uow.accounts.get(1)
        mine.balance = 7
        assert await uow.accounts.get(1, for_update=True) is mine
        other = await uow.accounts.get(2)
        other.balance = 8
        await uow.flush()
        assert await uow.accounts.get(2, for_update=True) is other
        assert (mine.balance, other.balance) == (7, 8)
    async with shop as uow:
        assert [account.balance for account in await uow.accounts.get_many([1, 2])] == [7, 8]


@pytest.mark.parametrize("flushed_inside", [False, True])
async def test_a_lock_stays_although_the_nested_unit_that_took_it_fails(
    shop: Any, impatient: Any, colour: str, five_accounts: None, flushed_inside: bool
) -> None:
    async with shop as uow:
        await uow.lock("any")  # two transactions that make the collection of locks meet in their commits only
    async with shop as uow:
        (await uow.accounts.get(2)).balance = 20
        await uow.flush()
        with pytest.raises(ZeroDivisionError):
            async with uow as inner:
                (await inner.accounts.get(1, for_update=True)).balance = 10
                await inner.lock("inner")
                inner.accounts.add(Account(id=9))
                if flushed_inside:
                    await inner.flush()
                raise ZeroDivisionError
        assert (await uow.accounts.get(1)).balance == 1
        assert await is_shut_out(impatient, colour, _deposits(1))
        assert await is_shut_out(impatient, colour, lambda other: other.lock("inner"))
    async with shop as uow:
        balances = [account.balance for account in await uow.accounts.get_many([1, 2])]
        assert balances == [1, 20]
        assert await uow.accounts.find_by_id(9) is None


async def test_what_a_unit_with_locked_reads_has_read_is_closed_to_other_writers(
    database: Any, impatient: Any, colour: str, five_accounts: None
) -> None:
    strict = define(colour, database, {"isolation": "locked_reads"}, accounts=Account, orders=Order)
    async with strict as uow:
        assert await uow.accounts.count() == 5
        assert await uow.accounts.exists()
        assert not await is_shut_out(impatient, colour, _deposits(0))
        await uow.accounts.get(0)
        assert await is_shut_out(impatient, colour, _deposits(0))
        await uow.accounts.first({"balance": 1})
        await uow.accounts.get_many([2])
        assert [account.id async for account in uow.accounts.find({"balance": 3})] == [3]
        for number in range(4):
            assert await is_shut_out(impatient, colour, _deposits(number))
        assert not await is_shut_out(impatient, colour, _deposits(4))
        sent = uow.core.session.commands
        assert await uow.accounts.find({"balance": {"$lt": 3}}).count() == 3
        await uow.accounts.get(1)
        assert uow.core.session.commands == sent + 1
        await uow.accounts.find({"balance": {"$lt": 3}}).to_list()
        assert uow.core.session.commands == sent + 2  # what is locked is not locked again
    assert uow.receipt.updated == 0


async def test_a_refresh_locks_what_it_reads_again(
    database: Any, impatient: Any, colour: str, five_accounts: None
) -> None:
    strict = define(colour, database, {"isolation": "locked_reads"}, accounts=Account)
    async with strict as uow:
        mine = await uow.accounts.get(1)
        await uow.commit()
        assert not await is_shut_out(impatient, colour, _deposits(1))
        await uow.refresh(mine)
        assert await is_shut_out(impatient, colour, _deposits(1))


async def test_a_query_with_locked_reads_waits_and_returns_what_the_rival_committed(
    database: Any, shop: Any, colour: str, five_accounts: None
) -> None:
    strict = define(colour, database, {"isolation": "locked_reads"}, accounts=Account)
    rival = Rival(shop, colour)
    await rival.start()
    async with strict as uow:
        rival.end_once_met(uow, commits=True)
        found = await uow.accounts.find().sort("_id").to_list()
        assert [account.balance for account in found] == [0, 101, 2, 3, 4]
    await rival.finish(commits=True)


@pytest.mark.parametrize("isolation", ["serializable", "", None])
def test_an_unknown_isolation_is_refused_where_it_is_defined(database: Any, colour: str, isolation: Any) -> None:
    with pytest.raises(ValueError, match="'snapshot' or 'locked_reads'"):
        define(colour, database, {"isolation": isolation}, customers=Customer)
