"""Ten workers move money while the primary steps down, is killed, or is frozen: nothing is lost, made up or doubled."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.read_concern import ReadConcern

from tests.failure.bank import ACCOUNTS, OPENING, Load, Outcomes
from tests.failure.conftest import LONG, Record
from tests.failure.faults import FAULTS, repeat, until
from tests.failure.replica_set import ReplicaSet
from tests.failure.workers import CLIENTS

pytestmark = [pytest.mark.server, pytest.mark.filterwarnings("ignore:Motor is deprecated")]

GAP_SECONDS = 10.0
FEWEST = 50
# Motor is PyMongo's synchronous client on threads, so the normal run does without it.
DRIVERS = list(CLIENTS) if LONG else ["sync", "async"]
Stored = dict[str, Any]


@pytest.fixture
def client(replica_set: ReplicaSet) -> Iterator[MongoClient[Stored]]:
    with MongoClient[Stored](replica_set.uri, readConcernLevel="majority") as client:
        client.drop_database("bank")
        client["bank"].accounts.insert_many([{"_id": number, "balance": OPENING} for number in range(ACCOUNTS)])
        client["bank"].create_collection("ledger")
        yield client
        client.drop_database("bank")


@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize("fault", FAULTS)
def test_money_is_neither_lost_nor_made_while_the_primary_fails(
    replica_set: ReplicaSet,
    client: MongoClient[Stored],
    seconds: Callable[[float, float], float],
    record: Record,
    fault: str,
    driver: str,
) -> None:
    with Load(driver, replica_set.uri, seed=7) as load:
        times = repeat(FAULTS[fault], replica_set, seconds(7, 60))
        until(lambda: load.acknowledged >= FEWEST)
    outcomes = load.outcomes
    gap = outcomes.gap(load.began, load.ended)
    record(
        faults=times,
        acknowledged=len(outcomes.acknowledged),
        failed=len(outcomes.failed),
        unknown=len(outcomes.unknown),
        snapshots=outcomes.reads,
        gap=f"{gap:.1f} s",
        body_runs_without_rivals=outcomes.runs(alone=True),
        body_runs_with_rivals=outcomes.runs(alone=False),
        replays=outcomes.replays,
    )
    assert load.broken == []
    assert times > 0
    assert len(outcomes.acknowledged) >= FEWEST
    assert outcomes.bad_reads == 0
    assert outcomes.reads > 0
    assert open_transactions(client) == 0
    check_ledger(client["bank"].with_options(read_concern=ReadConcern("majority")), outcomes)
    assert gap < GAP_SECONDS
    assert outcomes.runs(alone=True).keys() == {1}


def open_transactions(client: MongoClient[Stored]) -> int:
    """Return how many transactions the primary still holds a second after the load."""
    time.sleep(1)
    status: Stored = client.admin.command("serverStatus")
    return int(status["transactions"]["currentOpen"])


def check_ledger(database: Any, outcomes: Outcomes) -> None:
    """Compare what is stored with what the workers were told."""
    ledger: list[Stored] = list(database.ledger.find())
    balances: dict[int, int] = {account["_id"]: account["balance"] for account in database.accounts.find()}
    rows = Counter(row["operation"] for row in ledger)
    assert sum(balances.values()) == ACCOUNTS * OPENING
    assert [operation for operation, number in rows.items() if number > 1] == []
    assert outcomes.acknowledged.keys() - rows.keys() == set()
    assert outcomes.failed.keys() & rows.keys() == set()
    assert rows.keys() <= outcomes.acknowledged.keys() | outcomes.unknown
    replayed = dict.fromkeys(range(ACCOUNTS), OPENING)
    for row in ledger:
        replayed[row["source"]] -= row["amount"]
        replayed[row["target"]] += row["amount"]
    assert balances == replayed
