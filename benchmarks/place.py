"""Where the workloads run: a real mongod, and databases with as many orders as a workload wants."""

import os
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from pymongo import MongoClient
from pymongo.collection import Collection
from pymongo.database import Database
from pymongo.monitoring import CommandFailedEvent, CommandListener, CommandStartedEvent, CommandSucceededEvent

from benchmarks.documents import Shop, Stored, stored_order

CACHE = "4GB"
"""Of the server that is started here: with the 1 GB of the tests it refuses to insert 100,000 in one transaction."""
PREFIX = "boundwork_benchmark_"


class _Names(CommandListener):
    """Notes the name of each command that is sent."""

    def __init__(self, names: list[str]) -> None:
        self._names = names

    def started(self, event: CommandStartedEvent) -> None:
        self._names.append(event.command_name)

    def succeeded(self, event: CommandSucceededEvent) -> None:
        """Do nothing."""

    def failed(self, event: CommandFailedEvent) -> None:
        """Do nothing."""


class Place:
    """The databases of one run, on one server."""

    def __init__(self, uri: str) -> None:
        """Connect; databases of an earlier run are dropped."""
        self.uri = uri
        self.client = MongoClient[Stored](uri, w="majority")
        self.commands: list[str] = []
        self._listened = MongoClient[Stored](uri, w="majority", event_listeners=[_Names(self.commands)])
        self.clear()

    def close(self) -> None:
        """Drop the databases and close the clients."""
        self.clear()
        self.client.close()
        self._listened.close()

    def clear(self) -> None:
        """Drop all that the benchmarks made."""
        for name in self.client.list_database_names():
            if name.startswith(PREFIX):
                self.client.drop_database(name)

    def holding(self, number: int, purpose: str = "read") -> Database[Stored]:
        """Return a database with so many orders, which is made when it is first asked for."""
        database = self.client[f"{PREFIX}{purpose}_{number}"]
        if database["orders"].estimated_document_count() != number:
            database.drop_collection("orders")
            for start in range(0, number, 10_000):
                database["orders"].insert_many([stored_order(n) for n in range(start, min(start + 10_000, number))])
        return database

    def empty(self) -> Database[Stored]:
        """Return a database without an order; the collection is there."""
        database = self.client[f"{PREFIX}write"]
        database.drop_collection("orders")
        database.create_collection("orders")
        return database

    def counted(self, database: Database[Stored]) -> Database[Stored]:
        """Return the same database from a client whose commands are named in `commands`."""
        return self._listened[database.name]

    @property
    def server_version(self) -> str:
        """The version of the server."""
        version: str = self.client.server_info()["version"]
        return version


def orders_of(database: Database[Stored]) -> Collection[Stored]:
    """Return the collection of orders, for the raw side."""
    return database["orders"]


def shop_of(database: Database[Stored]) -> Shop:
    """Return the definition of units on a database."""
    return Shop(database, single_reads=None)  # the loops that read one by one are what is measured


@contextmanager
def server(uri: str | None) -> Generator[str]:
    """Give the address of the server: the argument, MONGODB_URI, or a mongod that is started for this run."""
    from tests.servers import RealMongod  # noqa: PLC0415 - not needed where an address is given

    given = uri or os.environ.get("MONGODB_URI")
    if given:
        yield given
        return
    with RealMongod() as mongod:
        with MongoClient[Stored](mongod.uri) as client:
            client.admin.command("setParameter", 1, wiredTigerEngineRuntimeConfig=f"cache_size={CACHE}")
        yield mongod.uri


def ids_of(database: Database[Stored], number: int) -> list[Any]:
    """Return the ids of the first orders."""
    return [found["_id"] for found in orders_of(database).find({}, {"_id": 1}).limit(number)]
