"""What happens when several units meet on one document."""

import asyncio
import threading
from typing import Any

import pytest

from boundwork import StaleDocument, TransientFailure, UnitDoomed, UnitUsedElsewhere
from tests.contract.rivals import elsewhere
from tests.contract.shop import Account


@pytest.fixture
async def account(shop: Any) -> None:
    async with shop as uow:
        uow.accounts.add(Account(id=1, balance=0))


async def test_a_document_that_changed_since_it_was_read_is_not_overwritten(
    shop: Any, colour: str, account: None
) -> None:
    async def rival() -> None:
        async with shop as uow:
            (await uow.accounts.get(1)).balance = 100

    with pytest.raises(TransientFailure):
        async with shop as uow:
            mine = await uow.accounts.get(1)
            await elsewhere(colour, rival)
            mine.balance += 1
    async with shop as uow:
        assert (await uow.accounts.get(1)).balance == 100


async def test_after_a_commit_a_get_reads_again(shop: Any, colour: str, account: None) -> None:
    async def rival() -> None:
        async with shop as uow:
            (await uow.accounts.get(1)).balance = 100

    async with shop as uow:
        mine = await uow.accounts.get(1)
        await uow.commit()
        await elsewhere(colour, rival)
        assert await uow.accounts.get(1) is mine
        assert mine.balance == 100


async def test_after_a_commit_a_document_that_was_not_read_again_is_guarded(
    shop: Any, colour: str, account: None
) -> None:
    async def rival() -> None:
        async with shop as uow:
            (await uow.accounts.get(1)).balance = 100

    with pytest.raises(StaleDocument, match="Account 1 changed since it was read"):
        async with shop as uow:
            mine = await uow.accounts.get(1)
            await uow.commit()
            await elsewhere(colour, rival)
            mine.balance += 1
    async with shop as uow:
        assert (await uow.accounts.get(1)).balance == 100


async def test_after_a_commit_an_unchanged_document_may_be_written_or_removed(shop: Any, account: None) -> None:
    async with shop as uow:
        mine = await uow.accounts.get(1)
        await uow.commit()
        mine.balance = 5
        await uow.commit()
        mine.balance = 6
        await uow.commit()
        uow.accounts.remove(mine)
    assert (uow.receipt.updated, uow.receipt.removed) == (2, 1)
    async with shop as uow:
        assert await uow.accounts.find_by_id(1) is None


async def test_run_repeats_a_body_that_met_a_rival(shop: Any, colour: str, account: None) -> None:
    bodies = 0

    async def rival() -> None:
        async with shop as uow:
            (await uow.accounts.get(1)).balance += 100

    async def body(uow: Any, amount: int) -> int:
        nonlocal bodies
        bodies += 1
        mine = await uow.accounts.get(1)
        if bodies == 1:
            await elsewhere(colour, rival)
        mine.balance += amount
        return int(mine.balance)

    if colour == "async":
        assert await shop.run(body, 1) == 101
    else:
        assert await shop.run(_stepped(body), 1) == 101
    assert bodies == 2


def _stepped(body: Any) -> Any:
    async def run(uow: Any, amount: int) -> Any:
        return await body(uow, amount)

    return run


async def test_a_swallowed_server_error_dooms_the_unit(shop: Any, account: None) -> None:
    with pytest.raises(UnitDoomed, match="first error is the cause"):
        async with shop as uow:
            uow.accounts.add(Account(id=1))
            with pytest.raises(Exception, match="taken"):
                await uow.flush()
            sent = uow.core.session.commands
            with pytest.raises(UnitDoomed):
                await uow.accounts.count()
            assert uow.core.session.commands == sent


async def test_a_doomed_unit_goes_on_after_a_rollback(shop: Any, account: None) -> None:
    async with shop as uow:
        uow.accounts.add(Account(id=1))
        with pytest.raises(Exception, match="taken"):
            await uow.flush()
        await uow.rollback()
        uow.accounts.add(Account(id=2))
    async with shop as uow:
        assert await uow.accounts.count() == 2


async def test_a_unit_is_refused_to_other_tasks_and_threads(shop: Any, colour: str, account: None) -> None:
    seen: list[BaseException] = []

    async def intruder(uow: Any) -> None:
        try:
            await uow.accounts.count()
        except UnitUsedElsewhere as error:
            seen.append(error)

    async with shop as uow:
        await elsewhere(colour, lambda: intruder(uow))
    assert len(seen) == 1
    assert "belongs to" in str(seen[0])


async def test_many_units_of_one_definition_never_see_each_other(shop: Any, colour: str) -> None:
    workers = 200 if colour == "async" else 16
    async with shop as uow:  # a collection that does not exist yet is itself something to conflict about
        uow.accounts.add(Account(id=0))
        await uow.flush()
        await uow.commit()
        uow.accounts.remove(await uow.accounts.get(0))

    async def work(number: int) -> None:
        async with shop as uow:
            uow.accounts.add(Account(id=number, balance=number))
            await uow.flush()
            assert [account.id for account in await uow.accounts.find().to_list()] == [number]
            await uow.rollback()
            await asyncio.sleep(0) if colour == "async" else None
            uow.accounts.add(Account(id=-number))
            assert shop.core is uow.core
            await uow.rollback()

    if colour == "async":
        await asyncio.gather(*(work(number) for number in range(1, workers + 1)))
    else:
        failures: list[BaseException] = []

        def step(number: int) -> None:
            try:
                work(number).send(None)
            except StopIteration:
                return
            except BaseException as failure:
                failures.append(failure)

        threads = [threading.Thread(target=step, args=(number,)) for number in range(1, workers + 1)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
    async with shop as uow:
        assert await uow.accounts.count() == 0
