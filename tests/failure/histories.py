"""Workers that append to lists and read them, and write down what they did and saw: the input of the checker."""

import random
from collections import Counter
from collections.abc import Callable
from contextvars import Context
from itertools import count
from threading import Event, Thread
from typing import Any

from pymongo import MongoClient
from pymongo.read_concern import ReadConcern

from boundwork import BoundworkError, CommitOutcomeUnknown, Document, Repository, UnitOfWork
from tests.failure.checker import Attempt, History

WORKERS = 8
REGISTERS = 12
Stored = dict[str, Any]


class Register(Document[int], collection="registers"):
    values: list[int] = []


class Lists(UnitOfWork):
    registers = Repository(Register)


Append = Callable[[Register, int], None]


def append_in_the_unit(register: Register, value: int) -> None:
    """Change the object, as a program does."""
    register.values.append(value)


class Writers:
    """Workers in threads, each running one unit after another until told to stop; a context manager."""

    def __init__(self, client: MongoClient[Stored], seed: int, append: Append = append_in_the_unit) -> None:
        """Begin with empty lists; `append` is how a value is written."""
        self._stored = client["histories"].registers
        self._lists = Lists(client["histories"])
        self._append = append
        self._seed = seed
        self._over = Event()
        self._values = count(1)
        self._attempts: list[Attempt] = []
        self.failures = Counter[str]()
        self.replays = 0
        self.broken: list[BaseException] = []
        self._threads = [Thread(target=self._work, args=(worker,)) for worker in range(WORKERS)]
        with self._lists as uow:
            for number in range(REGISTERS):
                uow.registers.add(Register(id=number))

    def __enter__(self) -> "Writers":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

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
        registers = self._stored.with_options(read_concern=ReadConcern("majority")).find()
        return History(self._attempts, {found["_id"]: tuple(found["values"]) for found in registers})

    def _work(self, worker: int) -> None:
        chance = random.Random(self._seed * WORKERS + worker)
        try:
            while not self._over.is_set():
                self._unit(chance)
        except BaseException as error:
            self.broken.append(error)

    def _unit(self, chance: random.Random) -> None:
        attempt = Attempt()
        self._attempts.append(attempt)
        try:
            with self._lists as uow:
                for number in chance.choices(range(REGISTERS), k=chance.randint(1, 4)):
                    self._step(uow, attempt, number, writes=chance.random() < 0.5)
        except CommitOutcomeUnknown:
            attempt.committed = None
        except BoundworkError as error:
            self.failures[type(error).__name__] += 1
        else:
            attempt.committed = True
            self.replays += uow.receipt.replays

    def _step(self, uow: Lists, attempt: Attempt, number: int, *, writes: bool) -> None:
        """Read a list, perhaps append to it, and read it again from the server after the flush."""
        register = uow.registers.get(number)
        self._note(attempt, register)
        if writes:
            value = next(self._values)
            attempt.appends.append((number, value))
            self._append(register, value)
            uow.refresh(register)
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
