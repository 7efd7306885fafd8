"""A unit with an idempotency key whose commit is not clearly answered: done once, and its outcome known."""

import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import AsyncMongoClient, MongoClient

from boundwork import AlreadyCommitted, CommitOutcomeUnknown, Repository, TransactionFailed, UnitOfWork
from boundwork.uow import keyed_unit
from tests.contract.colours import define
from tests.failure.counters import Counter
from tests.failure.expected import COMMIT, FAILURES, Cell, cells
from tests.failure.proxy import Fault, Proxy
from tests.server.bank import raw, settled
from tests.server.commands_seen import failing, with_options

pytestmark = [pytest.mark.server, pytest.mark.filterwarnings("ignore:Motor is deprecated")]

SOON_BACK = "heartbeatFrequencyMS=500&serverMonitoringMode=poll"
CLIENTS: dict[str, Any] = {"sync": MongoClient, "async": AsyncMongoClient, "motor": AsyncIOMotorClient}
Stored = dict[str, Any]


class Shop(UnitOfWork):
    counters = Repository(Counter)


@pytest.fixture(params=CLIENTS)
async def open_shop(mongod_uri: str, request: pytest.FixtureRequest, stored: Any) -> AsyncIterator[Any]:
    """Return a function from options of a definition to one of each driver."""
    client = CLIENTS[request.param](with_options(mongod_uri, f"{SOON_BACK}&appName={stored.name}"))
    colour = "sync" if request.param == "sync" else "async"

    def shop(**options: Any) -> Any:
        return define(colour, client[stored.name], options, counters=Counter)

    yield shop
    if request.param == "async":
        await client.admin.command("ping")
    await settled(client.close())


@pytest.fixture
def behind(proxy: Proxy, stored: Any) -> Iterator[Any]:
    """Return the test's database, reached through the proxy."""
    address = f"mongodb://127.0.0.1:{proxy.port}/?directConnection=true&{SOON_BACK}"
    with MongoClient[Stored](address) as client:
        yield client[stored.name]


async def count(uow: Any) -> None:
    (await uow.counters.get(1)).number += 1


def _open_transactions(client: MongoClient[Stored]) -> int:
    return int(client.admin.command("serverStatus")["transactions"]["currentOpen"])


ROLLED_BACK = "TransactionFailed"
COMMITS = [cell for cell in cells() if cell.command == COMMIT]


@pytest.mark.parametrize("cell", [cell for cell in COMMITS if cell.outcome.result == ROLLED_BACK], ids=str)
async def test_a_commit_that_is_known_to_be_rolled_back_is_so_for_the_key_too(
    mongod_client: MongoClient[Stored], stored: Any, open_shop: Any, cell: Cell
) -> None:
    shop = open_shop(idempotency_key="a")
    with (
        failing(mongod_client, [COMMIT], cell.times, appName=stored.name, **FAILURES[cell.failure]),
        pytest.raises(TransactionFailed),
    ):
        await shop.run(count)
    assert await shop.outcome("a") is None
    assert stored.counters.find_one()["number"] == 0
    assert _open_transactions(mongod_client) == 0


@pytest.mark.parametrize("cell", [cell for cell in COMMITS if cell.outcome.result != ROLLED_BACK], ids=str)
async def test_every_other_failure_of_the_commit_ends_committed_once(
    mongod_client: MongoClient[Stored], stored: Any, open_shop: Any, cell: Cell
) -> None:
    shop = open_shop(commit_seconds=60.0, idempotency_key="a")
    done: list[str] = []
    with failing(mongod_client, [COMMIT], cell.times, appName=stored.name, **FAILURES[cell.failure]):
        async with shop as uow:
            await count(uow)
            uow.on_commit(lambda: done.append("committed"))
    assert done == ["committed"]
    assert stored.counters.find_one()["number"] == 1
    assert (await shop.outcome("a")).updated == 1
    assert _open_transactions(mongod_client) == 0


@pytest.mark.parametrize("failure", ["TransactionTooOld 225", "write concern error 100"])
async def test_without_replay_the_marker_alone_tells(
    mongod_client: MongoClient[Stored], stored: Any, open_shop: Any, failure: str
) -> None:
    applied = failure.startswith("write")
    shop = open_shop(replay_seconds=0.0, idempotency_key="a")
    unknown: list[CommitOutcomeUnknown] = []
    with failing(mongod_client, [COMMIT], 1, appName=stored.name, **FAILURES[failure]):
        try:
            async with shop as uow:
                await count(uow)
        except CommitOutcomeUnknown as error:
            unknown.append(error)
    assert ["it is safe to run it again" in error.__notes__[0] for error in unknown] == ([] if applied else [True])
    assert stored.counters.find_one()["number"] == int(applied)


async def test_calls_of_the_driver_cannot_be_replaced_but_their_marker_tells(
    mongod_client: MongoClient[Stored], stored: Any, open_shop: Any
) -> None:
    how = FAILURES["write concern error 100"]
    with failing(mongod_client, [COMMIT], 1, appName=stored.name, **how):
        async with open_shop(idempotency_key="a") as uow:
            await settled(raw(uow)["counters"].update_one({"_id": 1}, {"$inc": {"number": 1}}))
    assert uow.receipt.replays == 0
    assert stored.counters.find_one()["number"] == 1


async def test_run_goes_on_after_an_unknown_outcome(
    mongod_client: MongoClient[Stored], stored: Any, open_shop: Any
) -> None:
    shop = open_shop(replay_seconds=0.0, idempotency_key="a")
    runs = 0

    async def body(uow: Any) -> None:
        nonlocal runs
        runs += 1
        await count(uow)

    with failing(mongod_client, [COMMIT], 2, appName=stored.name, **FAILURES["TransactionTooOld 225"]):
        await shop.run(body)
    assert runs == 3
    assert stored.counters.find_one()["number"] == 1
    assert (await shop.outcome("a")).attempts == 3


def test_an_attempt_that_finds_an_earlier_one_committed_says_so(
    proxy: Proxy, behind: Any, stored: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lose the replies of the commit and of the read that would have told: only the next attempt can."""
    monkeypatch.setattr(keyed_unit, "LOOK_SECONDS", 0.5)
    shop = Shop(behind, commit_seconds=0.0, replay_seconds=0.0, idempotency_key="a")
    runs = 0
    with pytest.raises(AlreadyCommitted) as caught:
        for attempt in shop.attempts():
            proxy.faults = []
            with attempt as uow:
                runs += 1
                uow.counters.get(1).number += 1
                proxy.faults = [Fault(COMMIT, 2), Fault("find", 100)]
    assert runs == 1
    assert caught.value.receipt.updated == 1
    assert stored.counters.find_one()["number"] == 1


@pytest.mark.parametrize("lost", [1, 2, 3, 4])
@pytest.mark.parametrize("commit_seconds", [0.0, 30.0])
@pytest.mark.parametrize("replay_seconds", [0.0, 30.0])
def test_lost_replies_of_the_commit_are_found_by_the_marker(
    proxy: Proxy, behind: Any, stored: Any, lost: int, commit_seconds: float, replay_seconds: float
) -> None:
    shop = Shop(behind, commit_seconds=commit_seconds, replay_seconds=replay_seconds, idempotency_key="a")
    proxy.faults = [Fault(COMMIT, lost)]
    with shop as uow:
        uow.counters.get(1).number += 1
    assert len(proxy.lost) == (lost if commit_seconds else min(lost, 2))
    assert stored.counters.find_one()["number"] == 1
    assert uow.receipt.commits == 1


@pytest.mark.parametrize("lost", [1, 2, 3])
def test_a_question_whose_answers_are_lost_is_answered_the_same(
    proxy: Proxy, behind: Any, stored: Any, lost: int
) -> None:
    proxy.faults = [Fault("insert", lost)]
    assert Shop(behind).outcome("a") is None
    assert len(proxy.lost) == lost
    with Shop(behind).unit(idempotency_key="b"):
        pass
    proxy.faults = [Fault("insert", lost), Fault("find", lost)]
    receipt = Shop(behind).outcome("b")
    assert receipt is not None


@pytest.mark.parametrize("commits", [True, False])
def test_a_question_waits_for_a_transaction_that_holds_the_marker(
    mongod_client: MongoClient[Stored], stored: Any, commits: bool
) -> None:
    shop = Shop(stored)
    with shop.unit(idempotency_key="another, so that the collection is there"):
        pass
    answers: list[Any] = []
    asking = threading.Thread(target=lambda: answers.append(shop.outcome("a")))
    marker = {"_id": "a", "unit": None, "receipt": {"inserted": 3}}
    with mongod_client.start_session() as session:
        session.start_transaction()
        stored.boundwork_units.insert_one(marker, session=session)
        with pytest.raises(CommitOutcomeUnknown, match="Ask again"):
            shop.outcome("a", seconds=0.3)
        asking.start()
        asking.join(0.3)
        assert answers == []
        if commits:
            session.commit_transaction()
        else:
            session.abort_transaction()
    asking.join()
    assert [answer and answer.inserted for answer in answers] == [3 if commits else None]


def test_of_many_units_with_one_key_exactly_one_commits(stored: Any) -> None:
    shop = Shop(stored, idempotency_key="a")
    start = threading.Barrier(8)
    ends: list[object] = []

    def work() -> None:
        start.wait()
        try:
            with shop as uow:
                uow.counters.get(1).number += 1
        except AlreadyCommitted as error:
            ends.append(error.receipt.updated)
        except BaseException as error:
            ends.append(error)
        else:
            ends.append("committed")

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(str, ends)) == ["1"] * 7 + ["committed"]
    assert stored.counters.find_one()["number"] == 1
