"""The lease of migrations when the reply to one of its commands is lost: there is one holder, and it knows that it is."""

from collections.abc import Iterator
from typing import Any

import pytest
from pymongo import MongoClient

from boundwork.alembic_like_migrations import LockHeld
from boundwork.alembic_like_migrations.engine import lease
from boundwork.alembic_like_migrations.engine.lease import acquire
from boundwork.alembic_like_migrations.engine.server import Server
from boundwork.uow.failures import SessionFailure
from boundwork.uow.run_sync import run_sync
from tests.failure.proxy import Fault, Proxy
from tests.server.conftest import SOON_BACK
from tests.server.counting import server_of

pytestmark = pytest.mark.server
LEASE_COMMAND = "findAndModify"


@pytest.fixture
def behind_proxy(proxy: Proxy, database_name: str) -> Iterator[Server]:
    with MongoClient[Any](f"mongodb://127.0.0.1:{proxy.port}/?directConnection=true&{SOON_BACK}") as client:
        yield server_of(client[database_name])


@pytest.mark.parametrize("before", [0, 1, 2], ids=["made", "taken", "fenced"])
def test_a_runner_whose_reply_was_lost_holds_the_lease_alone_and_gives_it_back(
    stored: Any, proxy: Proxy, behind_proxy: Server, before: int
) -> None:
    proxy.faults = [Fault(LEASE_COMMAND, 1, skip=before)]
    taken = run_sync(acquire(behind_proxy, 30, 0))
    assert proxy.lost == [LEASE_COMMAND]
    run_sync(taken.server.still_holding())
    run_sync(taken.renew())
    with pytest.raises(LockHeld):
        run_sync(acquire(server_of(stored), 30, 0))
    proxy.faults = [Fault(LEASE_COMMAND, 1)]
    run_sync(taken.release())
    assert proxy.lost == [LEASE_COMMAND, LEASE_COMMAND]
    run_sync(run_sync(acquire(server_of(stored), 30, 0)).release())


def test_a_lease_whose_taker_died_before_it_heard_runs_out_and_is_taken_over(
    stored: Any, proxy: Proxy, behind_proxy: Server
) -> None:
    proxy.faults = [Fault(LEASE_COMMAND, 1, skip=1)]
    with pytest.raises(SessionFailure):
        run_sync(lease._take(behind_proxy, "died", 0.2))
    later = run_sync(acquire(server_of(stored), 30, 20))
    run_sync(later.server.still_holding())
    with pytest.raises(LockHeld):
        run_sync(acquire(behind_proxy, 30, 0))
