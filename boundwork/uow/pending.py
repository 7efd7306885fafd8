"""What a unit has still to write, and what it has written in the present transaction.

Added and removed documents are noted here; touched ones are noted by the tracker of the models. Together they are
turned into changes, in the order of first use. After a flush the entries are kept as inserted and deleted, since a
rollback must undo them.
"""

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from typing import Any, cast

from boundwork.models import Document
from boundwork.models.difference import Update
from boundwork.models.mapper import Mapper, mapper_of
from boundwork.models.tracking import Changes, Tracker
from boundwork.uow.changes import Alteration, Change, Insertion, Look, Removal
from boundwork.uow.unique_claims import value_at


@dataclass(slots=True)
class Entry:
    """A document that was added or removed; `place` is how many documents had been touched before.

    `unverified` asks for a full check before the insert; `guarded` says that an earlier transaction read it.
    """

    document: Document[Any]
    mapper: Mapper[Any]
    key: Hashable
    place: int = 0
    origin: str | None = None
    unverified: bool = False
    guarded: bool = False


class Pending:
    """The entries of one transaction."""

    def __init__(self, tracker: Tracker) -> None:
        """Begin with nothing to do."""
        self._tracker = tracker
        self.clear()

    def clear(self) -> None:
        """Have nothing to do and nothing done."""
        self.added: dict[int, Entry] = {}
        self.removed: dict[int, Entry] = {}
        self._inserted: dict[int, Entry] = {}
        self._deleted: dict[int, Entry] = {}

    def add(self, entry: Entry) -> None:
        """Note a new document."""
        entry.place = len(self._tracker.touched)
        self.added[id(entry.document)] = entry

    def remove(self, entry: Entry) -> None:
        """Note a document that goes."""
        entry.place = len(self._tracker.touched)
        self.removed[id(entry.document)] = entry

    def take_back(self, document: Document[Any]) -> bool:
        """Drop the removal of a document that no flush has sent; False if there is none."""
        return self.removed.pop(id(document), None) is not None

    def forget(self, document: Document[Any]) -> bool:
        """Drop the insert of a document that no flush has sent; False if there is none."""
        return self.added.pop(id(document), None) is not None

    def note_inserted(self, entry: Entry) -> None:
        """Note a document that was inserted at once."""
        self._inserted[id(entry.document)] = entry

    def flushed(self) -> None:
        """Take all that was pending as sent."""
        self._inserted.update(self.added)
        self._deleted.update(self.removed)
        self.added = {}
        self.removed = {}
        for changes in self._tracker.touched.values():
            changes.accept()

    def new(self) -> Iterator[Entry]:
        """Iterate over the documents that the transaction added."""
        yield from self.added.values()
        yield from self._inserted.values()

    def deleted(self) -> Iterator[Entry]:
        """Iterate over the documents whose deletion was sent."""
        yield from self._deleted.values()

    def changes(self) -> list[Change]:
        """Return what a flush has to do, in the order of first use; InvalidDocument before anything is sent."""
        added = [(entry.place * 2, self._insertion(entry)) for entry in self.added.values()]
        if not self.removed and not self._tracker.touched:
            return [change for _, change in added]
        removed = [(entry.place * 2, self._removal(entry)) for entry in self.removed.values()]
        placed: list[tuple[int, Change]] = [*added, *self._alterations(), *removed]
        return [change for _, change in sorted(placed, key=lambda pair: pair[0])]

    def _insertion(self, entry: Entry) -> Change:
        if entry.unverified or id(entry.document) in self._tracker.touched:
            entry.mapper.verify(entry.document)
        stored = entry.mapper.encode(entry.document)
        return Insertion(entry.document, entry.mapper, stored["_id"], stored, entry.origin)

    def _alterations(self) -> Iterator[tuple[int, Change]]:
        for place, (identity, changes) in enumerate(self._tracker.touched.items()):
            if identity in self.added or identity in self.removed or identity in self._deleted:
                continue
            update = changes.update()
            if update is not None:
                yield place * 2 + 1, _alteration(cast("Document[Any]", changes.document), changes, update)

    def _removal(self, entry: Entry) -> Change:
        changes = self._tracker.touched.get(id(entry.document))
        before = _now(entry.mapper, entry.document) if changes is None else changes.before
        return Removal(entry.document, entry.mapper, entry.mapper.encode_id(entry.document.id), before, entry.guarded)


def _alteration(document: Document[Any], changes: Changes, update: Update) -> Alteration:
    mapper = mapper_of(type(document))
    mapper.verify(document, update.fields)
    return Alteration(document, mapper, mapper.encode_id(document.id), update, changes.before, _now(mapper, document))


def _now(mapper: Mapper[Any], document: Document[Any]) -> Look:
    """Return a look into the document as it is now, encoded when first asked."""
    stored: dict[str, Any] | None = None

    def look(path: str) -> Any:
        nonlocal stored
        if stored is None:
            stored = mapper.encode(document)
        return value_at(stored, path)

    return look
