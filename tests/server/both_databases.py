"""How one command is carried out by the in-memory database and by a mongod, and how the answers compare."""

from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, TypeVar, cast

import bson
from bson.raw_bson import RawBSONDocument
from pymongo.collection import Collection
from pymongo.errors import PyMongoError

from boundwork.uow.commands import (
    BulkResult,
    BulkWrite,
    Find,
    InsertOne,
    Write,
)
from boundwork.uow.failures import SessionFailure
from boundwork.uow.sessions.memory import MemoryDatabase, MemorySession
from boundwork.uow.sessions.memory.encoding import CODEC, decode
from tests.server.random_documents import RAW, Document

T = TypeVar("T")


def carried_out(command: Coroutine[Any, Any, T]) -> T:
    """Drive a coroutine that never suspends."""
    try:
        command.send(None)
    except StopIteration as end:
        return cast(T, end.value)
    raise AssertionError("the in-memory session suspended")


def in_memory(database: MemoryDatabase, command: Callable[[MemorySession], Coroutine[Any, Any, T]]) -> T:
    """Carry out one command in a transaction of its own."""
    session = MemorySession(database)
    carried_out(session.open())
    try:
        result = carried_out(command(session))
        carried_out(session.commit())
    finally:
        carried_out(session.unbind())
        carried_out(session.close())
    return result


def outcome(ask: Callable[[], T]) -> T | str:
    """Return the answer, or the word that it was refused."""
    try:
        return ask()
    except (SessionFailure, PyMongoError):
        return "refused"


def split_batches(batches: list[bytes]) -> list[bytes]:
    """Cut batches into documents."""
    return [bytes(document.raw) for batch in batches for document in bson.decode_iter(batch, RAW)]


def on_server(real: Collection[RawBSONDocument], command: Find) -> list[bytes]:
    cursor = real.find(
        command.filter,
        command.projection,
        sort=list(command.sort) or None,
        skip=command.skip,
        limit=command.limit,
    )
    return [bytes(document.raw) for document in cursor]


def found_in_memory(database: MemoryDatabase, command: Find) -> list[bytes]:
    return split_batches(in_memory(database, lambda session: session.find(command)))


def write_in_memory(database: MemoryDatabase, *writes: Write) -> BulkResult:
    return in_memory(database, lambda session: session.write([BulkWrite("compared", writes)]))[0]


def as_raw(document: Document) -> RawBSONDocument:
    return RawBSONDocument(bson.encode(document, codec_options=CODEC))


def filled(real: Collection[RawBSONDocument], stored: list[Document]) -> MemoryDatabase:
    """Put the same documents into both."""
    database = MemoryDatabase("compared")
    for document in stored:
        real.insert_one(as_raw(document))
    write_in_memory(database, *map(InsertOne, stored))
    return database


def compare(real: Collection[RawBSONDocument], database: MemoryDatabase, commands: list[Find]) -> None:
    """Ask both the same questions and show where they differ."""
    different: list[str] = []
    for command in commands:
        expected = outcome(partial(on_server, real, command))
        found = outcome(partial(found_in_memory, database, command))
        if expected != found:
            different.append(f"{command}\n  mongod: {shown(expected)}\n  memory: {shown(found)}")
    assert not different, f"{len(different)} of {len(commands)} differ\n" + "\n".join(different[:20])


def shown(answer: list[bytes] | str) -> str:
    return answer if isinstance(answer, str) else repr([decode(data) for data in answer])[:600]
