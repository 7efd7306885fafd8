"""Whose turn it is in a unit that several may use: one operation at a time, in the order of the calls.

An operation is a whole word of the program, so that what comes out is what comes out in sequence. A unit that
serializes lets operations wait; one that may only be handed over refuses those that overlap. Leaving comes first: it
waits for the operation that is under way, and refuses those that wait.
"""

import asyncio
import threading
from abc import ABC, abstractmethod
from collections import deque
from types import TracebackType
from typing import TYPE_CHECKING, Any

from boundwork.uow.ownership import running_task
from boundwork.uow.refusals import overlapping

if TYPE_CHECKING:
    from boundwork.uow.queued_unit import QueuedUnit


class Turns:
    """The turns of one unit; tasks wait in one that `awaits`, threads in another."""

    def __init__(self, unit: "QueuedUnit", *, awaits: bool, queues: bool) -> None:
        """Begin with nobody's turn. Without `queues` nothing waits: what overlaps is refused."""
        self.awaits = awaits
        self.queues = queues
        self._unit = unit
        self._mutex = threading.Lock()
        self._holder: object = None
        self._waiting: deque[_Waiter] = deque()
        self._ended = False

    def is_mine(self) -> bool:
        """Tell whether the operation under way is of this task or thread."""
        return self._holder is not None and self._holder is self._place()

    async def take(self) -> bool:
        """Wait for a turn; False if it is this one's already. Raises UnitClosed once the unit is being left."""
        place = self._place()
        with self._mutex:
            if self._holder is place:
                return False
            if self._ended:
                raise self._unit.being_left()
            if self._holder is None:
                self._holder = place
                return True
            if not self.queues:
                raise overlapping(self._unit)
            waiter = self._queue(place)
        await self._wait(waiter)
        if waiter.refused:
            raise self._unit.being_left()
        return True

    def give(self) -> None:
        """End a turn, and begin that of the next who waits."""
        with self._mutex:
            self._holder = None
            while self._waiting and self._holder is None:
                waiter = self._waiting.popleft()
                if waiter.wake():
                    self._holder = waiter.place

    async def close(self) -> None:
        """Take the last turn, once the operation under way is over; who waits is refused.

        Raises UnitUsedElsewhere then, if there was such an operation and overlaps are refused.
        """
        place = self._place()
        with self._mutex:
            self._ended = True
            for waiting in self._waiting:
                waiting.refused = True
                waiting.wake()
            self._waiting.clear()
            if self._holder is None or self._holder is place:
                self._holder = place
                return
            waiter = self._queue(place)
        await self._wait(waiter)
        if not self.queues:
            raise overlapping(self._unit)

    def _place(self) -> object:
        return running_task() if self.awaits else threading.current_thread()

    def _queue(self, place: object) -> "_Waiter":
        waiter = _WaitingTask(place) if self.awaits else _WaitingThread(place)
        self._waiting.append(waiter)
        return waiter

    async def _wait(self, waiter: "_Waiter") -> None:
        try:
            await waiter.wait()
        except BaseException:
            with self._mutex:
                was_given = self._holder is waiter.place
                if waiter in self._waiting:
                    self._waiting.remove(waiter)
            if was_given:
                self.give()
            raise


class Turn:
    """One operation's turn, as a context manager; operations inside of it belong to it."""

    def __init__(self, turns: Turns) -> None:
        """Prepare to wait."""
        self._turns = turns
        self._taken = False

    async def __aenter__(self) -> None:
        """Wait."""
        self._taken = await self._turns.take()

    async def __aexit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        """Let the next one begin."""
        if self._taken:
            self._turns.give()


class _Waiter(ABC):
    """Who waits; `refused` says that the wait ended because the unit is being left."""

    def __init__(self, place: object) -> None:
        self.place = place
        self.refused = False

    @abstractmethod
    async def wait(self) -> None:
        """Wait for `wake`."""

    @abstractmethod
    def wake(self) -> bool:
        """End the wait; False if it was given up meanwhile."""


class _WaitingTask(_Waiter):
    def __init__(self, place: object) -> None:
        super().__init__(place)
        self._loop = asyncio.get_running_loop()
        self._thread = threading.current_thread()
        self._woken: asyncio.Future[Any] = self._loop.create_future()

    async def wait(self) -> None:
        await self._woken

    def wake(self) -> bool:
        if self._woken.done():
            return False
        if threading.current_thread() is self._thread:
            self._woken.set_result(None)
        else:
            self._loop.call_soon_threadsafe(self._woken.set_result, None)
        return True


class _WaitingThread(_Waiter):
    def __init__(self, place: object) -> None:
        super().__init__(place)
        self._woken = threading.Event()

    async def wait(self) -> None:
        self._woken.wait()

    def wake(self) -> bool:
        self._woken.set()
        return True
