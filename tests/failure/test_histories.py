"""Units that append to lists while the primary steps down: their reads prove no anomaly; a planted fault shows."""

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pymongo import MongoClient

from boundwork.uow import replaying
from tests.failure.checker import Attempt, History
from tests.failure.components import components, reaches
from tests.failure.conftest import LONG, Record
from tests.failure.faults import repeat, step_down, until
from tests.failure.histories import Writers, outside_the_session
from tests.failure.replica_set import ReplicaSet
from tests.failure.workers import CLIENTS

FEWEST = 100
Stored = dict[str, Any]


@pytest.fixture
def client(replica_set: ReplicaSet) -> Iterator[MongoClient[Stored]]:
    with MongoClient[Stored](replica_set.uri) as client:
        yield client
        client.drop_database("histories")


@pytest.mark.server
@pytest.mark.usefixtures("client")
@pytest.mark.filterwarnings("ignore:Motor is deprecated")
@pytest.mark.parametrize("driver", list(CLIENTS) if LONG else ["sync", "async"])
def test_units_leave_no_anomaly_while_the_primary_steps_down(
    replica_set: ReplicaSet,
    seconds: Callable[[float, float], float],
    record: Record,
    driver: str,
) -> None:
    with Writers(driver, replica_set.uri, seed=11) as writers:
        time.sleep(seconds(2, 20))
        times = repeat(step_down, replica_set, seconds(8, 40))
        until(lambda: writers.committed >= FEWEST)
    found = writers.history().anomalies()
    record(
        stepdowns=times,
        units=writers.attempted,
        committed=writers.committed,
        failures=dict(writers.failures),
        replays=writers.replays,
        anomalies=dict(found),
    )
    assert writers.broken == []
    assert times > 0
    assert writers.committed >= FEWEST
    assert found == Counter()


@pytest.mark.server
@pytest.mark.usefixtures("client")
def test_the_checker_sees_writes_that_left_the_session(
    replica_set: ReplicaSet,
    seconds: Callable[[float, float], float],
    record: Record,
) -> None:
    with MongoClient[Stored](replica_set.uri) as other:
        with Writers("sync", replica_set.uri, seed=12, append=outside_the_session(other)) as writers:
            time.sleep(seconds(3, 10))
            until(lambda: writers.attempted >= FEWEST)
        found = writers.history().anomalies()
    record(units=writers.attempted, anomalies=dict(found))
    assert writers.broken == []
    assert found.keys() >= {"internal", "G-single", "lost update"}
    assert found["G0"] + found["G1c"] > 0


@pytest.mark.server
@pytest.mark.usefixtures("client")
@pytest.mark.parametrize("driver", ["sync", "async"])
def test_the_checker_sees_a_replay_that_does_not_compare_its_reads(
    replica_set: ReplicaSet,
    driver: str,
    seconds: Callable[[float, float], float],
    record: Record,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Rivals make most units repeat their log, so no server has to fail for this."""

    async def taken_for_the_same(*_: object) -> bool:
        return True

    monkeypatch.setattr(replaying, "_same", taken_for_the_same)
    with Writers(driver, replica_set.uri, seed=13) as writers:
        time.sleep(seconds(2, 10))
        until(lambda: writers.attempted >= FEWEST)
    found = writers.history().anomalies()
    record(units=writers.attempted, replays=writers.replays, anomalies=dict(found))
    assert writers.broken == []
    assert found.keys() >= {"G-single", "lost update"}


def unit(*steps: tuple[int, tuple[int, ...]] | tuple[int, int], committed: bool | None = True) -> Attempt:
    """Return a unit from its steps: a tuple of values is a read of a list, a single value an append to it."""
    attempt = Attempt(committed)
    for register, step in steps:
        if isinstance(step, int):
            attempt.appends.append((register, step))
        else:
            own = tuple(value for number, value in attempt.appends if number == register)
            attempt.reads.append((register, step, own))
    return attempt


X, Y = 1, 2
NAMED: dict[str, tuple[str, list[Attempt], dict[int, tuple[int, ...]]]] = {
    "two writers in different orders": ("G0", [unit((X, 1), (Y, 2)), unit((X, 3), (Y, 4))], {X: (1, 3), Y: (4, 2)}),
    "a read of what was rolled back": ("G1a", [unit((X, 1), committed=False), unit((X, (1,)))], {X: ()}),
    "a read between two appends of a unit": ("G1b", [unit((X, 1), (X, 2)), unit((X, (1,)))], {X: (1, 2)}),
    "two that saw each other": ("G1c", [unit((X, 1), (Y, (2,))), unit((Y, 2), (X, (1,)))], {X: (1,), Y: (2,)}),
    "read skew": ("G-single", [unit((X, ()), (Y, (2,))), unit((X, 1), (Y, 2))], {X: (1,), Y: (2,)}),
    "two appends to the same reading": ("lost update", [unit((X, ()), (X, 1)), unit((X, ()), (X, 2))], {X: (1, 2)}),
    "an append that is gone": ("lost append", [unit((X, 1))], {X: ()}),
    "an append that was done twice": ("duplicate append", [unit((X, 1))], {X: (1, 1)}),
    "a unit blind to its own append": ("internal", [unit((X, 1), (X, ()))], {X: (1,)}),
    "a list that was in another order": (
        "incompatible order",
        [unit((X, 1)), unit((X, (2,))), unit((X, 2))],
        {X: (1, 2)},
    ),
}


@pytest.mark.parametrize("what", NAMED)
def test_the_checker_names_each_anomaly(what: str) -> None:
    name, attempts, final = NAMED[what]
    assert name in History(attempts, final).anomalies()


def test_the_checker_finds_nothing_in_a_serial_history() -> None:
    attempts = [unit((X, ()), (X, 1), (X, (1,))), unit((X, (1,)), (X, 2), (Y, 3)), unit((X, (1, 2)), (Y, (3,)))]
    assert History(attempts, {X: (1, 2), Y: (3,)}).anomalies() == Counter()


def test_the_checker_allows_write_skew() -> None:
    attempts = [unit((X, ()), (Y, 1)), unit((Y, ()), (X, 2))]
    assert History(attempts, {X: (2,), Y: (1,)}).anomalies() == Counter()


def test_a_unit_of_unknown_outcome_counts_if_its_append_is_there() -> None:
    reader = unit((X, (1,)))
    assert History([unit((X, 1), committed=None), reader], {X: (1,)}).anomalies() == Counter()
    assert History([unit((X, 1), committed=None), unit((X, ()))], {X: ()}).anomalies() == Counter()
    assert "G1a" in History([unit((X, 1), committed=None), reader], {X: ()}).anomalies()


def test_components_are_the_nodes_that_reach_each_other() -> None:
    chance = random.Random(5)
    for _ in range(200):
        graph = {node: set(chance.sample(range(8), chance.randint(0, 3))) for node in range(8)}
        mutual = [{b for b in graph if reaches(graph, a, b) and reaches(graph, b, a)} for a in graph]
        assert {frozenset(nodes) for nodes in components(graph)} == {frozenset(m) for m in mutual if len(m) > 1}
