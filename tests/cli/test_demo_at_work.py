"""Two runs of the demo in one database, and one whose server goes away for good: real processes, a real server."""

import os
import signal
import subprocess
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from boundwork import Connection, connect
from boundwork.cli import at_work
from boundwork.cli.at_work import MARK, SILENT_SECONDS, AtWork, Mark, Premises, Presence
from boundwork.cli.flights import data, records
from tests.failure.faults import until
from tests.servers import RealMongod

pytestmark = pytest.mark.server
COMMAND = "from boundwork.cli import main, place; place.LOST_SECONDS = 1.0; main()"
ENDLESS = ("--rows", "300000", "--batch", "100")
Running = subprocess.Popen[str]


def demo(url: str, *options: str) -> Running:
    """Start the demo, which soon gives up a server that is lost."""
    return subprocess.Popen(  # noqa: S603 - our own command
        [sys.executable, "-W", "error", "-c", COMMAND, "demo", "--url", url, *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONPATH": str(Path(__file__).parents[2])},
    )


@contextmanager
def at_its_work(url: str, stored: Any) -> Generator[Running]:
    """Give a demo that has recorded flights in an empty database and goes on; it is killed at the end."""
    with demo(url, *ENDLESS) as running:
        try:
            until(lambda: stored.boundwork_demo_flights.find_one() is not None)
            yield running
        finally:
            running.kill()


def said(running: Running) -> tuple[int, str]:
    """Return the exit code and the only line on stderr of a demo that ends."""
    _, errors = running.communicate(timeout=120)
    (line,) = errors.splitlines()
    return running.returncode, line


def make_silent(database: Any) -> None:
    """Let time go by since the run in the mark was last heard."""
    mark = database.boundwork_demo.find_one({"_id": MARK})
    earlier = mark["alive"] - timedelta(seconds=SILENT_SECONDS)
    database.boundwork_demo.update_one({"_id": MARK}, {"$set": {"alive": earlier}})


@pytest.fixture
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let runs in this process say once that they are there, so that a test decides for how long they are silent."""
    monkeypatch.setattr(at_work, "BEAT_SECONDS", 3600.0)


@pytest.fixture
def stored(mongod_client: MongoClient[dict[str, Any]], database_name: str) -> Any:
    return mongod_client[database_name]


@pytest.fixture
def marked(database_uri: str) -> Iterator[Connection]:
    with connect(database_uri) as database:
        Premises(database, "nobody", seconds=0).run(lambda unit: unit.marks.add(Mark(id=MARK)))
        yield database


def test_a_second_demo_says_in_one_line_who_is_at_work_and_disturbs_nobody(database_uri: str, stored: Any) -> None:
    with at_its_work(database_uri, stored) as first:
        before = stored.boundwork_demo_flights.count_documents({})
        code, line = said(demo(database_uri, "--rows", "10"))
        assert stored.boundwork_demo_flights.count_documents({}) >= before > 0
        assert first.poll() is None
        first.send_signal(signal.SIGINT)
        assert said(first)[0] == 130

    assert code == 1
    assert f"/{stored.name}: " in line
    assert f"process {first.pid} on " in line
    assert "Wait until it has ended" in line
    with connect(database_uri) as database, Presence(database, "third"):
        pass  # nobody is at work by now


def test_a_demo_that_was_killed_is_in_nobodys_way_for_long(database_uri: str, stored: Any) -> None:
    with at_its_work(database_uri, stored):
        pass
    # Here and not by another demo: its start may take longer than the killed one is in its way.
    with connect(database_uri) as database, pytest.raises(AtWork, match="is at work"):
        Presence(database, "second")
    make_silent(stored)
    # What the killed one had open would be waited for until the server gives it up.
    stored.client.admin.command("killAllSessions", [])

    with demo(database_uri, "--rows", "10") as second:
        assert second.wait(120) == 0
    assert stored.boundwork_demo_flights.count_documents({}) == 10


def test_a_server_that_is_killed_is_one_line_and_not_success() -> None:
    with RealMongod() as server:
        url = server.uri.replace("/?", "/shop?") + "&serverSelectionTimeoutMS=500"
        with MongoClient[dict[str, Any]](url) as client, at_its_work(url, client.shop) as running:
            server.close()
            code, line = said(running)

    assert code == 1
    assert line.startswith(f"boundwork: 127.0.0.1:{server.port}/shop: ")
    assert "no server could be selected" in line.lower()


def test_a_run_that_was_stopped_while_another_one_began_records_nothing_more(
    marked: Connection, stored: Any, quiet: None
) -> None:
    first, second = (Premises(marked, each, seconds=0) for each in ("first", "second"))
    flights = [records.flight(row) for row in data.flights(2)]
    with Presence(marked, "first"):
        first.run(lambda unit: unit.record_all(flights[:1]))
        with pytest.raises(AtWork, match="is at work"):
            Presence(marked, "second")
        make_silent(stored)
        with Presence(marked, "second"):
            with pytest.raises(AtWork, match="has begun"):
                first.run(lambda unit: unit.record_all(flights[1:]))
            with pytest.raises(AtWork, match="has begun"):
                first.run(lambda unit: unit.stock([], []))
            second.run(lambda unit: unit.record_all(flights[1:]))

    assert [flight["_id"] for flight in stored.boundwork_demo_flights.find()] == [flights[0].id, flights[1].id]


def test_a_run_that_ends_does_not_end_the_one_that_took_over(marked: Connection, stored: Any, quiet: None) -> None:
    with Presence(marked, "first"):
        make_silent(stored)
        second = Presence(marked, "second")
    with second, pytest.raises(AtWork):
        Presence(marked, "third")
    with Presence(marked, "third"):
        pass


def test_a_run_says_again_and_again_that_it_is_there(
    marked: Connection, stored: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(at_work, "BEAT_SECONDS", 0.01)

    def alive() -> Any:
        return stored.boundwork_demo.find_one({"_id": MARK})["alive"]

    with Presence(marked, "first"):
        began = alive()
        until(lambda: alive() > began)
        assert alive() > began
