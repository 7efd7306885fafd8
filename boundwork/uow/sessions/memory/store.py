"""The database behind `memory://`: its collections, their unique indexes, and its history.

One lock guards all of it; whoever reads or writes through a transaction holds it.
"""

from collections.abc import Generator
from contextlib import contextmanager
from threading import RLock
from typing import TYPE_CHECKING, Any

from boundwork.uow.commands import UniqueKey
from boundwork.uow.failures import FailureKind, SessionFailure
from boundwork.uow.sessions.memory.collection import Collection, UniqueIndex
from boundwork.uow.sessions.memory.encoding import decode
from boundwork.uow.sessions.memory.refusals import DUPLICATE_KEY, KeyTaken, WriteConflict, misused
from boundwork.uow.sessions.memory.versions import History, Transaction

if TYPE_CHECKING:
    from boundwork.uow.sessions.memory.session import MemorySession
    from boundwork.uow.sessions.memory.structure import MemoryStructure


class MemoryDatabase:
    """A database in memory for unit tests: it behaves like MongoDB, or refuses by name what it does not know."""

    def __init__(self, name: str = "test") -> None:
        """Begin empty."""
        self.name = name
        self.lock = RLock()
        self.history = History()
        self._collections: dict[str, Collection] = {}
        self._created: set[str] = set()

    def __repr__(self) -> str:
        return f"MemoryDatabase({self.name!r})"

    def new_session(self, *, asynchronous: bool) -> "MemorySession":
        """Return a session of this database, for a unit of one colour."""
        from boundwork.uow.sessions.memory.session import MemorySession  # noqa: PLC0415 - it is built on this class

        return MemorySession(self, asynchronous=asynchronous)

    def new_structure(self) -> "MemoryStructure":
        """Return what `ensure_schema` asks."""
        from boundwork.uow.sessions.memory.structure import MemoryStructure  # noqa: PLC0415 - it asks this class

        return MemoryStructure(self)

    def create(self, collection: str) -> None:
        """Note that a collection was created; one that was not can be used all the same."""
        self._created.add(collection)

    def was_created(self, collection: str) -> bool:
        """Tell whether a collection was created, or used before."""
        return collection in self._created or collection in self._collections

    def collection(self, name: str) -> Collection:
        """Return a collection, which need not have been created."""
        return self._collections.setdefault(name, Collection(name))

    def documents(self, collection: str) -> list[dict[str, Any]]:
        """Return copies of the committed documents of a collection, in the order of their insertion."""
        with self.lock, self._own_transaction() as transaction:
            return [decode(stored.data) for stored in self.collection(collection).all(transaction)]

    def clear(self) -> None:
        """Delete all documents and keep the indexes; raise SessionFailure if an open transaction wrote some."""
        with self.lock, self._own_transaction() as transaction:
            for collection in self._collections.values():
                for stored in list(collection.all(transaction)):
                    collection.delete(stored, transaction)

    def create_unique_index(
        self, collection: str, *paths: str, sparse: bool = False, name: str | None = None
    ) -> UniqueKey:
        """Create a unique index over dotted paths; raise SessionFailure if the documents there break it."""
        if not paths:
            raise misused("A unique index needs at least one field.")
        index = UniqueIndex(name or "_".join(f"{path}_1" for path in paths), paths, sparse=sparse)
        with self.lock, self._own_transaction() as transaction:
            present = self.collection(collection).indexes.get(index.name)
            if present is None:
                self.collection(collection).index(index, transaction)
            elif (present.paths, present.sparse) != (paths, sparse):
                raise misused(f"Collection {collection!r} has another index with the name {index.name!r}.")
        return UniqueKey(index.name, index.paths, index.sparse)

    def unique_keys(self, collection: str) -> tuple[UniqueKey, ...]:
        """Return the unique keys of a collection, `_id` left out."""
        with self.lock:
            return tuple(
                UniqueKey(index.name, index.paths, index.sparse)
                for index in self.collection(collection).indexes.values()
            )

    @contextmanager
    def _own_transaction(self) -> Generator[Transaction]:
        transaction = self.history.begin()
        try:
            yield transaction
        except WriteConflict as error:
            self.history.abort(transaction)
            raise misused("An open transaction wrote here: end its unit first.") from error
        except KeyTaken as error:
            self.history.abort(transaction)
            raise SessionFailure(FailureKind.DUPLICATE_KEY, code=DUPLICATE_KEY, key=error.paths) from error
        except BaseException:
            self.history.abort(transaction)
            raise
        self.history.commit(transaction)
