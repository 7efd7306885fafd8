"""Which version of an entry a transaction sees, and which of two writers has to give way.

A transaction sees what was committed when it took its snapshot, and what it wrote itself. Who writes an entry
that another transaction wrote, or committed since that snapshot, gives way at once. An old version is kept
only while a transaction that can still see it is open, so a transaction costs what it touches.
"""

from collections import deque
from collections.abc import Hashable, Iterator
from typing import Any, Generic, NamedTuple, TypeVar

from boundwork.uow.sessions.memory.refusals import WriteConflict

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class _Committed(NamedTuple, Generic[V]):
    since: int
    value: V


class _Superseded(NamedTuple, Generic[V]):
    since: int
    until: int
    value: V | None


class _Written(NamedTuple, Generic[V]):
    value: V | None
    appears: bool
    """The transaction did not see the entry when it wrote it: it goes to the end."""


class Transaction:
    """One transaction: the commit it sees as the last one, and what it wrote, by map and key."""

    __slots__ = ("snapshot", "written")

    def __init__(self, snapshot: int) -> None:
        """See everything up to the commit of that number."""
        self.snapshot = snapshot
        self.written: dict[VersionedMap[Any, Any], dict[Any, _Written[Any]]] = {}


class History:
    """The commits of one database: their numbers, its open transactions, and the versions kept for them."""

    def __init__(self) -> None:
        """Begin with nothing committed."""
        self._last = 0
        self._open: set[Transaction] = set()
        self._kept: deque[tuple[int, VersionedMap[Any, Any], Any]] = deque()

    def begin(self) -> Transaction:
        """Open a transaction that sees what is committed now."""
        transaction = Transaction(self._last)
        self._open.add(transaction)
        return transaction

    def commit(self, transaction: Transaction) -> None:
        """Make what the transaction wrote visible to those that begin later."""
        self._open.discard(transaction)
        if transaction.written:
            self._last += 1
            for entries, written in transaction.written.items():
                replaced = entries.publish(written, self._last)
                if self._open:
                    self._kept.extend((self._last, entries, key) for key in replaced)
                else:
                    for key in replaced:
                        entries.forget_oldest(key)
        self._forget()

    def abort(self, transaction: Transaction) -> None:
        """Drop what the transaction wrote."""
        self._open.discard(transaction)
        for entries, written in transaction.written.items():
            entries.release(written)
        self._forget()

    def is_keeping(self) -> bool:
        """Tell whether a transaction is open or an old version is kept for one."""
        return bool(self._open or self._kept)

    def _forget(self) -> None:
        oldest = min((transaction.snapshot for transaction in self._open), default=self._last)
        while self._kept and self._kept[0][0] <= oldest:
            _, entries, key = self._kept.popleft()
            entries.forget_oldest(key)


class VersionedMap(Generic[K, V]):
    """A mapping whose entries have versions, in the order in which they were first committed."""

    def __init__(self) -> None:
        """Begin empty."""
        self._current: dict[K, _Committed[V]] = {}
        self._superseded: dict[K, deque[_Superseded[V]]] = {}
        self._writers: dict[K, Transaction] = {}
        self._changed = 0

    def read(self, key: K, transaction: Transaction) -> V | None:
        """Return the value that the transaction sees, or None."""
        written = transaction.written.get(self, {}).get(key)
        return self._visible(key, transaction.snapshot) if written is None else written.value

    def values(self, transaction: Transaction) -> Iterator[V]:
        """Yield the values that the transaction sees, its own new ones last."""
        written: dict[K, _Written[V]] = transaction.written.get(self, {})
        for key, value in self._committed_at(transaction.snapshot):
            own = written.get(key)
            if own is None:
                yield value
            elif own.value is not None and not own.appears:
                yield own.value
        for own in written.values():
            if own.value is not None and own.appears:
                yield own.value

    def write(self, key: K, value: V | None, transaction: Transaction) -> None:
        """Set the entry, or remove it if the value is None; raise WriteConflict if another writer came first."""
        if self._writers.get(key, transaction) is not transaction or self._changed_since(key, transaction.snapshot):
            raise WriteConflict
        own: dict[K, _Written[V]] = transaction.written.setdefault(self, {})
        before = own.get(key)
        if before is None:
            appears = self._visible(key, transaction.snapshot) is None
        elif before.value is None:
            # What was removed and comes back is new: it goes to the end.
            del own[key]
            appears = True
        else:
            appears = before.appears
        own[key] = _Written(value, appears)
        self._writers[key] = transaction

    def was_set_by_another(self, key: K, transaction: Transaction) -> bool:
        """Tell whether another transaction has set the entry, or set and committed it since the snapshot."""
        writer = self._writers.get(key, transaction)
        if writer is not transaction:
            return writer.written[self][key].value is not None
        current = self._current.get(key)
        return current is not None and current.since > transaction.snapshot

    def publish(self, written: dict[K, _Written[V]], number: int) -> list[K]:
        """Make the writes of commit `number` current; return the keys of which an old version is now kept."""
        replaced: list[K] = []
        self._changed = number
        for key, (value, appears) in written.items():
            old = self._current.get(key)
            if old is not None:
                self._supersede(key, _Superseded(old.since, number, old.value))
                replaced.append(key)
            elif value is None:
                # It came and went in one transaction: nobody sees it, but it is a change like others.
                self._supersede(key, _Superseded(number, number, None))
                replaced.append(key)
            if value is None or appears:
                self._current.pop(key, None)
            if value is not None:
                self._current[key] = _Committed(number, value)
        self.release(written)
        return replaced

    def release(self, written: dict[K, _Written[V]]) -> None:
        """Let others write these entries."""
        for key in written:
            del self._writers[key]

    def forget_oldest(self, key: K) -> None:
        """Drop the oldest version that is kept of an entry."""
        versions = self._superseded[key]
        versions.popleft()
        if not versions:
            del self._superseded[key]

    def _supersede(self, key: K, version: _Superseded[V]) -> None:
        self._superseded.setdefault(key, deque()).append(version)

    def _visible(self, key: K, snapshot: int) -> V | None:
        current = self._current.get(key)
        if current is not None and current.since <= snapshot:
            return current.value
        for version in self._superseded.get(key, ()):
            if version.since <= snapshot < version.until:
                return version.value
        return None

    def _changed_since(self, key: K, snapshot: int) -> bool:
        current = self._current.get(key)
        if current is not None and current.since > snapshot:
            return True
        versions = self._superseded.get(key)
        return versions is not None and versions[-1].until > snapshot

    def _committed_at(self, snapshot: int) -> Iterator[tuple[K, V]]:
        if self._changed <= snapshot:
            for key, committed in self._current.items():
                yield key, committed.value
            return
        for key in [*self._current, *(key for key in self._superseded if key not in self._current)]:
            value = self._visible(key, snapshot)
            if value is not None:
                yield key, value
