"""How a read is answered: which documents are looked at, in which order, and what of them is returned."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from bson import Regex

from boundwork.uow.commands import AS_USUAL, Count, Distinct, Find, Options
from boundwork.uow.sessions.memory.collection import Collection, Stored
from boundwork.uow.sessions.memory.encoding import Value, as_stored, encode, is_array, is_document
from boundwork.uow.sessions.memory.matching import compile_stored
from boundwork.uow.sessions.memory.ordering import Descending, order_key
from boundwork.uow.sessions.memory.paths import elements_along, index_keys, split
from boundwork.uow.sessions.memory.planning import Place, in_plan_order, place_of, place_of_id
from boundwork.uow.sessions.memory.projecting import compile_projection
from boundwork.uow.sessions.memory.refusals import misused, refused
from boundwork.uow.sessions.memory.versions import Transaction

SortKey = Callable[[Stored], Any]


def select(collection: Collection, condition: Mapping[str, Any], transaction: Transaction) -> Iterator[Stored]:
    """Yield the documents that match a filter; one that names ids looks at no others."""
    stored = as_stored(condition)
    predicate = compile_stored(stored)
    found = (one for one in _looked_at(collection, stored, transaction) if predicate(one.fields))
    return in_plan_order(collection, stored, found)


def find(collection: Collection, command: Find, transaction: Transaction) -> list[bytes]:
    """Return the documents that a command asks for, each as BSON."""
    return shown(ordered(collection, command, transaction)[_window(command)], command)


def ordered(collection: Collection, command: Find, transaction: Transaction) -> list[Stored]:
    """Return all documents that a command selects, in its order; skip and limit are the caller's."""
    refuse_unknown(command.options, collection)
    _window(command)
    found = list(select(collection, command.filter, transaction))
    if command.sort:
        found.sort(key=sort_key(command.sort))
    return found


def shown(chosen: Iterable[Stored], command: Find) -> list[bytes]:
    """Return what a command shows of documents, each as BSON."""
    project = compile_projection(command.projection) if command.projection else None
    return [encode(project(stored.fields)) if project else stored.data for stored in chosen]


def place(collection: Collection, command: Find) -> Place | None:
    """Return where documents stand in the index that a command goes through, None if it goes through none."""
    filtering = place_of(collection, as_stored(command.filter))
    if not command.sort:
        return filtering
    by_id = command.sort[0][0] == "_id" and filtering in (None, place_of_id)
    return place_of_id if by_id else None


def count(collection: Collection, command: Count, transaction: Transaction) -> int:
    """Return how many documents a command counts."""
    refuse_unknown(command.options, collection)
    return len(list(select(collection, command.filter, transaction))[_window(command)])


def distinct(collection: Collection, command: Distinct, transaction: Transaction) -> list[bytes]:
    """Return the different values that documents have under a path, each as a document with the one field `v`."""
    refuse_unknown(command.options, collection)
    path = split(command.path)
    values: dict[Any, Value] = {}
    for stored in select(collection, command.filter, transaction):
        for value in elements_along(stored.fields, path):
            values.setdefault(order_key(value), value)
    return [encode({"v": value}) for value in values.values()]


def refuse_unknown(options: Options, collection: Collection) -> None:
    """Refuse what could change a result; a comment and a limit of time cannot."""
    if options is AS_USUAL:
        return
    if options.collation is not None:
        raise refused("collation", "queries")
    if options.hint not in (None, "_id_", (("_id", 1),)):
        index = collection.indexes.get(options.hint) if isinstance(options.hint, str) else None
        if index is None or index.sparse:
            raise refused("hint", "queries")


def _window(command: Find | Count) -> slice:
    if command.skip < 0 or command.limit < 0:
        raise misused("skip and limit may not be negative.")
    return slice(command.skip, command.skip + command.limit if command.limit else None)


def _looked_at(collection: Collection, condition: dict[str, Value], transaction: Transaction) -> Iterator[Stored]:
    ids = _ids(condition["_id"]) if "_id" in condition else None
    if ids is None:
        yield from collection.all(transaction)
        return
    # As from the server's index: in the order of the ids, each once.
    for stored_id in {order_key(value): value for value in sorted(ids, key=order_key)}.values():
        found = collection.get(stored_id, transaction)
        if found is not None:
            yield found


def _ids(condition: Value) -> list[Value] | None:
    """Return the ids that a condition on `_id` allows, None if it does not name them."""
    if is_document(condition):
        listed = condition.get("$in")
        if "$eq" in condition:
            listed = [condition["$eq"]]
        return _ids_in(listed)
    return _ids_in([condition])


def _ids_in(listed: Value) -> list[Value] | None:
    if not is_array(listed) or any(isinstance(item, Regex | list | dict) for item in listed):
        return None
    return listed


def sort_key(sort: tuple[tuple[str, int], ...]) -> SortKey:
    """Return the key by which stored documents stand in the order of a sort."""
    if any(direction not in (1, -1) for _, direction in sort):
        raise misused("A sort direction is 1 or -1.")
    if any("$" in path or "" in split(path) for path, _ in sort):
        raise misused("A sort needs plain field names.")
    paths = tuple(split(path) for path, _ in sort)
    descending = [direction == -1 for _, direction in sort]

    def key_of(stored: Stored) -> Any:
        return min(
            tuple(
                Descending(order_key(value)) if down else order_key(value)
                for value, down in zip(key, descending, strict=True)
            )
            for key in index_keys(stored.fields, paths)
        )

    return key_of
