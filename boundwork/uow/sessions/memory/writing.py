"""How writes are carried out on a collection, what they count, and which failure their conflicts are."""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any

from boundwork.uow.commands import (
    BulkResult,
    BulkWrite,
    DeleteMany,
    DeleteOne,
    Find,
    FindAndUpdate,
    InsertOne,
    UpdateMany,
    UpdateOne,
    UpsertOne,
    Write,
)
from boundwork.uow.failures import FailureKind, SessionFailure
from boundwork.uow.sessions.memory import querying
from boundwork.uow.sessions.memory.collection import Collection, Stored
from boundwork.uow.sessions.memory.encoding import decode, is_document
from boundwork.uow.sessions.memory.refusals import (
    DUPLICATE_KEY,
    TRANSIENT,
    WRITE_CONFLICT,
    KeyTaken,
    WriteConflict,
)
from boundwork.uow.sessions.memory.updating import Update, compile_update
from boundwork.uow.sessions.memory.versions import Transaction


def carry_out(bulk: BulkWrite, collection: Collection, transaction: Transaction) -> BulkResult:
    """Carry out the writes of a bulk in order; raise SessionFailure for the first that is refused."""
    counts: dict[str, int] = dict.fromkeys(("inserted", "matched", "modified", "deleted", "upserted"), 0)
    for index, write in enumerate(bulk.writes):
        with _failures_of(bulk.collection, index):
            for counter in _carried_out(write, collection, transaction):
                counts[counter] += 1
    return BulkResult(**counts)


def find_and_update(command: FindAndUpdate, collection: Collection, transaction: Transaction) -> list[bytes]:
    """Update the first document that a command selects and return it as it was; nothing if there is none."""
    update = compile_update(command.update, command.array_filters)
    asked = Find(command.collection, command.filter, command.sort, limit=1, options=command.options)
    found = querying.find(collection, asked, transaction)
    for data in found:
        with _failures_of(command.collection, None):
            _changed(Stored(data), update, collection, transaction)
    return found


@contextmanager
def _failures_of(collection: str, index: int | None) -> Generator[None]:
    try:
        yield
    except KeyTaken as error:
        raise SessionFailure(
            FailureKind.DUPLICATE_KEY,
            code=DUPLICATE_KEY,
            collection=collection,
            index=index,
            key=error.paths,
            detail={"index": error.index},
        ) from error
    except WriteConflict as error:
        raise SessionFailure(
            FailureKind.SERVER, code=WRITE_CONFLICT, labels=TRANSIENT, collection=collection
        ) from error
    except SessionFailure as failure:
        failure.collection, failure.index = collection, index
        raise


def _carried_out(write: Write, collection: Collection, transaction: Transaction) -> Iterator[str]:
    """Carry out one write and yield the counters of the result that it raises."""
    match write:
        case InsertOne():
            collection.insert(write.document, transaction)
            yield "inserted"
        case UpsertOne():
            if next(querying.select(collection, write.filter, transaction), None) is not None:
                yield "matched"
            else:
                collection.insert(_upserted(write), transaction)
                yield "upserted"
        case UpdateOne() | UpdateMany():
            filters = write.array_filters if isinstance(write, UpdateMany) else ()
            update = compile_update(write.update, filters)
            for stored in _selected(write, collection, transaction):
                yield "matched"
                if _changed(stored, update, collection, transaction):
                    yield "modified"
        case DeleteOne() | DeleteMany():
            for stored in _selected(write, collection, transaction):
                collection.delete(stored, transaction)
                yield "deleted"


def _upserted(write: UpsertOne) -> dict[str, Any]:
    """Return the document as an upsert makes it: the fields of the key first, then the others in the order of their names."""
    rest = {name: value for name, value in write.document.items() if name != "_id"}
    begun: dict[str, Any] = {"_id": write.document["_id"]}
    for fields in ({path: _equal_to(test) for path, test in write.key.items()}, rest):
        if fields:
            compile_update({"$set": fields})(begun)
    return begun


def _equal_to(test: Any) -> Any:
    return test["$eq"] if is_document(test) and "$eq" in test else test


def _selected(
    write: UpdateOne | UpdateMany | DeleteOne | DeleteMany, collection: Collection, transaction: Transaction
) -> list[Stored]:
    """Return what a write selects, before anything of it is changed."""
    found = querying.select(collection, write.filter, transaction)
    if isinstance(write, UpdateMany | DeleteMany):
        querying.refuse_unknown(write.options, collection)
        return list(found)
    first = next(found, None)
    return [] if first is None else [first]


def _changed(stored: Stored, update: Update, collection: Collection, transaction: Transaction) -> bool:
    """Update a document and tell whether that modified it; what did not is no write, and meets no rival."""
    document = decode(stored.data)
    modified = update(document)
    if modified:
        collection.replace(stored, document, transaction)
    return modified
