"""A database for either colour, and the owner of what was started for it.

A connection makes nothing before it is asked for a database, and closes what it made: clients, and a server of its
own. `connect()` builds it from a URL.
"""

import logging
from types import TracebackType
from typing import Any, Protocol, Self

from boundwork.errors import BoundworkError

log = logging.getLogger("boundwork.connection")


class Source(Protocol):
    """What a connection gets its databases from."""

    def sync_database(self) -> Any:
        """Return the handle for synchronous units."""

    def async_database(self) -> Any:
        """Return the handle for asynchronous units of the running event loop."""

    def close(self) -> None:
        """Close everything; BoundworkError if that is for a running event loop to do."""

    async def aclose(self) -> None:
        """Close everything, what belongs to the running event loop included."""


class Connection:
    """A database that `UnitOfWork` and `AsyncUnitOfWork` accept; use it with `with` or `async with`, or close it.

    `name` is the name of the database. Nothing is started or sent before a unit is opened. Threads may share it.
    """

    def __init__(self, name: str, source: Source) -> None:
        """Name the database and where it comes from."""
        self.name = name
        self._source = source
        self._closed = False

    def sync_database(self) -> Any:
        """Return the handle for `UnitOfWork`: a PyMongo `Database`, or a `MemoryDatabase`."""
        self._require_open()
        return self._source.sync_database()

    def async_database(self) -> Any:
        """Return the handle for `AsyncUnitOfWork`: an `AsyncDatabase` of the running loop, or a `MemoryDatabase`.

        An embedded server is started by the first call, which blocks the loop for about a second.
        """
        self._require_open()
        return self._source.async_database()

    def close(self) -> None:
        """Close clients and server; a second call does nothing.

        BoundworkError if an asynchronous client is open in an event loop that still lives: that one needs `aclose()`.
        """
        if not self._closed:
            self._source.close()
            self._closed = True

    async def aclose(self) -> None:
        """Close clients and server, those of the running event loop included; a second call does nothing."""
        if not self._closed:
            await self._source.aclose()
            self._closed = True

    def __enter__(self) -> Self:
        self._require_open()
        return self

    def __exit__(self, _: type[BaseException] | None, error: BaseException | None, __: TracebackType | None) -> None:
        try:
            self.close()
        except BoundworkError:
            if error is None:
                raise
            log.exception("The connection to %r could not be closed", self.name)

    async def __aenter__(self) -> Self:
        self._require_open()
        return self

    async def __aexit__(
        self, _: type[BaseException] | None, error: BaseException | None, __: TracebackType | None
    ) -> None:
        try:
            await self.aclose()
        except BoundworkError:
            if error is None:
                raise
            log.exception("The connection to %r could not be closed", self.name)

    def __repr__(self) -> str:
        return f"<Connection to {self.name!r}{', closed' if self._closed else ''}>"

    def _require_open(self) -> None:
        if self._closed:
            raise BoundworkError(f"The connection to {self.name!r} is closed. Call connect() again.")
