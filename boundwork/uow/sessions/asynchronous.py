"""The session of PyMongo's `AsyncMongoClient`.

Every call passes `session=` itself. The binding is for the program's own calls of the driver inside the block; it
is undone apart from the end of the session, so that neither can be skipped.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

from bson.timestamp import Timestamp
from pymongo import timeout
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase

from boundwork.uow.commands import Aggregate, BulkResult, BulkWrite, Count, Distinct, Find, FindAndUpdate, UniqueKey
from boundwork.uow.escapes import EscapedWrite
from boundwork.uow.port import Batches
from boundwork.uow.sessions.bookkeeping import Bookkeeping
from boundwork.uow.sessions.cursors import AsynchronousBatches
from boundwork.uow.sessions.embedded_gaps import refuse_ignored
from boundwork.uow.sessions.guard import Watch, meant
from boundwork.uow.sessions.left_behind import leave_behind
from boundwork.uow.sessions.probing import abort_after_commit
from boundwork.uow.sessions.pymongo_commands import (
    BY_MAJORITY,
    ENCODED,
    EXACT,
    Handles,
    bulk_result,
    client_requests,
    count_arguments,
    distinct_command,
    explain_command,
    find_arguments,
    find_command,
    listed_by,
    raw_batches,
    takes_client_bulks,
    unique_keys,
)
from boundwork.uow.sessions.pymongo_failures import failures_of, is_transient
from boundwork.uow.sessions.replies import cursor_of, found_in
from boundwork.uow.sessions.set_commands import changed_by, find_and_update_command
from boundwork.uow.sessions.write_commands import command_result, without_errors, write_commands, writes_of

logger = logging.getLogger("boundwork.session")


class AsynchronousSession:
    """A `BoundSession` of one event loop."""

    def __init__(self, handles: Handles[AsyncDatabase[Any]]) -> None:
        """Prepare a session for a database; nothing is opened yet."""
        self._given = handles.given
        self._neutral = handles.neutral
        self._stored = handles.stored
        self._options = handles.options
        self._binding: AbstractAsyncContextManager[AsyncClientSession] | None = None
        self._session: AsyncClientSession
        self._books = Bookkeeping()
        self._watch = Watch() if handles.guarded else None
        self._going_on: asyncio.Future[None] | None = None

    def may_repeat(self, error: BaseException | None) -> bool:
        """Tell whether an error of the driver itself says that the transaction may be tried again."""
        return is_transient(error)

    @property
    def database(self) -> AsyncDatabase[Any]:
        """The database for the program's own calls."""
        return self._neutral

    @property
    def commands(self) -> int:
        """The number of commands sent so far."""
        return self._books.commands

    @property
    def operation_time(self) -> Timestamp | None:
        """The server's time of the last command; None before the first."""
        return None if self._books.session is None else self._session.operation_time

    @property
    def foreign(self) -> bool:
        """Tell whether the program's own calls were sent in the present transaction."""
        return self._books.foreign

    def take_escaped(self) -> EscapedWrite | None:
        """Return the first write that left the session, and forget it."""
        return None if self._watch is None else self._watch.take()

    async def open(self) -> None:
        """Start the session, bind it, and put it in a transaction."""
        with failures_of():
            self._session = self._books.watch(self._given.client.start_session())
            await self._bind()
            await self._session.start_transaction(**self._options)
        self._books.begin()

    async def begin(self) -> None:
        """Put the session in its next transaction."""
        with failures_of():
            await self._session.start_transaction(**self._options)
        self._books.begin()

    async def find(self, command: Find) -> list[bytes]:
        """Return the matching documents as batches of concatenated BSON."""
        with self._books.own():
            asked = find_command(command)
            reply = await self._neutral.command(asked, codec_options=ENCODED, session=self._session)
        batches = found_in(reply)
        while command.limit != 1 and (cursor := cursor_of(reply)):
            with self._books.own():
                asked = {"getMore": cursor, "collection": command.collection}
                reply = await self._neutral.command(asked, codec_options=ENCODED, session=self._session)
            batches += found_in(reply)
        return batches

    async def count(self, command: Count) -> int:
        """Return the number of matching documents."""
        collection = self._stored[command.collection]
        with self._books.own():
            return await collection.count_documents(session=self._session, **count_arguments(command))

    async def distinct(self, command: Distinct) -> list[bytes]:
        """Return the values, each as the BSON of a document with the one field `v`."""
        with self._books.own():
            asked = distinct_command(command)
            return listed_by(await self._neutral.command(asked, codec_options=EXACT, session=self._session))

    async def aggregate(self, command: Aggregate) -> list[bytes]:
        """Return the rows of a pipeline as batches of concatenated BSON."""
        collection = self._stored[command.collection]
        refuse_ignored(self._given.client, command.pipeline)
        with self._books.own():
            cursor = await collection.aggregate_raw_batches(list(command.pipeline), session=self._session)
            batches = raw_batches(await cursor.to_list())
        self._books.commands += max(0, len(batches) - 1)
        return batches

    async def stream(self, command: Find, batch_size: int) -> Batches:
        """Return the matching documents to be fetched batch by batch."""
        arguments = {**find_arguments(command), "batch_size": batch_size}
        cursor = self._stored[command.collection].find_raw_batches(session=self._session, **arguments)
        return AsynchronousBatches(cursor, self._books)

    async def explain(self, command: Find, verbosity: str) -> dict[str, Any]:
        """Return the server's plan for a query, asked in a session of its own."""
        self._books.commands += 1
        with failures_of():
            async with self._given.client.start_session() as aside:
                return await self._stored.command(explain_command(command, verbosity), session=aside)

    async def write(self, bulks: Sequence[BulkWrite]) -> list[BulkResult]:
        """Carry out the bulks, all in one command where the server can."""
        if len(bulks) > 1 and takes_client_bulks(self._given.client, begun=self._books.begun):
            return [await self._write_together(bulks)]
        return [await self._write(bulk) for bulk in bulks]

    async def _write(self, bulk: BulkWrite) -> BulkResult:
        result, sent = BulkResult(), 0
        with failures_of([bulk]):
            commands = write_commands(bulk)
        for command in commands:
            with self._books.own(1, [bulk]):
                reply = await self._stored.command(command, session=self._session)
                result = command_result(command, reply, result, sent)
            sent += writes_of(command)
        return result

    async def _write_together(self, bulks: Sequence[BulkWrite]) -> BulkResult:
        with self._books.own(1, bulks):
            client: Any = self._given.client  # checkers cannot tell the type of its requests
            requests = client_requests(bulks, self._given.name)
            return bulk_result(await client.bulk_write(requests, session=self._session))

    async def command(self, command: Mapping[str, Any]) -> Mapping[str, Any]:
        """Send a command in the transaction and return the reply."""
        with self._books.own():
            reply = await self._neutral.command(dict(command), codec_options=EXACT, session=self._session)
            return without_errors(command, reply)

    async def find_and_update(self, command: FindAndUpdate) -> list[bytes]:
        """Update one document and return it as it was before, still encoded."""
        asked = find_and_update_command(command)
        with self._books.own():
            return changed_by(await self._neutral.command(asked, codec_options=ENCODED, session=self._session))

    async def unique_keys(self, collection: str) -> tuple[UniqueKey, ...]:
        """Return the collection's unique keys, asked in a session of its own."""
        self._books.commands += 1
        with failures_of():
            async with self._given.client.start_session() as aside:
                indexes = await self._stored[collection].list_indexes(session=aside)
                return unique_keys([index async for index in indexes])

    async def find_aside(self, command: Find, seconds: float) -> list[bytes]:
        """Return what a majority of the members has, asked in a session of its own."""
        self._books.commands += 1
        with failures_of(), timeout(seconds):
            async with self._given.client.start_session() as aside:
                if (seen := self.operation_time) is not None:
                    aside.advance_operation_time(seen)
                collection = self._stored.get_collection(command.collection, **BY_MAJORITY)
                cursor = collection.find_raw_batches(session=aside, **find_arguments(command))
                return raw_batches(await cursor.to_list())

    async def insert_aside(self, collection: str, document: dict[str, Any], seconds: float) -> None:
        """Insert a document that a majority of the members has, in a session of its own."""
        self._books.commands += 1
        with failures_of(), timeout(seconds), meant():
            async with self._given.client.start_session() as aside:
                alone = self._stored.get_collection(collection, **BY_MAJORITY)
                await alone.insert_one(document, session=aside)

    async def create_aside(self, collection: str) -> None:
        """Make a collection, in a session of its own."""
        self._books.commands += 1
        with failures_of(), meant():
            async with self._given.client.start_session() as aside:
                await self._stored.command("create", collection, session=aside)

    async def commit(self) -> None:
        """Commit, or send the commit again."""
        with self._books.own(int(self._books.begun)):
            await self._session.commit_transaction()

    async def probe(self) -> None:
        """Abort the transaction after its commit failed, to learn its fate."""
        with self._books.own(), abort_after_commit(self._session, self._options) as command:
            await self._given.client.admin.command(command, session=self._session)

    async def abort(self) -> None:
        """Abort the transaction if it is open."""
        if self._session.in_transaction:
            with self._books.own(int(self._books.begun)):
                await self._session.abort_transaction()
            if self._watch is not None:
                self._watch.raise_failed_abort()

    async def overtake(self) -> None:
        """Abort, and use the next transaction number: what is still under way is refused by the server then.

        An abort alone could arrive before the statement that was interrupted and that begins the transaction.
        """
        await self.abort()
        await self.begin()
        with self._books.own():
            await self._stored.command("find", "boundwork", limit=1, session=self._session)
        await self.abort()

    async def outlast(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Await what `work` makes, or the work that still goes on; cancelled, it goes on in the background."""
        if self._going_on is None or self._going_on.done():
            self._going_on = asyncio.ensure_future(work())
        try:
            await asyncio.shield(self._going_on)
        except asyncio.CancelledError:
            self._going_on.add_done_callback(_report)
            raise

    async def pause(self, seconds: float) -> None:
        """Wait without doing anything."""
        await asyncio.sleep(seconds)

    async def bind(self) -> None:
        """Make the session that of the driver's calls in this context."""
        with failures_of():
            await self._bind()

    async def _bind(self) -> None:
        self._binding = self._session.bind(end_session=False)
        await self._binding.__aenter__()
        if self._watch is not None:
            self._watch.begin(self._session)

    async def unbind(self) -> bool:
        """Undo the binding, where this is the context that it was made in; tell whether there was one to undo."""
        if self._binding is None:
            return False
        try:
            await self._binding.__aexit__(None, None, None)
            if self._watch is not None:
                self._watch.suspend()
        except ValueError:
            leave_behind(self._session, self.unbind)
            return False
        self._binding = None
        return True

    async def close(self) -> None:
        """End the session, after what goes on in the background."""
        if self._watch is not None:
            self._watch.end()
        if self._going_on is None or self._going_on.done():
            await self._close()
        else:
            self._going_on.add_done_callback(self._close_later)

    async def _close(self) -> None:
        with failures_of():
            if self._books.session is not None:
                await self._session.end_session()

    def _close_later(self, _: asyncio.Future[None]) -> None:
        self._going_on = asyncio.ensure_future(self._close())


def _report(ended: asyncio.Future[None]) -> None:
    """Log the failure of work whose task was cancelled: nobody else learns of it."""
    if not ended.cancelled() and (failure := ended.exception()) is not None:
        logger.warning("what went on after a task was cancelled failed: %s", failure)
