"""Fixtures of the failure lab: the replica set, how long a test lasts, and where its figures go."""

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pymongo import MongoClient

from tests.failure import figures
from tests.failure.proxy import Proxy
from tests.failure.replica_set import ReplicaSet
from tests.servers import NoServer, mongod_binary

LONG = figures.LONG
Record = Callable[..., None]
Stored = dict[str, Any]


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
def proxy(mongod_client: MongoClient[Stored]) -> Iterator[Proxy]:
    """Return a proxy before the real server."""
    address = mongod_client.address
    assert address is not None
    with Proxy(*address) as proxy:
        yield proxy


@pytest.fixture
def stored(mongod_client: MongoClient[Stored], database_name: str) -> Any:
    """Return the test's database, with one counter, as a client sees it that gets the server's own replies."""
    database = mongod_client[database_name]
    database.counters.insert_one({"_id": 1, "number": 0})
    return database


@pytest.fixture
def seconds() -> Callable[[float, float], float]:
    """Return a function that chooses between the seconds of CI and those of the long form."""
    return lambda short, long: long if LONG else short


@pytest.fixture
def record(request: pytest.FixtureRequest) -> Record:
    """Return a function that takes figures by name; they are printed at the end of the run."""

    def take(**taken: object) -> None:
        figures.note(request.node, ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in taken.items()))

    return take
