"""Deployers that note a squash are stopped or killed before each command, or come two at once: all of it or nothing."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from boundwork.alembic_like_migrations.engine.ledger import Ledger
from boundwork.alembic_like_migrations.migrator import Migrator
from tests.failure.conftest import LONG, Record
from tests.failure.deployers import Order, until_done
from tests.failure.deployments import Deployers, counted, deployers, forget, records, write_revisions

pytestmark = pytest.mark.server
NAMES = ("one", "two", "three")
COMMANDS_AT_LEAST = 12
PAIRS = 40 if LONG else 6
BEFORE = dict.fromkeys(NAMES)
AFTER = {**dict.fromkeys(NAMES, "s"), "s": None}


class Adoption:
    """A database in which all is applied that a squash replaces, and deployers that meet it."""

    def __init__(self, client: MongoClient[dict[str, Any]], order: Order, deployers: Deployers) -> None:
        self.database = client[order.database]
        self.order = order
        self.deployers = deployers

    def fill(self) -> None:
        """Let all of the old revisions be applied, and none of the squash."""
        self.database.client.drop_database(self.order.database)
        self.database.counters.insert_many([{"_id": one, "number": len(NAMES)} for one in range(20)])
        files = Migrator(self.database, self.order.revisions).graph.everything.values()
        Migrator(self.database, [one for one in files if not one.replaces]).stamp("head")

    def noted(self) -> dict[str, str | None]:
        """Return the squash of each record, None for those that count."""
        return {one["revision"]: one.get("replaced_by") for one in records(self.database)}

    def start(self, at: int = 0, sent: int = 0) -> int:
        return self.deployers.start(replace(self.order, at=at, signal=sent))


@pytest.fixture
def adoption(mongod_client: MongoClient[dict[str, Any]], database_name: str, tmp_path: Path) -> Iterator[Adoption]:
    assert mongod_client.address is not None
    uri = "mongodb://{}:{}/?directConnection=true".format(*mongod_client.address)
    folder = write_revisions(tmp_path / "revisions", *NAMES, down=True)
    Migrator(mongod_client[database_name], folder).squash("one:three", revision_id="s")
    with deployers(tmp_path) as started:
        yield Adoption(mongod_client, Order(uri, database_name, str(folder), str(tmp_path)), started)


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGSTOP], ids=["kill -9", "SIGSTOP"])
def test_whatever_command_a_deployer_ends_at_the_squash_is_noted_whole_or_not_at_all(
    adoption: Adoption, record: Record, sent: signal.Signals
) -> None:
    left: list[bool] = []
    for number in count(1):
        adoption.fill()
        pid = adoption.start(number, sent)
        stops = sent is signal.SIGSTOP
        reached = adoption.deployers.stopped(pid) if stops else adoption.deployers.waited_for(pid) is None
        forget(adoption.database, pid)
        assert adoption.noted() in (BEFORE, AFTER), number
        left.append(adoption.noted() == AFTER)
        migrator = Migrator(adoption.database, adoption.order.revisions)
        migrator.unlock()
        until_done(migrator)
        assert adoption.noted() == AFTER, number
        before = records(adoption.database)
        adoption.deployers.send(pid, signal.SIGCONT)
        adoption.deployers.waited_for(pid)
        assert records(adoption.database) == before, number
        if not reached:
            break
    record(commands=len(left), noted_by_the_first=sum(left))
    assert len(left) > COMMANDS_AT_LEAST
    assert {*left} == {True, False}
    assert counted(adoption.database) == {len(NAMES)}


def test_two_deployers_that_come_at_once_note_it_once(adoption: Adoption, record: Record) -> None:
    ends: list[str] = []
    for _ in range(PAIRS):
        adoption.fill()
        pids = [adoption.start(), adoption.start()]
        ends += [str(adoption.deployers.waited_for(pid)).partition(":")[0] for pid in pids]
        assert adoption.noted() == AFTER
        epochs = {one["epoch"] for one in records(adoption.database)}
        assert len(epochs) == 1
    record(pairs=PAIRS, refused=ends.count("LockHeld"))
    assert set(ends) <= {"done", "LockHeld"}
    assert counted(adoption.database) == {len(NAMES)}


def test_a_squash_that_were_noted_in_two_transactions_would_be_found_half_noted(
    adoption: Adoption, monkeypatch: pytest.MonkeyPatch
) -> None:
    """See the test above fail: records that are written one by one, and an end after the second."""
    adoption.fill()
    whole = Ledger.put

    async def one_by_one(self: Ledger, *found: Any) -> None:
        for one in found[:2]:
            await whole(self, one)
        raise KeyboardInterrupt

    monkeypatch.setattr(Ledger, "put", one_by_one)
    with pytest.raises(KeyboardInterrupt):
        Migrator(adoption.database, adoption.order.revisions).upgrade()
    assert adoption.noted() not in (BEFORE, AFTER)


def test_another_process_is_no_deployer_whatever_its_id(tmp_path: Path) -> None:
    """Ids come round again; who is none is neither waited for nor killed."""
    with (
        deployers(tmp_path) as started,
        subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other,
    ):
        assert not any(map(started.is_alive, (os.getpid(), os.getppid(), other.pid)))
        started.send(other.pid, signal.SIGKILL)
        assert other.poll() is None
