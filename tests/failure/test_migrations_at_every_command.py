"""A deployer is stopped or killed before each of its commands: another goes on, and each document is counted once."""

import signal
from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from boundwork.alembic_like_migrations.migrator import Migrator
from tests.failure.conftest import Record
from tests.failure.deployers import Order, until_done
from tests.failure.deployments import (
    Deployers,
    counted,
    deployers,
    forget,
    records,
    write_revisions,
    written_by_an_old_epoch,
)

pytestmark = pytest.mark.server
DOCUMENTS = 300
COMMANDS_AT_LEAST = 25
OLD_EPOCH = "a record was written by an old epoch"


class Trials:
    """The same deployment, stopped or killed at one command after another."""

    def __init__(self, client: MongoClient[dict[str, Any]], order: Order, deployers: Deployers) -> None:
        self.database = client[order.database]
        self.order = order
        self.deployers = deployers
        self.lost = 0
        self.since: Any = None

    def fill(self) -> None:
        self.database.client.drop_database(self.order.database)
        self.database.counters.insert_many([{"_id": one, "number": 0} for one in range(DOCUMENTS)])
        self.since = self.database.client.admin.command("hello")["operationTime"]

    def start(self, number: int, sent: signal.Signals, fault: str = "") -> int:
        return self.deployers.start(replace(self.order, at=number, signal=sent, fault=fault))

    def at(self, number: int, sent: signal.Signals, fault: str = "") -> tuple[bool, list[str]]:
        """Return whether the deployment has as many commands, and what is wrong after it."""
        self.fill()
        pid = self.start(number, sent, fault)
        stops = sent is signal.SIGSTOP
        reached = self.deployers.stopped(pid) if stops else self.deployers.waited_for(pid) is None
        forget(self.database, pid)
        migrator = Migrator(self.database, self.order.revisions)
        migrator.unlock()
        until_done(migrator)
        before = records(self.database)
        self.deployers.send(pid, signal.SIGCONT)
        self.lost += self.deployers.waited_for(pid) == "LeaseLost"
        late = stops and written_by_an_old_epoch(self.database, self.since)
        return reached, self.wrong(before) + [OLD_EPOCH] * bool(late)

    def wrong(self, before: list[dict[str, Any]]) -> list[str]:
        found: list[str] = []
        if counted(self.database) != {1}:
            found.append(f"documents counted {counted(self.database)} times")
        if [record["state"] for record in before] != ["applied"] or records(self.database) != before:
            found.append("the record was overwritten")
        return found

    def all(self, sent: signal.Signals, fault: str = "") -> Iterator[tuple[int, list[str]]]:
        """Yield what is wrong, for each command."""
        for number in count(1):
            reached, wrong = self.at(number, sent, fault)
            yield number, wrong
            if not reached:
                return


@pytest.fixture
def trials(mongod_client: MongoClient[dict[str, Any]], database_name: str, tmp_path: Path) -> Iterator[Trials]:
    assert mongod_client.address is not None
    uri = "mongodb://{}:{}/?directConnection=true".format(*mongod_client.address)
    revisions = write_revisions(tmp_path / "revisions", "one")
    with deployers(tmp_path) as started:
        yield Trials(mongod_client, Order(uri, database_name, str(revisions), str(tmp_path)), started)


@pytest.mark.parametrize("sent", [signal.SIGSTOP, signal.SIGKILL], ids=["SIGSTOP", "kill -9"])
def test_whatever_command_a_deployer_ends_at_another_goes_on_and_each_document_is_counted_once(
    trials: Trials, record: Record, sent: signal.Signals
) -> None:
    results = dict(trials.all(sent))
    record(commands=len(results), stopped_by_the_fence=trials.lost)
    assert {number: wrong for number, wrong in results.items() if wrong} == {}
    assert len(results) > COMMANDS_AT_LEAST
    assert sent is signal.SIGKILL or trials.lost > COMMANDS_AT_LEAST // 2


def test_ctrl_c_at_any_command_gives_the_lease_back_and_resume_goes_on(trials: Trials, record: Record) -> None:
    interrupted = 0
    for number in count(1):
        trials.fill()
        pid = trials.start(number, signal.SIGINT)
        end = trials.deployers.waited_for(pid) or ""
        migrator = Migrator(trials.database, trials.order.revisions)
        (migrator.resume if migrator.standing().half_done else migrator.upgrade)()
        assert trials.wrong(records(trials.database)) == [], number
        if not end.startswith("KeyboardInterrupt"):
            assert end == "done"
            break
        interrupted += 1
    record(interrupted=interrupted)
    assert interrupted > COMMANDS_AT_LEAST


@pytest.mark.parametrize(
    ("fault", "sent", "seen"),
    [("no fence", signal.SIGSTOP, {OLD_EPOCH}), ("checkpoint apart", signal.SIGKILL, {"documents counted"})],
    ids=["fence", "checkpoint"],
)
def test_without_the_fence_or_with_checkpoints_apart_the_same_trials_find_the_fault(
    trials: Trials, fault: str, sent: signal.Signals, seen: set[str]
) -> None:
    assert any(seen <= {one.partition(" {")[0] for one in wrong} for _, wrong in trials.all(sent, fault))
