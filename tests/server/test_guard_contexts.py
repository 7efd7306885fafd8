"""Where a write of the block can come from without `session=`: the other colour, tasks and threads."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any

import pytest
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import AsyncMongoClient, InsertOne, MongoClient
from pymongo.monitoring import CommandStartedEvent

from boundwork import UnitUsedElsewhere, WriteEscaped, connect, guard
from tests.server.bank import AsyncBank, Bank, in_a_thread
from tests.server.commands_seen import CommandsSeen

Stored = dict[str, Any]
KINDS: dict[str, Any] = {"async": AsyncMongoClient, "motor": AsyncIOMotorClient}


class Places(CommandsSeen):
    """Notes where it is called."""

    def __init__(self) -> None:
        super().__init__()
        self.threads: set[threading.Thread] = set()

    def started(self, event: CommandStartedEvent) -> None:
        super().started(event)
        self.threads.add(threading.current_thread())


@pytest.fixture
def places() -> Places:
    return Places()


@pytest.fixture
def sync_client(mongod_uri: str) -> Iterator[MongoClient[Stored]]:
    with MongoClient[Stored](mongod_uri, event_listeners=[guard()]) as client:
        yield client


@pytest.fixture
async def async_client(mongod_uri: str) -> AsyncIterator[AsyncMongoClient[Stored]]:
    async with AsyncMongoClient[Stored](mongod_uri, event_listeners=[guard()]) as client:
        yield client


@pytest.fixture
def sync_notes(sync_client: MongoClient[Stored], database_name: str) -> Any:
    return sync_client[database_name].notes


@pytest.fixture
def async_notes(async_client: AsyncMongoClient[Stored], database_name: str) -> Any:
    return async_client[database_name].notes


async def test_a_synchronous_client_called_in_an_asynchronous_unit_is_seen(
    async_bank: AsyncBank, stored: Any, sync_notes: Any
) -> None:
    with pytest.raises(WriteEscaped, match="insert on collection 'notes'"):
        async with async_bank as uow:
            (await uow.accounts.get(1)).balance = 7
            sync_notes.insert_one({})
    assert stored.find_one() == {"_id": 1, "balance": 0}
    assert sync_notes.count_documents({}) == 1


async def test_a_thread_that_an_asynchronous_unit_starts_with_its_context_is_seen(
    async_bank: AsyncBank, stored: Any, sync_notes: Any
) -> None:
    with pytest.raises(WriteEscaped):
        async with async_bank as uow:
            (await uow.accounts.get(1)).balance = 7
            await asyncio.to_thread(sync_notes.insert_one, {})
    assert stored.find_one() == {"_id": 1, "balance": 0}


async def test_a_child_task_that_calls_another_client_is_seen(async_bank: AsyncBank, sync_notes: Any) -> None:
    async def child() -> None:
        sync_notes.insert_one({})

    with pytest.raises(WriteEscaped):
        async with async_bank:
            await asyncio.gather(child(), child())


def test_an_asynchronous_client_called_in_a_synchronous_unit_is_seen(
    bank: Bank, stored: Any, mongod_uri: str, database_name: str
) -> None:
    async def insert() -> None:
        async with AsyncMongoClient[Stored](mongod_uri, event_listeners=[guard()]) as client:
            await client[database_name].notes.insert_one({})

    with pytest.raises(WriteEscaped), bank as uow:
        uow.accounts.get(1).balance = 7
        asyncio.run(insert())
    assert stored.find_one() == {"_id": 1, "balance": 0}


@pytest.mark.filterwarnings("ignore:Motor is deprecated")
async def test_an_asynchronous_client_called_in_a_unit_of_motor_is_seen(
    mongod_uri: str, database_name: str, async_notes: Any
) -> None:
    motor = AsyncIOMotorClient[Stored](mongod_uri, event_listeners=[guard()])
    try:
        with pytest.raises(WriteEscaped):
            async with AsyncBank(motor[database_name]):
                await async_notes.insert_one({})
    finally:
        motor.close()


def test_a_thread_with_a_copy_of_the_context_writes_into_the_transaction(
    bank: Bank, stored: Any, database_name: str
) -> None:
    with bank as uow:
        account = uow.accounts.get(1)
        notes = uow.database.notes
        context = copy_context()
        in_a_thread(lambda: context.run(notes.insert_one, {}))
        account.balance = 7
    assert stored.find_one() == {"_id": 1, "balance": 7}
    assert stored.database.notes.count_documents({}) == 1


async def test_a_unit_of_a_child_task_is_no_escape_from_its_parent_s(
    async_bank: AsyncBank, stored: Any, sync_client: MongoClient[Stored], database_name: str
) -> None:
    async def child() -> None:
        async with async_bank as uow:
            (await uow.accounts.get(1)).balance = 7
            await uow.database.notes.insert_one({})

    def thread() -> None:
        with Bank(sync_client[database_name]) as uow:
            uow.database.notes.insert_one({})

    async with async_bank as uow:
        assert await uow.accounts.count() == 1
        await asyncio.create_task(child())
        await asyncio.to_thread(thread)
    assert stored.find_one() == {"_id": 1, "balance": 7}
    assert stored.database.notes.count_documents({}) == 2


async def test_a_task_that_was_started_outside_the_unit_on_purpose_may_write_later(
    async_bank: AsyncBank, sync_notes: Any
) -> None:
    go = asyncio.Event()

    async def audit() -> None:
        await go.wait()
        sync_notes.insert_one({})

    async with async_bank as uow:
        async with uow.outside():
            auditing = asyncio.create_task(audit())
        go.set()
        await auditing
    assert sync_notes.count_documents({}) == 1


async def test_an_escape_from_the_unit_of_a_child_task_leaves_its_parent_s_alone(
    async_bank: AsyncBank, stored: Any, sync_notes: Any
) -> None:
    async def child() -> None:
        async with async_bank:
            sync_notes.insert_one({})

    async with async_bank as uow:
        (await uow.accounts.get(1)).balance = 7
        with pytest.raises(WriteEscaped):
            await asyncio.create_task(child())
    assert stored.find_one() == {"_id": 1, "balance": 7}


def test_a_context_whose_unit_was_left_elsewhere_writes_as_it_likes(bank: Bank, sync_notes: Any) -> None:
    held = bank.unit()
    context = copy_context()
    context.run(held.__enter__)
    with pytest.raises(UnitUsedElsewhere):
        in_a_thread(lambda: held.__exit__(None, None, None))

    def go_on() -> None:
        with bank as uow:
            uow.database.notes.insert_one({})
        with sync_notes.database.client.start_session() as session:
            sync_notes.insert_one({}, session=session)

    context.run(go_on)
    assert sync_notes.count_documents({}) == 2


@pytest.mark.parametrize("way", ["submit", "thread", "run_in_executor"])
async def test_a_thread_with_a_context_of_its_own_is_not_seen(
    async_bank: AsyncBank, stored: Any, sync_notes: Any, way: str
) -> None:
    async with async_bank as uow:
        (await uow.accounts.get(1)).balance = 7
        if way == "submit":
            with ThreadPoolExecutor(1) as pool:
                pool.submit(sync_notes.insert_one, {}).result()
        elif way == "thread":
            thread = threading.Thread(target=sync_notes.insert_one, args=({},))
            thread.start()
            thread.join()
        else:
            await asyncio.get_running_loop().run_in_executor(None, lambda: sync_notes.insert_one({}))
    assert stored.find_one() == {"_id": 1, "balance": 7}
    assert sync_notes.count_documents({}) == 1


async def test_a_client_without_a_guard_is_not_seen(async_bank: AsyncBank, stored: Any, mongod_uri: str) -> None:
    with MongoClient[Stored](mongod_uri) as plain:
        async with async_bank as uow:
            (await uow.accounts.get(1)).balance = 7
            plain[stored.database.name].notes.insert_one({})
    assert stored.find_one() == {"_id": 1, "balance": 7}


@pytest.mark.filterwarnings("ignore:Motor is deprecated")
async def test_motor_calls_its_listeners_on_its_threads_with_the_context_of_the_caller(
    mongod_uri: str, database_name: str, places: Places, async_notes: Any
) -> None:
    motor = AsyncIOMotorClient[Stored](mongod_uri, event_listeners=[places, guard()])
    try:
        async with AsyncBank(motor[database_name]) as uow:
            await uow.database.notes.insert_one({})
            assert threading.main_thread() not in places.threads
        with pytest.raises(WriteEscaped):
            async with AsyncBank(motor[database_name]), await motor.start_session() as session:
                await motor[database_name].notes.insert_one({}, session=session)
    finally:
        motor.close()


async def test_connect_guards_both_colours(database_uri: str, seen: CommandsSeen) -> None:
    async with connect(database_uri, event_listeners=[seen]) as connection:
        notes = connection.sync_database().notes
        notes.insert_one({})
        assert seen.take_named("insert")
        with pytest.raises(WriteEscaped):
            async with AsyncBank(connection):
                notes.insert_one({})
        with pytest.raises(WriteEscaped), Bank(connection), notes.database.client.start_session() as session:
            notes.insert_one({}, session=session)


def test_a_bulk_of_a_client_is_seen(embedded_uri: str, database_name: str) -> None:
    def inserting(number: int) -> list[Any]:
        return [InsertOne[Stored]({"_id": number}, namespace=f"{database_name}.notes")]

    with MongoClient[Stored](embedded_uri, event_listeners=[guard()]) as client:
        anyhow: Any = client  # checkers cannot tell the type of its requests
        with pytest.raises(WriteEscaped) as caught, Bank(client[database_name]), client.start_session() as session:
            anyhow.bulk_write(inserting(1), session=session)
        assert (caught.value.command, caught.value.collection) == ("bulkWrite", "notes")
        with Bank(client[database_name]) as uow:
            assert uow.accounts.count() == 0
            anyhow.bulk_write(inserting(2))
        assert client[database_name].notes.count_documents({}) == 2
