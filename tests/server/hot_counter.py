"""One counter that all workers raise: who locks it first gets through, who does not meets the others too late.

`python -m tests.server.hot_counter` prints the figures of docs/reliability.md.
"""

import sys
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from pymongo import MongoClient

from boundwork import Document, Repository, StaleDocument, UnitOfWork
from tests.servers import RealMongod

WORKERS = 10
INCREMENTS = 200


class Counting(Document[str], collection="counters"):
    value: int = 0


class Counters(UnitOfWork):
    counters = Repository(Counting)


Raise = Callable[[Counters], None]


def plainly(uow: Counters) -> None:
    uow.counters.get("hot").value += 1


def locked(uow: Counters) -> None:
    uow.counters.get("hot", for_update=True).value += 1


def named(uow: Counters) -> None:
    uow.lock("hot")
    uow.counters.get("hot").value += 1


WAYS: dict[str, Raise] = {"get": plainly, "get for_update": locked, "lock": named}


def race(database: Any, way: Raise) -> tuple[Counter[str], int]:
    """Let the workers raise the counter; return how the units ended, and what the counter is."""
    counters = Counters(database)
    with counters as uow:
        uow.counters.add(Counting(id="hot"))

    def increment(_: int) -> str:
        try:
            with counters as uow:
                way(uow)
        except StaleDocument:
            return "stale"
        return "committed"

    with ThreadPoolExecutor(WORKERS) as workers:
        ends = Counter(workers.map(increment, range(INCREMENTS)))
    with counters as uow:
        return ends, uow.counters.get("hot").value


def main() -> None:
    """Print the figures."""
    with RealMongod() as mongod, MongoClient[dict[str, Any]](mongod.uri) as client:
        for number, (name, way) in enumerate(WAYS.items()):
            ends, value = race(client[f"race_{number}"], way)
            sys.stdout.write(f"{name}: {ends['committed']} committed, {ends['stale']} stale, the counter is {value}\n")


if __name__ == "__main__":
    main()
