"""Processes are killed in units with keys: what `outcome` says of each key agrees with the data, at once and for good."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from tests.failure.conftest import LONG, Record
from tests.failure.crashing import DEAD, Shop
from tests.servers import RealMongod

pytestmark = pytest.mark.server

ROUNDS = 100 if LONG else 15
WARM = 3
LONGEST_SECONDS = 0.02
ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def quick_server() -> Iterator[MongoClient[dict[str, Any]]]:
    """Return a client of a server that gives up transactions of dead clients after a second."""
    with RealMongod() as mongod, MongoClient[dict[str, Any]](mongod.uri) as client:
        client.admin.command("setParameter", 1, transactionLifetimeLimitSeconds=1)
        yield client


@contextmanager
def crashing(client: MongoClient[dict[str, Any]]) -> Generator[subprocess.Popen[str]]:
    assert client.address is not None
    uri = "mongodb://{}:{}/?directConnection=true".format(*client.address)
    command = [sys.executable, "-m", "tests.failure.crashing", uri, "crashes"]
    with subprocess.Popen(  # noqa: S603 - our own script
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def killed(process: subprocess.Popen[str], name: str, chance: random.Random) -> list[str]:
    """Let a child work for a moment, kill it, and return the keys that it began, in order."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(f"{name}\n")
    process.stdin.flush()
    lines = [process.stdout.readline() for _ in range(WARM)]
    child = int(lines[0].split()[0])
    time.sleep(chance.random() * LONGEST_SECONDS)
    os.kill(child, signal.SIGKILL)
    while not (line := process.stdout.readline()).endswith(f"{DEAD}\n"):
        lines.append(line)
    return [line.split()[1] for line in lines]


def test_after_a_crash_the_outcome_of_every_key_agrees_with_the_data(
    quick_server: MongoClient[dict[str, Any]], record: Record
) -> None:
    stored: Any = quick_server["crashes"]
    stored.counters.insert_one({"_id": 1, "number": 0})
    shop = Shop(stored)
    chance = random.Random(1)
    ends: dict[bool, int] = {True: 0, False: 0}
    committed: set[str] = set()
    with crashing(quick_server) as process:
        for number in range(ROUNDS):
            *_, before, last = killed(process, str(number), chance)
            for key in (before, last):
                happened = shop.outcome(key) is not None
                assert (stored.entries.find_one({"_id": key}) is not None) is happened
                committed |= {key} if happened else set()
            ends[last in committed] += 1
            assert before in committed
    assert committed <= {entry["_id"] for entry in stored.entries.find()}
    assert stored.counters.find_one()["number"] == stored.entries.count_documents({})
    assert stored.boundwork_units.count_documents({"receipt": None}) >= ends[False]
    record(rounds=ROUNDS, committed=ends[True], rolled_back=ends[False])
