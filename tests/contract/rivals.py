"""Units beside the one under test: another thread for the synchronous colour, another task for the other."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Any

from boundwork import StaleDocument, TransientFailure

LONGEST_SECONDS = 20.0


async def deposit(uow: Any) -> None:
    (await uow.accounts.get(1)).balance += 100


async def elsewhere(colour: str, work: Callable[[], Awaitable[None]]) -> None:
    """Do something in another thread or task, and raise what it raised."""
    if colour == "async":
        await asyncio.gather(work())
        return
    failures: list[BaseException] = []

    def step() -> None:
        try:
            work().__await__().send(None)
        except StopIteration:
            return
        except BaseException as failure:
            failures.append(failure)

    thread = threading.Thread(target=step)
    thread.start()
    thread.join()
    if failures:
        raise failures[0]


async def is_shut_out(shop: Any, colour: str, work: Callable[[Any], Awaitable[None]]) -> bool:
    """Tell whether a unit of a definition that never repeats itself meets a lock, elsewhere; it rolls back."""

    async def unit() -> None:
        async with shop as uow:
            await work(uow)
            await uow.flush()
            await uow.rollback()

    try:
        await elsewhere(colour, unit)
    except StaleDocument:
        raise
    except TransientFailure:
        return True
    return False


class Rival:
    """A unit that works, by default on account 1, and stays open until it is told how to end."""

    def __init__(self, shop: Any, colour: str, work: Callable[[Any], Awaitable[None]] = deposit) -> None:
        self._work_in = work
        self._shop = shop
        self._colour = colour
        self._wrote = threading.Event()
        self._end = threading.Event()
        self._commits = False
        self._met: Callable[[], bool] = bool
        self._work: Any = None

    async def start(self) -> None:
        if self._colour == "sync":
            self._work = threading.Thread(target=self._in_thread)
            self._work.start()
        else:
            self._work = asyncio.create_task(self._run())
        while not self._wrote.is_set():
            await self._nap()

    async def finish(self, *, commits: bool) -> None:
        self._commits = commits
        self._end.set()
        if self._colour == "sync":
            self._work.join()
        else:
            await self._work

    def end_once_met(self, uow: Any, *, commits: bool) -> None:
        """End as soon as a unit has met this one and begun anew: it is trying again."""
        receipt = uow.receipt
        before = receipt.replays
        self._commits = commits
        self._met = lambda: receipt.replays > before

    async def _run(self) -> None:
        limit = monotonic() + LONGEST_SECONDS  # a test that failed does not tell the rival to end
        async with self._shop as uow:
            await self._work_in(uow)
            await uow.flush()
            self._wrote.set()
            while not self._end.is_set() and not self._met() and monotonic() < limit:
                await self._nap()
            if not self._commits:
                await uow.rollback()

    def _in_thread(self) -> None:
        try:
            self._run().send(None)
        except StopIteration:
            return

    async def _nap(self) -> None:
        if self._colour == "sync":
            threading.Event().wait(0.01)
        else:
            await asyncio.sleep(0.01)
