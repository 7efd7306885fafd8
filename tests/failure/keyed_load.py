"""Callers that send each request with an idempotency key, twice: from two places at the same time, and again after errors.

A request writes a row, whose own id is new each time, so that a request that was carried out twice shows as two rows.
One caller of a pair has units that repeat themselves, the other has none and so meets every failure. After an error
they send the request again, or give it up; some forget how it ended, as after a restart, and send it once more. Somebody
else asks now and then what became of a request.
"""

import random
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from typing import Any

from boundwork import AlreadyCommitted, BoundworkError, Document, UnitFenced
from tests.contract.colours import define
from tests.failure.workers import Workers

PAIRS = 3
ASK_SECONDS = 0.2
GIVES_UP = 0.3
FORGETS = 0.2
# Some questions come before the request, and fence it.
AHEAD = 3


class Total(Document[int], collection="totals"):
    number: int = 0


class Row(Document, collection="rows"):
    request: str


def desks(colour: str, client: Any) -> list[Any]:
    """Return a definition of a colour whose units repeat themselves, and one whose units do not."""
    every: list[dict[str, Any]] = [{}, {"replay_seconds": 0.0}]
    return [define(colour, client["requests"], options, totals=Total, rows=Row) for options in every]


@dataclass
class Told:
    """What callers were told of their requests, by key."""

    acknowledged: set[str] = field(default_factory=set[str])
    fenced: set[str] = field(default_factory=set[str])
    given_up: set[str] = field(default_factory=set[str])
    failures: tuple[Counter[str], Counter[str]] = field(default_factory=lambda: (Counter[str](), Counter[str]()))
    repeated: int = 0
    twice: list[str] = field(default_factory=list[str])
    answers: list[tuple[str, bool]] = field(default_factory=list[tuple[str, bool]])


class KeyedLoad:
    """Pairs of callers with the same requests, and one who asks, until they are told to stop; a context manager."""

    def __init__(self, driver: str, uri: str, seed: int) -> None:
        """Know the driver and the server, which has the totals."""
        self.told = Told()
        self._seed = seed
        self._numbers = [0] * PAIRS
        self._workers = Workers(driver, uri, desks)
        callers = [partial(self._call_often, pair, twin) for pair in range(PAIRS) for twin in range(2)]
        self._workers.jobs = [*callers, self._ask_often]

    @property
    def broken(self) -> list[BaseException]:
        """The errors that no worker expected."""
        return self._workers.broken

    def __enter__(self) -> "KeyedLoad":
        self._workers.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._workers.__exit__()

    async def _call_often(self, pair: int, twin: int, shops: list[Any]) -> None:
        chance = random.Random(self._seed + 2 * pair + twin)
        for number in count():
            if self._workers.over.is_set():
                return
            self._numbers[pair] = number
            await self._request(shops[twin], f"{pair}-{number}", chance, self.told.failures[twin])

    async def _request(self, shop: Any, key: str, chance: random.Random, failures: Counter[str]) -> None:
        """Send a request until it is done, fenced or given up."""
        mine = False
        while True:
            try:
                async with shop.unit(idempotency_key=key) as uow:
                    (await uow.totals.get(int(key.split("-", maxsplit=1)[0]))).number += 1
                    uow.add(Row(request=key))
            except AlreadyCommitted:
                self.told.acknowledged.add(key)
                return
            except UnitFenced:
                self.told.fenced.add(key)
                return
            except BoundworkError as error:
                failures[type(error).__name__] += 1
                if chance.random() < GIVES_UP:
                    self.told.given_up.add(key)
                    return
            else:
                self.told.acknowledged.add(key)
                self.told.twice += [key] if mine else []
                mine = True
                if chance.random() > FORGETS:
                    return
            self.told.repeated += 1

    async def _ask_often(self, shops: list[Any]) -> None:
        chance = random.Random(self._seed)
        while not self._workers.over.is_set():
            pair = chance.randrange(PAIRS)
            key = f"{pair}-{max(0, self._numbers[pair] + chance.randint(-AHEAD, AHEAD))}"
            self.told.answers.append((key, await shops[0].outcome(key) is not None))
            await self._workers.pause(ASK_SECONDS)
