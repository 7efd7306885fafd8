"""What is special about Motor: the program's own calls, threads behind tasks, and that nobody else has to have it."""

import asyncio
import os
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from contextvars import Context, copy_context
from typing import Any

import pytest
from motor.frameworks.asyncio import max_workers
from motor.motor_asyncio import (
    AsyncIOMotorClient,
    AsyncIOMotorCollection,
    AsyncIOMotorDatabase,
    AsyncIOMotorGridFSBucket,
    AsyncIOMotorGridIn,
)
from pymongo import MongoClient
from pymongo.errors import PyMongoError
from pymongo.monitoring import CommandSucceededEvent

from boundwork import AsyncUnitOfWork, UnitOfWork, UnitUsedElsewhere, guard
from tests.server.bank import Account, AsyncBank, settled
from tests.server.commands_seen import CommandsSeen, failing, in_transaction_of, names, session_id, with_options
from tests.server.driver_operations import OPERATIONS, Operation, seed
from tests.server.under_way import HOLD_MS
from tests.servers import empty

Stored = dict[str, Any]
KINDS: dict[str, Any] = {
    "collection": AsyncIOMotorCollection,
    "database": AsyncIOMotorDatabase,
    "client": AsyncIOMotorClient,
    "bucket": AsyncIOMotorGridFSBucket,
}
pytestmark = pytest.mark.filterwarnings("ignore:Motor is deprecated")


class Undone(Exception):
    """Rolls a unit back."""


class CommandsDone(CommandsSeen):
    """Knows how many commands are over as well."""

    def __init__(self) -> None:
        super().__init__()
        self.begun = threading.Event()
        self.done: list[str] = []

    def started(self, event: Any) -> None:
        super().started(event)
        self.begun.set()

    def succeeded(self, event: CommandSucceededEvent) -> None:
        self.done.append(event.command_name)


@pytest.fixture(scope="module")
def seeded(mongod_client: MongoClient[Stored]) -> Iterator[str]:
    """Return the name of a seeded database; the units of these tests change nothing."""
    name = f"test_{uuid.uuid4().hex[:16]}"
    seed(mongod_client, name)
    yield name
    empty(mongod_client, name)


@pytest.fixture
def seen() -> CommandsDone:
    return CommandsDone()


@pytest.fixture(params=["", "w=majority"], ids=lambda options: options or "plain")
async def client(request: pytest.FixtureRequest, mongod_uri: str, seen: CommandsDone) -> AsyncIterator[Any]:
    client = AsyncIOMotorClient[Stored](
        with_options(mongod_uri, request.param), event_listeners=[seen, guard()], appName="of_this_test"
    )
    yield client
    client.close()


@pytest.fixture
def database(client: Any, database_name: str) -> Any:
    return client[database_name]


@pytest.fixture
def bank(database: Any, mongod_client: MongoClient[Stored]) -> AsyncBank:
    mongod_client[database.name].accounts.insert_one({"_id": 0, "balance": 0})
    return AsyncBank(database)


def has(operation: Operation) -> bool:
    """Tell whether Motor has the method of an operation."""
    return hasattr(KINDS.get(operation.target), operation.method.split(".")[1])


async def consume(result: Any, *, closed_early: bool) -> None:
    """Do what the commands of an operation hang on: read to the end, or write and close."""
    result = await settled(result)
    if isinstance(result, AsyncIOMotorGridIn):
        await result.write(b"new")
        await result.close()
    elif hasattr(result, "__aiter__"):
        async for _ in result:
            if closed_early:
                break
        await settled(result.close())


@pytest.mark.parametrize("operation", [*filter(has, OPERATIONS)], ids=lambda operation: operation.name)
async def test_an_operation_of_motor_is_in_the_transaction_of_the_unit_and_undone_with_it(
    client: Any, seeded: str, seen: CommandsDone, operation: Operation
) -> None:
    lsid = None
    try:
        with suppress(Undone):
            async with AsyncUnitOfWork(client[seeded]) as uow:
                lsid = session_id(uow)
                await uow.database.marks.insert_one({"of": operation.name})
                on = AsyncIOMotorGridFSBucket(uow.database) if operation.target == "bucket" else uow.database
                await consume(operation.call(on), closed_early=operation.closed_early)
                assert not operation.refused, "it was not refused"
                assert uow.core.session.take_escaped() is None
                raise Undone
    except PyMongoError as error:
        operation.check_refusal(error)
    mark, *sent, end = seen.take()
    assert mark["lsid"] == lsid
    assert (mark["startTransaction"], mark["readConcern"]["level"]) == (True, "snapshot")
    assert sent
    assert "abortTransaction" in end
    for command in (*sent, end):
        assert in_transaction_of(command, mark)
        assert "startTransaction" not in command
    assert await client[seeded].marks.count_documents({}) == 0


def test_only_these_operations_of_the_driver_are_missing_in_motor() -> None:
    missing = {operation.method for operation in OPERATIONS if operation.target != "files" and not has(operation)}
    assert missing == {"bucket.delete_by_name", "bucket.rename_by_name"}


async def test_what_a_unit_sends_itself_is_one_transaction_and_only_the_index_list_is_outside(
    bank: AsyncBank, seen: CommandsDone
) -> None:
    async with bank as uow:
        uow.add(Account(id=1))
        (await uow.accounts.get(0)).balance = 5
        uow.remove(uow.accounts.add(Account(id=2)))
        assert await uow.accounts.count() == 2
        lsid = session_id(uow)
    sent = seen.take()
    inside = [command for command in sent if command["lsid"] == lsid]
    first, *rest = inside
    assert first["startTransaction"]
    assert all(in_transaction_of(command, first) for command in rest)
    assert names(inside)[-1] == "commitTransaction"
    assert rest[-1]["writeConcern"] == {"w": "majority"}
    assert {name for command in sent if command not in inside for name in names([command])} <= {"listIndexes"}
    assert uow.receipt.commands == len(sent)


async def test_calls_of_motor_are_committed_with_the_unit(
    bank: AsyncBank, database: Any, mongod_client: MongoClient[Stored]
) -> None:
    notes = mongod_client[database.name].notes
    async with bank as uow:
        uow.add(Account(id=1))
        await uow.flush()
        assert type(uow.database).__name__ == "AsyncIOMotorDatabase"
        assert await uow.database.accounts.count_documents({}) == 2
        await uow.database.notes.insert_one({"_id": 1})
        assert await database.notes.find_one() == {"_id": 1}
        await asyncio.gather(*(uow.database.notes.insert_one({"_id": number}) for number in range(2, 6)))
        # Another client is not for use inside the block, so it asks from a context without one.
        assert Context().run(notes.count_documents, {}) == 0
    assert notes.count_documents({}) == 5


async def test_a_unit_on_motor_is_refused_to_other_tasks(bank: AsyncBank, seen: CommandsDone) -> None:
    async with bank as uow:
        for work in (uow.accounts.get(1), uow.flush()):
            with pytest.raises(UnitUsedElsewhere):
                await asyncio.create_task(work)
        failed = await asyncio.gather(*(uow.accounts.get(number) for number in range(5)), return_exceptions=True)
        assert {type(error) for error in failed} == {UnitUsedElsewhere}
    assert seen.take() == []


async def test_units_of_many_tasks_at_once_are_all_committed(bank: AsyncBank) -> None:
    async def one(number: int) -> None:
        async with bank as uow:
            uow.add(Account(id=number, balance=1))

    await asyncio.gather(*(one(number) for number in range(1, 101)))
    async with bank as uow:
        assert await uow.accounts.count(Account.balance == 1) == 100


async def test_a_cancelled_statement_is_over_before_the_abort_and_leaves_no_transaction(
    bank: AsyncBank, seen: CommandsDone, mongod_client: MongoClient[Stored]
) -> None:
    async def body() -> None:
        async with bank as uow:
            uow.add(Account(id=1))
            await uow.flush()

    with failing(mongod_client, ["insert"], 1, blockConnection=True, blockTimeMS=HOLD_MS, appName="of_this_test"):
        task = asyncio.create_task(body())
        await asyncio.to_thread(seen.begun.wait)
        for _ in range(3):
            task.cancel()
            await asyncio.sleep(0.01)
        with pytest.raises(asyncio.CancelledError):
            await task
    # Another task could have left the unit meanwhile, so the next number is used as with any client.
    assert seen.done == names(seen.take()) == ["insert", "abortTransaction", "find", "abortTransaction"]
    assert mongod_client.admin.command("serverStatus")["transactions"]["currentOpen"] == 0
    async with bank as uow:
        assert await uow.accounts.find_by_id(1) is None


async def test_calls_of_motor_that_wait_for_a_unit_do_not_keep_it_from_its_end(
    bank: AsyncBank, database: Any, mongod_client: MongoClient[Stored]
) -> None:
    writers = 2 * max_workers
    waiting: list[asyncio.Task[Any]] = []

    async def increase() -> None:
        await database.accounts.update_one({"_id": 0}, {"$inc": {"balance": 1}})

    unbound = copy_context()
    async with bank as uow:
        (await uow.accounts.get(0)).balance = 1000
        await uow.flush()
        loop = asyncio.get_running_loop()
        waiting += [loop.create_task(increase(), context=unbound.copy()) for _ in range(writers)]
        await asyncio.to_thread(Context().run, _all_threads_of_motor_wait, mongod_client)
        uow.add(Account(id=1))
    await asyncio.gather(*waiting)
    async with bank as uow:
        assert (await uow.accounts.get(0)).balance == 1000 + writers


def _all_threads_of_motor_wait(client: MongoClient[Stored]) -> None:
    updates: list[Stored] = [{"$currentOp": {}}, {"$match": {"op": "update", "appName": "of_this_test"}}]
    while len(list(client.admin.aggregate(updates))) < max_workers:
        time.sleep(0.01)


async def test_a_database_of_motor_is_taken_with_a_warning_that_names_the_successor(database: Any) -> None:
    with pytest.warns(DeprecationWarning, match=r"until May 2027.*pymongo\.AsyncMongoClient") as warned:
        AsyncBank(database)
    assert warned[0].filename == __file__


async def test_what_does_not_fit_is_refused_with_what_does(client: Any) -> None:
    with pytest.raises(TypeError, match=r"given AsyncIOMotorClient\. Name the database: client\['shop'\]"):
        AsyncUnitOfWork(client)
    with pytest.raises(TypeError, match=r"given AsyncIOMotorDatabase\. For this one use AsyncUnitOfWork"):
        UnitOfWork(client["shop"])
    of_tornado = type("MotorDatabase", (), {})()
    with pytest.raises(TypeError, match=r"Motor for Tornado is not supported: use pymongo\.AsyncMongoClient"):
        AsyncUnitOfWork(of_tornado)


WITHOUT_MOTOR = """
import asyncio, sys
if sys.argv[2] == "not installed":
    sys.modules["motor"] = None
from pymongo import AsyncMongoClient
from boundwork import AsyncUnitOfWork

async def main():
    async with AsyncMongoClient(sys.argv[1]) as client:
        async with AsyncUnitOfWork(client["shop"]) as uow:
            await uow.database.items.find_one()
    try:
        AsyncUnitOfWork(object())
    except TypeError:
        print(sorted(name for name, module in sys.modules.items() if module and name.split(".")[0] == "motor"))

asyncio.run(main())
"""


@pytest.mark.parametrize("motor", ["installed", "not installed"])
def test_motor_is_not_imported_by_who_does_not_use_it(mongod_uri: str, motor: str) -> None:
    done = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, "-W", "error", "-c", WITHOUT_MOTOR, mongod_uri, motor],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.stdout.strip() == "[]"
