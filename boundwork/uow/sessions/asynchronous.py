"""The session of PyMongo's `AsyncMongoClient`.

Every call passes `session=` itself. The binding is for the program's own calls of the driver inside the block; it
is undone apart from the end of the session, so that neither can be skipped.
"""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import PyMongoError

from boundwork.uow.commands import BulkResult, BulkWrite, Count, Find, UniqueKey
from boundwork.uow.sessions.pymongo_commands import (
    NEUTRAL,
    STORED_FORM,
    bulk_result,
    client_requests,
    commands_in,
    count_arguments,
    find_arguments,
    inserted_documents,
    raw_batches,
    request,
    takes_client_bulks,
    transaction_options,
    unique_keys,
)
from boundwork.uow.sessions.pymongo_failures import failures_of


class AsynchronousSession:
    """A `BoundSession` of one event loop."""

    def __init__(self, database: AsyncDatabase[Any]) -> None:
        """Prepare a session for a database; nothing is opened yet."""
        self._given = database
        self._neutral = database.with_options(**NEUTRAL)
        self._stored = self._neutral.with_options(codec_options=STORED_FORM)
        self._binding: AbstractAsyncContextManager[AsyncClientSession] | None = None
        self._session: AsyncClientSession
        self._options = transaction_options(database.client.write_concern)
        self.commands = 0
        self._begun = False
        self._started = False

    def may_repeat(self, error: BaseException | None) -> bool:
        """Tell whether an error of the driver itself says that the transaction may be tried again."""
        return isinstance(error, PyMongoError) and error.has_error_label("TransientTransactionError")

    @property
    def database(self) -> AsyncDatabase[Any]:
        """The database for the program's own calls."""
        return self._neutral

    async def open(self) -> None:
        """Start the session, bind it, and put it in a transaction."""
        with failures_of():
            self._session = self._given.client.start_session()
            self._started = True
            self._binding = self._session.bind(end_session=False)
            await self._binding.__aenter__()
        await self.begin()

    async def begin(self) -> None:
        """Put the session in its next transaction."""
        self._begun = False
        with failures_of():
            await self._session.start_transaction(**self._options)

    async def find(self, command: Find) -> list[bytes]:
        """Return the matching documents as batches of concatenated BSON."""
        with failures_of():
            collection = self._stored[command.collection]
            cursor = collection.find_raw_batches(session=self._session, **find_arguments(command))
            batches = raw_batches([batch async for batch in cursor])
        self._count(max(1, len(batches)))
        return batches

    async def count(self, command: Count) -> int:
        """Return the number of matching documents."""
        self._count()
        with failures_of():
            collection = self._stored[command.collection]
            return await collection.count_documents(session=self._session, **count_arguments(command))

    async def write(self, bulks: Sequence[BulkWrite]) -> list[BulkResult]:
        """Carry out the bulks, all in one command where the server can."""
        if len(bulks) > 1 and takes_client_bulks(self._given.client, begun=self._begun):
            return [await self._write_together(bulks)]
        return [await self._write(bulk) for bulk in bulks]

    async def _write(self, bulk: BulkWrite) -> BulkResult:
        self._count(commands_in(bulk))
        collection = self._stored[bulk.collection]
        documents = inserted_documents(bulk)
        with failures_of([bulk]):
            if documents is not None:
                await collection.insert_many(documents, session=self._session)
                return BulkResult(inserted=len(documents))
            return bulk_result(
                await collection.bulk_write([request(write) for write in bulk.writes], session=self._session),
            )

    async def _write_together(self, bulks: Sequence[BulkWrite]) -> BulkResult:
        self._count()
        with failures_of(bulks):
            client: Any = self._given.client  # checkers cannot tell the type of its requests
            requests = client_requests(bulks, self._given.name)
            return bulk_result(await client.bulk_write(requests, session=self._session))

    async def unique_keys(self, collection: str) -> tuple[UniqueKey, ...]:
        """Return the collection's unique keys, asked in a session of its own."""
        self.commands += 1
        with failures_of():
            async with self._given.client.start_session() as aside:
                indexes = await self._stored[collection].list_indexes(session=aside)
                return unique_keys([index async for index in indexes])

    async def commit(self) -> None:
        """Commit, or send the commit again."""
        self.commands += self._begun
        with failures_of():
            await self._session.commit_transaction()

    async def abort(self) -> None:
        """Abort the transaction if it is open."""
        if self._session.in_transaction:
            self.commands += self._begun
            with failures_of():
                await self._session.abort_transaction()

    async def overtake(self) -> None:
        """Use the next transaction number, so that a command of the last one that is still under way is refused."""
        await self.begin()
        with failures_of():
            await self._stored.command("find", "boundwork", limit=1, session=self._session)
        self._count()
        await self.abort()

    async def unbind(self) -> None:
        """Undo the binding, where this is the context that it was made in."""
        if self._binding is not None:
            try:
                await self._binding.__aexit__(None, None, None)
            except ValueError:
                return
            self._binding = None

    async def close(self) -> None:
        """End the session, if it was started."""
        with failures_of():
            if self._started:
                await self._session.end_session()

    def _count(self, commands: int = 1) -> None:
        self.commands += commands
        self._begun = True
