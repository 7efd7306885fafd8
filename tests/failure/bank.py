"""A bank under load: accounts, a ledger row in the unit of each transfer, and what workers know of the outcome.

The ledger has no unique key but its own id, so a transfer that was applied twice shows as two rows. Half of the workers
have two accounts each for themselves and meet no rival; the others share the rest.
"""

import random
import time
from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise
from threading import Event, Thread
from typing import Any

from boundwork import BoundworkError, CommitOutcomeUnknown, Document, Repository, UnitOfWork

ACCOUNTS = 20
OPENING = 1000
WORKERS = 10
ALONE = 5
READ_SECONDS = 0.05


class Account(Document[int], collection="accounts"):
    balance: int = OPENING


class Transfer(Document, collection="ledger"):
    operation: str
    source: int
    target: int
    amount: int


class Bank(UnitOfWork):
    accounts = Repository(Account)
    ledger = Repository(Transfer)


@dataclass
class Outcomes:
    """What one worker was told, and how often its bodies ran."""

    acknowledged: dict[str, float] = field(default_factory=dict[str, float])
    failed: dict[str, BoundworkError] = field(default_factory=dict[str, BoundworkError])
    unknown: set[str] = field(default_factory=set[str])
    bodies: Counter[str] = field(default_factory=Counter[str])
    replays: int = 0
    bad_reads: int = 0
    reads: int = 0
    broken: list[BaseException] = field(default_factory=list[BaseException])

    def take(self, other: "Outcomes") -> None:
        """Add what another worker was told."""
        self.acknowledged |= other.acknowledged
        self.failed |= other.failed
        self.unknown |= other.unknown
        self.bodies += other.bodies
        self.replays += other.replays
        self.bad_reads += other.bad_reads
        self.reads += other.reads
        self.broken += other.broken

    def runs(self, *, alone: bool) -> dict[int, int]:
        """Return how many transfers took how many runs of their body: those of workers without or with rivals."""
        chosen = [runs for operation, runs in self.bodies.items() if (int(operation.split("-")[0]) < ALONE) is alone]
        return dict(sorted(Counter(chosen).items()))

    def gap(self, began: float, ended: float) -> float:
        """Return the longest time without an acknowledged transfer."""
        moments = [began, *sorted(self.acknowledged.values()), ended]
        return max(later - earlier for earlier, later in pairwise(moments))


class Load:
    """Workers that transfer until they are told to stop, and one reader; a context manager."""

    def __init__(self, shop: Bank, seed: int) -> None:
        """Open the accounts."""
        self._shop = shop
        self._over = Event()
        self._seed = seed
        self.outcomes = Outcomes()
        self._each = [Outcomes() for _ in range(WORKERS + 1)]
        self.began = self.ended = 0.0
        with shop as uow:
            for number in range(ACCOUNTS):
                uow.accounts.add(Account(id=number))

    def __enter__(self) -> "Load":
        self.began = time.monotonic()
        jobs: list[Any] = [self._transfer_often] * WORKERS + [self._read_often]
        self._threads = [
            Thread(target=self._guarded, args=(job, number, outcomes))
            for number, (job, outcomes) in enumerate(zip(jobs, self._each, strict=True))
        ]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self.ended = time.monotonic()
        for thread in self._threads:
            thread.join()
        for outcomes in self._each:
            self.outcomes.take(outcomes)

    def _guarded(self, job: Any, number: int, outcomes: Outcomes) -> None:
        try:
            job(number, outcomes)
        except BaseException as error:
            outcomes.broken.append(error)

    def _transfer_often(self, worker: int, outcomes: Outcomes) -> None:
        chance = random.Random(self._seed * WORKERS + worker)
        number = 0
        while not self._over.is_set():
            number += 1
            operation = f"{worker}-{number}"
            source, target = chance.sample(_accounts_of(worker), 2)
            self._transfer(operation, (source, target, chance.randint(1, 9)), outcomes)

    def _transfer(self, operation: str, order: tuple[int, int, int], outcomes: Outcomes) -> None:
        source, target, amount = order
        units: list[Bank] = []

        def body(uow: Bank) -> None:
            units.append(uow)
            uow.accounts.get(source).balance -= amount
            uow.accounts.get(target).balance += amount
            uow.add(Transfer(operation=operation, source=source, target=target, amount=amount))

        try:
            self._shop.run(body)
        except CommitOutcomeUnknown:
            outcomes.unknown.add(operation)
        except BoundworkError as error:
            outcomes.failed[operation] = error
        else:
            outcomes.acknowledged[operation] = time.monotonic()
        outcomes.bodies[operation] = len(units)
        outcomes.replays += sum(unit.receipt.replays for unit in units)

    def _read_often(self, _: int, outcomes: Outcomes) -> None:
        while not self._over.wait(READ_SECONDS):
            balances = self._shop.run(lambda uow: [account.balance for account in uow.accounts.find().to_list()])
            outcomes.reads += 1
            outcomes.bad_reads += (len(balances), sum(balances)) != (ACCOUNTS, ACCOUNTS * OPENING)


def _accounts_of(worker: int) -> range:
    return range(2 * worker, 2 * worker + 2) if worker < ALONE else range(2 * ALONE, ACCOUNTS)
