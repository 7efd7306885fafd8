"""The server is gone for longer than the driver looks for one: who has reached it waits, who has not is told at once."""

import gc
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from pymongo import AsyncMongoClient, MongoClient
from pymongo.errors import AutoReconnect, ServerSelectionTimeoutError

from boundwork import ServerUnavailable
from tests.contract.colours import define
from tests.failure.counters import Counter
from tests.failure.proxy import Proxy
from tests.server.bank import raw, settled

# PyMongo 4.20 leaves the socket of a connection attempt that it gives up to the garbage collector, which warns.
pytestmark = [
    pytest.mark.server,
    pytest.mark.filterwarnings("ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning"),
]

CLIENTS: dict[str, Any] = {"sync": MongoClient, "async": AsyncMongoClient}
AWAY = 1.0
IMPATIENT = "directConnection=true&heartbeatFrequencyMS=500&serverMonitoringMode=poll&serverSelectionTimeoutMS=200"
Stored = dict[str, Any]


@pytest.fixture(params=CLIENTS)
def colour(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def behind(colour: str, proxy: Proxy) -> AsyncIterator[Any]:
    """Return a client behind the proxy that has met the server."""
    client = CLIENTS[colour](f"mongodb://127.0.0.1:{proxy.port}/?{IMPATIENT}")
    while await refused(client):
        pass
    yield client
    proxy.shut(0)
    # An asynchronous client that is closed while it connects again leaves a socket behind; this waits for it.
    while await refused(client):
        pass
    await settled(client.close())
    # Here, and not in a test of another file, where the warning would be an error.
    gc.collect()


@pytest.fixture
def shops(colour: str, behind: Any, database_name: str) -> Callable[..., Any]:
    """Return a function from the options of a definition to one behind the proxy."""

    def shop(**options: Any) -> Any:
        return define(colour, behind[database_name], options, counters=Counter)

    return shop


async def refused(client: Any) -> bool:
    try:
        await settled(client.admin.command("ping"))
    except AutoReconnect as error:
        return isinstance(error, ServerSelectionTimeoutError)
    return False


async def test_a_unit_that_has_reached_the_server_waits_for_it(
    shops: Callable[..., Any], proxy: Proxy, stored: Any
) -> None:
    bodies = 0
    async with shops() as uow:
        bodies += 1
        counter = await uow.counters.get(1)
        proxy.shut(AWAY)
        counter.number += 1
        await uow.flush()
    assert bodies == 1
    assert stored.counters.find_one()["number"] == 1


async def test_it_waits_no_longer_than_a_unit_may_repeat_itself(
    shops: Callable[..., Any], proxy: Proxy, stored: Any
) -> None:
    with pytest.raises(ServerUnavailable):
        async with shops(replay_seconds=0.2) as uow:
            counter = await uow.counters.get(1)
            proxy.shut(60)
            counter.number += 1
    assert stored.counters.find_one()["number"] == 0


@pytest.mark.usefixtures("stored")
async def test_a_unit_that_has_not_reached_the_server_leaves_the_waiting_to_the_driver(
    shops: Callable[..., Any], proxy: Proxy, behind: Any
) -> None:
    bodies = 0

    async def body(uow: Any) -> None:
        nonlocal bodies
        bodies += 1
        await uow.counters.get(1)

    proxy.shut(60)
    while not await refused(behind):
        pass
    with pytest.raises(ServerUnavailable):
        await shops().run(body)
    assert bodies == 1


async def test_run_waits_for_a_server_that_was_there_for_the_attempt_before(
    shops: Callable[..., Any], proxy: Proxy, stored: Any
) -> None:
    bodies = 0

    async def body(uow: Any) -> None:
        nonlocal bodies
        bodies += 1
        if bodies == 3:
            proxy.shut(0)
        counter = await uow.counters.get(1)
        await settled(raw(uow).counters.find_one())
        if bodies == 1:
            proxy.shut(60)
        counter.number += 1

    await shops().run(body)
    assert bodies > 2
    assert stored.counters.find_one()["number"] == 1
