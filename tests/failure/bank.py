"""A bank under load: accounts, a ledger row in the unit of each transfer, and what workers know of the outcome.

The ledger has no unique key but its own id, so a transfer that was applied twice shows as two rows. Half of the workers
have two accounts each for themselves and meet no rival; the others share the rest.
"""

import random
import time
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from typing import Any

from boundwork import BoundworkError, CommitOutcomeUnknown, Document
from tests.contract.colours import define
from tests.failure.workers import Workers

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


def bank(colour: str, client: Any) -> Any:
    """Return a definition of a colour."""
    return define(colour, client["bank"], accounts=Account, ledger=Transfer)


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

    def take(self, other: "Outcomes") -> None:
        """Add what another worker was told."""
        self.acknowledged |= other.acknowledged
        self.failed |= other.failed
        self.unknown |= other.unknown
        self.bodies += other.bodies
        self.replays += other.replays
        self.bad_reads += other.bad_reads
        self.reads += other.reads

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

    def __init__(self, driver: str, uri: str, seed: int) -> None:
        """Know the driver and the server, which has the accounts."""
        self._workers = Workers(driver, uri, bank)
        self._seed = seed
        self.outcomes = Outcomes()
        self._each = [Outcomes() for _ in range(WORKERS + 1)]
        self.began = self.ended = 0.0

    @property
    def broken(self) -> list[BaseException]:
        """The errors that no worker expected."""
        return self._workers.broken

    @property
    def acknowledged(self) -> int:
        """How many transfers were acknowledged until now."""
        return sum(len(outcomes.acknowledged) for outcomes in self._each)

    def __enter__(self) -> "Load":
        self.began = time.monotonic()
        *transferring, reading = self._each
        transfers = [partial(self._transfer_often, number, outcomes) for number, outcomes in enumerate(transferring)]
        self._workers.jobs = [*transfers, partial(self._read_often, reading)]
        self._workers.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.ended = time.monotonic()
        self._workers.__exit__()
        for outcomes in self._each:
            self.outcomes.take(outcomes)

    async def _transfer_often(self, worker: int, outcomes: Outcomes, shop: Any) -> None:
        chance = random.Random(self._seed * WORKERS + worker)
        number = 0
        while not self._workers.over.is_set():
            number += 1
            operation = f"{worker}-{number}"
            source, target = chance.sample(_accounts_of(worker), 2)
            await _transfer(shop, operation, (source, target, chance.randint(1, 9)), outcomes)

    async def _read_often(self, outcomes: Outcomes, shop: Any) -> None:
        async def body(uow: Any) -> list[int]:
            return [account.balance for account in await uow.accounts.find().to_list()]

        while not self._workers.over.is_set():
            balances = await shop.run(body)
            outcomes.reads += 1
            outcomes.bad_reads += (len(balances), sum(balances)) != (ACCOUNTS, ACCOUNTS * OPENING)
            await self._workers.pause(READ_SECONDS)


async def _transfer(shop: Any, operation: str, order: tuple[int, int, int], outcomes: Outcomes) -> None:
    source, target, amount = order
    units: list[Any] = []

    async def body(uow: Any) -> None:
        units.append(uow)
        (await uow.accounts.get(source)).balance -= amount
        (await uow.accounts.get(target)).balance += amount
        uow.add(Transfer(operation=operation, source=source, target=target, amount=amount))

    try:
        await shop.run(body)
    except CommitOutcomeUnknown:
        outcomes.unknown.add(operation)
    except BoundworkError as error:
        outcomes.failed[operation] = error
    else:
        outcomes.acknowledged[operation] = time.monotonic()
    outcomes.bodies[operation] = len(units)
    outcomes.replays += sum(unit.receipt.replays for unit in units)


def _accounts_of(worker: int) -> range:
    return range(2 * worker, 2 * worker + 2) if worker < ALONE else range(2 * ALONE, ACCOUNTS)
