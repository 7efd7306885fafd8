"""What a transaction has read and written so far, in order, as data.

A read is kept as its command and a digest of the reply, a write as the bulks that were sent. Nothing of the body
of a unit is needed to do the same again and to tell whether it saw the same. A lock changes nothing, so no read can
have seen it. Of a set-based operation the program learns counts only, so equal counts are the same answer. A stream is a read that goes on: its record grows by nothing but a digest.
"""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import replace
from hashlib import blake2b, sha256
from typing import Any
from weakref import ref

from boundwork.models.bson_types import decode_all
from boundwork.models.data import data
from boundwork.uow.commands import Aggregate, BulkResult, BulkWrite, Count, Distinct, Find, FindAndUpdate, Read
from boundwork.uow.many_inserts import INSERT_BUDGET_BYTES, MANY, size_of
from boundwork.uow.row_order import comparable
from boundwork.uow.steadiness import is_steady

READ_BUDGET_BYTES = 256 * 1024 * 1024


LARGE = 16_384
"""Bytes of a reply above which the processor's own SHA-256 costs less; below, the way to it costs more than it saves."""


def digest(batches: Sequence[bytes]) -> bytes:
    """Return a few bytes that stand for a reply: equal for equal replies, whatever the batches."""
    summary = sha256() if sum(map(len, batches)) > LARGE else blake2b(digest_size=16)
    for batch in batches:
        summary.update(batch)
    return summary.digest()


@data(frozen=True, slots=True)
class ReadRecord:
    """A read, what it saw (a digest of documents, or a number), and the model that it was about."""

    command: Read
    seen: bytes | int
    about: str


@data(frozen=True, slots=True)
class WriteRecord:
    """Bulks that were sent together, and what the server said."""

    bulks: tuple[BulkWrite, ...]
    results: tuple[BulkResult, ...]


@data(frozen=True, slots=True)
class ChangeRecord:
    """An update of one document, what it was before (a digest), the model that it was about, and the id; None if none."""

    command: FindAndUpdate
    seen: bytes
    about: str
    stored_id: Any


@data(frozen=True, slots=True)
class LockRecord:
    """A bulk that was sent to lock what it names."""

    bulk: BulkWrite


class StreamRecord:
    """A read batch by batch, what it saw so far, and the model that it was about."""

    def __init__(self, command: Find, about: str, reader: object) -> None:
        """Begin with nothing seen; the stream is open until its reader is gone or says that it has ended."""
        self.about = about
        self._command = command
        self._reader = ref(reader)
        self._summary = blake2b(digest_size=16)
        self._documents = 0
        self._whole = False
        self._ended = False

    @property
    def command(self) -> Find:
        """The query for what was seen: the first documents only, if the rest was given up."""
        return self._command if self._whole else replace(self._command, limit=self._documents)

    @property
    def seen(self) -> bytes:
        """The digest of what was seen."""
        return self._summary.digest()

    @property
    def is_open(self) -> bool:
        """Tell whether more may be fetched: from a cursor that no other transaction could go on with."""
        return not self._ended and self._reader() is not None

    def add(self, batch: bytes, documents: int) -> None:
        """Note one more batch."""
        self._summary.update(batch)
        self._documents += documents

    def end(self, *, whole: bool) -> None:
        """Note that nothing more is fetched, and whether that was all."""
        self._ended, self._whole = True, whole


Record = ReadRecord | StreamRecord | WriteRecord | ChangeRecord | LockRecord


class Log:
    """The records of one transaction, and what it has locked: collections with identities.

    `generation` counts the transactions of the unit.
    """

    def __init__(self) -> None:
        """Begin empty."""
        self.records: list[Record] = []
        self.locked: set[tuple[str, Hashable]] = set()
        self.generation = 0
        self._bytes_read = self._bytes_written = 0

    @property
    def repeatable(self) -> bool:
        """Tell whether all can be done again: little enough, at an end, and with answers that stay the same."""
        if self._bytes_read > READ_BUDGET_BYTES or self._bytes_written > INSERT_BUDGET_BYTES:
            return False
        return all(map(_may_repeat, self.records))

    def streaming(self, command: Find, about: str, reader: object) -> StreamRecord:
        """Record a query that is read batch by batch, and return its record."""
        record = StreamRecord(command, about, reader)
        self.records.append(record)
        return record

    def streamed(self, record: StreamRecord, batch: bytes, documents: int) -> None:
        """Record one more batch of a stream."""
        self._bytes_read += len(batch)
        record.add(batch, documents)

    def found(self, command: Find | Aggregate, batches: list[bytes], about: str) -> None:
        """Record a query and its reply."""
        self._bytes_read += sum(map(len, batches))
        seen = comparable(command, batches) if isinstance(command, Aggregate) else batches
        self.records.append(ReadRecord(command, digest(seen), about))

    def counted(self, command: Count, number: int, about: str) -> None:
        """Record a count and its reply."""
        self.records.append(ReadRecord(command, number, about))

    def listed(self, command: Distinct, values: list[bytes], about: str) -> None:
        """Record the different values that were asked for, and their reply, whose order means nothing."""
        self._bytes_read += sum(map(len, values))
        self.records.append(ReadRecord(command, digest(sorted(values)), about))

    def wrote(self, bulks: Iterable[BulkWrite], results: Iterable[BulkResult]) -> None:
        """Record writes and their reply; past a budget, only that there were some."""
        sent = tuple(bulks)
        for bulk in sent:
            if len(bulk.writes) >= MANY:
                self._bytes_written += size_of(bulk)
        if self._bytes_written > INSERT_BUDGET_BYTES:
            sent, results = (), ()
        self.records.append(WriteRecord(sent, tuple(results)))

    def changed(self, command: FindAndUpdate, before: list[bytes], about: str) -> None:
        """Record an update of one document and its reply."""
        self._bytes_read += sum(map(len, before))
        found = decode_all(b"".join(before))
        self.records.append(ChangeRecord(command, digest(before), about, found[0]["_id"] if found else None))

    def took(self, bulk: BulkWrite, identities: Iterable[tuple[str, Hashable]]) -> None:
        """Record locks."""
        self.records.append(LockRecord(bulk))
        self.locked.update(identities)

    def clear(self) -> None:
        """Forget the records: their transaction has ended."""
        self.records = []
        self.locked = set()
        self.generation += 1
        self._bytes_read = self._bytes_written = 0


def _may_repeat(record: Record) -> bool:
    if isinstance(record, WriteRecord | ChangeRecord | LockRecord):
        return True
    return is_steady(record.command) and not (isinstance(record, StreamRecord) and record.is_open)
