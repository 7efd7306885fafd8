"""The server commits and its reply is lost, once or several times: the work is done once, and its outcome is known."""

from collections.abc import Iterator
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.errors import PyMongoError
from pymongo.write_concern import WriteConcern

from boundwork import CommitOutcomeUnknown, Document, Repository, UnitOfWork
from tests.failure.counters import Counter
from tests.failure.proxy import Fault, Proxy

pytestmark = pytest.mark.server

UNITS = 2
SOON_BACK = "directConnection=true&heartbeatFrequencyMS=500&serverMonitoringMode=poll"
Stored = dict[str, Any]


class Entry(Document[int], collection="entries"):
    pass


class Shop(UnitOfWork):
    counters = Repository(Counter)
    entries = Repository(Entry)


@pytest.fixture
def behind(proxy: Proxy, stored: Any) -> Iterator[MongoClient[Stored]]:
    """Return a client that reaches the server through the proxy."""
    with MongoClient[Stored](f"mongodb://127.0.0.1:{proxy.port}/?{SOON_BACK}") as client:
        yield client


def _count(uow: Shop, number: int) -> None:
    uow.counters.get(1).number += 1
    uow.entries.add(Entry(id=number))


def _counted(stored: Any) -> tuple[int, int]:
    return stored.counters.find_one()["number"], stored.entries.count_documents({})


@pytest.mark.parametrize("lost", [1, 2, 3])
def test_run_counts_each_unit_once_however_many_replies_are_lost(
    proxy: Proxy, behind: MongoClient[Stored], stored: Any, lost: int
) -> None:
    shop = Shop(behind[stored.name])
    bodies: list[int] = []

    def body(uow: Shop, number: int) -> None:
        bodies.append(number)
        _count(uow, number)

    for number in range(UNITS):
        proxy.faults = [Fault("commitTransaction", lost)]
        shop.run(body, number)
    assert _counted(stored) == (UNITS, UNITS)
    assert bodies == list(range(UNITS))
    assert proxy.lost == ["commitTransaction"] * lost * UNITS


@pytest.mark.parametrize("lost", [1, 2, 3])
@pytest.mark.parametrize("commit_seconds", [0.0, 30.0])
def test_a_plain_block_is_committed_or_of_unknown_outcome_and_never_failed(
    proxy: Proxy, behind: MongoClient[Stored], stored: Any, lost: int, commit_seconds: float
) -> None:
    proxy.faults = [Fault("commitTransaction", lost)]
    known = True
    try:
        with Shop(behind[stored.name], commit_seconds=commit_seconds) as uow:
            _count(uow, 0)
    except CommitOutcomeUnknown:
        known = False
    # The driver sends a commit twice by itself; only a unit that has time sends it again.
    assert known is (lost == 1 or commit_seconds > 0)
    assert _counted(stored) == (1, 1)


def test_a_unit_whose_other_reply_is_lost_is_done_once(proxy: Proxy, behind: MongoClient[Stored], stored: Any) -> None:
    bodies: list[int] = []

    def body(uow: Shop, number: int) -> None:
        bodies.append(number)
        _count(uow, number)

    for number, command in enumerate(("find", "update", "insert")):
        proxy.faults = [Fault(command, 1)]
        Shop(behind[stored.name]).run(body, number)
    assert bodies == [0, 1, 2]
    assert proxy.lost == ["find", "update", "insert"]
    assert _counted(stored) == (3, 3)


def test_a_unit_is_done_once_when_replies_are_late_or_the_connection_is_cut(
    proxy: Proxy, behind: MongoClient[Stored], stored: Any
) -> None:
    shop = Shop(behind[stored.name])
    proxy.faults = [Fault("commitTransaction", 1, delay=0.3)]
    shop.run(_count, 0)
    proxy.cut()
    shop.run(_count, 1)
    assert _counted(stored) == (2, 2)


def test_the_proxy_shows_what_a_loop_around_the_driver_would_double(
    proxy: Proxy, behind: MongoClient[Stored], stored: Any
) -> None:
    """Run the transaction again when its commit was not answered, as programs do: the lab sees the second count."""
    database = behind[stored.name]
    proxy.faults = [Fault("commitTransaction", 2)]
    for _ in range(3):
        try:
            with behind.start_session() as session, session.start_transaction(write_concern=WriteConcern("majority")):
                database.counters.update_one({"_id": 1}, {"$inc": {"number": 1}}, session=session)
        except PyMongoError:
            continue
        break
    assert stored.counters.find_one()["number"] == 2
