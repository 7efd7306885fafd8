"""Builds of indexes that take long, on a real server: how far they are, when they are ready, and who goes on with them."""

import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pymongo import AsyncMongoClient, MongoClient
from pymongo.errors import OperationFailure

from boundwork.alembic_like_migrations import AsyncMigrator, Migrator
from boundwork.alembic_like_migrations.engine.ledger import Place, StepRecord
from boundwork.alembic_like_migrations.engine.runner import Unwatched
from boundwork.alembic_like_migrations.engine.server import Server
from boundwork.alembic_like_migrations.steps.building import NOT_YET_IN_CATALOG, Build, progress, wait_until_ready
from boundwork.uow.run_sync import run_sync
from boundwork.uow.sessions.choice import synchronous_sessions, synchronous_structure
from tests.failure.deployers import Order
from tests.failure.deployments import deployers, wait_until
from tests.server.bank import settled

pytestmark = pytest.mark.server
DOCUMENTS, AT = 500, 300
PAUSE = "hangIndexBuildDuringCollectionScanPhaseBeforeInsertion"
FILE = """from boundwork.alembic_like_migrations import op
revision, down_revision = "one", None

def up():
    op.create_index("things", {"x": 1})
"""


@pytest.fixture
def stored(mongod_client: MongoClient[dict[str, Any]], database_name: str, tmp_path: Path) -> Any:
    database = mongod_client[database_name]
    database.things.insert_many([{"_id": number, "x": number} for number in range(DOCUMENTS)])
    (tmp_path / "one.py").write_text(FILE)
    return database


@pytest.fixture
def paused(mongod_client: MongoClient[dict[str, Any]]) -> Iterator[Callable[[], None]]:
    """Let builds stop at a document, and return what lets them go on."""

    def go_on() -> None:
        mongod_client.admin.command({"configureFailPoint": PAUSE, "mode": "off"})

    when = {"mode": "alwaysOn", "data": {"fieldsToMatch": {"_id": AT}}}
    mongod_client.admin.command({"configureFailPoint": PAUSE, **when})
    try:
        yield go_on
    finally:
        go_on()


class Seeing(Unwatched):
    """Lets the build go on when it was told how far it is."""

    counts = True

    def __init__(self, then: Callable[[], None]) -> None:
        self.then = then
        self.seen: list[tuple[str, str, Build]] = []

    def building(self, place: Place, record: StepRecord, build: Build) -> None:
        self.seen.append((place.revision, record.title, build))
        self.then()


TOLD = ("one", "create index x_1 on things", Build("scanning collection", AT, DOCUMENTS))


def is_building(stored: Any) -> bool:
    try:
        stats = stored.things.aggregate([{"$indexStats": {}}])
        return any(one["name"] == "x_1" and one.get("building", False) for one in stats)
    except OperationFailure as error:
        assert error.code == NOT_YET_IN_CATALOG  # noqa: PT017 - any other code is a failure of the test
        return False


def server_of(stored: Any) -> Server:
    return Server(synchronous_structure(stored), synchronous_sessions(stored))


def test_a_watcher_is_told_how_far_a_build_is(stored: Any, tmp_path: Path, paused: Callable[[], None]) -> None:
    seeing = Seeing(paused)
    assert Migrator(stored, tmp_path, watcher=seeing).upgrade() == ("one",)
    assert seeing.seen[0] == TOLD
    assert not is_building(stored)


async def test_a_watcher_of_an_asynchronous_migrator_is_told_as_well(
    stored: Any, tmp_path: Path, mongod_uri: str, paused: Callable[[], None]
) -> None:
    seeing = Seeing(paused)
    client: AsyncMongoClient[Any] = AsyncMongoClient(mongod_uri)
    assert await AsyncMigrator(client[stored.name], tmp_path, watcher=seeing).upgrade() == ("one",)
    await settled(client.close())
    assert seeing.seen[0] == TOLD
    assert not is_building(stored)


def test_the_build_of_another_database_is_none_of_ours(
    stored: Any, mongod_client: MongoClient[dict[str, Any]], paused: Callable[[], None]
) -> None:
    other = server_of(mongod_client[f"{stored.name}_other"])
    build = threading.Thread(target=stored.things.create_index, args=("x",))
    build.start()
    wait_until(lambda: run_sync(progress(server_of(stored), "things")) == TOLD[2])
    assert run_sync(progress(other, "things")) is None
    assert run_sync(progress(server_of(stored), "others")) is None
    paused()
    build.join()
    assert run_sync(progress(server_of(stored), "things")) is None


def test_an_index_is_ready_when_its_build_has_ended_and_not_when_it_is_listed(
    stored: Any, paused: Callable[[], None]
) -> None:
    build = threading.Thread(target=stored.things.create_index, args=("x",))
    build.start()
    wait_until(lambda: is_building(stored))
    assert "x_1" in stored.things.index_information()
    ready: list[bool] = []

    def wait() -> None:
        run_sync(wait_until_ready(server_of(stored), "things", "x_1"))
        ready.append(not is_building(stored))

    waiting = threading.Thread(target=wait)
    waiting.start()
    waiting.join(0.5)
    assert (waiting.is_alive(), ready) == (True, [])
    paused()
    waiting.join()
    build.join()
    assert ready == [True]


def test_an_index_that_the_catalog_does_not_know_yet_is_looked_for_again(
    stored: Any, mongod_client: MongoClient[dict[str, Any]]
) -> None:
    stored.things.create_index("x")
    data = {"failCommands": ["aggregate"], "errorCode": NOT_YET_IN_CATALOG}
    met = mongod_client.admin.command("configureFailPoint", "failCommand", mode={"times": 2}, data=data)["count"]
    try:
        run_sync(wait_until_ready(server_of(stored), "things", "x_1"))
    finally:
        told = mongod_client.admin.command("configureFailPoint", "failCommand", mode="off")
    assert told["count"] - met == 2


def test_the_build_of_a_deployer_that_was_killed_is_gone_on_with(
    stored: Any, tmp_path: Path, mongod_client: MongoClient[dict[str, Any]], paused: Callable[[], None]
) -> None:
    assert mongod_client.address is not None
    uri = "mongodb://{}:{}/?directConnection=true".format(*mongod_client.address)
    with deployers(tmp_path) as started:
        pid = started.start(Order(uri, stored.name, str(tmp_path), str(tmp_path)))
        wait_until(lambda: is_building(stored))
        started.send(pid, signal.SIGKILL)
        assert started.waited_for(pid) is None
    assert is_building(stored)
    seeing = Seeing(paused)
    migrator = Migrator(stored, tmp_path, watcher=seeing)
    assert [one.revision for one in migrator.standing().half_done] == ["one"]
    migrator.unlock()
    assert migrator.resume() == ("one",)
    assert seeing.seen[0] == TOLD
    assert not is_building(stored)
