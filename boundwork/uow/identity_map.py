"""One object per document: which documents a unit knows, by collection and identity.

A document read or written in the present transaction is current. After a commit it is known still, but the next
`get` reads it again, since others may have changed it.
"""

from collections.abc import Hashable, Iterable, Iterator
from typing import Any, Final

from boundwork.models import Document


class _Removed:
    """Marks an identity whose document the unit has removed."""


REMOVED: Final = _Removed()
Known = Document[Any] | _Removed
Shelf = dict[Hashable, Known]


class IdentityMap:
    """The documents of one unit."""

    def __init__(self) -> None:
        """Begin with nothing known."""
        self._current: dict[str, Shelf] = {}
        self._earlier: dict[str, Shelf] = {}

    def current(self, collection: str, key: Hashable) -> Known | None:
        """Return what the present transaction knows of an identity."""
        shelf = self._current.get(collection)
        return None if shelf is None else shelf.get(key)

    def earlier(self, collection: str, key: Hashable) -> Document[Any] | None:
        """Return the document that an earlier transaction of the unit left, if the present one has not read it."""
        shelf = self._earlier.get(collection)
        known = None if shelf is None else shelf.get(key)
        return known if isinstance(known, Document) else None

    def has_earlier(self, collection: str) -> bool:
        """Tell whether an earlier transaction of the unit left documents of a collection."""
        return bool(self._earlier.get(collection))

    def is_empty(self, collection: str) -> bool:
        """Tell whether nothing is known of a collection, so that a whole result is new."""
        return not self._current.get(collection) and not self._earlier.get(collection)

    def is_new(self, collection: str, keys: Iterable[Hashable]) -> bool:
        """Tell whether nothing is known of any of these identities."""
        shelves = (self._current.get(collection), self._earlier.get(collection))
        return all(shelf is None or shelf.keys().isdisjoint(keys) for shelf in shelves)

    def documents(self, collection: str) -> Iterator[tuple[Hashable, Document[Any]]]:
        """Iterate over the documents of a collection, those of earlier transactions as well."""
        for shelves in (self._current, self._earlier):
            for key, known in list(shelves.get(collection, {}).items()):
                if isinstance(known, Document):
                    yield key, known

    def keep(self, collection: str, key: Hashable, known: Known) -> None:
        """Make a document, or its removal, what is known in the present transaction."""
        self._current.setdefault(collection, {})[key] = known
        shelf = self._earlier.get(collection)
        if shelf is not None:
            shelf.pop(key, None)

    def keep_earlier(self, collection: str, key: Hashable, document: Document[Any]) -> None:
        """Make a document one of an earlier transaction again, which the present one has not read."""
        self.forget(collection, key)
        self._earlier.setdefault(collection, {})[key] = document

    def keep_all(self, collection: str, keys: Iterable[Hashable], documents: Iterable[Document[Any]]) -> None:
        """Keep many at once; none of them may be known from an earlier transaction."""
        self._current.setdefault(collection, {}).update(zip(keys, documents, strict=True))

    def forget(self, collection: str, key: Hashable, known: Known | None = None) -> None:
        """Know nothing of an identity any more; with `known`, only if it stands for that."""
        for shelves in (self._current, self._earlier):
            shelf = shelves.get(collection)
            if shelf is not None and (known is None or shelf.get(key) is known):
                shelf.pop(key, None)

    def age(self) -> None:
        """Make all that is current earlier: a transaction of the unit has ended."""
        for collection, shelf in self._current.items():
            older = self._earlier.get(collection)
            if older:
                older.update(shelf)
            else:
                self._earlier[collection] = shelf
        self._current = {}

    def clear(self) -> None:
        """Know nothing any more."""
        self._current = {}
        self._earlier = {}
