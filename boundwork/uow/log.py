"""What a transaction has read and written so far, in order, as data.

A read is kept as its command and a digest of the reply, a write as the bulks that were sent. Nothing of the body
of a unit is needed to do the same again and to tell whether it saw the same.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b

from boundwork.uow.commands import BulkWrite, Count, Find


def digest(batches: Iterable[bytes]) -> bytes:
    """Return 16 bytes that stand for a reply: equal for equal replies, whatever the batches."""
    summary = blake2b(digest_size=16)
    for batch in batches:
        summary.update(batch)
    return summary.digest()


@dataclass(frozen=True, slots=True)
class ReadRecord:
    """A read and what it saw: a digest of documents, or a number."""

    command: Find | Count
    seen: bytes | int


@dataclass(frozen=True, slots=True)
class WriteRecord:
    """Bulks that were sent together."""

    bulks: tuple[BulkWrite, ...]


class Log:
    """The records of one transaction."""

    def __init__(self) -> None:
        """Begin empty."""
        self.records: list[ReadRecord | WriteRecord] = []

    def found(self, command: Find, batches: list[bytes]) -> None:
        """Record a query and its reply."""
        self.records.append(ReadRecord(command, digest(batches)))

    def counted(self, command: Count, number: int) -> None:
        """Record a count and its reply."""
        self.records.append(ReadRecord(command, number))

    def wrote(self, bulks: Iterable[BulkWrite]) -> None:
        """Record writes before they are sent."""
        self.records.append(WriteRecord(tuple(bulks)))

    def clear(self) -> None:
        """Forget the records: their transaction has ended."""
        self.records = []
