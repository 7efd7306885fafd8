"""Twelve ways to bring a unit to another place: each is right, or says so loudly, and the data shows it.

The owner writes account 1, the other place tries to write account 2. `TABLE` says what either gets; it is the table of
docs/reliability.md.
"""

import asyncio
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from contextvars import Context, copy_context
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from pymongo import AsyncMongoClient, MongoClient

from boundwork import BoundworkError, NoActiveUnitOfWork, UnitClosed, UnitUsedElsewhere, guard
from tests.server.bank import BALANCE, AsyncBank, Bank

ROOT = Path(__file__).parents[2]
OWNER, OTHER = 1, 2
BOTH_SIDES = r"belongs to .+ and was used by .+"


class Places:
    """A definition of either colour, on one database."""

    def __init__(self, uri: str, name: str, client: Any, async_client: Any) -> None:
        self.words = [uri, name]
        self.bank = Bank(client[name])
        self.async_bank = AsyncBank(async_client[name])
        self.serial = AsyncBank(async_client[name], concurrency="serialize")


Case = Callable[[Places], Awaitable[None]]


class Outcome(NamedTuple):
    """What the other place gets (nothing, or an error with a text), and what is stored: the accounts written."""

    case: Case
    error: type[BoundworkError] | None
    text: str
    written: set[int]


@pytest.fixture
async def places(mongod_uri: str, database_name: str) -> AsyncIterator[Places]:
    with MongoClient[dict[str, Any]](mongod_uri, event_listeners=[guard()]) as client:
        async with AsyncMongoClient[dict[str, Any]](mongod_uri, event_listeners=[guard()]) as async_client:
            yield Places(mongod_uri, database_name, client, async_client)


def write(uow: Bank, number: int) -> None:
    uow.accounts.get(number).balance = 0
    uow.flush()


async def async_write(uow: AsyncBank, number: int) -> None:
    (await uow.accounts.get(number)).balance = 0
    await uow.flush()


async def carried_on(error: BaseException | None) -> None:
    """Raise what the other place met, after the owner went on as if nothing had happened."""
    if error is not None:
        raise error


async def in_a_plain_thread(places: Places) -> None:
    met: list[BaseException] = []

    def work(uow: Bank) -> None:
        try:
            write(uow, OTHER)
        except BoundworkError as error:
            met.append(error)

    with places.bank as uow:
        write(uow, OWNER)
        thread = threading.Thread(target=work, args=[uow])
        thread.start()
        thread.join()
    raise met[0]


async def in_an_executor(places: Places) -> None:
    with places.bank as uow:
        write(uow, OWNER)
        job = asyncio.get_running_loop().run_in_executor(None, write, places.bank, OTHER)
        await asyncio.wait([job])
    await job


async def by_to_thread(places: Places) -> None:
    with places.bank as uow:
        write(uow, OWNER)
        job = asyncio.ensure_future(asyncio.to_thread(write, places.bank, OTHER))
        await asyncio.wait([job])
    await job


async def by_gather(places: Places) -> None:
    async with places.async_bank as uow:
        await async_write(uow, OWNER)
        [error] = await asyncio.gather(async_write(uow, OTHER), return_exceptions=True)
    await carried_on(error)


async def by_gather_serialized(places: Places) -> None:
    async with places.serial as uow:
        await asyncio.gather(async_write(uow, OWNER), async_write(uow, OTHER))


async def by_task_group(places: Places) -> None:
    try:
        async with places.async_bank as uow, asyncio.TaskGroup() as group:
            await async_write(uow, OWNER)
            group.create_task(async_write(uow, OTHER))
    except* UnitUsedElsewhere as errors:
        raise errors.exceptions[0] from None


async def by_task_group_serialized(places: Places) -> None:
    async with places.serial as uow, asyncio.TaskGroup() as group:
        group.create_task(async_write(uow, OWNER))
        group.create_task(async_write(uow, OTHER))


async def by_an_async_generator(places: Places) -> None:
    async def units() -> AsyncIterator[AsyncBank]:
        async with places.async_bank.unit() as uow:
            await async_write(uow, OWNER)
            yield uow
            await async_write(uow, OTHER)

    generator: Any = units()
    await asyncio.create_task(anext(generator))
    await asyncio.create_task(anext(generator))


async def by_an_async_generator_in_one_task(places: Places) -> None:
    async def units() -> AsyncIterator[AsyncBank]:
        async with places.async_bank.unit() as uow:
            await async_write(uow, OWNER)
            yield uow

    async for uow in units():
        await async_write(uow, OTHER)


async def by_a_dependency(places: Places, *, handover: bool) -> None:
    """Do as FastAPI does: enter, use and leave in threads of a pool, each with its copy of the context."""

    @contextmanager
    def dependency() -> Generator[Bank]:
        with places.bank.unit(handover=handover) as uow:
            yield uow

    async def in_pool(work: Callable[..., Any], *args: Any) -> Any:
        with ThreadPoolExecutor(1) as pool:  # one of its own, or it might be the thread of last time
            step = partial(copy_context().run, work, *args)
            return await asyncio.get_running_loop().run_in_executor(pool, step)

    manager = dependency()
    uow = await in_pool(manager.__enter__)
    met: BaseException | None = None
    try:
        await in_pool(write, uow, OWNER)
        await in_pool(write, uow, OTHER)
    except BoundworkError as error:
        met = error
    await in_pool(manager.__exit__, None if met is None else type(met), met, None)
    await carried_on(met)


async def by_a_dependency_that_hands_over(places: Places) -> None:
    await by_a_dependency(places, handover=True)


async def by_a_dependency_that_does_not(places: Places) -> None:
    await by_a_dependency(places, handover=False)


async def by_a_child_that_outlives_the_block(places: Places) -> None:
    over = asyncio.Event()

    async def child(uow: AsyncBank) -> None:
        await over.wait()
        await async_write(uow, OTHER)

    async with places.async_bank as uow:
        await async_write(uow, OWNER)
        late = asyncio.create_task(child(uow))
    over.set()
    await late


async def by_leaving_in_another_context(places: Places) -> None:
    with ExitStack() as stack:
        uow = Context().run(stack.enter_context, places.bank.unit())
        write(uow, OWNER)
        Context().run(write, uow, OTHER)


async def by_leaving_in_another_task(places: Places) -> None:
    held = places.async_bank.unit()

    async def begin() -> None:
        uow = await held.__aenter__()
        await async_write(uow, OWNER)

    await asyncio.create_task(begin())
    await asyncio.create_task(held.__aexit__(None, None, None))


ELSEWHERE = UnitUsedElsewhere, BOTH_SIDES
TABLE = {
    "plain thread": Outcome(in_a_plain_thread, *ELSEWHERE, {OWNER}),
    "executor": Outcome(in_an_executor, NoActiveUnitOfWork, "No unit of Bank is open here", {OWNER}),
    "to_thread": Outcome(by_to_thread, *ELSEWHERE, {OWNER}),
    "gather": Outcome(by_gather, *ELSEWHERE, {OWNER}),
    "gather, serialize": Outcome(by_gather_serialized, None, "", {OWNER, OTHER}),
    "TaskGroup": Outcome(by_task_group, *ELSEWHERE, set()),
    "TaskGroup, serialize": Outcome(by_task_group_serialized, None, "", {OWNER, OTHER}),
    "async generator, two tasks": Outcome(by_an_async_generator, *ELSEWHERE, set()),
    "async generator, one task": Outcome(by_an_async_generator_in_one_task, None, "", {OWNER, OTHER}),
    "sync dependency with yield, handover": Outcome(by_a_dependency_that_hands_over, None, "", {OWNER, OTHER}),
    "sync dependency with yield": Outcome(by_a_dependency_that_does_not, *ELSEWHERE, set()),
    "child that outlives the block": Outcome(
        by_a_child_that_outlives_the_block, UnitClosed, "opened and closed by task", {OWNER}
    ),
    "exit in another context": Outcome(by_leaving_in_another_context, None, "", {OWNER, OTHER}),
    "exit in another task": Outcome(by_leaving_in_another_task, *ELSEWHERE, set()),
}


def written(accounts: Any) -> set[int]:
    changed = {account["_id"] for account in accounts.find({"balance": {"$ne": BALANCE}})}
    assert accounts.database.client.admin.command("serverStatus")["transactions"]["currentOpen"] == 0
    return changed


@pytest.mark.parametrize("name", TABLE)
async def test_a_unit_in_another_place_is_right_or_loud(places: Places, accounts: Any, name: str) -> None:
    outcome = TABLE[name]
    if outcome.error is None:
        await outcome.case(places)
    else:
        with pytest.raises(outcome.error, match=outcome.text):
            await outcome.case(places)
    assert written(accounts) == outcome.written


@pytest.mark.parametrize("kind", ["os.fork", "multiprocessing"])
def test_a_unit_in_a_forked_child_is_loud(mongod_uri: str, database_name: str, accounts: Any, kind: str) -> None:
    done = run("-W", "ignore", "-c", FORK, mongod_uri, database_name, kind)
    assert (done.returncode, done.stdout) == (0, "UnitUsedElsewhere\n"), done.stderr
    assert written(accounts) == {OWNER}


@pytest.mark.parametrize("handover", [True, False])
def test_a_unit_of_an_asynchronous_fixture_is_right_or_loud(
    mongod_uri: str, database_name: str, accounts: Any, tmp_path: Path, handover: bool
) -> None:
    file = tmp_path / "test_fixture.py"
    file.write_text(FIXTURE.format(uri=mongod_uri, name=database_name, handover=handover))
    options = ["-p", "no:cacheprovider", "-c", str(ROOT / "pyproject.toml"), "--rootdir", str(tmp_path), "-q"]
    done = run("-m", "pytest", *options, str(file))
    if handover:
        assert done.returncode == 0, done.stdout
    else:
        assert "UnitUsedElsewhere: The unit of work AsyncBank belongs to task" in done.stdout
        assert "1 failed" in done.stdout
    assert written(accounts) == ({OWNER, OTHER} if handover else set())


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own script
        [sys.executable, *words], cwd=ROOT, capture_output=True, text=True, timeout=300, check=False
    )


FORK = """
import multiprocessing, os, sys
from pymongo import MongoClient
from boundwork import UnitUsedElsewhere
from tests.server.bank import Bank

uri, name, kind = sys.argv[1:]

def child(uow):
    try:
        uow.accounts.get(2).balance = 0
        uow.flush()
    except UnitUsedElsewhere as error:
        print(type(error).__name__, flush=True)

with MongoClient(uri) as client, Bank(client[name]) as uow:
    uow.accounts.get(1).balance = 0
    uow.flush()
    if kind == "os.fork":
        if os.fork() == 0:
            child(uow)
            os._exit(0)
        os.wait()
    else:
        process = multiprocessing.get_context("fork").Process(target=child, args=[uow])
        process.start()
        process.join()
"""

FIXTURE = """
import pytest
from pymongo import AsyncMongoClient
from tests.server.bank import AsyncBank

@pytest.fixture
async def uow():
    async with AsyncMongoClient("{uri}") as client, AsyncBank(client["{name}"]).unit(handover={handover}) as uow:
        (await uow.accounts.get(1)).balance = 0
        yield uow

async def test_it(uow):
    (await uow.accounts.get(2)).balance = 0
    await uow.flush()
"""
