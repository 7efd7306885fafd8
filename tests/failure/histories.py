"""Workers that append to lists and read them, and write down what they did and saw: the input of the checker."""

import random
from collections import Counter
from collections.abc import Callable
from contextvars import Context
from functools import partial
from itertools import count
from typing import Any

from pymongo import MongoClient
from pymongo.read_concern import ReadConcern

from boundwork import BoundworkError, CommitOutcomeUnknown, Document
from tests.contract.colours import define
from tests.failure.checker import Attempt, History
from tests.failure.workers import Workers

WORKERS = 8
REGISTERS = 12
Stored = dict[str, Any]


class Register(Document[int], collection="registers"):
    values: list[int] = []


def lists(colour: str, client: Any) -> Any:
    """Return a definition of a colour."""
    return define(colour, client["histories"], registers=Register)


Append = Callable[[Register, int], None]


def append_in_the_unit(register: Register, value: int) -> None:
    """Change the object, as a program does."""
    register.values.append(value)


class Writers:
    """Workers that run one unit after another until they are told to stop; a context manager."""

    def __init__(self, driver: str, uri: str, seed: int, append: Append = append_in_the_unit) -> None:
        """Begin with empty lists; `append` is how a value is written."""
        self._uri = uri
        self._append = append
        self._seed = seed
        self._workers = Workers(driver, uri, lists)
        self._workers.jobs = [partial(self._work, worker) for worker in range(WORKERS)]
        self._values = count(1)
        self._attempts: list[Attempt] = []
        self.failures = Counter[str]()
        self.replays = 0
        with MongoClient[Stored](uri) as client:
            client["histories"].registers.insert_many([{"_id": number, "values": []} for number in range(REGISTERS)])

    @property
    def broken(self) -> list[BaseException]:
        """The errors that no worker expected."""
        return self._workers.broken

    def __enter__(self) -> "Writers":
        self._workers.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._workers.__exit__()

    @property
    def committed(self) -> int:
        """The number of units that were acknowledged."""
        return sum(attempt.committed is True for attempt in self._attempts)

    @property
    def attempted(self) -> int:
        """The number of units."""
        return len(self._attempts)

    def history(self) -> History:
        """Return what happened, with the lists as they are now."""
        with MongoClient[Stored](self._uri) as client:
            registers = client["histories"].registers.with_options(read_concern=ReadConcern("majority")).find()
            return History(self._attempts, {found["_id"]: tuple(found["values"]) for found in registers})

    async def _work(self, worker: int, shop: Any) -> None:
        chance = random.Random(self._seed * WORKERS + worker)
        while not self._workers.over.is_set():
            await self._unit(chance, shop)

    async def _unit(self, chance: random.Random, shop: Any) -> None:
        attempt = Attempt()
        self._attempts.append(attempt)
        try:
            async with shop as uow:
                for number in chance.choices(range(REGISTERS), k=chance.randint(1, 4)):
                    await self._step(uow, attempt, number, writes=chance.random() < 0.5)
        except CommitOutcomeUnknown:
            attempt.committed = None
        except BoundworkError as error:
            self.failures[type(error).__name__] += 1
        else:
            attempt.committed = True
            self.replays += uow.receipt.replays

    async def _step(self, uow: Any, attempt: Attempt, number: int, *, writes: bool) -> None:
        """Read a list, perhaps append to it, and read it again from the server after the flush."""
        register = await uow.registers.get(number)
        self._note(attempt, register)
        if writes:
            value = next(self._values)
            attempt.appends.append((number, value))
            self._append(register, value)
            await uow.refresh(register)
            self._note(attempt, register)

    @staticmethod
    def _note(attempt: Attempt, register: Register) -> None:
        own = tuple(value for number, value in attempt.appends if number == register.id)
        attempt.reads.append((register.id, tuple(register.values), own))


def outside_the_session(client: MongoClient[Stored]) -> Append:
    """Return a planted fault: a way to append that is not in the unit's transaction."""
    registers = client["histories"].registers

    def append(register: Register, value: int) -> None:
        Context().run(registers.update_one, {"_id": register.id}, {"$push": {"values": value}})

    return append
