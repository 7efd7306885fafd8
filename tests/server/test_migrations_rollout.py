"""Rolling deploys on a real server: contracting waits for old instances, in other processes, that live or were killed."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pymongo import AsyncMongoClient, MongoClient
from typer.testing import CliRunner

from boundwork.alembic_like_migrations import (
    AsyncInstance,
    GateRefused,
    Instance,
    InstanceTooOld,
    MigrationError,
    Migrator,
    StepFailed,
)
from boundwork.alembic_like_migrations.engine.ledger import Place, StepRecord
from boundwork.alembic_like_migrations.engine.runner import Unwatched
from boundwork.alembic_like_migrations.rollout.instance import Presence
from boundwork.alembic_like_migrations.rollout.register import INSTANCES
from boundwork.cli.app import app
from boundwork.uow.run_sync import run_sync
from boundwork.uow.sessions.choice import synchronous_structure
from tests.server.bank import settled

pytestmark = pytest.mark.server
Start = Callable[[str, str, float], subprocess.Popen[str]]
INSTANCE = """
import sys
from pymongo import MongoClient
from boundwork.alembic_like_migrations import Instance

uri, name, application, revision, seconds = sys.argv[1:]
with Instance(MongoClient(uri)[name], application, revision, lease_seconds=float(seconds)):
    print("registered", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def stored(mongod_client: MongoClient[dict[str, Any]], database_name: str) -> Any:
    database = mongod_client[database_name]
    database.users.insert_many([{"_id": number, "old": number} for number in range(5)])
    return database


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a base, a revision that expands and one that contracts."""
    write(tmp_path, "base_users", None, None, "    pass")
    copied = "    op.update('users', [{'$set': {'new': '$old'}}], undo={'$unset': {'new': ''}})"
    write(tmp_path, "added", "base_users", "expand", copied)
    dropped = "    op.update('users', {'$unset': {'old': ''}}, undo=[{'$set': {'old': '$new'}}])"
    write(tmp_path, "dropped", "added", "contract", dropped)
    return tmp_path


def write(folder: Path, name: str, after: str | None, phase: str | None, up: str) -> None:
    head = f"revision = {name!r}\ndown_revision = {after!r}\nphase = {phase!r}\n"
    text = (
        f"{head}from boundwork.alembic_like_migrations import op\n\ndef up():\n{up}\n\ndef down():\n    op.revert()\n"
    )
    (folder / f"{name}.py").write_text(text)


@pytest.fixture
def start(mongod_uri: str, database_name: str) -> Iterator[Start]:
    """Return a function that starts a process with an instance, and waits until it is registered."""
    running: list[subprocess.Popen[str]] = []

    def instance(application: str, revision: str, seconds: float) -> subprocess.Popen[str]:
        process = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-c", INSTANCE, mongod_uri, database_name, application, revision, str(seconds)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        running.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "registered\n"
        return process

    yield instance
    for process in running:
        process.kill()
        process.communicate()


def end(process: subprocess.Popen[str]) -> None:
    process.communicate("", timeout=300)
    assert process.returncode == 0


def test_contracting_waits_for_an_old_instance_that_lives_and_for_the_lease_of_one_that_was_killed(
    stored: Any, folder: Path, start: Start
) -> None:
    migrator = Migrator(stored, folder)
    assert migrator.upgrade(phase="expand") == ("base_users", "added")
    new, old = start("web", "added", 60), start("worker", "base_users", 60)
    with pytest.raises(GateRefused, match="Nothing was run") as refused:
        migrator.upgrade()
    assert [(one.application, one.revision) for one in refused.value.instances] == [("worker", "base_users")]
    assert f"process {old.pid} " in str(refused.value)
    assert stored.users.count_documents({"old": {"$exists": True}}) == 5
    end(old)
    killed = start("mailer", "base_users", 3)
    os.kill(killed.pid, signal.SIGKILL)
    killed.wait()
    assert upgraded_in_the_end(migrator) == ("dropped",)
    assert stored.users.count_documents({"old": {"$exists": True}}) == 0
    # It was not forgotten: its lease is over.
    assert stored[INSTANCES].find_one({"application": "mailer"})["expires"] <= server_time(stored)
    end(new)


def upgraded_in_the_end(migrator: Migrator) -> tuple[str, ...]:
    """Upgrade as soon as the gate lets it through; only the killed instance may stand in the way."""
    while True:
        try:
            return migrator.upgrade(phase="contract")
        except GateRefused as refused:
            assert [one.application for one in refused.instances] == ["mailer"]  # noqa: PT017 - it is tried again
            asyncio.run(asyncio.sleep(0.2))


def server_time(stored: Any) -> int:
    now: datetime = stored.command("hello")["localTime"]
    return round(now.replace(tzinfo=UTC).timestamp() * 1000)


def test_an_instance_that_was_stopped_and_wakes_up_too_late_is_told_so(stored: Any, folder: Path) -> None:
    migrator = Migrator(stored, folder)
    migrator.upgrade(phase="expand")
    presence = Presence(synchronous_structure(stored), "worker", "base_users", 60)
    run_sync(presence.enter())
    stored[INSTANCES].update_many({}, {"$set": {"expires": 0}})  # as if it had been stopped for longer than its lease
    assert migrator.upgrade(phase="contract") == ("dropped",)
    presence.check()
    run_sync(presence.beat())
    with pytest.raises(InstanceTooOld, match="contracted by dropped"):
        presence.check()
    assert stored[INSTANCES].count_documents({"application": "worker"}) == 0


def test_an_instance_that_was_stopped_for_long_goes_on_where_nothing_was_contracted(stored: Any, folder: Path) -> None:
    presence = Presence(synchronous_structure(stored), "worker", "base_users", 60)
    run_sync(presence.enter())
    stored[INSTANCES].delete_many({})
    run_sync(presence.beat())
    presence.check()
    with pytest.raises(GateRefused, match="worker"):
        Migrator(stored, folder).upgrade()


def test_those_who_live_are_named_in_the_order_in_which_they_came(stored: Any, folder: Path) -> None:
    first, second = (Presence(synchronous_structure(stored), name, "base_users", 60) for name in ("web", "worker"))
    for presence in (first, second):
        run_sync(presence.enter())
    run_sync(first.beat())
    with pytest.raises(GateRefused) as refused:
        Migrator(stored, folder).upgrade()
    assert [one.application for one in refused.value.instances] == ["web", "worker"]


def test_an_instance_is_entered_once_and_one_that_was_killed_stays_for_people_to_see(stored: Any) -> None:
    hour, day = 3_600_000, 86_400_000
    gone = {"application": "gone", "revision": "base", "process": "p", "since": None}
    ended = {"killed": server_time(stored) - hour, "long ago": server_time(stored) - 2 * day}
    stored[INSTANCES].insert_many([{"_id": name, **gone, "expires": when} for name, when in ended.items()])
    with Instance(stored, "worker", "base") as instance, pytest.raises(MigrationError, match="registered already"):
        instance.__enter__()
    assert [one["_id"] for one in stored[INSTANCES].find()] == ["killed"]


def test_an_application_that_was_contracted_away_does_not_start_until_the_database_goes_back(
    stored: Any, folder: Path
) -> None:
    migrator = Migrator(stored, folder)
    migrator.upgrade()
    with pytest.raises(InstanceTooOld, match="worker was written for revision base_users"):
        Instance(stored, "worker", "base_users").__enter__()
    with pytest.raises(InstanceTooOld):
        Instance(stored, "worker", "base").__enter__()
    assert stored[INSTANCES].count_documents({"application": "worker"}) == 0
    migrator.downgrade("added")
    with Instance(stored, "worker", "base_users"):
        assert stored[INSTANCES].count_documents({"application": "worker"}) == 1
    assert stored[INSTANCES].count_documents({}) == 0


def test_a_gate_that_refused_or_an_upgrade_that_failed_before_contracting_leaves_the_door_open(
    stored: Any, folder: Path
) -> None:
    migrator = Migrator(stored, folder)
    with Instance(stored, "worker", "base_users"):
        with pytest.raises(GateRefused):
            migrator.upgrade()
        Instance(stored, "another", "base_users").__enter__().__exit__()
    write(folder, "added", "base_users", "expand", "    op.update('users', {'$inc': {'_id': 1}})")
    with pytest.raises(StepFailed):
        Migrator(stored, folder).upgrade()
    Instance(stored, "another", "base_users").__enter__().__exit__()


def test_an_instance_of_a_revision_that_nobody_here_knows_is_not_assumed_to_suit(stored: Any, folder: Path) -> None:
    with Instance(stored, "foreign", "elsewhere"), pytest.raises(GateRefused, match="foreign at elsewhere"):
        Migrator(stored, folder).upgrade()


async def test_an_asynchronous_instance_does_the_same(
    stored: Any, folder: Path, mongod_uri: str, database_name: str
) -> None:
    client: AsyncMongoClient[Any] = AsyncMongoClient(mongod_uri)
    async with AsyncInstance(client[database_name], "worker", "base_users", lease_seconds=3.0):
        first = stored[INSTANCES].find_one()["expires"]
        while server_time(stored) <= first:  # noqa: ASYNC110 - the server's clock has no event; it lives because it is renewed
            await asyncio.sleep(0.05)
        with pytest.raises(GateRefused, match="worker"):
            Migrator(stored, folder).upgrade()
    assert stored[INSTANCES].count_documents({}) == 0
    assert Migrator(stored, folder).upgrade() == ("base_users", "added", "dropped")
    with pytest.raises(InstanceTooOld):
        await AsyncInstance(client[database_name], "worker", "base_users").__aenter__()
    await settled(client.close())


class WritingBoth(Unwatched):
    """New code that writes both names whenever a step came on."""

    def __init__(self, stored: Any) -> None:
        self.stored = stored

    def step(self, place: Place, record: StepRecord) -> None:  # noqa: ARG002 - any place
        self.stored.users.update_many({}, {"$set": {"old": "newest", "name": "newest"}})


@pytest.mark.parametrize("ways", [["contract"], ["contract", "base"]])
def test_new_code_that_writes_both_names_meanwhile_stops_no_half_of_a_generated_renaming(
    stored: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ways: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    CliRunner().invoke(app, ["migrate", "init"])
    CliRunner().invoke(app, ["migrate", "revision", "--rename", "users.old:name"])
    Migrator(stored, tmp_path / "migrations").upgrade(phase="expand")
    migrator = Migrator(stored, tmp_path / "migrations", watcher=WritingBoth(stored))
    migrator.upgrade(phase="contract")
    assert set(stored.users.distinct("name")) == {"newest"}
    if "base" in ways:
        migrator.downgrade("base")
        assert set(stored.users.distinct("old")) == {"newest"}


def test_a_generated_renaming_takes_over_what_old_code_writes_and_stops_where_both_wrote(
    stored: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    CliRunner().invoke(app, ["migrate", "init"])
    CliRunner().invoke(app, ["migrate", "revision", "--rename", "users.old:name"])
    migrator = Migrator(stored, tmp_path / "migrations")
    before = list(stored.users.find())
    migrator.upgrade(phase="expand")
    assert list(stored.users.find()) == [{"_id": n, "old": n, "name": n} for n in range(5)]
    stored.users.insert_one({"_id": 5, "old": 5})  # by old code
    stored.users.update_one({"_id": 0}, {"$set": {"old": "by old code"}})
    with pytest.raises(StepFailed, match="have both 'old' and 'name'"):
        migrator.upgrade(phase="contract")
    stored.users.update_one({"_id": 0}, {"$set": {"name": "by old code"}, "$unset": {"old": ""}})
    migrator.resume()
    after = [{"_id": 0, "name": "by old code"}, *({"_id": n, "name": n} for n in range(1, 6))]
    assert list(stored.users.find()) == after
    migrator.downgrade("base")
    assert [list(one) for one in stored.users.find()] == [["_id", "old"]] * 6
    assert list(stored.users.find())[1:5] == before[1:]
