"""A unit gets over transient failures of its commands by itself: the body runs once, the outcome is exact."""

import asyncio
from typing import Any

import pytest

from boundwork import StaleDocument, TransactionFailed, TransientFailure
from tests.server.bank import Account, raw, settled
from tests.server.under_way import HOLD_MS, held

REPLAYING = {"replay_seconds": 20.0}
LOST = {"errorCode": 251, "errorLabels": ["TransientTransactionError"]}
FAILURES = {
    "connection closed": {"closeConnection": True},
    "write conflict": {"errorCode": 112, "errorLabels": ["TransientTransactionError"]},
    "transaction lost": LOST,
    "shutdown": {"errorCode": 91, "errorLabels": ["TransientTransactionError"]},
}


@pytest.mark.parametrize("failure", FAILURES.values(), ids=FAILURES)
@pytest.mark.parametrize("command", ["find", "aggregate", "update", "insert"])
async def test_the_body_runs_once_whatever_command_fails(
    banks: Any, stored: Any, server: Any, command: str, failure: dict[str, Any]
) -> None:
    bodies = 0
    with server([command], 1, failure):
        async with banks(**REPLAYING) as uow:
            bodies += 1
            account = await uow.accounts.get(1)
            account.balance += 7
            await uow.flush()
            assert await uow.accounts.count() == 1
            uow.accounts.add(Account(id=2, balance=1))
    assert bodies == 1
    assert uow.receipt.replays == 1
    assert list(stored.find(sort=[("_id", 1)])) == [{"_id": 1, "balance": 7}, {"_id": 2, "balance": 1}]


@pytest.mark.parametrize("times", [1, 2, 3])
async def test_a_commit_that_certainly_failed_is_repeated_with_all_that_led_to_it(
    banks: Any, stored: Any, server: Any, times: int
) -> None:
    with server(["commitTransaction"], times, LOST):
        async with banks(**REPLAYING) as uow:
            (await uow.accounts.get(1)).balance += 7
    assert uow.receipt.replays == times
    assert stored.find_one() == {"_id": 1, "balance": 7}


async def test_a_difference_is_stale_and_names_the_document(banks: Any, stored: Any, server: Any) -> None:
    account: Any = None
    with pytest.raises(StaleDocument) as caught:
        async with banks(**REPLAYING) as uow:
            account = await uow.accounts.get(1)
            account.balance += 7
            stored.update_one({"_id": 1}, {"$set": {"balance": 100}}, session=stored.database.client.start_session())
    assert (caught.value.model, caught.value.id) == ("Account", 1)
    assert account.balance == 0
    assert stored.find_one() == {"_id": 1, "balance": 100}


async def test_calls_of_the_driver_make_a_unit_that_cannot_be_repeated(banks: Any, stored: Any, server: Any) -> None:
    with pytest.raises(TransientFailure) as caught:
        async with banks(**REPLAYING) as uow:
            await settled(raw(uow)["accounts"].insert_one({"_id": 5, "balance": 5}))
            (await uow.accounts.get(1)).balance += 7
            with server(["update"], 1, FAILURES["write conflict"]):
                await uow.flush()
    assert not isinstance(caught.value, StaleDocument)
    assert list(stored.find()) == [{"_id": 1, "balance": 0}]


async def test_a_call_of_the_driver_that_overlaps_an_operation_is_not_taken_for_one_of_ours(
    banks: Any, stored: Any, server: Any, colour: str
) -> None:
    """A replay would leave it out without a word."""
    with pytest.raises(TransientFailure):
        async with banks(**REPLAYING) as uow:
            await uow.accounts.count()
            accounts = raw(uow)["accounts"]

            async def insert() -> None:
                await held(stored.database.client, "find")
                await settled(accounts.insert_one({"_id": 5, "balance": 5}))

            with server(["find"], 1, {"blockConnection": True, "blockTimeMS": HOLD_MS}):
                there = asyncio.to_thread(asyncio.run, insert()) if colour == "sync" else insert()
                overlapping = asyncio.create_task(there)
                await asyncio.sleep(0)
                (await uow.accounts.get(1)).balance += 7
                await overlapping
            with server(["update"], 1, FAILURES["write conflict"]):
                await uow.flush()
    assert list(stored.find()) == [{"_id": 1, "balance": 0}]


async def test_what_is_not_transient_is_not_repeated(banks: Any, stored: Any, server: Any) -> None:
    units: list[Any] = []
    with server(["update"], 1, {"errorCode": 50}), pytest.raises(TransactionFailed):
        async with banks(**REPLAYING) as uow:
            units.append(uow)
            (await uow.accounts.get(1)).balance += 7
    assert units[0].receipt.replays == 0
    assert stored.find_one() == {"_id": 1, "balance": 0}
