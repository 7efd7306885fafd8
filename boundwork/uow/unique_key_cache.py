"""The unique keys of collections, asked once and kept for a while.

They are needed only to order writes that could contend for a value. An index that was made since is learnt when
the entry has aged, or at once after a duplicate key.
"""

from time import monotonic

from boundwork.uow.commands import UniqueKey
from boundwork.uow.port import BoundSession

MAX_AGE_SECONDS = 60.0


class UniqueKeyCache:
    """Unique keys by collection; units of all threads share it, since each access is one dictionary operation."""

    def __init__(self) -> None:
        """Begin empty."""
        self._known: dict[str, tuple[float, tuple[UniqueKey, ...]]] = {}

    def known(self, collection: str) -> tuple[UniqueKey, ...] | None:
        """Return the unique keys of a collection without that of `_id`; None if they must be asked for."""
        known = self._known.get(collection)
        return known[1] if known is not None and monotonic() - known[0] < MAX_AGE_SECONDS else None

    async def of(self, collection: str, session: BoundSession) -> tuple[UniqueKey, ...]:
        """Return the unique keys of a collection, and keep them."""
        known = self.known(collection)
        if known is not None:
            return known
        keys = await session.unique_keys(collection)
        self._known[collection] = (monotonic(), keys)
        return keys

    def forget(self, collection: str) -> None:
        """Ask anew the next time."""
        self._known.pop(collection, None)
