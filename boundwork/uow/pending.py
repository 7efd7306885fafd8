"""What a unit has still to write, and what it has written in the present transaction.

Added and removed documents are noted here; touched ones are noted by the tracker of the models. Together they are
turned into changes, in the order of first use. A rollback must undo what was flushed, so four more facts are kept:
which documents the transaction made (born), which ones of before it has deleted (lost), which are deleted now (gone),
and which were added and removed again before any flush (withdrawn).
The receipt counts a document once, so those that were updated (altered) are known as well.
"""

from collections.abc import Collection, Hashable, Iterator
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, cast

from boundwork.models import Document
from boundwork.models.bson_types import MISSING, encode_value
from boundwork.models.difference import Update
from boundwork.models.encoders import unknown_fields
from boundwork.models.fixed_fields import FixedFields
from boundwork.models.holding import is_held
from boundwork.models.hydration import paused
from boundwork.models.mapper import Mapper, mapper_of
from boundwork.models.problems import too_deep
from boundwork.models.touched import Changes
from boundwork.models.tracking import Tracker, touch_all
from boundwork.uow.changes import Alteration, Change, Insertion, Look, Removal
from boundwork.uow.identity_map import REMOVED, Known
from boundwork.uow.many_inserts import MANY, packed
from boundwork.uow.unique_claims import value_at


@dataclass(slots=True)
class Entry:
    """A document that was added or removed; `place` is how many documents had been touched before.

    `unverified` asks for a full check before the insert; `guarded` says that an earlier transaction read it; `replaces`
    says that the unit removes another document with this id, `vanished` that it was found deleted by somebody else, or
    `here` by an operation on all that match.
    """

    document: Document[Any]
    mapper: Mapper[Any]
    key: Hashable
    place: int = 0
    origin: str | None = None
    unverified: bool = False
    guarded: bool = False
    replaces: bool = False
    vanished: bool = False
    here: bool = False


class Pending:
    """The entries of one transaction."""

    def __init__(self, tracker: Tracker) -> None:
        """Begin with nothing to do; `moves` counts what was added and removed."""
        self._tracker = tracker
        self.moves = 0
        self.clear()

    def clear(self) -> None:
        """Have nothing to do and nothing done."""
        self.added: dict[int, Entry] = {}
        self.removed: dict[int, Entry] = {}
        self.born: dict[int, Entry] = {}
        self.lost: dict[int, Entry] = {}
        self.gone: dict[int, Entry] = {}
        self.altered: set[int] = set()
        self.withdrawn: dict[int, Entry] = {}
        self._versioned: list[tuple[Changes, str, int]] = []

    def add(self, entry: Entry) -> None:
        """Note a new document, or one that comes back after its deletion was sent."""
        self.moves += 1
        entry.place = len(self._tracker.touched)
        self.added[id(entry.document)] = entry
        self.withdrawn.pop(id(entry.document), None)
        self._bear(entry)

    def remove(self, entry: Entry) -> None:
        """Note a document that goes."""
        self.moves += 1
        entry.place = len(self._tracker.touched)
        self.removed[id(entry.document)] = entry

    def take_back(self, document: Document[Any]) -> None:
        """Drop the removal of a document that no flush has sent."""
        self.moves += 1
        self.removed.pop(id(document), None)

    def withdraw(self, document: Document[Any]) -> Known | None:
        """Drop the insert of a document that no flush has sent; give what is known of its id then, None if nothing."""
        self.moves += 1
        entry = self.added.pop(id(document))
        if id(document) in self.gone:
            return REMOVED
        self.withdrawn[id(document)] = entry
        return self._known_as(entry)

    def is_withdrawn(self, document: Document[Any]) -> bool:
        """Tell whether a document was added and removed again before any flush; it is only kept to be rewound."""
        return id(document) in self.withdrawn

    def is_unsent(self, document: object) -> bool:
        """Tell whether a document is new and no flush has sent it."""
        return id(document) in self.added or id(document) in self.withdrawn

    def is_gone(self, document: Document[Any]) -> bool:
        """Tell whether the deletion of a document was sent and nothing has brought it back."""
        return id(document) in self.gone

    def vanish(self, entry: Entry) -> None:
        """Note a document that somebody else has deleted; a rollback makes it one of an earlier transaction again."""
        self.gone[id(entry.document)] = entry
        if id(entry.document) not in self.born:
            self.lost[id(entry.document)] = entry

    def vanished(self, document: Document[Any]) -> Entry | None:
        """Return the entry of a document that was found deleted and that nothing has brought back; None for any other."""
        entry = self.gone.get(id(document))
        return entry if entry is not None and entry.vanished else None

    def leaving(self, collection: str) -> Collection[Hashable]:
        """Return the identities whose removal no flush has sent."""
        if not self.removed:
            return ()
        return {entry.key for entry in self.removed.values() if entry.mapper.collection == collection}

    def note_inserted(self, entry: Entry) -> None:
        """Note a document that was inserted at once."""
        self._bear(entry)
        self.gone.pop(id(entry.document), None)

    def _bear(self, entry: Entry) -> None:
        if id(entry.document) not in self.lost:
            self.born[id(entry.document)] = entry

    def flushed(self) -> None:
        """Take all that `changes()` gave as sent."""
        unsent = ({*self.removed, *self.gone} - self.added.keys()) | self.withdrawn.keys()
        for identity in self.added:
            self.gone.pop(identity, None)
        for identity, entry in self.removed.items():
            self.gone[identity] = entry
            if identity not in self.born:
                self.lost[identity] = entry
        self.added = {}
        self.removed = {}
        paused(len(self._tracker.touched), self._take_as_sent, unsent)
        for changes, name, version in self._versioned:
            changes.advance(name, version)
        self._versioned = []

    def _take_as_sent(self, unsent: Collection[int]) -> None:
        for identity, changes in list(self._tracker.touched.items()):
            if identity in unsent:
                changes.accept()
            else:
                changes.flushed()

    def missed(self) -> Iterator[Entry]:
        """Iterate over the documents of before that the transaction has removed, sent or not."""
        yield from self.lost.values()
        yield from (entry for identity, entry in self.removed.items() if identity not in self.born)

    def copy(self) -> "Pending":
        """Return the same entries, to go back to."""
        twin = Pending(self._tracker)
        twin.take(self)
        return twin

    def take(self, other: "Pending") -> None:
        """Have the entries of another one."""
        self.added = dict(other.added)
        self.removed = dict(other.removed)
        self.born = dict(other.born)
        self.lost = dict(other.lost)
        self.gone = dict(other.gone)
        self.altered = set(other.altered)
        self.withdrawn = dict(other.withdrawn)

    def new_since(self, before: "Pending") -> Iterator[Entry]:
        """Iterate over the documents that were added after `before` was copied."""
        yield from (entry for identity, entry in self.born.items() if not self.keeps(identity, before))

    def standing(self, later: "Pending") -> Iterator[tuple[Entry, Known | None]]:
        """Iterate over what the unit knew of documents that have moved until `later`, removals first.

        None stands for a document that was withdrawn. Of one that was first seen since, while an added document of its id
        was withdrawn, the unit knew that added document.
        """
        added = {(entry.mapper.collection, entry.key): entry.document for entry in self.added.values()}
        moved: dict[int, Entry] = {}
        for pending in (self, later):
            for entries in (
                pending.lost,
                pending.born,
                pending.added,
                pending.gone,
                pending.removed,
                pending.withdrawn,
            ):
                moved.update(entries)
        before: list[tuple[Entry, Known | None]] = []
        for identity, entry in moved.items():
            if later.keeps(identity, self):
                known = self._known_as(entry)
                if known is entry.document:
                    known = added.get((entry.mapper.collection, entry.key), known)
                before.append((entry, known))
        yield from sorted(before, key=lambda pair: isinstance(pair[1], Document))

    def keeps(self, identity: int, before: "Pending") -> bool:
        """Tell whether a document was there before, and not made since."""
        return identity in before.born or identity not in self.born

    def _known_as(self, entry: Entry) -> Known | None:
        identity = id(entry.document)
        if identity in self.added:
            return entry.document
        if identity in self.removed or identity in self.gone:
            return REMOVED
        if identity in self.withdrawn:
            return REMOVED if self.withdrawn[identity].replaces else None
        return entry.document

    def watch_held(self) -> None:
        """Watch the new documents of which somebody holds a part since before; they are about to be sent."""
        for identity, entry in self.added.items():
            if identity not in self._tracker.touched and is_held(entry.document.__dict__.values()):
                try:
                    touch_all(entry.document)
                except RecursionError:
                    raise too_deep(entry.document, entry.mapper.codec) from None

    def naming(self, document: Document[Any], stored_id: Any) -> dict[str, Any]:
        """Return the filter that names a stored document: its id, and the shard key that it was read with."""
        mapper = mapper_of(type(document))
        return (
            {"_id": stored_id, **mapper.fixed.key(self._as_stored(mapper, document))}
            if mapper.fixed
            else {"_id": stored_id}
        )

    def _as_stored(self, mapper: Mapper[Any], document: Document[Any]) -> Look:
        changes = self._tracker.touched.get(id(document))
        return _now(mapper, document) if changes is None else _then(changes)

    def changes(self) -> list[Change]:
        """Return what a flush has to do, in the order of first use; InvalidDocument before anything is sent."""
        return paused(len(self.added) + len(self._tracker.touched), self._changes)

    def _changes(self) -> list[Change]:
        if not self.removed and not self._tracker.touched:
            insertions = map(self._insertion, self.added.values())
            return [*(packed(insertions) if len(self.added) >= MANY else insertions)]
        self._versioned = []
        added = [(entry.place * 2, self._insertion(entry)) for entry in self.added.values()]
        removed = [(entry.place * 2, self._removal(entry)) for entry in self.removed.values()]
        placed: list[tuple[int, Change]] = [*added, *self._alterations(), *removed]
        return [change for _, change in sorted(placed, key=itemgetter(0))]

    def _insertion(self, entry: Entry) -> Insertion:
        changes = self._tracker.touched.get(id(entry.document))
        if changes is not None:
            changes.check_id()
        if entry.unverified or changes is not None:
            entry.mapper.verify(entry.document)
        else:
            entry.mapper.verify_untouched(entry.document)
        stored = entry.mapper.encode(entry.document)
        if changes is not None:
            changes.inserting(stored)
        return Insertion(entry.document, entry.mapper, stored["_id"], stored, entry.origin)

    def _alterations(self) -> Iterator[tuple[int, Change]]:
        for place, (identity, changes) in enumerate(list(self._tracker.touched.items())):
            if identity in self.added or identity in self.removed or identity in self.withdrawn:
                continue
            if identity in self.gone and not self.gone[identity].vanished:
                continue
            update = _update(changes)
            if update is not None:
                change = _alteration(cast("Document[Any]", changes.document), changes, update)
                if change.mapper.fixed is not None:
                    self._fix(change, change.mapper.fixed, changes)
                yield place * 2 + 1, change

    def _fix(self, change: Alteration, fixed: FixedFields, changes: Changes) -> None:
        """Complete the update of a document that has a version or a shard key; InvalidDocument if it writes those."""
        fixed.check(change.document, change.update, change.before, change.after)
        change.where = fixed.where(change.id, change.before)
        number = fixed.number(change.before)
        if fixed.version is not None and number is not None:
            change.version = change.update.set[fixed.version_path] = number + 1
            self._versioned.append((changes, fixed.version, number + 1))

    def _removal(self, entry: Entry) -> Change:
        changes = self._tracker.touched.get(id(entry.document))
        before = self._as_stored(entry.mapper, entry.document)
        stored_id = entry.mapper.encode_id(entry.document.id) if changes is None else changes.before("_id")
        where = None if entry.mapper.fixed is None else entry.mapper.fixed.where(stored_id, before)
        return Removal(entry.document, entry.mapper, stored_id, before, entry.guarded, where)


def _update(changes: Changes) -> Update | None:
    try:
        return changes.update()
    except RecursionError:
        raise too_deep(changes.document, changes.codec) from None


def _alteration(document: Document[Any], changes: Changes, update: Update) -> Alteration:
    mapper = mapper_of(type(document))
    mapper.verify(document, update.fields, changes.sent, (*update.set, *update.unset, *update.push))
    return Alteration(document, mapper, mapper.encode_id(document.id), update, _then(changes), _now(mapper, document))


def _then(changes: Changes) -> Look:
    """Return a look into the document as it is stored, through arrays as an index sees them."""

    def look(path: str) -> Any:
        head = path.partition(".")[0]
        value = changes.before(head)
        if value is MISSING and head in (unknown := unknown_fields(cast("Document[Any]", changes.document))):
            value = encode_value(unknown[head])
        return value if head == path or value is MISSING else value_at({head: value}, path)

    return look


def _now(mapper: Mapper[Any], document: Document[Any]) -> Look:
    """Return a look into the document as it is now, encoded when first asked."""
    stored: dict[str, Any] | None = None

    def look(path: str) -> Any:
        nonlocal stored
        if stored is None:
            stored = mapper.encode(document)
        return value_at(stored, path)

    return look
