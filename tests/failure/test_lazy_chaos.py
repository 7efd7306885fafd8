"""A finisher is killed again and again while units of work change the same documents: nothing is lost or done twice."""

import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from boundwork import TransientFailure
from boundwork.alembic_like_migrations import Migrator
from tests.failure.conftest import LONG, Record
from tests.failure.deployers import Order
from tests.failure.deployments import deployers, forget
from tests.server.lazy_shop import Shop, old_accounts, write

pytestmark = pytest.mark.server
ROUNDS = 40 if LONG else 2
KILLS, NUMBER, UNITS_AT_ONCE = 4, 2_000, 2


@pytest.fixture
def database(mongod_client: MongoClient[dict[str, Any]], database_name: str) -> Iterator[Any]:
    parameter = "transactionLifetimeLimitSeconds"
    usual = mongod_client.admin.command({"getParameter": 1, parameter: 1})[parameter]
    mongod_client.admin.command({"setParameter": 1, parameter: 3})  # what a dead finisher holds is let go soon
    yield mongod_client[database_name]
    mongod_client.admin.command({"setParameter": 1, parameter: usual})


class Customers:
    """Threads that visit accounts, each visit a unit of its own, until they are told to stop."""

    def __init__(self, shop: Shop, seed: int) -> None:
        self.visits: Counter[int] = Counter()
        self.failures: list[BaseException] = []
        self._shop = shop
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._go, args=(seed + one, one)) for one in range(UNITS_AT_ONCE)]

    def __enter__(self) -> "Customers":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _go(self, seed: int, which: int) -> None:
        chance = random.Random(seed)
        while not self._stop.is_set():
            key = chance.randrange(which, NUMBER, UNITS_AT_ONCE)  # so that two threads never meet
            try:
                with self._shop as uow:
                    uow.accounts.get(key).visits += 1
            except TransientFailure:
                continue
            except BaseException as failure:
                self.failures.append(failure)
                return
            self.visits[key] += 1


def test_a_finisher_that_is_killed_and_units_beside_it_lose_nothing(
    database: Any, mongod_uri: str, tmp_path: Path, record: Record
) -> None:
    revisions, ends = tmp_path / "revisions", tmp_path / "ends"
    revisions.mkdir()
    ends.mkdir()
    write(revisions, "two", None, "op.lazy('lazy_accounts', TO_2)")
    write(revisions, "three", "two", "op.lazy('lazy_accounts', TO_3)")
    order = Order(
        mongod_uri, database.name, str(revisions), str(ends), lease_seconds=0.5, batch_seconds=0.01, word="finish"
    )
    chance, killed, visits = random.Random(5), 0, 0
    with deployers(ends) as started:
        for number in range(ROUNDS):
            database.client.drop_database(database.name)
            database.lazy_accounts.insert_many(old_accounts(NUMBER))
            migrator = Migrator(database, revisions, patience=20)
            migrator.upgrade()
            with Customers(Shop(database), number * UNITS_AT_ONCE) as customers:
                for _ in range(KILLS):
                    pid = started.start(order)
                    time.sleep(0.1 + chance.random() * 0.3)
                    killed += started.is_alive(pid)
                    started.send(pid, signal.SIGKILL)
                    forget(database, pid)
                migrator.finish()
            assert not customers.failures
            visits += customers.visits.total()
            assert wrong(database, customers.visits) == []
    record(finishers_killed=killed, units_beside_them=visits, documents_wrong=0)
    assert killed
    assert visits


def wrong(database: Any, visits: Counter[int]) -> list[Any]:
    """Return the documents that are not what they should be."""
    found = {one["_id"]: one for one in database.lazy_accounts.find()}
    assert len(found) == NUMBER
    return [
        found[key]
        for key in range(NUMBER)
        if found[key]
        != {
            "_id": key,
            "mail": f"a{key}@x.org",
            "age": key % 90,
            "plan": "basic",
            "label": f"A{key}@X.ORG",
            "visits": visits[key],
            "_sv": 3,
        }
    ]
