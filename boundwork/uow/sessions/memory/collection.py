"""One collection: its documents as BSON, by identity, and the unique keys that they hold.

A unique key is an entry of a versioned map from key to owner, so that two transactions that want the same key
meet in it as they do in a document.
"""

from collections.abc import Hashable, Iterator, Mapping
from functools import cached_property
from typing import Any

from bson import Regex

from boundwork.models.identity import identity_key
from boundwork.uow.sessions.memory.encoding import Value, decode, encode, is_array, is_document
from boundwork.uow.sessions.memory.ordering import Key, order_key
from boundwork.uow.sessions.memory.paths import index_keys, split
from boundwork.uow.sessions.memory.refusals import (
    DOLLAR_PREFIXED_NAME,
    INVALID_ID,
    PARALLEL_ARRAYS,
    KeyTaken,
    WriteConflict,
    server_refusal,
)
from boundwork.uow.sessions.memory.versions import Transaction, VersionedMap


class Stored:
    """One version of a document: its BSON, and its fields once they were asked for, not to be changed."""

    __slots__ = ("__dict__", "data")

    def __init__(self, data: bytes) -> None:
        """Keep the BSON."""
        self.data = data

    @cached_property
    def fields(self) -> dict[str, Any]:
        """The decoded document."""
        return decode(self.data)

    @property
    def key(self) -> Hashable:
        """The identity of the document."""
        return identity_key(self.fields["_id"])


class UniqueIndex:
    """A unique index: who holds which key."""

    def __init__(self, name: str, paths: tuple[str, ...], *, sparse: bool) -> None:
        """Index nothing yet."""
        self.name = name
        self.paths = paths
        self.sparse = sparse
        self._parts = tuple(split(path) for path in paths)
        self._owners: VersionedMap[tuple[Key, ...], Hashable] = VersionedMap()

    def move(self, before: Stored | None, after: Stored | None, transaction: Transaction) -> None:
        """Take the keys of a document's new version and give back those of the old one; raise KeyTaken."""
        old = self._keys(before) if before else set[tuple[Key, ...]]()
        new = self._keys(after) if after else set[tuple[Key, ...]]()
        for key in old - new:
            self._owners.write(key, None, transaction)
        if after is None:
            return
        for key in sorted(new - old):
            # As on the server: a rival for the key is met before its present owner, but one that gave it up is not.
            if self._owners.was_set_by_another(key, transaction):
                raise WriteConflict
            if self._owners.read(key, transaction) is not None:
                raise KeyTaken(self.name, self.paths)
            self._owners.write(key, after.key, transaction)

    def place(self, stored: Stored) -> tuple[Key, ...] | None:
        """Return where a document stands in the index; None if it has several places, or none."""
        keys = self._keys(stored)
        return keys.pop() if len(keys) == 1 else None

    def _keys(self, stored: Stored) -> set[tuple[Key, ...]]:
        rows = index_keys(stored.fields, self._parts, sparse=self.sparse, parallel=PARALLEL_ARRAYS)
        return {tuple(order_key(value) for value in row) for row in rows}


class Collection:
    """The documents of one collection and its unique indexes."""

    def __init__(self, name: str) -> None:
        """Begin empty, with the index on `_id` alone."""
        self.name = name
        self.indexes: dict[str, UniqueIndex] = {}
        self._documents: VersionedMap[Hashable, Stored] = VersionedMap()

    def get(self, stored_id: Value, transaction: Transaction) -> Stored | None:
        """Return the document with the id."""
        return self._documents.read(identity_key(stored_id), transaction)

    def all(self, transaction: Transaction) -> Iterator[Stored]:
        """Yield the documents in the order of their insertion."""
        return self._documents.values(transaction)

    def insert(self, document: Mapping[str, Any], transaction: Transaction) -> None:
        """Insert a document that has an `_id`; raise KeyTaken, WriteConflict or SessionFailure."""
        stored = Stored(encode({"_id": document["_id"], **document}))
        _check_id(stored.fields["_id"])
        if self._documents.read(stored.key, transaction) is not None:
            raise KeyTaken("_id_", ("_id",))
        self._put(stored.key, None, stored, transaction)

    def replace(self, before: Stored, document: dict[str, Any], transaction: Transaction) -> None:
        """Store a new version of a document."""
        self._put(before.key, before, Stored(encode(document)), transaction)

    def delete(self, before: Stored, transaction: Transaction) -> None:
        """Delete a document."""
        self._put(before.key, before, None, transaction)

    def index(self, index: UniqueIndex, transaction: Transaction) -> None:
        """Add a unique index over the documents that are there; raise KeyTaken if they break it."""
        for stored in self.all(transaction):
            index.move(None, stored, transaction)
        self.indexes[index.name] = index

    def _put(self, key: Hashable, before: Stored | None, after: Stored | None, transaction: Transaction) -> None:
        self._documents.write(key, after, transaction)
        for index in self.indexes.values():
            index.move(before, after, transaction)


def _check_id(stored_id: Value) -> None:
    if is_array(stored_id) or isinstance(stored_id, Regex):
        raise server_refusal(INVALID_ID, "an _id can be neither an array nor a regular expression")
    if is_document(stored_id) and any(name.startswith("$") for name in stored_id if name not in ("$ref", "$id", "$db")):
        raise server_refusal(DOLLAR_PREFIXED_NAME, "the fields of an _id may not begin with a dollar sign")
