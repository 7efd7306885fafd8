"""Fixtures for all tests: the servers, one database for each test, and proof that nothing is left behind.

A run that finds neither a mongod nor MONGODB_URI leaves the tests on a real server out and says so at its end; with
CI set it fails at once. The same goes for the embedded server.
"""

import gc
import os
import signal
import tempfile
import uuid
from collections.abc import AsyncIterator, Generator, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from pymongo import MongoClient

from boundwork import guard
from boundwork.errors import BoundworkError
from boundwork.uow.sessions.embedded import EmbeddedServer, require_embedded
from tests.backends import PATIENCE, Backend
from tests.failure import figures
from tests.servers import NoServer, RealMongod, empty, given_uri, left_behind, mongod_binary
from tests.several_processes import WholeFiles, number_of_processes, turn_of

Clients = dict[str, MongoClient[dict[str, Any]]]
missing_key = pytest.StashKey[dict[str, str]]()


def pytest_configure(config: pytest.Config) -> None:
    """Find out which servers there are not, and let Ctrl-C mean what it should."""
    # A run that a shell started in the background ignores Ctrl-C, and so would the programs that tests interrupt.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    missing: dict[str, str] = {}
    if given_uri() is None:
        try:
            mongod_binary()
        except NoServer as error:
            missing["mongod"] = str(error)
    try:
        require_embedded()
    except BoundworkError as error:
        missing["embedded"] = str(error)
    config.stash[missing_key] = missing
    # One of several processes cannot end the run when it has collected the tests, so it does not begin.
    if missing and config.getoption("numprocesses", None):
        _end_in_ci(*missing.values())


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Decide how many processes `-n auto` means."""
    return number_of_processes()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> WholeFiles:
    """Decide which tests go together."""
    return WholeFiles(config, log)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Let the collector look once at all that importing makes, and never again: it stays until the end."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.enable()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark the tests that need a mongod; leave out those whose server is missing, or end the run in CI."""
    if hasattr(config, "workerinput"):
        items.sort(key=turn_of)
    for item in items:
        needed = _servers_of(item)
        if "mongod" in needed:
            item.add_marker(pytest.mark.server)
        for server in needed & config.stash[missing_key].keys():
            reason = config.stash[missing_key][server]
            _end_in_ci(reason)
            item.add_marker(pytest.mark.skip(reason=reason))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say loudly that tests were left out, after the figures of the failure lab."""
    figures.show(terminalreporter)
    reasons = config.stash[missing_key].values()
    skipped = [str(report.longrepr) for report in terminalreporter.getreports("skipped")]
    left_out = sum(any(reason in text for reason in reasons) for text in skipped)
    if left_out:
        terminalreporter.section("NOT TESTED", red=True, bold=True)
        terminalreporter.line(f"{left_out} tests were left out for want of a server.", red=True)
        for reason in reasons:
            terminalreporter.line(reason, red=True)


def _end_in_ci(*reasons: str) -> None:
    if os.environ.get("CI"):
        pytest.exit(f"{' '.join(reasons)} (This is CI, where no test may be left out.)", returncode=1)


def _servers_of(item: pytest.Item) -> set[str]:
    fixtures: list[str] = getattr(item, "fixturenames", [])
    needed = {name for name in ("mongod", "embedded") if f"{name}_uri" in fixtures}
    callspec = getattr(item, "callspec", None)
    if item.get_closest_marker("server"):
        needed.add("mongod")
    if callspec is not None and "backend_name" in callspec.params:
        needed.add(callspec.params["backend_name"])
    return needed


@pytest.fixture(scope="session", autouse=True)
def nothing_left_behind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Put all temporary folders of servers in one place; afterwards none is there and no server runs."""
    place = tmp_path_factory.mktemp("servers")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", str(place))
        patch.setattr(tempfile, "tempdir", str(place))
        yield
    assert left_behind(place, os.getpid()) == []
    # What only the collector finds to be unclosed is reported here, with the last test: a process of xdist cannot later.
    gc.collect()


@pytest.fixture(scope="session")
def clients() -> Clients:
    """One client for each server that was started, by its name."""
    return {}


@pytest.fixture(scope="session")
def mongod_uri(clients: Clients) -> Iterator[str]:
    """Return the address of the real server, as `mongodb://host:port/?...`; MONGODB_URI comes first."""
    if given := given_uri():
        with _client_of("mongod", given, clients):
            yield given
    else:
        with RealMongod() as mongod, _client_of("mongod", mongod.uri, clients):
            yield f"{mongod.uri}&serverSelectionTimeoutMS=30000"


@pytest.fixture(scope="session")
def majority_uri(mongod_uri: str) -> str:
    """Return the address of the real server with a write concern, as everyone has it."""
    return f"{mongod_uri}{'&' if '?' in mongod_uri else '/?'}w=majority"


@pytest.fixture(scope="session")
def embedded_uri(clients: Clients) -> Iterator[str]:
    """Return the address of an embedded server whose data goes with it."""
    with EmbeddedServer() as server, _client_of("embedded", server.uri, clients):
        yield f"{server.uri}&serverSelectionTimeoutMS=30000"


@pytest.fixture(scope="session")
def mongod_client(mongod_uri: str, clients: Clients) -> MongoClient[dict[str, Any]]:
    """Return a client of the real server, shared by all tests."""
    return clients["mongod"]


@pytest.fixture
def database_name(clients: Clients, request: pytest.FixtureRequest) -> Iterator[str]:
    """Return a database name of this test only; its collections are dropped on the servers of the test afterwards."""
    name = f"test_{uuid.uuid4().hex[:16]}"
    yield name
    for server in _servers_of(request.node) & clients.keys():
        empty(clients[server], name)


@pytest.fixture
def database_uri(mongod_uri: str, database_name: str) -> str:
    """Return the address of the real server, which names the database of this test."""
    address, _, options = mongod_uri.partition("?")
    return f"{address.rstrip('/')}/{database_name}?{options}"


@pytest.fixture(params=["memory", "embedded", pytest.param("mongod", marks=pytest.mark.server)])
def backend_name(request: pytest.FixtureRequest) -> str:
    """Return the kind of database: the test runs on each."""
    return str(request.param)


@pytest.fixture
def backend_uri(backend_name: str, request: pytest.FixtureRequest) -> str | None:
    """Return the address of that database, started when it is first needed; None for memory."""
    return None if backend_name == "memory" else str(request.getfixturevalue(f"{backend_name}_uri"))


@pytest.fixture
async def backend(backend_name: str, backend_uri: str | None, clients: Clients) -> AsyncIterator[Backend]:
    """Return each kind of database in turn, with handles for both colours."""
    backend = Backend(backend_name, backend_uri, clients.get(backend_name))
    yield backend
    await backend.aclose()


@contextmanager
def _client_of(name: str, uri: str, clients: Clients) -> Generator[None]:
    with MongoClient[dict[str, Any]](uri, event_listeners=[guard()], **PATIENCE) as client:
        clients[name] = client
        yield
        del clients[name]
