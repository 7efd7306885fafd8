"""After very many units in threads, most of them empty, server and process hold what they held before."""

import gc
import time
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from pymongo import MongoClient

from boundwork import Document, Repository, UnitOfWork, guard
from tests.failure.conftest import LONG, Record

pytestmark = pytest.mark.server

THREADS = 16
UNITS = 100_000 if LONG else 20_000
# Units whose allocations are traced, which makes them slow; they may grow by their share.
TRACED = UNITS // 8
WARM_UP = 2_000
ONE_IN = 5
ACCOUNTS = 200
GROWTH_BYTES = 1_000_000
Stored = dict[str, Any]


class Account(Document[int], collection="accounts"):
    balance: int = 0


class Bank(UnitOfWork):
    accounts = Repository(Account)


def _deposit(uow: Bank, number: int) -> None:
    uow.accounts.get(number % ACCOUNTS).balance += 1


def _all_at_once(bank: Bank) -> None:
    """Have units of all threads open at the same time, so that the server knows as many sessions as it ever will."""
    together = Barrier(THREADS)

    def one(number: int) -> None:
        with bank as uow:
            uow.accounts.get(number)
            together.wait(60)

    with ThreadPoolExecutor(THREADS) as pool:
        for _ in pool.map(one, range(THREADS)):
            pass


def _churn(bank: Bank, units: int) -> int:
    """Run so many units in threads, one in five of them with a deposit; return how many those were."""

    def one(number: int) -> None:
        if number % ONE_IN:
            with bank:
                pass
        else:
            bank.run(_deposit, number // ONE_IN)

    def some(first: int) -> None:
        for number in range(first, units, THREADS):
            one(number)

    with ThreadPoolExecutor(THREADS) as pool:
        for _ in pool.map(some, range(THREADS)):
            pass
    return len(range(0, units, ONE_IN))


def _held(client: MongoClient[Stored]) -> tuple[int, int, int]:
    """Return how many sessions, connections and open transactions the server holds."""
    local: list[dict[str, Any]] = [{"$listLocalSessions": {"allUsers": True}}]
    status: Stored = client.admin.command("serverStatus")
    sessions = len(list(client.config.aggregate(local)))
    return sessions, status["connections"]["current"], status["transactions"]["currentOpen"]


def test_nothing_is_left_of_very_many_units(
    mongod_uri: str, mongod_client: MongoClient[Stored], database_name: str, record: Record
) -> None:
    stored = mongod_client[database_name].accounts
    stored.insert_many([{"_id": number, "balance": 0} for number in range(ACCOUNTS)])
    with MongoClient[Stored](mongod_uri, maxPoolSize=THREADS, event_listeners=[guard()]) as client:
        bank = Bank(client[database_name])
        _all_at_once(bank)
        deposits = _churn(bank, WARM_UP)
        before = _held(mongod_client)
        began = time.monotonic()
        deposits += _churn(bank, UNITS - TRACED)
        took = time.monotonic() - began
        gc.collect()
        tracemalloc.start()
        deposits += _churn(bank, TRACED)
        gc.collect()
        growth = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()
        after = _held(mongod_client)
    sessions, connections, _ = (now - then for then, now in zip(before, after, strict=True))
    record(
        units=UNITS,
        per_second=round((UNITS - TRACED) / took),
        sessions=f"{sessions:+}",
        connections=f"{connections:+}",
        open_transactions=after[2],
        heap=f"{growth / 1000:+.0f} kB in {TRACED} units",
    )
    assert sum(account["balance"] for account in stored.find()) == deposits
    assert after[2] == 0
    assert sessions <= 0
    assert connections <= 0
    assert growth < GROWTH_BYTES * TRACED / UNITS
