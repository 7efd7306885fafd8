"""Every operation of PyMongo's asynchronous API, called inside a unit, is part of the unit's transaction."""

import inspect
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from typing import Any

import pytest
from gridfs import AsyncGridIn, AsyncGridOut
from gridfs.asynchronous import AsyncGridFS, AsyncGridFSBucket
from pymongo import AsyncMongoClient, MongoClient
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.command_cursor import AsyncCommandCursor
from pymongo.asynchronous.cursor import AsyncCursor
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import PyMongoError

from boundwork import AsyncUnitOfWork, guard
from tests.server.commands_seen import CommandsSeen, in_transaction_of, session_id, with_options
from tests.server.driver_operations import OPERATIONS, Operation, methods_of, seed, with_session
from tests.servers import empty

Stored = dict[str, Any]


class Shop(AsyncUnitOfWork):
    """Units without repositories."""


class Undone(Exception):
    """Rolls a unit back."""


@pytest.fixture(scope="module")
def seeded(mongod_client: MongoClient[Stored]) -> Iterator[str]:
    """Return the name of a seeded database; the units of these tests change nothing."""
    name = f"test_{uuid.uuid4().hex[:16]}"
    seed(mongod_client, name)
    yield name
    empty(mongod_client, name)


@pytest.fixture
def seen() -> CommandsSeen:
    return CommandsSeen()


@pytest.fixture(params=["", "w=majority"], ids=lambda options: options or "plain")
async def database(
    request: pytest.FixtureRequest, mongod_uri: str, seeded: str, seen: CommandsSeen
) -> AsyncIterator[AsyncDatabase[Stored]]:
    async with AsyncMongoClient[Stored](
        with_options(mongod_uri, request.param), event_listeners=[seen, guard()]
    ) as client:
        yield client[seeded]


def target(operation: Operation, database: Any) -> Any:
    if operation.target == "files":
        return AsyncGridFS(database)
    return AsyncGridFSBucket(database) if operation.target == "bucket" else database


def is_readable(result: object) -> bool:
    return isinstance(result, AsyncCursor | AsyncCommandCursor | AsyncGridOut)


async def consume(result: Any, *, closed_early: bool) -> None:
    """Do what the commands of an operation hang on: read to the end, or write and close."""
    if inspect.isawaitable(result):
        result = await result
    if isinstance(result, AsyncGridIn):
        await result.write(b"new")
        await result.close()
    elif is_readable(result):
        async for _ in result:
            if closed_early:
                break
        await result.close()


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
async def test_an_operation_is_in_the_transaction_of_the_unit_and_undone_with_it(
    database: AsyncDatabase[Stored], seen: CommandsSeen, operation: Operation
) -> None:
    lsid = None
    try:
        with suppress(Undone):
            async with Shop(database) as uow:
                lsid = session_id(uow)
                await uow.database.marks.insert_one({"of": operation.name})
                await consume(operation.call(target(operation, uow.database)), closed_early=operation.closed_early)
                assert not operation.refused, "it was not refused"
                assert uow.core.session.take_escaped() is None
                raise Undone
    except PyMongoError as error:
        operation.check_refusal(error)
    mark, *sent, end = seen.take()
    assert mark["lsid"] == lsid
    assert (mark["startTransaction"], mark["readConcern"]["level"]) == (True, "snapshot")
    assert sent
    assert "abortTransaction" in end
    for command in (*sent, end):
        assert in_transaction_of(command, mark)
        assert "startTransaction" not in command
    assert operation.target == "client" or not any("writeConcern" in command for command in sent)
    assert await database.marks.count_documents({}) == 0


def test_no_operation_of_the_driver_was_forgotten() -> None:
    kinds = {
        "collection": AsyncCollection,
        "database": AsyncDatabase,
        "client": AsyncMongoClient,
        "files": AsyncGridFS,
        "bucket": AsyncGridFSBucket,
    }
    public = set[str]().union(*(with_session(kind, called) for called, kind in kinds.items()))
    assert public - methods_of(OPERATIONS) == {"client.bulk_write"}
