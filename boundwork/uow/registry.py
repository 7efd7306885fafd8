"""Which documents belong to a unit, and what becomes of one that the program adds or removes. Nothing is sent here.

A document that is added twice, or taken back after its removal, is one that stays; two objects with one id are refused.
"""

from collections.abc import Hashable, Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from boundwork.errors import NotInUnit
from boundwork.models import Document
from boundwork.models.bson_types import MISSING
from boundwork.models.hydration import paused
from boundwork.models.identity import identity_key
from boundwork.models.mapper import Mapper, mapper_of
from boundwork.models.tracking import Tracker, is_fresh, is_modified, touch_all
from boundwork.uow.identity_map import REMOVED, IdentityMap, Known
from boundwork.uow.loading import key_of
from boundwork.uow.owning import give, mark_removed, owner_for, take_back
from boundwork.uow.pending import Entry, Pending

if TYPE_CHECKING:
    from boundwork.uow.unit import Unit


class Registry:
    """The documents of a unit: tracked, known by their identities, and pending if a flush has to send them."""

    def __init__(self, unit: "Unit") -> None:
        """Begin empty, for one unit."""
        self.unit = unit
        self.tracker = Tracker()
        self.known = IdentityMap()
        self.pending = Pending(self.tracker)
        self.tracker.unsent = self.pending.is_unsent

    @property
    def is_clean(self) -> bool:
        """Tell whether there is nothing that a flush would have to look at."""
        return not (self.tracker.touched or self.pending.added or self.pending.removed)

    def add(self, document: Document[Any], origin: str | None = None) -> None:
        """Register a new document; its id may be that of one that the unit removes."""
        self.unit.check()
        self._add(document, origin)

    def add_all(self, documents: Sequence[Document[Any]], origin: str | None = None) -> None:
        """Register new documents, all or none."""
        self.unit.check()
        paused(len(documents), self._add_many, documents, origin)

    def _add_many(self, documents: Sequence[Document[Any]], origin: str | None) -> None:
        keys = self._keys_of_new(documents)
        if keys is None:
            self._add_each(documents, origin)
            return
        mapper = mapper_of(type(documents[0]))
        self.tracker.attach_all(documents)
        for document, key in zip(documents, keys, strict=True):
            self.pending.add(Entry(document, mapper, key, origin=origin))
        self.known.keep_all(mapper.collection, keys, documents)

    def _keys_of_new(self, documents: Sequence[Document[Any]]) -> list[Hashable] | None:
        """Return the identities of documents of one model if all are certainly new, and none has to be given a tenant."""
        if self.unit.scopes is not None or len(set(map(type, documents))) != 1 or not all(map(is_fresh, documents)):
            return None
        mapper = mapper_of(type(documents[0]))
        keys = [key_of(mapper, document.id) for document in documents]
        return keys if len(set(keys)) == len(keys) and self.known.is_new(mapper.collection, keys) else None

    def _add_each(self, documents: Iterable[Document[Any]], origin: str | None) -> None:
        added: list[tuple[Document[Any], datetime | None]] = []
        try:
            for document in documents:
                moves = self.pending.moves
                mark = self._add(document, origin)
                if mark is not None or self.pending.moves != moves:  # it was not one of the unit already
                    added.append((document, mark))
        except BaseException:
            for document, mark in reversed(added):
                if mark is None:
                    self.remove(document, softly=False)
                else:
                    mark_removed(mapper_of(type(document)), document, mark)
            raise

    def _add(self, document: Document[Any], origin: str | None) -> datetime | None:
        """Register a document; return the time of its soft removal if that was taken back."""
        mapper = mapper_of(type(document))
        if is_fresh(document):
            self._adopt(mapper, document, key_of(mapper, document.id), origin, unverified=False)
            return None
        going = self.pending.removed.get(id(document))
        if going is not None:
            self._refuse_second(mapper, document, going.key)
            self.pending.take_back(document)
            keep = self.known.keep_earlier if going.guarded else self.known.keep
            keep(mapper.collection, going.key, document)
        elif self.is_free(document):
            self._adopt(mapper, document, self._key(mapper, document), origin, unverified=is_modified(document))
        elif mapper.is_removed(document):
            return take_back(mapper, document)
        return None

    def _adopt(
        self, mapper: Mapper[Any], document: Document[Any], key: Hashable, origin: str | None, *, unverified: bool
    ) -> None:
        replaces = self._refuse_second(mapper, document, key) is REMOVED
        owner = owner_for(self.unit, mapper, document) if mapper.is_scoped or self.unit.scopes is not None else MISSING
        self.tracker.attach(document)
        if unverified:
            touch_all(document)  # parts of it may be held already, and are changed without asking the document
        if owner is not MISSING:
            give(mapper, document, owner)
        self.pending.add(Entry(document, mapper, key, origin=origin, unverified=unverified, replaces=replaces))
        self.known.keep(mapper.collection, key, document)

    def _refuse_second(self, mapper: Mapper[Any], document: Document[Any], key: Hashable) -> Known | None:
        """Return what is known of the identity of a new document; NotInUnit if that is another object."""
        known = self.known.current(mapper.collection, key) or self.known.earlier(mapper.collection, key)
        if isinstance(known, Document):
            raise NotInUnit(
                f"{type(document).__name__} {document.id!r} cannot be added: another object with this id is in the "
                "unit already. Change that one, or remove it first. If somebody else may have deleted it since the "
                "last commit of the unit, ask by find_by_id before.",
            )
        return known

    def restore(self, document: Document[Any]) -> None:
        """Undo the soft removal of a document of this unit; TypeError for a model without one."""
        self.unit.check()
        self._must_belong(document)
        take_back(mapper_of(type(document)), document)
        if id(document) in self.pending.removed or self.pending.is_gone(document):
            self._add(document, None)

    def remove(self, document: Document[Any], *, softly: bool = True) -> None:
        """Register the removal of a document of this unit; a new one is only forgotten.

        Where the model has soft removal the document is only marked, unless `softly` says otherwise.
        """
        self.unit.check()
        self._must_belong(document)
        mapper = mapper_of(type(document))
        stays = softly and mapper.scope.soft_delete is not None and id(document) not in self.pending.added
        if stays and not self.pending.is_gone(document):
            mark_removed(mapper, document)
            return
        key = self._key(mapper, document)
        if id(document) in self.pending.added:
            present = self.pending.withdraw(document)
            self.known.forget(mapper.collection, key)
            if present is not None:
                self.known.keep(mapper.collection, key, present)
            return
        if self.pending.is_gone(document):
            if self.known.current(mapper.collection, key) is document:
                self.known.keep(mapper.collection, key, REMOVED)
            return
        guarded = self.known.current(mapper.collection, key) is not document
        self.pending.remove(Entry(document, mapper, key, guarded=guarded))
        self.known.keep(mapper.collection, key, REMOVED)

    def vanish(self, mapper: Mapper[Any], document: Document[Any], *, here: bool = False) -> None:
        """Let go of a document that the transaction did not find, unless another model was asked for, or deleted itself."""
        if self.pending.is_gone(document) or not isinstance(document, mapper.model) or mapper.is_removed(document):
            return
        key = key_of(mapper, document.id)
        guarded = self.known.current(mapper.collection, key) is not document
        self.pending.vanish(Entry(document, mapper, key, guarded=guarded, vanished=True, here=here))
        self.known.keep(mapper.collection, key, REMOVED)

    def _must_belong(self, document: Document[Any]) -> None:
        if Tracker.owner_of(document) is not self.tracker or self.pending.is_withdrawn(document):
            raise NotInUnit(
                f"{type(document).__name__} {document.id!r} does not belong to the unit {self.unit.name}. "
                "Get it from a repository of this unit first.",
            )

    def _key(self, mapper: Mapper[Any], document: Document[Any]) -> Hashable:
        """Return the identity that a document stands for: that of its first id here, even if it was given another."""
        changes = self.tracker.changes_of(document)
        return key_of(mapper, document.id) if changes is None else identity_key(changes.before("_id"))

    def is_free(self, document: Document[Any]) -> bool:
        """Tell whether a document may be added; NotInUnit if another open unit has it."""
        owner = Tracker.owner_of(document)
        if owner is not None and owner is not self.tracker:
            raise NotInUnit(
                f"{type(document).__name__} {document.id!r} belongs to another open unit. "
                "Add a copy (model_copy), or wait until that unit has ended.",
            )
        return owner is None or self.pending.is_gone(document) or self.pending.is_withdrawn(document)
