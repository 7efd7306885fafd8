"""Units that serialize: child tasks use them together, and everything happens as in sequence."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from pydantic import BaseModel
from pymongo import AsyncMongoClient

from boundwork import AsyncRepository, TransactionFailed, UnitClosed, UnitDoomed, UnitUsedElsewhere, guard
from tests.server.bank import ACCOUNTS, BALANCE, Account, AsyncBank, Entry
from tests.server.commands_seen import CommandsSeen, with_options
from tests.server.under_way import HOLD_MS, held

ROUNDS = 200
NEW = 1000
SLOWLY: dict[str, Any] = {"blockConnection": True, "blockTimeMS": HOLD_MS}
accounts_anywhere = AsyncRepository(Account)
Step = Callable[[AsyncBank], Awaitable[object]]


@pytest.fixture
async def serial(mongod_uri: str, database_name: str, seen: CommandsSeen) -> AsyncIterator[AsyncBank]:
    """Return a definition whose units serialize; its client is that of `server`, and guarded."""
    address = with_options(mongod_uri, f"appName={database_name}")
    async with AsyncMongoClient[dict[str, Any]](address, event_listeners=[seen, guard()]) as client:
        yield AsyncBank(client[database_name], concurrency="serialize")


class Balance(BaseModel, frozen=True):
    balance: int


async def balance_after_a_deposit(uow: AsyncBank) -> int:
    account = await uow.accounts.get(1)
    account.balance += 1
    return account.id


STEPS: list[Step] = [
    lambda uow: uow.accounts.count(),
    lambda uow: uow.accounts.add_if_absent(Account(id=NEW, balance=7)),
    lambda uow: uow.accounts.count(),
    lambda uow: uow.accounts.find(Account.balance == 7).count(),
    lambda uow: uow.accounts.add_if_absent(Account(id=NEW, balance=8)),
    balance_after_a_deposit,
    lambda uow: uow.accounts.exists(Account.id == NEW + 1),
    lambda uow: uow.accounts.add_if_absent(Account(id=NEW + 1)),
    lambda uow: uow.accounts.exists(Account.id == NEW + 1),
    balance_after_a_deposit,
]
IN_SEQUENCE = [ACCOUNTS, True, ACCOUNTS + 1, 1, False, 1, False, True, True, 1]


async def test_ten_gathered_reads_and_writes_give_what_they_give_in_sequence(
    serial: AsyncBank, accounts: Any, seen: CommandsSeen
) -> None:
    async with serial as uow:
        assert [await step(uow) for step in STEPS] == IN_SEQUENCE
    for number in range(1, ROUNDS + 1):
        accounts.delete_many({"_id": {"$gte": NEW}})
        async with serial as uow:
            assert await asyncio.gather(*(step(uow) for step in STEPS)) == IN_SEQUENCE
        assert accounts.count_documents({}) == ACCOUNTS + 2
        assert accounts.find_one({"_id": 1})["balance"] == BALANCE + 2 + 2 * number


async def test_every_kind_of_read_waits_for_its_turn(serial: AsyncBank, accounts: Any) -> None:
    async def streamed(uow: AsyncBank) -> int:
        return len([account async for account in uow.accounts.find().stream(batch_size=7)])

    async with serial as uow:
        reads: list[Awaitable[Any]] = [
            uow.accounts.find().sort(Account.id).page(3),
            uow.accounts.find().distinct(Account.balance),
            uow.accounts.find(Account.id < 2).project(Balance).to_list(),
            uow.accounts.find().explain(),
            *(streamed(uow) for _ in range(3)),
        ]
        page, values, rows, plan, *counts = await asyncio.gather(*reads)
        assert [account.id for account in page] == [0, 1, 2]
        assert (values, [row.balance for row in rows], counts) == ([BALANCE], [BALANCE] * 2, [ACCOUNTS] * 3)
        assert plan
        (await uow.accounts.get(1)).balance = 0
    assert accounts.find_one({"_id": 1})["balance"] == 0


@pytest.mark.filterwarnings("ignore:Motor is deprecated")
async def test_gathered_operations_follow_each_other_with_motor_as_well(
    mongod_uri: str, database_name: str, accounts: Any
) -> None:
    from motor.motor_asyncio import AsyncIOMotorClient  # noqa: PLC0415 - its warning belongs to this test

    motor: Any = AsyncIOMotorClient
    client = motor(mongod_uri)
    serial = AsyncBank(client[database_name], concurrency="serialize")
    for _ in range(20):
        accounts.delete_many({"_id": {"$gte": NEW}})
        async with serial as uow:
            assert await asyncio.gather(*(step(uow) for step in STEPS)) == IN_SEQUENCE
    client.close()


@pytest.mark.filterwarnings("ignore::boundwork.ManySingleReads")  # one by one is what is tested
async def test_children_find_the_unit_by_its_definition_and_by_unbound_repositories(
    serial: AsyncBank, accounts: Any
) -> None:
    async def deposit(number: int) -> None:
        account = await (serial.accounts if number % 2 else accounts_anywhere).get(number)
        account.balance = 0
        await serial.flush()

    async with serial, asyncio.TaskGroup() as group:
        for number in range(10):
            group.create_task(deposit(number))
    assert accounts.count_documents({"balance": 0}) == 10


@pytest.mark.parametrize("concurrency", ["exclusive", "serialize"])
async def test_a_child_that_opens_the_definition_gets_its_own_unit(
    async_bank: AsyncBank, serial: AsyncBank, accounts: Any, concurrency: str
) -> None:
    bank = serial if concurrency == "serialize" else async_bank

    async def child(parent: AsyncBank) -> None:
        async with bank as own:
            assert own.core is not parent.core
            assert bank.core is own.core
            own.accounts.add(Account(id=NEW))

    with pytest.raises(ZeroDivisionError):
        async with bank as uow:
            (await uow.accounts.get(1)).balance = 0
            await uow.flush()
            await asyncio.create_task(child(uow))
            raise ZeroDivisionError
    assert accounts.find_one({"_id": NEW}) is not None
    assert accounts.find_one({"_id": 1})["balance"] == BALANCE


async def test_what_ends_or_nests_a_unit_stays_with_its_owner(serial: AsyncBank, accounts: Any) -> None:
    async def nest(uow: AsyncBank) -> None:
        async with uow:
            pass

    async def step_out(uow: AsyncBank) -> None:
        async with uow.outside():
            pass

    words: list[Step] = [lambda uow: uow.commit(), lambda uow: uow.rollback(), nest, step_out]
    async with serial as uow:
        (await uow.accounts.get(1)).balance = 0
        for word in words:
            with pytest.raises(UnitUsedElsewhere, match=r"belongs to task .* and was used by task"):
                await asyncio.gather(word(uow))
    assert accounts.find_one({"_id": 1})["balance"] == 0


async def test_a_straggler_is_told_who_opened_the_unit(serial: AsyncBank, accounts: Any) -> None:
    over = asyncio.Event()

    async def straggler(uow: AsyncBank) -> None:
        await over.wait()
        await uow.accounts.add_if_absent(Account(id=NEW))

    async with serial as uow:
        late = asyncio.create_task(straggler(uow))
        await uow.accounts.get(1)
    over.set()
    with pytest.raises(UnitClosed, match="opened and closed by task"):
        await late
    assert accounts.find_one({"_id": NEW}) is None


@pytest.mark.parametrize("error", [None, ZeroDivisionError()])
async def test_leaving_waits_for_the_operation_under_way_and_refuses_those_that_wait(
    serial: AsyncBank, accounts: Any, server: Any, error: Exception | None
) -> None:
    async with serial as uow:
        await uow.accounts.get(1)  # the transaction has begun, and its collection is known
    with server(["update"], 1, SLOWLY):
        tasks: list[asyncio.Task[bool]] = []
        try:
            async with serial as uow:
                tasks += [
                    asyncio.create_task(uow.accounts.add_if_absent(Account(id=NEW + number))) for number in range(3)
                ]
                await held(accounts.database.client, "update")
                if error is not None:
                    raise error
        except ZeroDivisionError:
            assert error is not None
        first, *others = await asyncio.gather(*tasks, return_exceptions=True)
    assert first is True
    assert [type(other) for other in others] == [UnitClosed] * 2
    assert "is being left by task" in str(others[0])
    assert accounts.count_documents({"_id": {"$gte": NEW}}) == (0 if error else 1)


async def test_a_cancelled_waiter_leaves_the_queue_sound(serial: AsyncBank, accounts: Any, server: Any) -> None:
    async with serial as uow:
        with server(["find"], 1, SLOWLY):
            tasks = [asyncio.create_task(uow.accounts.get(number)) for number in range(4)]
            await held(accounts.database.client, "find")
            tasks[1].cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
        assert [type(result) for result in results] == [Account, asyncio.CancelledError, Account, Account]
        (await uow.accounts.get(3)).balance = 0
    assert accounts.find_one({"_id": 3})["balance"] == 0


async def test_who_waited_while_the_unit_was_doomed_is_refused(
    serial: AsyncBank, accounts: Any, server: Any, seen: CommandsSeen
) -> None:
    with pytest.raises(UnitDoomed):
        async with serial as uow:
            await uow.accounts.get(0)
            with server(["find"], 1, {"errorCode": 2, **SLOWLY}):
                waiting = [asyncio.create_task(uow.accounts.get(number)) for number in (1, 2, 2)]
                seen.take()
                results = await asyncio.gather(*waiting, return_exceptions=True)
            assert len(seen.take_named("find")) == 1
            assert [type(result) for result in results] == [TransactionFailed, UnitDoomed, UnitDoomed]


@pytest.mark.parametrize("adds", [False, True])
async def test_what_children_do_while_a_flush_asks_the_server_is_not_lost(
    serial: AsyncBank, accounts: Any, server: Any, adds: bool
) -> None:
    async with serial as uow:
        first, second = [await uow.accounts.get(number) for number in (1, 2)]
        await uow.commit()
        first.balance = 10
        with server(
            ["find"], 1, SLOWLY
        ):  # the flush compares the document with the database, since a commit lies between
            flushing = asyncio.create_task(uow.flush())
            await held(accounts.database.client, "find")
            first.balance = 11
            second.balance = 12
            if adds:
                uow.accounts.add(Account(id=NEW))
            await flushing
    assert [accounts.find_one({"_id": number})["balance"] for number in (1, 2)] == [11, 12]
    assert accounts.count_documents({"_id": NEW}) == adds


async def test_a_hook_before_the_commit_cannot_wait_for_a_child(serial: AsyncBank, accounts: Any) -> None:
    async def hook() -> None:
        serial.accounts.add(Account(id=NEW))
        assert await serial.accounts.count() == ACCOUNTS + 1
        await asyncio.gather(serial.accounts.get(1))

    with pytest.raises(UnitUsedElsewhere, match="before_commit hook"):
        async with serial as uow:
            uow.before_commit(hook)
    assert accounts.count_documents({}) == ACCOUNTS


async def test_a_nested_unit_of_the_owner_is_undone_though_children_use_the_unit(
    serial: AsyncBank, accounts: Any
) -> None:
    async with serial as uow:
        uow.journal.add(Entry(source=1, target=2, amount=3))
        with pytest.raises(ZeroDivisionError):
            async with uow as inner:
                await asyncio.gather(*(inner.accounts.add_if_absent(Account(id=NEW + n)) for n in range(3)))
                raise ZeroDivisionError
        await asyncio.gather(*(uow.accounts.get(number) for number in range(3)))
    assert accounts.count_documents({"_id": {"$gte": NEW}}) == 0
    assert accounts.database.journal.count_documents({}) == 1
