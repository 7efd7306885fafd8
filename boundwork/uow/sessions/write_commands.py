"""How the writes of a bulk are said to a server: as plain commands, as few as messages of a moderate size allow.

PyMongo's own bulks make an object of each write, a list of ids and a copy of each statement: more than half of what a
client spends on many writes. Nothing is lost without them: inside a transaction the driver repeats no write.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from operator import attrgetter
from typing import Any

import bson
from bson.binary import UuidRepresentation
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from pymongo.errors import BulkWriteError, DocumentTooLarge

from boundwork.models.hydration import paused
from boundwork.uow.commands import (
    BulkResult,
    BulkWrite,
    DeleteMany,
    DeleteOne,
    InsertOne,
    UpdateMany,
    UpdateOne,
    UpsertOne,
    Write,
)
from boundwork.uow.sessions.set_commands import of_the_command, set_based_statement

Statement = Mapping[str, Any]
STORED_FORM: CodecOptions[dict[str, Any]] = CodecOptions(uuid_representation=UuidRepresentation.STANDARD)
FEW_WRITES = 2
"""Up to so many writes are not measured: two documents of the largest size fit into one message."""
MANY_WRITES = 10_000
MESSAGE_BYTES = 2 * 1024 * 1024
"""Of the statements of one command; a client that encrypts takes no more."""
STATEMENT_BYTES = 16 * 1024 * 1024 + 16 * 1024
_raw = attrgetter("raw")
PARTS = {"insert": "documents", "update": "updates", "delete": "deletes"}


def write_commands(bulk: BulkWrite) -> list[dict[str, Any]]:
    """Return a bulk as commands in its order, each of one kind; DocumentTooLarge for what no server takes."""
    return paused(len(bulk.writes), _commands, bulk)


def _commands(bulk: BulkWrite) -> list[dict[str, Any]]:
    return [
        {word: bulk.collection, PARTS[word]: part, "ordered": True, **options}
        for word, statements, options in _runs(bulk.writes)
        for part in ([statements] if len(statements) <= FEW_WRITES else _parts(statements))
    ]


def _runs(writes: Sequence[Write]) -> Iterator[tuple[str, list[Statement], dict[str, Any]]]:
    """Iterate over what one command can hold: its word, its statements, its options."""
    for kind, alike in groupby(writes, type):
        if kind in _SAID:
            word, said = _SAID[kind]
            yield word, [*map(said, alike)], {}
            continue
        for write in alike:
            if isinstance(write, UpdateMany | DeleteMany):
                word, statement = set_based_statement(write)
                yield word, [statement], of_the_command(write)


def _updating(write: UpdateOne) -> Statement:
    return {"q": write.filter, "u": write.update}


def _deleting(write: DeleteOne) -> Statement:
    return {"q": write.filter, "limit": 1}


def _upserting(write: UpsertOne) -> Statement:
    return {"q": write.filter, "u": upserting(write), "upsert": True}


def upserting(write: UpsertOne) -> dict[str, Any]:
    """Return the update that makes a document, and leaves one that is there as it is."""
    rest = {name: value for name, value in write.document.items() if name != "_id"}
    return {"$setOnInsert": rest} if rest else {"$unset": {"_": ""}}


_SAID: dict[type[Write], tuple[str, Callable[[Any], Statement]]] = {
    InsertOne: ("insert", attrgetter("document")),
    UpdateOne: ("update", _updating),
    DeleteOne: ("delete", _deleting),
    UpsertOne: ("update", _upserting),
}


def _parts(statements: list[Statement]) -> Iterator[list[Statement]]:
    """Iterate over statements, in order, by as many as go into one message."""
    for start in range(0, len(statements), MANY_WRITES):
        yield from _halves(statements[start : start + MANY_WRITES])


def _halves(statements: list[Statement]) -> Iterator[list[Statement]]:
    size = _size(statements)
    if size <= MESSAGE_BYTES or len(statements) == 1:
        if size > STATEMENT_BYTES:
            raise DocumentTooLarge("a statement is larger than a server takes")
        yield statements
        return
    middle = len(statements) // 2
    yield from _halves(statements[:middle])
    yield from _halves(statements[middle:])


def _size(statements: list[Statement]) -> int:
    """Return how many bytes statements are; encoding them all at once costs less than asking each."""
    if set(map(type, statements)) == {RawBSONDocument}:
        return sum(map(len, map(_raw, statements)))
    return len(bson.encode({"": statements}, codec_options=STORED_FORM))


def writes_of(command: Mapping[str, Any]) -> int:
    """Return how many writes such a command carries."""
    return len(command[next(filter(command.__contains__, PARTS.values()))])


def command_result(command: Mapping[str, Any], reply: Mapping[str, Any], done: BulkResult, sent: int) -> BulkResult:
    """Return the counts after one more command; BulkWriteError, with indexes of the bulk, if a write was refused."""
    errors, concern = reply.get("writeErrors", ()), reply.get("writeConcernError")
    if errors or concern:
        located = [{**error, "index": error["index"] + sent} for error in errors]
        labels = reply.get("errorLabels", [])
        concerns = [concern] if concern else []
        raise BulkWriteError({"writeErrors": located, "writeConcernErrors": concerns, "errorLabels": labels})
    number, upserted = reply.get("n", 0), len(reply.get("upserted", ()))
    return BulkResult(
        inserted=done.inserted + (number if "insert" in command else 0),
        matched=done.matched + (number - upserted if "update" in command else 0),
        modified=done.modified + reply.get("nModified", 0),
        deleted=done.deleted + (number if "delete" in command else 0),
        upserted=done.upserted + upserted,
    )


def without_errors(command: Mapping[str, Any], reply: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a reply; BulkWriteError if it says that a write was refused."""
    command_result(command, reply, BulkResult(), 0)
    return reply
