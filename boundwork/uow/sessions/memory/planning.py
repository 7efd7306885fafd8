"""In which order documents are met that no sort puts in order.

A server meets them in the order of the collection, or of the index that answers the filter. Which one it takes is known
where one index alone can: then a set-based change moves unique values in that order, and the first document is that one.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final

from boundwork.uow.sessions.memory.collection import Collection, Stored
from boundwork.uow.sessions.memory.conditions import is_operators
from boundwork.uow.sessions.memory.encoding import Value, is_document
from boundwork.uow.sessions.memory.ordering import order_key

_NULLABLE: Final = frozenset({"$ne", "$nin", "$not"})
_BOUNDED: Final = frozenset(
    {"$eq", "$gt", "$gte", "$lt", "$lte", "$in", "$type", "$mod", "$regex", "$exists", *_NULLABLE}
)
Place = Callable[[Stored], Any]
"""Where a document stands in an index; None if it has several places there, or none."""


def in_plan_order(collection: Collection, condition: dict[str, Value], found: Iterator[Stored]) -> Iterator[Stored]:
    """Yield documents in the order of the one index that answers a filter, or as they come."""
    place = place_of(collection, condition)
    if place is None:
        return found
    placed = [(place(stored), stored) for stored in found]
    if all(key is not None for key, _ in placed):
        placed.sort(key=lambda entry: entry[0])
    return (stored for _, stored in placed)


def place_of(collection: Collection, condition: dict[str, Value]) -> Place | None:
    """Return where documents stand in the one index that answers a filter, None if there is none or a choice."""
    tests = list(_tests(condition))
    places: list[Place] = [
        index.place
        for index in collection.indexes.values()
        if any(path == index.paths[0] and _is_bounded(test, sparse=index.sparse) for path, test in tests)
    ]
    if any(path == "_id" and _is_bounded(test) for path, test in tests):
        places.append(place_of_id)
    return places[0] if len(places) == 1 else None


def place_of_id(stored: Stored) -> Any:
    """Return where a document stands in the index on `_id`."""
    return order_key(stored.fields["_id"])


def _tests(condition: dict[str, Value]) -> Iterator[tuple[str, Value]]:
    for path, test in condition.items():
        if path == "$and" or (path == "$or" and len(test) == 1):
            for part in test:
                yield from _tests(part)
        else:
            yield path, test


def _is_bounded(test: Value, *, sparse: bool = False) -> bool:
    """Tell whether an index answers a test of its first path; a sparse one does not know who is without it."""
    tests: dict[str, Value] = test if is_document(test) and is_operators(test) else {"$eq": test}
    return any(name in _BOUNDED and not (sparse and _finds_missing(name, operand)) for name, operand in tests.items())


def _finds_missing(name: str, operand: Value) -> bool:
    if name == "$in":
        return None in operand
    if name == "$ne":
        return operand is not None
    return name in _NULLABLE or operand is None or (name == "$exists" and not operand)
