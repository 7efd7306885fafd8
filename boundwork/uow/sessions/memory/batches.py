"""A result that is fetched batch by batch, and what of later writes of its own transaction it sees.

As on the server: one that is sorted by fields is put in order with the first batch and stays so; one in the order of
the collection, or of its ids, goes on from where it is and meets what the unit has written before the next batch.
"""

from collections.abc import Callable, Hashable, Sequence

from boundwork.uow.commands import Find
from boundwork.uow.sessions.memory import querying
from boundwork.uow.sessions.memory.collection import Stored
from boundwork.uow.sessions.memory.planning import Place


class MemoryBatches:
    """The `Batches` of a `MemorySession`."""

    def __init__(
        self,
        command: Find,
        size: int,
        look: Callable[[Sequence[Find]], list[list[Stored]]],
        writes: Callable[[], int],
        place: Place | None,
    ) -> None:
        """Find nothing yet; `look` answers queries at one time, `writes` counts those of the session.

        `place` tells where documents stand in the index that is gone through; None is the order of the collection or,
        if there is a sort, that of the sort alone.
        """
        self._command = command
        self._size = size
        self._look = look
        self._writes = writes
        self._place = place
        self._goes_on = not command.sort or place is not None
        self._rest: list[Stored] | None = None
        self._order: list[Hashable] = []
        self._behind: set[Hashable] = set()
        self._last: Stored | None = None
        self._seen = 0
        self._left = command.limit

    async def next(self) -> bytes | None:
        """Return the next batch, None at the end."""
        if self._rest is None:
            self._rest = self._limited(self._found()[self._command.skip :])
        elif self._goes_on and self._seen != self._writes():
            self._leave_behind()
            self._rest = self._limited(list(filter(self._is_ahead, self._found())))
        batch, self._rest = self._rest[: self._size], self._rest[self._size :]
        self._left -= len(batch)
        if len(batch) < self._size:
            self._goes_on = False  # a server closes the cursor
        else:
            self._last = batch[-1]
        return b"".join(querying.shown(batch, self._command)) or None

    async def close(self) -> None:
        """Forget the rest."""
        self._rest, self._goes_on = [], False

    def _found(self) -> list[Stored]:
        self._seen = self._writes()
        if not self._goes_on or self._place is not None:
            return self._look([self._command])[0]
        found, everything = self._look([self._command, Find(self._command.collection, {})])
        self._order = [stored.key for stored in everything]
        return found

    def _limited(self, found: list[Stored]) -> list[Stored]:
        return found[: self._left] if self._command.limit else found

    def _leave_behind(self) -> None:
        """Note which documents the order has passed, those that did not match among them."""
        if self._last is not None and self._order:
            self._behind.update(self._order[: self._order.index(self._last.key) + 1])

    def _is_ahead(self, stored: Stored) -> bool:
        if self._place is None or self._last is None:
            return stored.key not in self._behind
        last, place = self._place(self._last), self._place(stored)
        return bool(last < place if not self._command.sort or self._command.sort[0][1] == 1 else place < last)
