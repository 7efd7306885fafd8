"""Every command of a unit fails in every way that matters: what the block says, and what is stored, as the table says."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import AsyncMongoClient, MongoClient

from boundwork import BoundworkError, Document
from tests.contract.colours import define
from tests.failure.conftest import LONG
from tests.failure.expected import ABORT, FAILURES, TABLE, Cell, Outcome, cells, rows
from tests.server.commands_seen import failing, with_options

pytestmark = [pytest.mark.server, pytest.mark.filterwarnings("ignore:Motor is deprecated")]

Stored = dict[str, Any]
CLIENTS: dict[str, Any] = {"sync": MongoClient, "async": AsyncMongoClient, "motor": AsyncIOMotorClient}
SOON_BACK = "heartbeatFrequencyMS=500&serverMonitoringMode=poll"
# More than the server sends at once, so that the rest is asked for.
PAGES = 102
# These need no search for the server, which takes half a second each time.
QUICK = {"WriteConflict 112", "MaxTimeMSExpired 50", "TransactionTooOld 225", "write concern error 100"}


class Page(Document[int], collection="pages"):
    pass


class Item(Document[int], collection="items"):
    number: int = 0


class Expected(Exception):
    """What the body raises where the abort is to fail."""


BEFORE = [{"_id": 1, "number": 0}, {"_id": 2, "number": 0}]
AFTER = [{"_id": 1, "number": 1}, {"_id": 3, "number": 0}]


class Body:
    """A body that sends each command of a unit, and counts its runs."""

    def __init__(self, command: str) -> None:
        """Know which command fails: for the abort the body ends with an error of its own."""
        self.runs = 0
        self._raises = command == ABORT

    async def __call__(self, uow: Any) -> None:
        self.runs += 1
        assert len(await uow.pages.find().to_list()) == PAGES
        (await uow.items.get(1)).number += 1
        uow.items.remove(await uow.items.get(2))
        uow.items.add(Item(id=3))
        await uow.flush()
        assert await uow.items.count() == len(AFTER)
        if self._raises:
            raise Expected


def chosen(*, run: bool) -> list[Any]:
    """Return the cells with a driver: each cell with one of the three in turn; in the long form, all with each."""
    taken = [cell for cell in cells() if LONG or not run or cell.failure in QUICK]
    return [
        pytest.param(cell, driver, id=f"{cell}, {driver}")
        for number, cell in enumerate(taken)
        for place, driver in enumerate(CLIENTS)
        if LONG or (number + run) % len(CLIENTS) == place
    ]


@pytest.fixture
def stored(mongod_client: MongoClient[Stored], database_name: str) -> Any:
    database = mongod_client[database_name]
    database.pages.insert_many([{"_id": number} for number in range(PAGES)])
    database.items.insert_many(BEFORE)
    return database


@pytest.fixture
async def shop(mongod_uri: str, database_name: str, driver: str, stored: Any) -> AsyncIterator[Any]:
    client = CLIENTS[driver](with_options(mongod_uri, f"{SOON_BACK}&appName={database_name}"))
    colour = "sync" if driver == "sync" else "async"
    yield define(colour, client[database_name], {"commit_seconds": 60.0}, pages=Page, items=Item)
    closing = client.close()
    if driver == "async":
        await closing


@pytest.mark.parametrize(("cell", "driver"), chosen(run=False))
async def test_a_block_ends_as_the_table_says(
    mongod_client: MongoClient[Stored], stored: Any, shop: Any, cell: Cell, driver: str
) -> None:
    body = Body(cell.command)
    replays: list[Callable[[], int]] = []

    async def block() -> None:
        async with shop as uow:
            replays.append(lambda: int(uow.receipt.replays))
            await body(uow)

    outcome = cell.outcome
    assert await _result(mongod_client, stored, cell, block) == outcome.result
    assert (body.runs, replays[0]()) == (1, outcome.replays)
    check(stored, outcome)
    transactions: Stored = mongod_client.admin.command("serverStatus")["transactions"]
    assert transactions["currentOpen"] == int(outcome.left_open)


@pytest.mark.parametrize(("cell", "driver"), chosen(run=True))
async def test_run_ends_as_the_table_says(
    mongod_client: MongoClient[Stored], stored: Any, shop: Any, cell: Cell, driver: str
) -> None:
    body = Body(cell.command)

    async def run() -> None:
        await shop.run(body)

    outcome = cell.outcome
    assert await _result(mongod_client, stored, cell, run) == outcome.result
    assert body.runs == 1
    check(stored, outcome)


def test_the_documentation_has_a_row_for_each_failure() -> None:
    headings, *lines = rows()
    assert [line[0] for line in lines] == list(FAILURES) == list(TABLE)
    assert {len(line) for line in lines} == {len(headings)}


async def _result(client: MongoClient[Stored], stored: Any, cell: Cell, work: Any) -> str:
    with failing(client, [cell.command], cell.times, appName=stored.name, **FAILURES[cell.failure]):
        try:
            await work()
        except Expected:
            return "the error of the body"
        except BoundworkError as error:
            return type(error).__name__
    return "committed"


def check(stored: Any, outcome: Outcome) -> None:
    assert list(stored.items.find().sort("_id")) == (AFTER if outcome.written else BEFORE)
