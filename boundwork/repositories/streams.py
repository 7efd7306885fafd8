"""Results that are iterated over while they are fetched: one batch at a time is in memory.

The same for both colours but for the words of iteration. Each step asks the unit whether it may still be used, so that
a stream which outlives its unit raises even where it has documents left.
"""

from collections.abc import AsyncIterator, Iterator
from typing import Generic, Self, TypeVar

from pydantic import BaseModel

from boundwork.repositories.plan import Plan
from boundwork.uow.run_sync import run_sync

ItemT = TypeVar("ItemT", bound=BaseModel)


class StreamBase(Generic[ItemT]):
    """What the streams of both colours share: the plan, and the items of the present batch."""

    def __init__(self, plan: Plan[ItemT], batch_size: int, *, track: bool) -> None:
        """Make a stream of a plan; queries do this."""
        self._plan = plan
        self._track = track
        self._flow = plan.flow(batch_size)
        self._items: Iterator[ItemT] = iter(())

    def _held(self) -> ItemT | None:
        """Return the next item of the present batch, None if it is used up."""
        self._flow.check()
        return next(self._items, None)

    async def _advance(self) -> bool:
        """Fetch the next batch; False at the end."""
        return await self._plan.unit.whole(self._step())

    async def _step(self) -> bool:
        found = await self._flow.next()
        if found is not None:
            items = self._plan.made(found, track=self._track)
            await self._plan.load_included(items)
            self._items = iter(items)
        return found is not None


class Stream(StreamBase[ItemT], Iterator[ItemT]):
    """A result of a unit, fetched batch by batch; use it up, or `close()` it, before the unit goes on to commit."""

    def __iter__(self) -> Self:
        """Return itself: a stream goes through its result once."""
        return self

    def __next__(self) -> ItemT:
        """Return the next item; UnitClosed after the transaction of the stream."""
        while (item := self._held()) is None:
            if not run_sync(self._advance()):
                raise StopIteration
        return item

    def close(self) -> None:
        """Give up the rest of the result."""
        self._items = iter(())
        run_sync(self._flow.close())


class AsyncStream(StreamBase[ItemT], AsyncIterator[ItemT]):
    """A result of a unit, fetched batch by batch; use it up, or `close()` it, before the unit goes on to commit."""

    def __aiter__(self) -> Self:
        """Return itself: a stream goes through its result once."""
        return self

    async def __anext__(self) -> ItemT:
        """Return the next item; UnitClosed after the transaction of the stream."""
        while (item := self._held()) is None:
            if not await self._advance():
                raise StopAsyncIteration
        return item

    async def close(self) -> None:
        """Give up the rest of the result."""
        self._items = iter(())
        await self._flow.close()
