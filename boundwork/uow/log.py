"""What a transaction has read and written so far, in order, as data.

A read is kept as its command and a digest of the reply, a write as the bulks that were sent. Nothing of the body
of a unit is needed to do the same again and to tell whether it saw the same. A lock changes nothing, so no read can
have seen it.
"""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from hashlib import blake2b

from boundwork.uow.commands import BulkResult, BulkWrite, Count, Find

READ_BUDGET_BYTES = 256 * 1024 * 1024


def digest(batches: Iterable[bytes]) -> bytes:
    """Return 16 bytes that stand for a reply: equal for equal replies, whatever the batches."""
    summary = blake2b(digest_size=16)
    for batch in batches:
        summary.update(batch)
    return summary.digest()


@dataclass(frozen=True, slots=True)
class ReadRecord:
    """A read, what it saw (a digest of documents, or a number), and the model that it was about."""

    command: Find | Count
    seen: bytes | int
    about: str


@dataclass(frozen=True, slots=True)
class WriteRecord:
    """Bulks that were sent together, and what the server said."""

    bulks: tuple[BulkWrite, ...]
    results: tuple[BulkResult, ...]


@dataclass(frozen=True, slots=True)
class LockRecord:
    """A bulk that was sent to lock what it names."""

    bulk: BulkWrite


Record = ReadRecord | WriteRecord | LockRecord


class Log:
    """The records of one transaction, and what it has locked: collections with identities."""

    def __init__(self) -> None:
        """Begin empty."""
        self.records: list[Record] = []
        self.locked: set[tuple[str, Hashable]] = set()
        self._bytes_read = 0

    @property
    def repeatable(self) -> bool:
        """Tell whether what was read is little enough to be read again."""
        return self._bytes_read <= READ_BUDGET_BYTES

    def found(self, command: Find, batches: list[bytes], about: str) -> None:
        """Record a query and its reply."""
        self._bytes_read += sum(map(len, batches))
        self.records.append(ReadRecord(command, digest(batches), about))

    def counted(self, command: Count, number: int, about: str) -> None:
        """Record a count and its reply."""
        self.records.append(ReadRecord(command, number, about))

    def wrote(self, bulks: Iterable[BulkWrite], results: Iterable[BulkResult]) -> None:
        """Record writes and their reply."""
        self.records.append(WriteRecord(tuple(bulks), tuple(results)))

    def took(self, bulk: BulkWrite, identities: Iterable[tuple[str, Hashable]]) -> None:
        """Record locks."""
        self.records.append(LockRecord(bulk))
        self.locked.update(identities)

    def clear(self) -> None:
        """Forget the records: their transaction has ended."""
        self.records = []
        self.locked = set()
        self._bytes_read = 0
