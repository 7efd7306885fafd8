"""Requests with keys are repeated while the primary fails: each is carried out at most once, and its outcome is known."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.read_concern import ReadConcern

from boundwork import UnitOfWork
from tests.failure.conftest import LONG, Record
from tests.failure.faults import FAULTS, repeat, until
from tests.failure.keyed_load import PAIRS, KeyedLoad, Told
from tests.failure.replica_set import ReplicaSet
from tests.failure.workers import CLIENTS

pytestmark = [pytest.mark.server, pytest.mark.filterwarnings("ignore:Motor is deprecated")]

FEWEST = 50
EVERY = [(fault, driver) for fault in FAULTS for driver in CLIENTS]
Stored = dict[str, Any]


@pytest.fixture
def client(replica_set: ReplicaSet) -> Iterator[MongoClient[Stored]]:
    with MongoClient[Stored](replica_set.uri, readConcernLevel="majority") as client:
        client.drop_database("requests")
        client["requests"].totals.insert_many([{"_id": pair, "number": 0} for pair in range(PAIRS)])
        yield client
        client.drop_database("requests")


@pytest.mark.parametrize(("fault", "driver"), EVERY if LONG else [("kill -9", "sync"), ("stepdown", "async")])
def test_every_key_is_carried_out_at_most_once_while_the_primary_fails(
    replica_set: ReplicaSet,
    client: MongoClient[Stored],
    seconds: Callable[[float, float], float],
    record: Record,
    fault: str,
    driver: str,
) -> None:
    with KeyedLoad(driver, replica_set.uri, seed=17) as load:
        times = repeat(FAULTS[fault], replica_set, seconds(4, 60))
        until(lambda: len(load.told.acknowledged) >= FEWEST)
    told = load.told
    database = client["requests"].with_options(read_concern=ReadConcern("majority"))
    rows = Counter(row["request"] for row in database.rows.find())
    record(
        faults=times,
        acknowledged=len(told.acknowledged),
        given_up=len(told.given_up),
        fenced=len(told.fenced),
        repeated=told.repeated,
        asked=len(told.answers),
        failures_with_replay=dict(told.failures[0]),
        failures_without=dict(told.failures[1]),
    )
    assert load.broken == []
    assert times > 0
    assert len(told.acknowledged) >= FEWEST
    assert told.failures[0]["CommitOutcomeUnknown"] == 0
    assert told.failures[1].total() > 0
    assert told.twice == []
    assert [key for key, number in rows.items() if number > 1] == []
    assert told.acknowledged <= rows.keys()
    assert told.fenced & rows.keys() == set()
    check_totals(database, rows)
    check_outcomes(client, told, set(rows))


def check_totals(database: Any, rows: Counter[str]) -> None:
    """Compare the totals with the rows that were written in the same units."""
    totals = {total["_id"]: total["number"] for total in database.totals.find()}
    assert totals == {pair: sum(key.startswith(f"{pair}-") for key in rows) for pair in range(PAIRS)}


def check_outcomes(client: MongoClient[Stored], told: Told, carried_out: set[str]) -> None:
    """Compare what was and is said of each key with the rows; asking fences what nobody has carried out."""
    shop = UnitOfWork(client["requests"])
    markers: list[Stored] = list(client["requests"].boundwork_units.find({"receipt": {"$ne": None}}))
    assert {marker["_id"] for marker in markers} == carried_out
    asked = told.given_up | told.fenced | {key for key, _ in told.answers}
    assert {key for key in asked if shop.outcome(key) is not None} == asked & carried_out
    last = dict(told.answers)
    assert [key for key, happened in told.answers if not happened and key in carried_out] == []
    assert [key for key, happened in last.items() if happened and key not in carried_out] == []
