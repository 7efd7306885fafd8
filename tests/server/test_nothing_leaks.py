"""After many units of all kinds, server and client are as before: transactions, sessions, connections, memory."""

import asyncio
import gc
import time
import tracemalloc
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Barrier
from typing import Any, Self

import pytest
from pymongo import AsyncMongoClient, MongoClient

from boundwork import CommitOutcomeUnknown, DuplicateKey, guard
from tests.contract.colours import Blue
from tests.server.bank import Account, AsyncBank, Bank, raw, settled
from tests.server.commands_seen import CommandsSeen, failing, session_id
from tests.server.under_way import HOLD_MS, held, left_open

Stored = dict[str, Any]

UNITS = 1000
WARM_UP = 100
WORKERS = 8
ACCOUNTS = 100
GROWTH_BYTES = 1_000_000


class Expected(Exception):
    """What a unit fails with on purpose."""


async def _empty(uow: Any, number: int) -> None:
    pass


async def _read(uow: Any, number: int) -> None:
    await uow.accounts.get(number % ACCOUNTS)
    await settled(raw(uow).accounts.find_one({"_id": number % ACCOUNTS}))


async def _write(uow: Any, number: int) -> None:
    (await uow.accounts.get(number % ACCOUNTS)).balance += 1


async def _fail(uow: Any, number: int) -> None:
    uow.accounts.add(Account(id=-number - 1))
    await uow.flush()
    raise Expected


async def _taken(uow: Any, number: int) -> None:
    uow.accounts.add(Account(id=number % ACCOUNTS))


async def _undo(uow: Any, number: int) -> None:
    await settled(raw(uow).accounts.delete_many({"_id": {"$lt": 0}}))
    uow.accounts.add(Account(id=-number - 1))
    await uow.flush()
    await uow.rollback()


KINDS: list[Callable[[Any, int], Awaitable[None]]] = [_empty, _read, _write, _fail, _taken, _undo]


async def _unit(bank: Any, number: int) -> None:
    """Run the unit with a number, whichever kind it is; what it does to the database is the same each time."""
    kind = KINDS[number % len(KINDS)]
    try:
        await bank.run(kind, number)
    except Expected:
        assert kind is _fail
    except DuplicateKey:
        assert kind is _taken


def _churn_threads(bank: Any, units: int) -> None:
    def one(number: int) -> None:
        coroutine = _unit(bank, number)
        with pytest.raises(StopIteration):
            coroutine.send(None)

    with ThreadPoolExecutor(WORKERS) as pool:
        for _ in pool.map(one, range(units)):
            pass


async def _churn_tasks(bank: Any, units: int) -> None:
    async def worker(first: int) -> None:
        for number in range(first, units, WORKERS):
            await _unit(bank, number)

    async with asyncio.TaskGroup() as group:
        for first in range(WORKERS):
            group.create_task(worker(first))


def _threads_at_once(bank: Bank) -> None:
    """Have units of all threads open at the same time: from then on the server knows as many sessions as it ever will."""
    together = Barrier(WORKERS)

    def one(number: int) -> None:
        with bank as uow:
            uow.accounts.get(number)
            together.wait()

    with ThreadPoolExecutor(WORKERS) as pool:
        for _ in pool.map(one, range(WORKERS)):
            pass


async def _tasks_at_once(bank: AsyncBank) -> None:
    """Have units of all tasks open at the same time, as `_threads_at_once` does."""
    together = asyncio.Barrier(WORKERS)

    async def one(number: int) -> None:
        async with bank as uow:
            await uow.accounts.get(number)
            await together.wait()

    async with asyncio.TaskGroup() as group:
        for number in range(WORKERS):
            group.create_task(one(number))


class Meter:
    """What a server knows of its clients."""

    def __init__(self, client: MongoClient[Stored]) -> None:
        self._client = client

    def open_transactions(self) -> int:
        return int(self._status()["transactions"]["currentOpen"])

    def sessions(self) -> int:
        local: list[dict[str, Any]] = [{"$listLocalSessions": {"allUsers": True}}]
        return len(list(self._client.config.aggregate(local)))

    def connections(self) -> int:
        return int(self._status()["connections"]["current"])

    def comes_down_to(self, number: int, reading: Callable[[], int]) -> bool:
        """Wait for a reading: the server notices a little later what a client has closed."""
        deadline = time.monotonic() + 30
        while reading() > number and time.monotonic() < deadline:
            time.sleep(0.05)
        return reading() <= number

    def _status(self) -> Stored:
        return self._client.admin.command("serverStatus")


@pytest.fixture
def meter(mongod_client: MongoClient[Stored], database_name: str) -> Meter:
    accounts: list[Stored] = [{"_id": number, "balance": 0} for number in range(ACCOUNTS)]
    mongod_client[database_name].accounts.insert_many(accounts)
    mongod_client.admin.command("killAllSessions", [])
    return Meter(mongod_client)


def test_nothing_is_left_of_a_thousand_units_in_threads(mongod_uri: str, database_name: str, meter: Meter) -> None:
    connections = meter.connections()
    with MongoClient[Stored](mongod_uri, maxPoolSize=WORKERS, event_listeners=[guard()]) as client:
        definition = Bank(client[database_name])
        _threads_at_once(definition)
        bank = Blue(definition)
        _churn_threads(bank, WARM_UP)
        sessions = meter.sessions()
        with Growth() as growth:
            _churn_threads(bank, UNITS)
        assert meter.open_transactions() == 0
        assert meter.sessions() <= sessions
    assert growth.bytes < GROWTH_BYTES
    assert meter.comes_down_to(connections, meter.connections)


async def test_nothing_is_left_of_a_thousand_units_in_tasks(mongod_uri: str, database_name: str, meter: Meter) -> None:
    connections = meter.connections()
    async with AsyncMongoClient[Stored](mongod_uri, maxPoolSize=WORKERS, event_listeners=[guard()]) as client:
        bank = AsyncBank(client[database_name])
        await _tasks_at_once(bank)
        await _churn_tasks(bank, WARM_UP)
        sessions = meter.sessions()
        with Growth() as growth:
            await _churn_tasks(bank, UNITS)
        assert meter.open_transactions() == 0
        assert meter.sessions() <= sessions
    assert growth.bytes < GROWTH_BYTES
    assert meter.comes_down_to(connections, meter.connections)


class Growth:
    """The bytes that were allocated in a block and are still held after it."""

    def __init__(self) -> None:
        self.bytes = 0

    def __enter__(self) -> Self:
        gc.collect()
        tracemalloc.start()
        return self

    def __exit__(self, *_: object) -> None:
        gc.collect()
        self.bytes = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()


@pytest.fixture
def lost_commits(mongod_client: MongoClient[Stored], database_name: str) -> Any:
    """Return a block in which no commit of the test's own client is clearly answered."""
    late = {"writeConcernError": {"code": 64, "errmsg": "late"}, "appName": database_name}
    return failing(mongod_client, ["commitTransaction"], 99, **late)


async def _end_cleanly(uow: Any) -> None:
    (await uow.accounts.get(1)).balance = 7


async def _end_with_an_exception(uow: Any) -> None:
    await uow.accounts.get(1)
    raise Expected


async def _end_doomed(uow: Any) -> None:
    uow.accounts.add(Account(id=2))
    await uow.flush()


@pytest.mark.parametrize("end", [_end_cleanly, _end_with_an_exception, _end_doomed])
async def test_after_the_block_the_client_is_not_bound_and_the_session_is_free(
    banks: Any, seen: CommandsSeen, meter: Meter, end: Callable[[Any], Awaitable[None]]
) -> None:
    units: list[tuple[Any, Any]] = []
    with suppress(Expected, DuplicateKey):
        async with banks() as uow:
            units.append((uow.core.session.database, session_id(uow)))
            await end(uow)
    await check_that_nothing_is_bound(*units[0], seen)
    assert meter.open_transactions() == 0


async def test_after_a_commit_of_unknown_outcome_the_client_is_not_bound_either(
    banks: Any, seen: CommandsSeen, meter: Meter, lost_commits: Any
) -> None:
    units: list[tuple[Any, Any]] = []
    with lost_commits, suppress(CommitOutcomeUnknown):
        async with banks(commit_seconds=0.0) as uow:
            units.append((uow.core.session.database, session_id(uow)))
            await _end_cleanly(uow)
    await check_that_nothing_is_bound(*units[0], seen)
    assert meter.open_transactions() == 0


async def check_that_nothing_is_bound(database: Any, lsid: Any, seen: CommandsSeen) -> None:
    # The unit's session is back in the pool, on top; while it is taken, no other call gets it but by a binding.
    aside = database.client.start_session()
    assert aside.session_id == lsid
    seen.take()
    await settled(database.accounts.find_one())
    (command,) = seen.take()
    assert command["lsid"] != lsid
    assert "txnNumber" not in command
    await settled(aside.end_session())


async def test_a_cancelled_task_leaves_no_open_transaction(mongod_uri: str, database_name: str, meter: Meter) -> None:
    async with AsyncMongoClient[Stored](mongod_uri) as client:
        bank = AsyncBank(client[database_name])
        inside = asyncio.Event()

        async def work() -> None:
            async with bank as uow:
                (await uow.accounts.get(1)).balance = 7
                await uow.flush()
                inside.set()
                await asyncio.sleep(60)

        task = asyncio.create_task(work())
        await inside.wait()
        assert meter.open_transactions() == 1
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert meter.open_transactions() == 0
        assert await client[database_name].accounts.find_one({"_id": 1}) == {"_id": 1, "balance": 0}


@pytest.mark.parametrize("colour", ["async"])
@pytest.mark.parametrize("command", ["find", "update", "commitTransaction", "abortTransaction"])
async def test_a_task_that_is_cancelled_in_a_command_leaves_no_open_transaction(
    banks: Any, mongod_client: MongoClient[Stored], database_name: str, meter: Meter, command: str
) -> None:
    bank = banks()
    slow = {"blockConnection": True, "blockTimeMS": HOLD_MS, "appName": database_name}

    async def work() -> None:
        async with bank as uow:
            (await uow.accounts.get(1)).balance = 7
            await uow.flush()
            if command == "abortTransaction":
                raise Expected

    with failing(mongod_client, [command], 1, **slow):
        task = asyncio.create_task(work())
        await held(mongod_client, command)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        # The server carries out a command that it has received, whether or not somebody waits for it.
        assert await left_open(mongod_client) == []
    async with bank as uow:
        assert (await uow.accounts.get(1)).balance in ({0, 7} if command == "commitTransaction" else {0})
