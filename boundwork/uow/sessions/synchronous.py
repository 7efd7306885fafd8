"""The session of PyMongo's `MongoClient`.

Every call passes `session=` itself. The binding is for the program's own calls of the driver inside the block; it
is undone apart from the end of the session, so that neither can be skipped.
"""

import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

from bson.timestamp import Timestamp
from pymongo import timeout
from pymongo.client_session import ClientSession
from pymongo.database import Database

from boundwork.uow.commands import Aggregate, BulkResult, BulkWrite, Count, Distinct, Find, FindAndUpdate, UniqueKey
from boundwork.uow.escapes import EscapedWrite
from boundwork.uow.port import Batches
from boundwork.uow.sessions.bookkeeping import Bookkeeping
from boundwork.uow.sessions.cursors import SynchronousBatches
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


class SynchronousSession:
    """A `BoundSession` whose coroutines never suspend."""

    def __init__(self, handles: Handles[Database[Any]]) -> None:
        """Prepare a session for a database; nothing is opened yet."""
        self._given = handles.given
        self._neutral = handles.neutral
        self._stored = handles.stored
        self._options = handles.options
        self._binding: AbstractContextManager[ClientSession] | None = None
        self._session: ClientSession
        self._books = Bookkeeping()
        self._watch = Watch() if handles.guarded else None

    def may_repeat(self, error: BaseException | None) -> bool:
        """Tell whether an error of the driver itself says that the transaction may be tried again."""
        return is_transient(error)

    @property
    def database(self) -> Database[Any]:
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
            self._bind()
            self._session.start_transaction(**self._options)
        self._books.begin()

    async def begin(self) -> None:
        """Put the session in its next transaction."""
        with failures_of():
            self._session.start_transaction(**self._options)
        self._books.begin()

    async def find(self, command: Find) -> list[bytes]:
        """Return the matching documents as batches of concatenated BSON."""
        with self._books.own():
            asked = find_command(command)
            reply = self._neutral.command(asked, codec_options=ENCODED, session=self._session)
        batches = found_in(reply)
        while command.limit != 1 and (cursor := cursor_of(reply)):
            with self._books.own():
                asked = {"getMore": cursor, "collection": command.collection}
                reply = self._neutral.command(asked, codec_options=ENCODED, session=self._session)
            batches += found_in(reply)
        return batches

    async def count(self, command: Count) -> int:
        """Return the number of matching documents."""
        with self._books.own():
            collection = self._stored[command.collection]
            return collection.count_documents(session=self._session, **count_arguments(command))

    async def distinct(self, command: Distinct) -> list[bytes]:
        """Return the values, each as the BSON of a document with the one field `v`."""
        with self._books.own():
            asked = distinct_command(command)
            return listed_by(self._neutral.command(asked, codec_options=EXACT, session=self._session))

    async def aggregate(self, command: Aggregate) -> list[bytes]:
        """Return the rows of a pipeline as batches of concatenated BSON."""
        collection = self._stored[command.collection]
        refuse_ignored(self._given.client, command.pipeline)
        with self._books.own():
            cursor = collection.aggregate_raw_batches(list(command.pipeline), session=self._session)
            batches = raw_batches(list(cursor))
        self._books.commands += max(0, len(batches) - 1)
        return batches

    async def stream(self, command: Find, batch_size: int) -> Batches:
        """Return the matching documents to be fetched batch by batch."""
        arguments = {**find_arguments(command), "batch_size": batch_size}
        cursor = self._stored[command.collection].find_raw_batches(session=self._session, **arguments)
        return SynchronousBatches(cursor, self._books)

    async def explain(self, command: Find, verbosity: str) -> dict[str, Any]:
        """Return the server's plan for a query, asked in a session of its own."""
        self._books.commands += 1
        with failures_of(), self._given.client.start_session() as aside:
            return self._stored.command(explain_command(command, verbosity), session=aside)

    async def write(self, bulks: Sequence[BulkWrite]) -> list[BulkResult]:
        """Carry out the bulks, all in one command where the server can."""
        if len(bulks) > 1 and takes_client_bulks(self._given.client, begun=self._books.begun):
            return [self._write_together(bulks)]
        return [self._write(bulk) for bulk in bulks]

    def _write(self, bulk: BulkWrite) -> BulkResult:
        result, sent = BulkResult(), 0
        with failures_of([bulk]):
            commands = write_commands(bulk)
        for command in commands:
            with self._books.own(1, [bulk]):
                reply = self._stored.command(command, session=self._session)
                result = command_result(command, reply, result, sent)
            sent += writes_of(command)
        return result

    def _write_together(self, bulks: Sequence[BulkWrite]) -> BulkResult:
        with self._books.own(1, bulks):
            client: Any = self._given.client  # checkers cannot tell the type of its requests
            requests = client_requests(bulks, self._given.name)
            return bulk_result(client.bulk_write(requests, session=self._session))

    async def command(self, command: Mapping[str, Any]) -> Mapping[str, Any]:
        """Send a command in the transaction and return the reply."""
        with self._books.own():
            reply = self._neutral.command(dict(command), codec_options=EXACT, session=self._session)
            return without_errors(command, reply)

    async def find_and_update(self, command: FindAndUpdate) -> list[bytes]:
        """Update one document and return it as it was before, still encoded."""
        asked = find_and_update_command(command)
        with self._books.own():
            return changed_by(self._neutral.command(asked, codec_options=ENCODED, session=self._session))

    async def unique_keys(self, collection: str) -> tuple[UniqueKey, ...]:
        """Return the collection's unique keys, asked in a session of its own."""
        self._books.commands += 1
        with failures_of(), self._given.client.start_session() as aside:
            return unique_keys(self._stored[collection].list_indexes(session=aside))

    async def find_aside(self, command: Find, seconds: float) -> list[bytes]:
        """Return what a majority of the members has, asked in a session of its own."""
        self._books.commands += 1
        with failures_of(), timeout(seconds), self._given.client.start_session() as aside:
            if (seen := self.operation_time) is not None:
                aside.advance_operation_time(seen)
            collection = self._stored.get_collection(command.collection, **BY_MAJORITY)
            cursor = collection.find_raw_batches(session=aside, **find_arguments(command))
            return raw_batches(list(cursor))

    async def insert_aside(self, collection: str, document: dict[str, Any], seconds: float) -> None:
        """Insert a document that a majority of the members has, in a session of its own."""
        self._books.commands += 1
        with failures_of(), timeout(seconds), meant(), self._given.client.start_session() as aside:
            alone = self._stored.get_collection(collection, **BY_MAJORITY)
            alone.insert_one(document, session=aside)

    async def create_aside(self, collection: str) -> None:
        """Make a collection, in a session of its own."""
        self._books.commands += 1
        with failures_of(), meant(), self._given.client.start_session() as aside:
            self._stored.command("create", collection, session=aside)

    async def commit(self) -> None:
        """Commit, or send the commit again."""
        with self._books.own(int(self._books.begun)):
            self._session.commit_transaction()

    async def probe(self) -> None:
        """Abort the transaction after its commit failed, to learn its fate."""
        with self._books.own(), abort_after_commit(self._session, self._options) as command:
            self._given.client.admin.command(command, session=self._session)

    async def abort(self) -> None:
        """Abort the transaction if it is open."""
        if self._session.in_transaction:
            with self._books.own(int(self._books.begun)):
                self._session.abort_transaction()
            if self._watch is not None:
                self._watch.raise_failed_abort()

    async def overtake(self) -> None:
        """Abort, and use the next transaction number: what is still under way is refused by the server then.

        An abort alone could arrive before the statement that was interrupted and that begins the transaction.
        """
        await self.abort()
        await self.begin()
        await self.find(Find("boundwork", {}, limit=1))
        await self.abort()

    async def outlast(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Await what `work` makes: there is no background."""
        await work()

    async def pause(self, seconds: float) -> None:
        """Wait without doing anything."""
        time.sleep(seconds)  # noqa: ASYNC251 - a synchronous session never suspends

    async def bind(self) -> None:
        """Make the session that of the driver's calls in this context."""
        with failures_of():
            self._bind()

    def _bind(self) -> None:
        self._binding = self._session.bind(end_session=False)
        self._binding.__enter__()
        if self._watch is not None:
            self._watch.begin(self._session)

    async def unbind(self) -> bool:
        """Undo the binding, where this is the context that it was made in; tell whether there was one to undo."""
        if self._binding is None:
            return False
        try:
            self._binding.__exit__(None, None, None)
            if self._watch is not None:
                self._watch.suspend()
        except ValueError:
            leave_behind(self._session, self.unbind)
            return False
        self._binding = None
        return True

    async def close(self) -> None:
        """End the session, if it was started."""
        if self._watch is not None:
            self._watch.end()
        with failures_of():
            if self._books.session is not None:
                self._session.end_session()
