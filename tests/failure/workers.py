"""How the workers of a lab test run: the same coroutines with each driver.

They await a definition of either colour. With PyMongo's synchronous client each has a thread of its own; with the other
drivers all are tasks of one event loop, in a thread beside the test.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from threading import Event, Thread
from typing import Any, Self

from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import AsyncMongoClient, MongoClient

from boundwork.uow.run_sync import run_sync
from tests.server.bank import settled

CLIENTS: dict[str, Any] = {"sync": MongoClient, "async": AsyncMongoClient, "motor": AsyncIOMotorClient}
Job = Callable[[Any], Coroutine[Any, Any, None]]


class Workers:
    """Jobs that run until they are told to stop; a context manager.

    A job is given the definition that `define` makes of a colour and a database, and looks at `over`.
    """

    def __init__(self, driver: str, uri: str, define: Callable[[str, Any], Any]) -> None:
        """Know the driver and the server; `jobs` come later."""
        self.jobs: Sequence[Job] = ()
        self.over = Event()
        self.broken: list[BaseException] = []
        self._driver = driver
        self._uri = uri
        self._define = define
        self._client: Any = None
        self._threads: list[Thread] = []

    def __enter__(self) -> Self:
        if self._driver == "sync":
            self._client = MongoClient(self._uri)
            shop = self._define("sync", self._client)
            self._threads = [Thread(target=self._alone, args=(job(shop),)) for job in self.jobs]
        else:
            self._threads = [Thread(target=asyncio.run, args=(self._together(),))]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        for thread in self._threads:
            thread.join()
        if self._client is not None:
            self._client.close()

    async def pause(self, seconds: float) -> None:
        """Wait, without standing in the way of others; a thread waits no longer than until the end."""
        if self._driver == "sync":
            self.over.wait(seconds)
        else:
            await asyncio.sleep(seconds)

    def _alone(self, work: Coroutine[Any, Any, None]) -> None:
        run_sync(self._guarded(work))

    async def _together(self) -> None:
        client = CLIENTS[self._driver](self._uri)
        shop = self._define("async", client)
        await asyncio.gather(*(self._guarded(job(shop)) for job in self.jobs))
        await settled(client.close())

    async def _guarded(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except BaseException as error:
            self.broken.append(error)
