"""Two deployers at once are killed, stopped for longer than their lease, and lose their primary: nothing counts twice."""

import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.read_concern import ReadConcern

from tests.failure.conftest import LONG, Record
from tests.failure.deployers import Order
from tests.failure.deployments import (
    Deployers,
    counted,
    deployers,
    forget,
    records,
    write_revisions,
    written_by_an_old_epoch,
)
from tests.failure.faults import kill_and_restart, step_down
from tests.failure.replica_set import ReplicaSet

pytestmark = pytest.mark.server

TRIALS = 200 if LONG else 25
# Every fifth trial has all the documents, and a primary that fails.
LARGE, SMALL, EVERY = 20_000, 2_000, 5
LEASE_SECONDS = 0.6
FAULTS_OF_A_TRIAL = 2
LONGEST_SECONDS = 0.4
QUICK_SECONDS, USUAL_SECONDS = 1, 30
DATABASE = "chaos"


@pytest.fixture
def client(replica_set: ReplicaSet) -> Iterator[MongoClient[dict[str, Any]]]:
    with MongoClient[dict[str, Any]](replica_set.uri, readConcernLevel="majority") as client:
        hurry(replica_set, QUICK_SECONDS)
        yield client
        replica_set.heal()
        hurry(replica_set, USUAL_SECONDS)
        client.drop_database(DATABASE)


def hurry(replica_set: ReplicaSet, seconds: int) -> None:
    """Say how long the members let a transaction live: that of a deployer that is gone is waited for as long."""
    for member in replica_set.members:
        member.ask({"setParameter": 1, "transactionLifetimeLimitSeconds": seconds})


class Trial:
    """One deployment by two deployers, one of which meets a fault again and again."""

    def __init__(self, database: Any, replica_set: ReplicaSet, started: Deployers, order: Order, seed: int) -> None:
        self.database = database
        self.replica_set = replica_set
        self.deployers = started
        self.order = order
        self.chance = random.Random(seed)
        self.large = seed % EVERY == 0
        self.faults: Counter[str] = Counter()

    def run(self) -> list[str]:
        """Let it happen, and return what is wrong afterwards."""
        documents = LARGE if self.large else SMALL
        self.database.client.drop_database(self.database.name)
        self.database.counters.insert_many([{"_id": number, "number": 0} for number in range(documents)])
        since = self.database.client.admin.command("hello")["operationTime"]
        working = [self.deployers.start(self.order) for _ in range(2)]
        for number in range(FAULTS_OF_A_TRIAL):
            time.sleep(self.chance.random() * LONGEST_SECONDS)
            if self.large and number == 1:
                self._fail_over()
            working = self._fault(working)
        ends = [self.deployers.waited_for(pid) for pid in working]
        return self._wrong(ends, since)

    def _fail_over(self) -> None:
        fault = self.chance.choice([step_down, kill_and_restart])
        self.faults[fault.__name__] += 1
        fault(self.replica_set)
        hurry(self.replica_set, QUICK_SECONDS)  # a member that was started anew knows nothing of it

    def _fault(self, working: list[int]) -> list[int]:
        """Kill a deployer and start another, or stop one for longer than its lease."""
        alive = [pid for pid in working if self.deployers.is_alive(pid)]
        if not alive:
            return working
        pid = self.chance.choice(alive)
        if self.chance.random() < 0.5:
            self.faults["kill -9"] += 1
            self.deployers.send(pid, signal.SIGKILL)
            forget(self.database, pid)
            return [*(one for one in working if one != pid), self.deployers.start(self.order)]
        self.faults["SIGSTOP"] += 1
        self.deployers.send(pid, signal.SIGSTOP)
        time.sleep(LEASE_SECONDS * 1.5)
        forget(self.database, pid)
        time.sleep(self.chance.random() * LONGEST_SECONDS)
        self.deployers.send(pid, signal.SIGCONT)
        return working

    def _wrong(self, ends: list[str | None], since: Any) -> list[str]:
        self.replica_set.wait_until_healthy()
        wrong = [f"a deployer ended with {end}" for end in ends if end != "done"]
        database = self.database.with_options(read_concern=ReadConcern("majority"))
        if counted(database) != {2}:
            wrong.append(f"documents counted {counted(database)} times")
        if [record["state"] for record in records(database)] != ["applied", "applied"]:
            wrong.append("the records are not those of two applied revisions")
        return wrong + [f"written by an old epoch: {event}" for event in written_by_an_old_epoch(database, since)]


def test_each_document_is_counted_once_whatever_happens_to_deployers_and_primary(
    replica_set: ReplicaSet, client: MongoClient[dict[str, Any]], tmp_path: Path, record: Record
) -> None:
    revisions = write_revisions(tmp_path / "revisions", "one", "two")
    order = Order(
        replica_set.uri, DATABASE, str(revisions), str(tmp_path), until_done=True, lease_seconds=LEASE_SECONDS
    )
    faults: Counter[str] = Counter()
    wrong: dict[int, list[str]] = {}
    with deployers(tmp_path) as started:
        for seed in range(TRIALS):
            trial = Trial(client[DATABASE], replica_set, started, order, seed)
            if found := trial.run():
                wrong[seed] = found
            faults += trial.faults
    record(trials=TRIALS, faults=dict(faults))
    assert wrong == {}
    assert faults.keys() == {"kill -9", "SIGSTOP", "step_down", "kill_and_restart"}
