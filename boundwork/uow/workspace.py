"""How the documents of a unit meet the server.

Reads go through the identity map; writes are kept until a flush. Every command is recorded.
"""

from collections.abc import Collection, Hashable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from boundwork.errors import DocumentNotFound
from boundwork.models import Document
from boundwork.models.holding import is_held
from boundwork.models.hydration import paused
from boundwork.models.identity import identity_key
from boundwork.models.mapper import Mapper, mapper_of
from boundwork.models.tracking import touch_all
from boundwork.uow.changes import Insertion
from boundwork.uow.commands import Count, Find
from boundwork.uow.flushing import flush, insert_if_absent
from boundwork.uow.identity_map import REMOVED
from boundwork.uow.loading import asked_by_id, key_of, load, may_reload
from boundwork.uow.locking import find_and_lock, lock_and_find, lock_name
from boundwork.uow.log import Log
from boundwork.uow.owning import give_stored, stored_for
from boundwork.uow.pending import Entry
from boundwork.uow.receipt import Receipt
from boundwork.uow.registry import Registry
from boundwork.uow.scopes import meet
from boundwork.uow.single_reads import Lines, look_at_single_read, only_counted

if TYPE_CHECKING:
    from boundwork.uow.unit import Unit

DocumentT = TypeVar("DocumentT", bound=Document[Any])


class Workspace(Registry):
    """What a unit holds between its first command and its last."""

    def __init__(self, unit: "Unit") -> None:
        """Begin empty, for one unit."""
        super().__init__(unit)
        self.log = Log()
        self.staged = Receipt()
        self.only_counted = only_counted(unit.settings.single_reads)
        self.single_reads: Lines | None = None

    def recall(self, mapper: Mapper[DocumentT], document_id: object) -> DocumentT | None:
        """Return a document that the present transaction has read or added, without asking the server."""
        self.unit.check()
        known = self.known.current(mapper.collection, key_of(mapper, document_id))
        return asked_by_id(mapper, known)

    async def get(self, mapper: Mapper[DocumentT], document_id: object, *, lock: bool = False) -> DocumentT | None:
        """Return the document with an id, locked if that is asked for; None if there is none or the unit removed it."""
        self.unit.check()
        stored_id = mapper.encode_id(document_id)
        key = identity_key(stored_id)
        known = self.known.current(mapper.collection, key)
        earlier = self.known.earlier(mapper.collection, key) if known is None else None
        if earlier is not None and not may_reload(self.tracker, earlier):
            await self.flush()
            known = earlier
        if known is not None:
            document = asked_by_id(mapper, known)
            if document is not None:
                await self.read_by_id(mapper, [stored_id], None, lock=lock)
            return document
        self.only_counted -= 1
        if self.only_counted < 0:
            look_at_single_read(self, mapper.model.__name__)
        command = Find(mapper.collection, {"_id": stored_id, **mapper.base_filter}, limit=1)
        found = self.load(mapper, await self.read_by_id(mapper, [stored_id], command, lock=lock))
        if not found and earlier is not None:
            self.vanish(mapper, earlier)
        return found[0] if found else None

    async def get_many(
        self, mapper: Mapper[DocumentT], document_ids: Iterable[object], *, lock: bool = False
    ) -> list[DocumentT | None]:
        """Return what `get` returns for each id, asking once for all that are not known."""
        self.unit.check()
        stored_ids = [mapper.encode_id(document_id) for document_id in document_ids]
        keys = [identity_key(stored_id) for stored_id in stored_ids]
        earlier = [document for key in keys if (document := self.known.earlier(mapper.collection, key)) is not None]
        if not all(may_reload(self.tracker, document) for document in earlier):
            await self.flush()
        known = {key: self.known.current(mapper.collection, key) for key in keys}
        wanted = {key: stored_id for key, stored_id in zip(keys, stored_ids, strict=True) if known[key] is not REMOVED}
        asked = [stored_id for key, stored_id in wanted.items() if known[key] is None]
        command = Find(mapper.collection, {"_id": {"$in": asked}, **mapper.base_filter}) if asked else None
        self.load(mapper, await self.read_by_id(mapper, wanted.values(), command, lock=lock))
        for document in earlier:
            if self.known.earlier(mapper.collection, key_of(mapper, document.id)) is document:
                self.vanish(mapper, document)
        return [asked_by_id(mapper, self.known.current(mapper.collection, key)) for key in keys]

    async def find(self, mapper: Mapper[DocumentT], command: Find) -> list[DocumentT]:
        """Flush, and return the documents that a query finds, each as the one object that stands for it."""
        await self.autoflush()
        locks = self.unit.settings.locks_reads
        batches = await (find_and_lock(self.unit, mapper, command) if locks else self.read(mapper, command))
        return self.load(mapper, batches, self.pending.leaving(mapper.collection))

    async def count(self, mapper: Mapper[Any], command: Count) -> int:
        """Flush, and return how many documents match."""
        await self.autoflush()
        number = await self.unit.send(lambda: self.unit.session.count(command))
        self.log.counted(command, number, mapper.model.__name__)
        return number

    async def refresh(self, document: Document[Any]) -> None:
        """Flush, and read a document of this unit again into the same object; DocumentNotFound if it is gone."""
        self.unit.check()
        self._must_belong(document)
        await self.flush()
        mapper = mapper_of(type(document))
        stored_id = mapper.encode_id(document.id)
        stored: list[bytes] = []
        if not self.pending.is_gone(document):
            present = {} if mapper.is_removed(document) else mapper.present_filter
            naming = self.pending.naming(document, stored_id)
            command = Find(mapper.collection, {**naming, **present}, limit=1)
            stored = await self.read_by_id(mapper, [stored_id], command)
        if not stored:
            self.vanish(mapper, document)
            raise DocumentNotFound(type(document).__name__, mapper.collection, document.id)
        mapper.reload(document, mapper.decode(stored[0])[0])
        self.known.keep(mapper.collection, key_of(mapper, document.id), document)

    async def add_if_absent(self, document: Document[Any]) -> bool:
        """Flush, and insert a document at once unless its id is taken; True if it was inserted."""
        self.unit.check()
        if not self.is_free(document):
            return False
        await self.flush()
        mapper = mapper_of(type(document))
        key = key_of(mapper, document.id)
        if isinstance(self.known.current(mapper.collection, key), Document):
            return False
        stored, owner = stored_for(self.unit, mapper, document)
        if not await insert_if_absent(self.unit, Insertion(document, mapper, stored["_id"], stored, None)):
            return False
        self.inserted(mapper, document, owner)
        return True

    def inserted(self, mapper: Mapper[Any], document: Document[Any], owner: object) -> None:
        """Take a document that was inserted at once as one of the unit; `owner` is the tenant that it was stored with."""
        key = key_of(mapper, document.id)
        earlier = self.known.earlier(mapper.collection, key)
        if earlier is not None and earlier is not document:
            self.vanish(mapper_of(type(earlier)), earlier)
        self.staged.inserted += 1
        self.tracker.attach(document)
        give_stored(mapper, document, owner)
        if is_held(document.__dict__.values()):
            touch_all(document)
        self.pending.note_inserted(Entry(document, mapper, key))
        self.known.keep(mapper.collection, key, document)

    async def lock_name(self, name: str) -> None:
        """Lock a name for the rest of the transaction."""
        await lock_name(self.unit, name)

    async def flush(self) -> None:
        """Send all pending changes."""
        self.unit.check()
        await flush(self.unit)

    def settle(self, *, last: bool) -> bool:
        """Take what was flushed as committed; tell whether the transaction had anything to commit.

        After the `last` transaction of the unit nothing will be rewound, so no state is noted to rewind to.
        """
        worked = bool(self.log.records)
        self.unit.receipt.add(self.staged, committed=worked)
        for entry in self.pending.born.values():
            if entry.mapper.fixed is not None:
                entry.mapper.fixed.tell(entry.document)
        if not last and self.tracker.touched:
            paused(len(self.tracker.touched), self.tracker.mark)
        for entry in (*self.pending.gone.values(), *self.pending.withdrawn.values()):
            self.tracker.detach(entry.document)
        if not last:
            self._begin_again()
        return worked

    def rewind(self) -> None:
        """Give all objects the state they had when the transaction first tracked them; new ones are new again."""
        self.tracker.rewind()
        for entry in self.pending.born.values():
            self.tracker.detach(entry.document)
            self.known.forget(entry.mapper.collection, entry.key, entry.document)
        for entry in self.pending.missed():
            self.known.keep(entry.mapper.collection, entry.key, entry.document)
        self._begin_again()

    def close(self) -> None:
        """Let go of all documents; they are detached."""
        self.tracker.close()
        self.known.clear()
        self.pending.clear()
        self.log.clear()

    def _begin_again(self) -> None:
        self.pending.clear()
        self.log.clear()
        self.staged = Receipt()
        self.known.age()

    async def autoflush(self) -> None:
        """Flush before a query, unless the unit is told not to."""
        self.unit.check()
        if self.unit.settings.autoflush:
            await flush(self.unit)

    def load(
        self, mapper: Mapper[DocumentT], batches: list[bytes], leaving: Collection[Hashable] = ()
    ) -> list[DocumentT]:
        """Return the documents of a reply, each as the one object that stands for it; those that leave are left out."""
        written = self.known.has_earlier(mapper.collection) and self.unit.session.foreign
        return load(mapper, batches, self.known, self.tracker, leaving, written=written)

    async def read_by_id(
        self, mapper: Mapper[Any], stored_ids: Iterable[Any], command: Find | None, *, lock: bool = False
    ) -> list[bytes]:
        """Read what is not known of these documents; where that is asked for, lock all of them."""
        if mapper.is_scoped or self.unit.scopes is not None:
            meet(self.unit, mapper)
        if lock or self.unit.settings.locks_reads:
            return await lock_and_find(self.unit, mapper, stored_ids, command)
        return [] if command is None else await self.read(mapper, command)

    async def read(self, mapper: Mapper[Any], command: Find) -> list[bytes]:
        """Send a query and record it with its reply."""
        batches = await self.unit.send(partial(self.unit.session.find, command))
        self.log.found(command, batches, mapper.model.__name__)
        return batches
