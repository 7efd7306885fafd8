"""A commit is answered by an error that says nothing of its outcome: an abort finds out, whether it was applied or not."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import AsyncMongoClient, MongoClient

from boundwork import BoundworkError, CommitOutcomeUnknown, TransactionFailed
from tests.contract.colours import define
from tests.failure.counters import Counter
from tests.failure.proxy import Fault, Proxy
from tests.server.bank import settled
from tests.server.commands_seen import CommandsSeen, failing, names

pytestmark = [pytest.mark.server, pytest.mark.filterwarnings("ignore:Motor is deprecated")]

CLIENTS: dict[str, Any] = {"sync": MongoClient, "async": AsyncMongoClient, "motor": AsyncIOMotorClient}
SOON_BACK = "directConnection=true&heartbeatFrequencyMS=500&serverMonitoringMode=poll"
OTHER = {"ok": 0.0, "code": 8, "codeName": "UnknownError", "errmsg": "as the test wants it"}
NOT_DURABLE = {"ok": 1.0, "writeConcernError": {"code": 100, "errmsg": "as the test wants it"}}
COMMIT, ABORT = "commitTransaction", "abortTransaction"
Stored = dict[str, Any]


@pytest.fixture
def seen() -> CommandsSeen:
    return CommandsSeen()


@pytest.fixture
def seconds() -> float:
    """Return how long a commit of unknown outcome is resent."""
    return 20.0


@pytest.fixture(params=CLIENTS)
async def shop(
    request: pytest.FixtureRequest, proxy: Proxy, stored: Any, database_name: str, seen: CommandsSeen, seconds: float
) -> AsyncIterator[Any]:
    """Return a definition of each driver behind the proxy."""
    address = f"mongodb://127.0.0.1:{proxy.port}/?{SOON_BACK}&appName={database_name}"
    client = CLIENTS[request.param](address, event_listeners=[seen])
    colour = "sync" if request.param == "sync" else "async"
    yield define(colour, client[database_name], {"commit_seconds": seconds}, counters=Counter)
    if request.param == "motor":
        client.close()
    else:
        await settled(client.close())


async def count(uow: Any) -> None:
    (await uow.counters.get(1)).number += 1


async def end_of(shop: Any) -> type[BaseException] | None:
    """Return what a unit that counts ends with, None for a commit."""
    try:
        await shop.run(count)
    except BoundworkError as error:
        return type(error)
    return None


def after_the_body(seen: CommandsSeen) -> list[str]:
    return [name for name in names(seen.take()) if name in {COMMIT, ABORT}]


@pytest.mark.parametrize("times", [1, 2])
async def test_a_commit_that_was_applied_is_found_and_made_durable(
    shop: Any, proxy: Proxy, stored: Any, seen: CommandsSeen, times: int
) -> None:
    proxy.faults = [Fault(COMMIT, times, reply=OTHER)]
    assert await end_of(shop) is None
    assert stored.counters.find_one()["number"] == 1
    assert after_the_body(seen) == [*[COMMIT, ABORT] * times, COMMIT]


async def test_a_commit_that_was_applied_and_is_not_durable_is_of_unknown_outcome(
    shop: Any, proxy: Proxy, stored: Any, seen: CommandsSeen
) -> None:
    proxy.faults = [Fault(COMMIT, 1, reply=OTHER), Fault(COMMIT, 1, reply=NOT_DURABLE)]
    assert await end_of(shop) is CommitOutcomeUnknown
    assert stored.counters.find_one()["number"] == 1
    assert after_the_body(seen) == [COMMIT, ABORT, COMMIT]


@pytest.mark.parametrize("seconds", [0.0, 0.5])
async def test_a_commit_that_was_applied_and_always_answered_by_an_error_is_of_unknown_outcome(
    shop: Any, proxy: Proxy, stored: Any
) -> None:
    proxy.faults = [Fault(COMMIT, 1000, reply=OTHER)]
    assert await end_of(shop) is CommitOutcomeUnknown
    assert stored.counters.find_one()["number"] == 1


@pytest.mark.parametrize("lost", [0, 1, 2])
async def test_a_commit_that_was_not_applied_is_rolled_back_however_many_answers_to_the_abort_are_lost(
    shop: Any, proxy: Proxy, mongod_client: MongoClient[Stored], stored: Any, seen: CommandsSeen, lost: int
) -> None:
    proxy.faults = [Fault(ABORT, lost)]
    with failing(mongod_client, [COMMIT], 1, appName=stored.name, errorCode=8):
        assert await end_of(shop) is TransactionFailed
    assert stored.counters.find_one()["number"] == 0
    assert after_the_body(seen) == [COMMIT, *[ABORT] * (lost + 1)]
    assert mongod_client.admin.command("serverStatus")["transactions"]["currentOpen"] == 0


@pytest.mark.parametrize("code", [13, 8])
async def test_where_the_abort_tells_nothing_either_the_outcome_is_unknown(
    shop: Any, mongod_client: MongoClient[Stored], stored: Any, seen: CommandsSeen, code: int
) -> None:
    with failing(mongod_client, [COMMIT, ABORT], 2, appName=stored.name, errorCode=code):
        assert await end_of(shop) is CommitOutcomeUnknown
    assert stored.counters.find_one()["number"] == 0
    assert after_the_body(seen) == [COMMIT, ABORT]


async def test_the_unit_goes_on_after_a_commit_that_the_abort_found_rolled_back(
    shop: Any, mongod_client: MongoClient[Stored], stored: Any
) -> None:
    async with shop as uow:
        counter = await uow.counters.get(1)
        counter.number = 5
        with failing(mongod_client, [COMMIT], 1, appName=stored.name, errorCode=388):
            with pytest.raises(TransactionFailed) as caught:
                await uow.commit()
            await uow.rollback()
        assert counter.number == 0
        await count(uow)
    assert caught.value.code == 388
    assert stored.counters.find_one()["number"] == 1
