"""How a cursor of PyMongo hands over its batches, for both colours: encoded, and counted as commands of the session."""

from typing import Any

from boundwork.uow.sessions.bookkeeping import Bookkeeping


class _Batches:
    def __init__(self, cursor: Any, books: Bookkeeping) -> None:
        """Belong to a session; PyMongo's annotations call its batches documents."""
        self._cursor = cursor
        self._books = books


class SynchronousBatches(_Batches):
    """A cursor of a `MongoClient` in the transaction of a session."""

    async def next(self) -> bytes | None:
        """Return the next batch, None at the end."""
        if not self._cursor.alive:
            return None
        with self._books.own():
            try:
                return bytes(self._cursor.next())
            except StopIteration:
                return None

    async def close(self) -> None:
        """Give up what was not fetched."""
        with self._books.own(int(self._cursor.alive)):
            self._cursor.close()


class AsynchronousBatches(_Batches):
    """A cursor of an `AsyncMongoClient` in the transaction of a session."""

    async def next(self) -> bytes | None:
        """Return the next batch, None at the end."""
        if not self._cursor.alive:
            return None
        with self._books.own():
            try:
                return bytes(await self._cursor.next())
            except StopAsyncIteration:
                return None

    async def close(self) -> None:
        """Give up what was not fetched."""
        with self._books.own(int(self._cursor.alive)):
            await self._cursor.close()
