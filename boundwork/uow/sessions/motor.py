"""The session of Motor, which is a `MongoClient` on other threads.

So this is the synchronous session of the client inside Motor, each of its commands one job of the event loop's own
threads. Those are not Motor's: calls of Motor that wait for what a unit has locked cannot keep the unit's commands
from running. Motor is never imported here, only recognised once the program has imported it.
"""

import asyncio
import sys
import warnings
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextvars import copy_context
from functools import partial
from typing import Any, TypeVar

from boundwork.uow.commands import Aggregate, BulkResult, BulkWrite, Count, Distinct, Find, FindAndUpdate, UniqueKey
from boundwork.uow.port import Batches
from boundwork.uow.run_sync import run_sync
from boundwork.uow.sessions.pymongo_commands import NEUTRAL, Handles
from boundwork.uow.sessions.synchronous import SynchronousSession

ReplyT = TypeVar("ReplyT")
CALLER_OF_THE_DEFINITION = 4


def is_motor_database(database: object) -> bool:
    """Tell whether this is a database of an `AsyncIOMotorClient`; where Motor is not imported there is none."""
    motor: Any = sys.modules.get("motor.motor_asyncio")  # Any: its classes are made at run time
    return motor is not None and isinstance(database, motor.AsyncIOMotorDatabase)


def motor_sessions(database: object) -> "Callable[[], MotorSession]":
    """Return what makes the sessions on a database of Motor, and warn that Motor comes to its end."""
    warnings.warn(
        "Motor is deprecated and gets critical fixes only until May 2027. "
        "Give AsyncUnitOfWork a database of pymongo.AsyncMongoClient; docs/guide/motor.md says what changes.",
        DeprecationWarning,
        stacklevel=CALLER_OF_THE_DEFINITION,
    )
    motor: Any = database
    return partial(MotorSession, Handles[Any].of(motor.delegate), motor.with_options(**NEUTRAL))


class MotorSession(SynchronousSession):
    """A `BoundSession` of one event loop whose commands run on threads, one at a time and each to its end.

    A task that is cancelled meanwhile learns it when the command is over, so nothing can overtake a command.
    """

    def __init__(self, handles: Handles[Any], motor: Any) -> None:
        """Prepare a session for a database of Motor; nothing is opened yet."""
        super().__init__(handles)
        self._motor = motor

    @property
    def database(self) -> Any:
        """The database of Motor for the program's own calls."""
        return self._motor

    async def find(self, command: Find) -> list[bytes]:
        """Return the matching documents as batches of concatenated BSON."""
        return await on_a_thread(super().find(command))

    async def count(self, command: Count) -> int:
        """Return the number of matching documents."""
        return await on_a_thread(super().count(command))

    async def distinct(self, command: Distinct) -> list[bytes]:
        """Return the values, each as the BSON of a document with the one field `v`."""
        return await on_a_thread(super().distinct(command))

    async def aggregate(self, command: Aggregate) -> list[bytes]:
        """Return the rows of a pipeline as batches of concatenated BSON."""
        return await on_a_thread(super().aggregate(command))

    async def stream(self, command: Find, batch_size: int) -> Batches:
        """Return the matching documents to be fetched batch by batch."""
        return MotorBatches(await super().stream(command, batch_size))

    async def explain(self, command: Find, verbosity: str) -> dict[str, Any]:
        """Return the server's plan for a query, asked in a session of its own."""
        return await on_a_thread(super().explain(command, verbosity))

    async def write(self, bulks: Sequence[BulkWrite]) -> list[BulkResult]:
        """Carry out the bulks, all in one command where the server can."""
        return await on_a_thread(super().write(bulks))

    async def command(self, command: Mapping[str, Any]) -> Mapping[str, Any]:
        """Send a command in the transaction and return the reply."""
        return await on_a_thread(super().command(command))

    async def find_and_update(self, command: FindAndUpdate) -> list[bytes]:
        """Update one document and return it as it was before, still encoded."""
        return await on_a_thread(super().find_and_update(command))

    async def unique_keys(self, collection: str) -> tuple[UniqueKey, ...]:
        """Return the collection's unique keys, asked in a session of its own."""
        return await on_a_thread(super().unique_keys(collection))

    async def find_aside(self, command: Find, seconds: float) -> list[bytes]:
        """Return what a majority of the members has, asked in a session of its own."""
        return await on_a_thread(super().find_aside(command, seconds))

    async def insert_aside(self, collection: str, document: dict[str, Any], seconds: float) -> None:
        """Insert a document that a majority of the members has, in a session of its own."""
        await on_a_thread(super().insert_aside(collection, document, seconds))

    async def create_aside(self, collection: str) -> None:
        """Make a collection, in a session of its own."""
        await on_a_thread(super().create_aside(collection))

    async def commit(self) -> None:
        """Commit, or send the commit again."""
        await on_a_thread(super().commit())

    async def probe(self) -> None:
        """Abort the transaction after its commit failed, to learn its fate."""
        await on_a_thread(super().probe())

    async def abort(self) -> None:
        """Abort the transaction if it is open."""
        await on_a_thread(super().abort())

    async def close(self) -> None:
        """End the session."""
        await on_a_thread(super().close())


class MotorBatches:
    """A cursor of the client inside Motor; each batch is one job on a thread."""

    def __init__(self, batches: Batches) -> None:
        """Fetch on threads what a synchronous session would."""
        self._batches = batches

    async def next(self) -> bytes | None:
        """Return the next batch, None at the end."""
        return await on_a_thread(self._batches.next())

    async def close(self) -> None:
        """Give up what was not fetched."""
        await on_a_thread(self._batches.close())


async def on_a_thread(command: Coroutine[Any, Any, ReplyT]) -> ReplyT:
    """Return what a command of the synchronous session returns; a cancellation waits until it is over."""
    loop = asyncio.get_running_loop()
    context = copy_context()
    running = loop.run_in_executor(None, lambda: context.run(run_sync, command))
    cancelled: asyncio.CancelledError | None = None
    while not running.done():
        try:
            await asyncio.wait([running])
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        running.exception()  # asked for, so that asyncio does not report it as forgotten
        raise cancelled
    return running.result()
