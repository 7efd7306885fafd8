"""The port on the in-memory database: one session and its transactions.

The states are a server's. A transaction takes its snapshot with its first command; a command that fails aborts
it, and what follows is told so. The methods never suspend, so both colours can drive them.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from enum import Enum
from functools import partial
from typing import Any, NoReturn, TypeVar

from boundwork.uow.commands import (
    Aggregate,
    BulkResult,
    BulkWrite,
    Count,
    Distinct,
    Find,
    FindAndUpdate,
    InsertOne,
    UniqueKey,
)
from boundwork.uow.failures import FailureKind, SessionFailure
from boundwork.uow.port import Batches
from boundwork.uow.sessions.memory import querying
from boundwork.uow.sessions.memory.batches import MemoryBatches
from boundwork.uow.sessions.memory.collection import Collection, Stored
from boundwork.uow.sessions.memory.refusals import (
    NO_SUCH_TRANSACTION,
    TRANSACTION_COMMITTED,
    TRANSIENT,
    misused,
    refused,
)
from boundwork.uow.sessions.memory.store import MemoryDatabase
from boundwork.uow.sessions.memory.versions import Transaction
from boundwork.uow.sessions.memory.writing import carry_out, find_and_update

T = TypeVar("T")


class State(Enum):
    """Where the session and its transaction are."""

    NEW = "the session was not opened"
    STARTING = "the transaction has no command yet"
    ACTIVE = "the transaction has a snapshot"
    FAILED = "a command failed and the transaction was aborted"
    COMMITTED = "the transaction was committed"
    ENDED = "the transaction was ended"
    CLOSED = "the session was ended"


class MemorySession:
    """A session of a `MemoryDatabase`; see `BoundSession` for its methods."""

    def __init__(self, database: MemoryDatabase, *, asynchronous: bool = False) -> None:
        """Belong to the database; `open` comes first. The colour decides how the session waits."""
        self._asynchronous = asynchronous
        self._store = database
        self._state = State.NEW
        self._transaction: Transaction | None = None
        self._commands = 0
        self._writes = 0

    async def open(self) -> None:
        """Put the session in a transaction; there is no driver to bind."""
        self._expect(State.NEW)
        self._state = State.STARTING

    async def find(self, command: Find) -> list[bytes]:
        """Return the matching documents as one batch of concatenated BSON."""
        found = self._run(lambda transaction: querying.find(self._of(command.collection), command, transaction))
        return [b"".join(found)] if found else []

    async def count(self, command: Count) -> int:
        """Return the number of matching documents."""
        return self._run(lambda transaction: querying.count(self._of(command.collection), command, transaction))

    async def distinct(self, command: Distinct) -> list[bytes]:
        """Return the values, each as the BSON of a document with the one field `v`."""
        return self._run(lambda transaction: querying.distinct(self._of(command.collection), command, transaction))

    async def aggregate(self, command: Aggregate) -> list[bytes]:
        """Refuse by the name of the first stage: there are no pipelines here."""
        stages = (name for stage in command.pipeline for name in stage)
        raise refused(next(stages, "an empty pipeline"), "aggregations")

    async def stream(self, command: Find, batch_size: int) -> Batches:
        """Return the matching documents as batches."""
        place = querying.place(self._of(command.collection), command)
        return MemoryBatches(command, batch_size, self._look, lambda: self._writes, place)

    async def explain(self, command: Find, verbosity: str) -> dict[str, Any]:
        """Refuse: there is no plan to explain."""
        raise refused(f"explain ({verbosity} of {command.collection})", "queries")

    async def write(self, bulks: Sequence[BulkWrite]) -> list[BulkResult]:
        """Carry out the bulks in order, each as one command."""
        self._writes += 1
        return [self._run(partial(self._write, bulk)) for bulk in bulks]

    async def command(self, command: Mapping[str, Any]) -> Mapping[str, Any]:
        """Refuse: commands are carried out by a server."""
        raise refused(f"the command {next(iter(command))}", "migrations")

    async def find_and_update(self, command: FindAndUpdate) -> list[bytes]:
        """Update one document and return it as it was before."""
        self._writes += 1
        return self._run(lambda transaction: find_and_update(command, self._of(command.collection), transaction))

    async def unique_keys(self, collection: str) -> tuple[UniqueKey, ...]:
        """Return the collection's unique keys, `_id` left out."""
        self._commands += 1
        return self._store.unique_keys(collection)

    async def find_aside(self, command: Find, seconds: float) -> list[bytes]:
        """Return what is committed."""
        del seconds
        found = self._alone(lambda transaction: querying.find(self._of(command.collection), command, transaction))
        return [b"".join(found)] if found else []

    async def insert_aside(self, collection: str, document: dict[str, Any], seconds: float) -> None:
        """Insert a document in a transaction of its own; who meets an open one is told so at once."""
        del seconds
        self._alone(partial(self._write, BulkWrite(collection, (InsertOne(document),))))

    async def create_aside(self, collection: str) -> None:
        """Do nothing: a collection is there as soon as it is named."""

    async def commit(self) -> None:
        """Commit the transaction; one that has no command yet sends nothing."""
        self._expect(State.STARTING, State.ACTIVE, State.FAILED, State.COMMITTED)
        if self._state is State.FAILED:
            self._commands += 1
            self._state = State.ENDED
            self._report_aborted()
        if self._transaction is not None:
            self._commands += 1
            with self._store.lock:
                self._store.history.commit(self._transaction)
            self._transaction = None
        self._state = State.COMMITTED

    async def probe(self) -> None:
        """Abort the transaction after its commit failed, to learn its fate."""
        self._commands += 1
        if self._state is State.COMMITTED:
            raise SessionFailure(FailureKind.SERVER, code=TRANSACTION_COMMITTED)
        failed = self._state in (State.FAILED, State.ENDED)
        self._drop()
        self._state = State.ENDED
        if failed:
            self._report_aborted()

    async def abort(self) -> None:
        """Abort the transaction if it is open."""
        self._commands += self._state in (State.ACTIVE, State.FAILED)
        self._drop()
        if self._state in (State.STARTING, State.ACTIVE, State.FAILED):
            self._state = State.ENDED

    async def overtake(self) -> None:
        """Abort: no command of this database can be under way."""
        await self.abort()

    async def begin(self) -> None:
        """Put the session in its next transaction."""
        self._expect(State.COMMITTED, State.ENDED)
        self._state = State.STARTING

    async def outlast(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Await what `work` makes: nothing of it waits."""
        await work()

    async def pause(self, seconds: float) -> None:
        """Let others of this process go on, since one of them stands in the way."""
        if self._asynchronous:
            await asyncio.sleep(seconds)
        else:
            time.sleep(seconds)  # noqa: ASYNC251 - a synchronous unit never suspends

    def may_repeat(self, error: BaseException | None) -> bool:
        """Tell that no error of a driver comes from here."""
        del error
        return False

    @property
    def foreign(self) -> bool:
        """Tell that there is no way into the transaction but this one."""
        return False

    def take_escaped(self) -> None:
        """Tell that no write can leave: there is no way into the database but this one."""

    async def bind(self) -> None:
        """Leave nothing to do: there is no driver that could be bound."""

    async def unbind(self) -> bool:
        """Leave nothing to undo: there is no driver that could be bound."""
        return False

    async def close(self) -> None:
        """End the session, and abort a transaction that is still open."""
        self._drop()
        self._state = State.CLOSED

    @property
    def commands(self) -> int:
        """The number of commands so far; each bulk is one."""
        return self._commands

    @property
    def operation_time(self) -> None:
        """None: this database has no clock."""
        return None

    @property
    def database(self) -> NoReturn:
        """Refuse: there is no driver behind the fake."""
        raise misused(
            "The in-memory database has no driver behind it. Use the repositories, or run this on a real server.",
        )

    def _look(self, commands: Sequence[Find]) -> list[list[Stored]]:
        return self._run(lambda now: [querying.ordered(self._of(one.collection), one, now) for one in commands])

    def _of(self, collection: str) -> Collection:
        return self._store.collection(collection)

    def _expect(self, *states: State) -> None:
        if self._state not in states:
            raise misused(f"This call is not possible now: {self._state.value}.")

    def _drop(self) -> None:
        transaction, self._transaction = self._transaction, None
        if transaction is not None:
            with self._store.lock:
                self._store.history.abort(transaction)

    @staticmethod
    def _report_aborted() -> NoReturn:
        raise SessionFailure(FailureKind.SERVER, code=NO_SUCH_TRANSACTION, labels=TRANSIENT)

    def _run(self, command: Callable[[Transaction], T]) -> T:
        """Carry out one command in the transaction, and abort the transaction if it fails."""
        self._expect(State.STARTING, State.ACTIVE, State.FAILED)
        self._commands += 1
        if self._state is State.FAILED:
            self._report_aborted()
        with self._store.lock:
            if self._transaction is None:
                self._transaction = self._store.history.begin()
                self._state = State.ACTIVE
            try:
                return command(self._transaction)
            except BaseException as error:
                self._drop()
                self._state = State.FAILED
                if isinstance(error, RecursionError):
                    raise misused("A value is nested too deeply.") from None
                raise

    def _alone(self, command: Callable[[Transaction], T]) -> T:
        """Carry out one command in a transaction of its own."""
        self._commands += 1
        with self._store.lock:
            transaction = self._store.history.begin()
            try:
                result = command(transaction)
            except BaseException:
                self._store.history.abort(transaction)
                raise
            self._store.history.commit(transaction)
            return result

    def _write(self, bulk: BulkWrite, transaction: Transaction) -> BulkResult:
        return carry_out(bulk, self._of(bulk.collection), transaction)
