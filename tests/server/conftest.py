"""Fixtures for tests that look at what is sent to a real server."""

from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from bson.raw_bson import RawBSONDocument
from pymongo import AsyncMongoClient, MongoClient
from pymongo.collection import Collection

from boundwork import guard
from tests.server.bank import ACCOUNTS, BALANCE, AsyncBank, Bank, bank_of, settled
from tests.server.commands_seen import CommandsSeen, failing, with_options
from tests.server.counting import Write, stored_counters, writer

# A simulated loss of the server is over with the next heartbeat; this is the shortest that PyMongo takes.
SOON_BACK = "heartbeatFrequencyMS=500&serverMonitoringMode=poll"

Stored = dict[str, Any]


@pytest.fixture(params=["sync", "async"])
def colour(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def seen() -> CommandsSeen:
    """Return what the clients of `opened` have sent."""
    return CommandsSeen()


@pytest.fixture
async def opened(
    mongod_uri: str, colour: str, database_name: str, seen: CommandsSeen
) -> AsyncIterator[Callable[[str], Any]]:
    """Return a function from options of the address to the test's database; its `appName` is its name."""
    clients: list[Any] = []

    def database(options: str = "") -> Any:
        address = with_options(with_options(mongod_uri, options), f"{SOON_BACK}&appName={database_name}")
        kind: Any = MongoClient if colour == "sync" else AsyncMongoClient
        clients.append(kind(address, event_listeners=[seen, guard()]))
        return clients[-1][database_name]

    yield database
    for client in clients:
        # An asynchronous client that is closed while it connects again leaves a socket behind; this waits for it.
        await settled(client.admin.command("ping"))
        await settled(client.close())


@pytest.fixture
def banks(opened: Callable[[str], Any], colour: str) -> Callable[..., Any]:
    """Return a function from options of the address, and of the definition, to a definition on the test's database.

    Its units do not repeat themselves unless a test asks for that, so that failures are seen as they come.
    """

    def bank(options: str = "", **keywords: Any) -> Any:
        return bank_of(colour, opened(options), **{"replay_seconds": 0.0, **keywords})

    return bank


@pytest.fixture
def accounts(mongod_client: MongoClient[Stored], database_name: str) -> Any:
    """Return the stored accounts; the test's own units are of another client."""
    database = mongod_client[database_name]
    database.create_collection("journal")
    filled: list[Stored] = [{"_id": number, "balance": BALANCE} for number in range(ACCOUNTS)]
    database.accounts.insert_many(filled)
    return database.accounts


@pytest.fixture
def bank(mongod_uri: str, database_name: str, seen: CommandsSeen) -> Iterator[Bank]:
    with MongoClient[Stored](mongod_uri, event_listeners=[seen, guard()]) as client:
        yield Bank(client[database_name])


@pytest.fixture
async def async_bank(mongod_uri: str, database_name: str, seen: CommandsSeen) -> AsyncIterator[AsyncBank]:
    async with AsyncMongoClient[Stored](mongod_uri, event_listeners=[seen, guard()]) as client:
        yield AsyncBank(client[database_name])


@pytest.fixture
def stored(mongod_client: MongoClient[Stored], database_name: str) -> Any:
    """Return the collection of accounts, with one in it, as a client sees it that has no failures."""
    accounts = mongod_client[database_name].accounts
    accounts.insert_one({"_id": 1, "balance": 0})
    return accounts


@pytest.fixture
def server(mongod_client: MongoClient[Stored], database_name: str) -> Any:
    """Return a function that lets the server fail commands of the test's own client."""

    def fails(commands: list[str], times: int, how: dict[str, Any]) -> Any:
        return failing(mongod_client, commands, times, appName=database_name, **how)

    return fails


@pytest.fixture
def counted(mongod_client: MongoClient[Stored], database_name: str) -> Any:
    """Return a database with two small collections that revisions count in."""
    return stored_counters(mongod_client, database_name)


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Return a function that writes the file of a revision that counts."""
    return writer(tmp_path)


@pytest.fixture
def real(mongod_uri: str) -> Iterator[Collection[RawBSONDocument]]:
    """Give a collection that is compared with one of the in-memory database."""
    with MongoClient[RawBSONDocument](
        mongod_uri, document_class=RawBSONDocument, uuidRepresentation="standard", serverSelectionTimeoutMS=30000
    ) as client:
        database = client["memory_agrees"]
        client.drop_database(database)
        yield database["compared"]
        client.drop_database(database)


@pytest.fixture
def opener() -> Iterator[Callable[[Callable[[], Any]], Any]]:
    """Return a function that runs something in one thread, always the same, and returns its result."""
    with ThreadPoolExecutor(1) as pool:
        yield lambda work: pool.submit(work).result()
