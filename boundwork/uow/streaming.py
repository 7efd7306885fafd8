"""Reading a result batch by batch, inside the transaction that it was begun in.

Nothing but the present batch is kept, and the log keeps a digest. The cursor belongs to one transaction of one unit:
after its end a stream refuses instead of going on outside, and while it is open the unit cannot be repeated, because no
other transaction has that cursor.
"""

import logging
from typing import TYPE_CHECKING

from boundwork.errors import UnitClosed
from boundwork.uow.batches import cut
from boundwork.uow.commands import Find
from boundwork.uow.failures import SessionFailure
from boundwork.uow.log import StreamRecord
from boundwork.uow.port import Batches

if TYPE_CHECKING:
    from boundwork.uow.unit import Unit

logger = logging.getLogger("boundwork.unit")


class Flow:
    """A query that is fetched batch by batch; nothing is sent before the first."""

    def __init__(self, unit: "Unit", command: Find, batch_size: int, about: str) -> None:
        """Prepare a stream of a unit."""
        self._unit = unit
        self._command = command
        self._batch_size = batch_size
        self._about = about
        self._batches: Batches | None = None
        self._record: StreamRecord | None = None
        self._log = unit.workspace.log
        self._generation = self._log.generation
        self._ended = False

    def check(self) -> None:
        """Raise unless the unit is open here and still in the transaction that the stream was made in."""
        self._unit.check()
        if self._generation != self._log.generation:
            raise UnitClosed(
                f"A stream of the unit of work {self._unit.name} belongs to a transaction that has ended. "
                "Take what you need before commit() or rollback(), or begin another stream.",
            )

    async def next(self) -> list[bytes] | None:
        """Return the documents of the next batch, None at the end."""
        self.check()
        while not self._ended:
            batch = await self._fetch()
            if batch is None:
                self._end(whole=True)
            elif batch:
                return cut([batch])
        return None

    async def close(self) -> None:
        """Give up the rest, on the server as well where that is possible; a second call does nothing."""
        batches, ended = self._batches, self._ended
        self._end(whole=False)
        current = self._generation == self._log.generation
        if batches is None or ended or not current or not self._unit.is_usable:
            return
        try:
            await self._unit.whole(self._give_up(batches))
        except SessionFailure as failure:
            logger.debug("unit %s: a stream could not be given up: %s", self._unit.name, failure)

    async def _give_up(self, batches: Batches) -> None:
        await self._unit.alone(batches.close())

    async def _fetch(self) -> bytes | None:
        if self._record is None or self._batches is None:
            await self._unit.workspace.autoflush()
            batch = await self._unit.send(self._begin)
            self._record = self._log.streaming(self._command, self._about, self)
        else:
            batch = await self._unit.send(self._batches.next)
        if batch:
            self._log.streamed(self._record, batch, len(cut([batch])))
        return batch

    async def _begin(self) -> bytes | None:
        self._batches = await self._unit.session.stream(self._command, self._batch_size)
        return await self._batches.next()

    def _end(self, *, whole: bool) -> None:
        if not self._ended and self._record is not None:
            self._record.end(whole=whole)
        self._ended = True
