"""Units that are cancelled at each point where they wait, and interrupted by Ctrl-C around each of their commands.

The coroutine of a unit is driven step by step: the first run is cancelled at its first suspension, the second at its
second, until one comes to its end. Each has documents of its own, so that a commit that lands late is seen at the end.
"""

import asyncio
import gc
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Generator, Iterator
from contextlib import suppress
from typing import Any

import pytest
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import AsyncMongoClient, MongoClient
from pymongo.monitoring import CommandFailedEvent, CommandListener, CommandStartedEvent, CommandSucceededEvent

from boundwork import AsyncRepository, AsyncUnitOfWork, BoundworkError, Repository, UnitOfWork
from tests.contract.shop import Account
from tests.server.bank import settled
from tests.server.commands_seen import failing, with_options
from tests.server.under_way import left_open

# PyMongo 4.20 leaves the socket of a connection attempt that is cancelled to the garbage collector, which warns.
pytestmark = [
    pytest.mark.server,
    pytest.mark.filterwarnings("ignore:Motor is deprecated"),
    pytest.mark.filterwarnings("ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning"),
]

NOTHING, HALF, ALL = (0, 1), (1, 1), (1, 2)
Stored = dict[str, Any]


class Bank(UnitOfWork):
    accounts = Repository(Account)


class AsyncBank(AsyncUnitOfWork):
    accounts = AsyncRepository(Account)


class Cancelled:
    """Awaits a coroutine and cancels the present task at one of its suspensions, and at `more` that follow."""

    def __init__(self, coroutine: Coroutine[Any, Any, None], at: int, more: int) -> None:
        self._coroutine = coroutine
        self._at = range(at, at + more + 1)
        self.suspensions = 0

    def __await__(self) -> Generator[Any, Any, None]:
        waiting = self._coroutine.__await__()
        thrown: BaseException | None = None
        while True:
            try:
                future = next(waiting) if thrown is None else waiting.throw(thrown)
            except StopIteration:
                return
            thrown = None
            self.suspensions += 1
            if self.suspensions in self._at:
                task = asyncio.current_task()
                assert task is not None
                task.cancel()
            try:
                yield future
            except BaseException as error:
                thrown = error


@pytest.fixture(autouse=True)
def sockets_collected_here() -> Iterator[None]:
    """Collect what PyMongo left behind before another test is blamed for it."""
    yield
    gc.collect()


Body = Callable[[Any, int, list[Account]], Awaitable[None]]


async def deposit(uow: Any, number: int, held: list[Account]) -> None:
    account = await uow.accounts.get(number)
    held.append(account)
    account.balance += 1


async def plain(uow: Any, number: int, held: list[Account]) -> None:
    await deposit(uow, number, held)
    await uow.flush()
    await uow.accounts.find().to_list()
    uow.accounts.add(Account(id=number + 1))


async def in_two_transactions(uow: Any, number: int, held: list[Account]) -> None:
    await deposit(uow, number, held)
    await uow.commit()
    uow.accounts.add(Account(id=number + 1))


async def after_a_rollback(uow: Any, number: int, held: list[Account]) -> None:
    await deposit(uow, number, held)
    await uow.flush()
    await uow.rollback()
    await plain(uow, number, held)


async def with_calls_of_the_driver(uow: Any, number: int, held: list[Account]) -> None:
    await uow.database["accounts"].insert_one({"_id": number + 1, "balance": 0})
    await deposit(uow, number, held)


async def with_a_nested_failure(uow: Any, number: int, held: list[Account]) -> None:
    await deposit(uow, number, held)
    await uow.flush()
    with suppress(ZeroDivisionError):
        async with uow:
            uow.accounts.add(Account(id=number + 2))
            await uow.flush()
            raise ZeroDivisionError
    uow.accounts.add(Account(id=number + 1))


# What the unit does, which command is refused once and how, and what may be stored afterwards.
BODIES: dict[str, tuple[Body, tuple[str, int], set[tuple[int, int]]]] = {
    "plain": (plain, ("none", 0), {NOTHING, ALL}),
    "replayed": (plain, ("update", 112), {NOTHING, ALL}),
    "commit resent": (plain, ("commitTransaction", 50), {NOTHING, ALL}),
    "two transactions": (in_two_transactions, ("none", 0), {NOTHING, HALF, ALL}),
    "after a rollback": (after_a_rollback, ("none", 0), {NOTHING, ALL}),
    "nested failure": (with_a_nested_failure, ("none", 0), {NOTHING, ALL}),
    "calls of the driver": (with_calls_of_the_driver, ("none", 0), {NOTHING, ALL}),
}


@pytest.fixture
async def bank(mongod_uri: str, database_name: str, driver: str) -> AsyncIterator[AsyncBank]:
    address = with_options(mongod_uri, f"appName={database_name}")
    kind: Any = AsyncMongoClient if driver == "async" else AsyncIOMotorClient
    client = kind(address)
    yield AsyncBank(client[database_name])
    await settled(client.close())


@pytest.fixture
def stored(mongod_client: MongoClient[Stored], database_name: str) -> Any:
    return mongod_client[database_name].accounts


def documents(stored: Any, number: int) -> tuple[int, int]:
    """Return the balance of the account and the number of documents of one run."""
    found = {
        account["_id"]: account["balance"] for account in stored.find({"_id": {"$gte": number, "$lt": number + 10}})
    }
    return found[number], len(found)


@pytest.mark.parametrize("more", [0, 1, 3, 9])
@pytest.mark.parametrize(
    ("driver", "name"), [*(("async", name) for name in BODIES), ("motor", "plain"), ("motor", "two transactions")]
)
async def test_a_unit_is_all_or_nothing_wherever_it_is_cancelled(
    bank: AsyncBank, mongod_client: MongoClient[Any], stored: Any, name: str, more: int
) -> None:
    body, (command, code), allowed = BODIES[name]
    seen: dict[int, tuple[int, int]] = {}
    at = suspensions = 0
    while suspensions >= at:
        at += 1
        number = at * 10
        stored.insert_one({"_id": number, "balance": 0})
        held: list[Account] = []

        async def unit(number: int = number, held: list[Account] = held) -> None:
            async with bank as uow:
                await body(uow, number, held)

        driven = Cancelled(unit(), at, more)
        cancelled = False
        with failing(mongod_client, [command], 1, appName=stored.database.name, errorCode=code):
            try:
                await asyncio.ensure_future(_awaited(driven))
            except asyncio.CancelledError:
                cancelled = True
        assert await left_open(mongod_client) == []
        seen[number] = documents(stored, number)
        assert {account.balance for account in held} <= {seen[number][0]}
        suspensions = driven.suspensions
        assert cancelled or suspensions < at + more
    assert set(seen.values()) == allowed
    assert {number: documents(stored, number) for number in seen} == seen


async def _awaited(work: Cancelled) -> None:
    await work


class Interrupting(CommandListener):
    """Sends Ctrl-C to this process at one of the moments before and after its commands."""

    def __init__(self) -> None:
        self.at = 0
        self.moments = 0

    def started(self, event: CommandStartedEvent) -> None:
        del event
        self._moment()

    def succeeded(self, event: CommandSucceededEvent) -> None:
        del event
        self._moment()

    def failed(self, event: CommandFailedEvent) -> None:
        del event
        self._moment()

    def _moment(self) -> None:
        self.moments += 1
        if self.moments == self.at:
            signal.raise_signal(signal.SIGINT)


def test_a_unit_is_all_or_nothing_before_and_after_whatever_command_ctrl_c_comes(
    mongod_uri: str, mongod_client: MongoClient[Any], stored: Any
) -> None:
    interrupting = Interrupting()
    seen: dict[int, tuple[int, int]] = {}
    with MongoClient[Any](mongod_uri, event_listeners=[interrupting]) as client:
        bank = Bank(client[stored.database.name])
        at = 0
        while interrupting.moments >= at:
            at += 1
            number = at * 10
            stored.insert_one({"_id": number, "balance": 0})
            interrupting.at, interrupting.moments = at, 0
            held: list[Account] = []
            with suppress(KeyboardInterrupt, BoundworkError), bank as uow:
                held.append(uow.accounts.get(number))
                held[0].balance += 1
                uow.flush()
                uow.accounts.count()
                uow.accounts.add(Account(id=number + 1))
            seen[number] = documents(stored, number)
            assert asyncio.run(left_open(mongod_client)) == []
            assert {account.balance for account in held} <= {seen[number][0]}
        interrupting.at = 0
    assert set(seen.values()) == {NOTHING, ALL}
    assert {number: documents(stored, number) for number in seen} == seen
