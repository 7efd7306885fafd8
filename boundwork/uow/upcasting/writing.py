"""Writes of documents of the present version, as commands for what is stored.

The first update of a document that was read in an old version makes the stored one new as well, in one update that asks
for the old version. All others ask for none of the old ones, so one that the unit does not know to be old is missed.
"""

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from boundwork.models.fields import SCRATCH
from boundwork.models.identity import identity_key
from boundwork.models.upcasts.lineage import Lineage, version_of
from boundwork.uow.commands import DeleteOne, InsertOne, UpdateMany, UpdateOne, UpsertOne, Write
from boundwork.uow.upcasting.documents import Opened, stamped, update_of
from boundwork.uow.upcasting.portions import both, touches

Key = tuple[str, Hashable]
MOST = 1_000
"""So many old documents are renewed for one set-based change; more are the finisher's work."""


class Writer:
    """The writes of one call; `renewed` are the documents that are of the present version after it."""

    def __init__(self, old: Mapping[Key, Opened]) -> None:
        """Begin with the documents that were read in an old version."""
        self._old = old
        self.renewed: set[Key] = set()

    def one(self, collection: str, write: InsertOne | UpsertOne | UpdateOne | DeleteOne, lineage: Lineage) -> Write:
        """Return the write of one document."""
        if isinstance(write, InsertOne):
            return InsertOne(stamped(write.document, lineage.version))
        if isinstance(write, UpsertOne):
            return UpsertOne(stamped(write.document, lineage.version), write.key)
        if isinstance(write, DeleteOne) or is_lock(write):
            return write
        key = (collection, identity_key(write.filter["_id"]))
        old = None if key in self.renewed else self._old.get(key)
        if old is not None:
            self.renewed.add(key)
            return renewing(old, lineage, write)
        return replace(write, filter=both(write.filter, lineage.current)) if lineage.upcasts else write


def renewing(old: Opened, lineage: Lineage, write: UpdateOne | None = None) -> UpdateOne:
    """Return the update that makes a stored old document new, together with one of the unit."""
    was = old.was or {}
    named = {"_id": was["_id"]} if write is None else write.filter
    update = update_of(was, old.fields, lineage.version, None if write is None else write.update)
    return UpdateOne(both(named, lineage.stored_in(int(version_of(was)))), update)


def is_lock(write: UpdateOne) -> bool:
    """Tell whether an update is the one that locks a document, which changes nothing."""
    return all(paths.keys() == {SCRATCH} for paths in write.update.values())


def commutes(write: UpdateMany, lineage: Lineage) -> bool:
    """Tell whether a change of old documents and their upcast may come in either order."""
    return not lineage.computes and not any(touches(path, lineage) for path in _written(write.update))


def _written(update: Mapping[str, Any]) -> Iterator[str]:
    for operator, operand in update.items():
        for path in (*operand, *(operand.values() if operator == "$rename" else ())):
            yield ".".join(part for part in path.split(".") if not part.startswith("$"))
