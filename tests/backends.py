"""One handle for each kind of database that the contract suite runs on."""

from typing import Any

from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import AsyncMongoClient, MongoClient

from boundwork import guard
from boundwork.uow.sessions.memory import MemoryDatabase

PATIENCE: dict[str, Any] = {"serverSelectionTimeoutMS": 30_000}


class Backend:
    """A kind of database: `name` is memory, embedded or mongod; `uri` is None for memory.

    The databases of one name and colour are the same object within a test; memory is the same for both colours.
    """

    def __init__(self, name: str, uri: str | None, client: MongoClient[dict[str, Any]] | None) -> None:
        """Use a client that somebody else closes."""
        self.name = name
        self.uri = uri
        self._client = client
        self._async_client: AsyncMongoClient[dict[str, Any]] | None = None
        self._motor_client: Any = None
        self._memory: dict[str, MemoryDatabase] = {}

    def sync_database(self, name: str) -> Any:
        """Return a PyMongo `Database` or a `MemoryDatabase`."""
        return self._memory_database(name) if self._client is None else self._client[name]

    def async_database(self, name: str) -> Any:
        """Return an `AsyncDatabase` of the test's loop or a `MemoryDatabase`."""
        if self.uri is None:
            return self._memory_database(name)
        if self._async_client is None:
            self._async_client = AsyncMongoClient(self.uri, event_listeners=[guard()], **PATIENCE)
        return self._async_client[name]

    def motor_database(self, name: str) -> Any:
        """Return an `AsyncIOMotorDatabase`; memory has none."""
        if self._motor_client is None:
            self._motor_client = AsyncIOMotorClient(self.uri, event_listeners=[guard()], **PATIENCE)
        return self._motor_client[name]

    async def aclose(self) -> None:
        """Close the asynchronous clients; to be awaited in the test's loop."""
        if self._async_client is not None:
            await self._async_client.close()
        if self._motor_client is not None:
            self._motor_client.close()

    def _memory_database(self, name: str) -> MemoryDatabase:
        if name not in self._memory:
            self._memory[name] = MemoryDatabase(name)
        return self._memory[name]
