"""Who may run migrations, on a real server: a lease that is taken over, unlocked, given back, or not needed at all."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from boundwork.alembic_like_migrations import (
    LeaseLost,
    LockHeld,
    MigrationError,
    Migrator,
)
from boundwork.alembic_like_migrations.engine import lease
from boundwork.alembic_like_migrations.engine.heartbeat import kept_by_thread
from boundwork.alembic_like_migrations.engine.lease import acquire
from boundwork.alembic_like_migrations.engine.ledger import StepRecord
from boundwork.alembic_like_migrations.engine.server import Server
from boundwork.uow.run_sync import run_sync
from tests.failure.faults import until
from tests.server.counting import (
    COUNT,
    COUNT_OTHERS,
    Doing,
    Write,
    numbers,
    server_of,
)

pytestmark = pytest.mark.server


def test_nothing_pending_takes_no_lease(counted: Any, write: Write, tmp_path: Path) -> None:
    write("one", COUNT)
    Migrator(counted, tmp_path).upgrade()
    held = run_sync(acquire(server_of(counted), 30, 0))
    assert Migrator(counted, tmp_path).upgrade() == ()
    run_sync(held.release())


def test_a_runner_that_was_unlocked_writes_no_more(counted: Any, write: Write, tmp_path: Path) -> None:
    write("one", COUNT)
    others: list[str | None] = []

    def unlocked(record: StepRecord) -> None:
        if record.state == "running" and not others:
            others.append(Migrator(counted, tmp_path).unlock())

    with pytest.raises(LeaseLost):
        Migrator(counted, tmp_path, watcher=Doing(unlocked)).upgrade()
    assert others[0] is not None
    assert others[0].startswith("process ")
    assert numbers(counted) == {0, 1}
    assert Migrator(counted, tmp_path).resume() == ("one",)
    assert numbers(counted) == {1}


def test_a_lease_that_ran_out_is_taken_over_and_its_holder_writes_no_more(counted: Any) -> None:
    first = run_sync(acquire(server_of(counted), 30, 0))
    with pytest.raises(LockHeld):
        run_sync(acquire(server_of(counted), 30, 0))
    run_sync(replace(first, seconds=0.2).renew())  # only now does it run out soon
    second = run_sync(acquire(server_of(counted), 30, 20))
    for server in (first.server, first.server):
        with pytest.raises(LeaseLost):
            run_sync(server.still_holding())
    with pytest.raises(LeaseLost):
        run_sync(first.server.change_structure({"create": "late"}))
    with pytest.raises(LeaseLost):
        run_sync(first.renew())
    run_sync(first.release())
    run_sync(second.server.still_holding())
    with pytest.raises(LockHeld):
        run_sync(acquire(server_of(counted), 30, 0))
    assert "late" not in counted.list_collection_names()


@dataclass
class Crowded(Server):
    """A server on which others do something before or after the holder of the lease is read."""

    before: Callable[[], object] = bool
    after: Callable[[], object] = bool

    async def all(self, command: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        """Read, and let them."""
        self.before()
        found = await Server.all(self, command)
        self.after()
        return found


def crowded(counted: Any, before: Callable[[], object] = bool, after: Callable[[], object] = bool) -> Server:
    """Return the engine's view of a database in which others do something."""
    server = server_of(counted)
    return Crowded(server.structure, server.sessions, before=before, after=after)


def test_who_took_the_lease_after_unlock_had_read_it_keeps_it(counted: Any) -> None:
    taken = [run_sync(acquire(server_of(counted), 30, 0))]

    def hand_over() -> None:
        run_sync(taken[0].release())
        taken.append(run_sync(acquire(server_of(counted), 30, 0)))

    assert run_sync(lease.unlock(crowded(counted, after=hand_over))) is None
    run_sync(taken[1].renew())
    run_sync(taken[1].server.still_holding())
    with pytest.raises(LockHeld):
        run_sync(acquire(server_of(counted), 30, 0))


def test_who_asks_for_the_lease_when_it_is_given_back_gets_it(counted: Any) -> None:
    first = run_sync(acquire(server_of(counted), 30, 0))
    asking = crowded(counted, before=lambda: run_sync(first.release()))
    second = run_sync(acquire(asking, 30, 0))
    run_sync(second.renew())


def test_who_was_paused_between_the_lease_and_its_fence_does_not_lower_the_fence(counted: Any) -> None:
    first = run_sync(acquire(server_of(counted), 0.2, 0))
    second = run_sync(acquire(server_of(counted), 30, 20))
    with pytest.raises(LeaseLost):
        run_sync(lease._raise_fence(first))
    run_sync(second.server.still_holding())


def test_an_interruption_while_the_lease_is_taken_leaves_it_to_others(
    counted: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def interrupted(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(lease, "_raise_fence", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run_sync(acquire(server_of(counted), 30, 0))
    monkeypatch.undo()
    run_sync(run_sync(acquire(server_of(counted), 30, 0)).release())


@pytest.mark.parametrize(("code", "advice"), [(13, "Use a login that may read and write"), (50, "Try again")])
def test_who_may_not_ask_is_told_to_be_somebody_else_and_nobody_else_is(
    mongod_uri: str, counted: Any, server: Any, write: Write, tmp_path: Path, code: int, advice: str
) -> None:
    write("one", COUNT)
    with MongoClient[Any](mongod_uri, appName=counted.name) as client, server(["find"], 1, {"errorCode": code}):
        with pytest.raises(MigrationError) as raised:
            Migrator(client[counted.name], tmp_path).upgrade()
        assert advice in str(raised.value)


def test_a_watcher_that_fails_does_not_end_the_heartbeat(counted: Any) -> None:
    held = run_sync(acquire(server_of(counted), 1.5, 0))
    looks: list[int] = []

    async def look() -> None:
        looks.append(1)
        raise ValueError("secret")

    def ends() -> Any:
        return counted.boundwork_migrations.find_one({"_id": "lease"})["expires"]

    async def keep() -> None:
        async with kept_by_thread(held) as pulse:
            first = ends()
            with pulse.looking(look):
                until(lambda: ends() > first)
            assert ends() > first

    run_sync(keep())
    assert looks == [1]


def test_two_runners_of_one_migrator_do_not_lend_each_other_an_epoch(counted: Any) -> None:
    server = server_of(counted)
    first = run_sync(acquire(server, 0.2, 0))
    run_sync(acquire(server, 30, 20))
    with pytest.raises(LeaseLost):
        run_sync(first.server.still_holding())


def test_an_interruption_gives_the_lease_back_and_resume_goes_on(counted: Any, write: Write, tmp_path: Path) -> None:
    write("one", COUNT)

    def interrupted(record: StepRecord) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Migrator(counted, tmp_path, watcher=Doing(interrupted)).upgrade()
    assert numbers(counted) == {0, 1}
    assert Migrator(counted, tmp_path).resume() == ("one",)
    assert numbers(counted) == {1}


def test_of_deployers_that_begin_at_once_one_does_the_work(counted: Any, write: Write, tmp_path: Path) -> None:
    write("one", COUNT)
    write("two", COUNT_OTHERS, after="one")
    results: list[Any] = []

    def deploy() -> None:
        try:
            results.append(Migrator(counted, tmp_path, patience=60).upgrade())
        except BaseException as error:
            results.append(error)

    threads = [threading.Thread(target=deploy) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == [(), (), (), ("one", "two")]
    assert (numbers(counted), numbers(counted, "others")) == ({1}, {1})
