"""Fixtures of the failure lab: the replica set, how long a test lasts, and where its figures go."""

import os
from collections.abc import Callable, Iterator

import pytest

from tests.failure.replica_set import ReplicaSet
from tests.servers import NoServer, mongod_binary

LONG = os.environ.get("BOUNDWORK_LONG") == "1"
figures_key = pytest.StashKey[list[str]]()

Record = Callable[..., None]


@pytest.fixture(scope="session")
def started_set() -> Iterator[ReplicaSet]:
    """Start the replica set that the tests share."""
    try:
        mongod_binary()
    except NoServer as error:
        reason = f"The failure lab kills the servers it starts, so it needs a mongod of its own. {error}"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    with ReplicaSet() as replica_set:
        yield replica_set


@pytest.fixture
def replica_set(started_set: ReplicaSet) -> Iterator[ReplicaSet]:
    """Return three healthy members; whatever the test did to them is mended afterwards."""
    started_set.heal()
    yield started_set
    started_set.heal()


@pytest.fixture
def seconds() -> Callable[[float, float], float]:
    """Return a function that chooses between the seconds of CI and those of the long form."""
    return lambda short, long: long if LONG else short


@pytest.fixture
def record(request: pytest.FixtureRequest) -> Record:
    """Return a function that takes figures by name; they are printed at the end of the run."""

    def take(**figures: object) -> None:
        name = request.node.name
        line = ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in figures.items())
        request.config.stash.setdefault(figures_key, []).append(f"{name}: {line}")

    return take


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the figures of the lab."""
    lines: list[str] = config.stash.get(figures_key, list[str]())
    if lines:
        terminalreporter.section(f"failure lab, {'long' if LONG else 'CI'} form")
        for line in lines:
            terminalreporter.line(line)
