"""The PyMongo clients of a connection: one synchronous, and one asynchronous for each event loop.

All are made when they are first needed. An asynchronous client works in the loop it was made in and in no other, so
it is closed by that loop: at its end the loop closes the generator that holds the client.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from threading import Lock
from typing import Any

from pymongo import AsyncMongoClient, MongoClient
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.database import Database
from pymongo.driver_info import DriverInfo
from pymongo.errors import ConfigurationError

from boundwork.errors import BoundworkError
from boundwork.uow.sessions.guard import guard

Stored = dict[str, Any]


class Clients:
    """Databases called `name` at an address; `address` is called once, when the first client is made.

    `options` are keyword options of `MongoClient`. `end` is called last when everything is closed.
    """

    def __init__(
        self,
        name: str,
        address: Callable[[], str],
        options: dict[str, Any],
        end: Callable[[], None] = lambda: None,
    ) -> None:
        """Note what to make; make nothing."""
        self._name = name
        self._address = address
        self._options = options
        self._end = end
        self._making = Lock()
        self._sync: Database[Stored] | None = None
        self._async: dict[asyncio.AbstractEventLoop, tuple[AsyncDatabase[Stored], AsyncGenerator[None]]] = {}

    def sync_database(self) -> Database[Stored]:
        """Return the database of the synchronous client."""
        if self._sync is not None:
            return self._sync
        with self._making:
            if self._sync is None:
                client: MongoClient[Stored] = self._client(MongoClient[Stored])
                self._sync = client[self._name]
            return self._sync

    def async_database(self) -> AsyncDatabase[Stored]:
        """Return the database of the running loop's client; BoundworkError outside a loop."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            raise BoundworkError("No event loop is running. Ask for async_database() in a coroutine.") from None
        if loop not in self._async:
            with self._making:
                self._forget_closed_loops()
                client: AsyncMongoClient[Stored] = self._client(AsyncMongoClient[Stored])
                self._async[loop] = client[self._name], _closed_by_its_loop(client)
        return self._async[loop][0]

    def close(self) -> None:
        """Close the synchronous client; BoundworkError if a loop that still lives has an asynchronous one."""
        self._forget_closed_loops()
        if self._async:
            raise BoundworkError(
                f"An asynchronous client of the connection to {self._name!r} is still open in its event loop. "
                "Close it there: await connection.aclose(), or async with connect(...).",
            )
        try:
            if self._sync is not None:
                self._sync.client.close()
        finally:
            self._end()

    async def aclose(self) -> None:
        """Close the running loop's client and then as `close`, away from the loop since that blocks."""
        _, holder = self._async.pop(asyncio.get_running_loop(), (None, None))
        if holder is not None:
            await holder.aclose()
        await asyncio.to_thread(self.close)

    def _client(self, kind: Callable[..., Any]) -> Any:
        address = self._address()
        try:
            listeners = [*(self._options.get("event_listeners") or ()), guard()]
            return kind(address, **({"driver": _driver_info()} | self._options | {"event_listeners": listeners}))
        except (ConfigurationError, TypeError, ValueError) as error:
            raise BoundworkError(f"The options of the connection to {self._name!r} are not valid: {error}") from error

    def _forget_closed_loops(self) -> None:
        for loop in [loop for loop in self._async if loop.is_closed()]:
            del self._async[loop]


def _closed_by_its_loop(client: AsyncMongoClient[Stored]) -> AsyncGenerator[None]:
    """Start a generator that the running loop knows of, and will close before it is closed itself."""

    async def hold() -> AsyncGenerator[None]:
        try:
            yield
        finally:
            await client.close()

    holder = hold()
    # Up to its `yield` the generator awaits nothing, so its first step ends here and now.
    with suppress(StopIteration):
        holder.__anext__().__await__().send(None)
    return holder


def _driver_info() -> DriverInfo:
    try:
        return DriverInfo("boundwork", version("boundwork"))
    except PackageNotFoundError:
        return DriverInfo("boundwork")
