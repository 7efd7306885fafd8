"""Every operation of PyMongo's synchronous API, called inside a unit, is part of the unit's transaction."""

import uuid
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

import pytest
from gridfs import GridFS, GridFSBucket, GridIn, GridOut
from pymongo import MongoClient
from pymongo.collection import Collection
from pymongo.command_cursor import CommandCursor
from pymongo.cursor import Cursor
from pymongo.database import Database
from pymongo.errors import PyMongoError

from boundwork import UnitOfWork, guard
from tests.server.commands_seen import CommandsSeen, in_transaction_of, session_id, with_options
from tests.server.driver_operations import OPERATIONS, Operation, methods_of, seed, with_session
from tests.servers import empty

each_operation = pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)


class Shop(UnitOfWork):
    """Units without repositories."""


class Undone(Exception):
    """Rolls a unit back."""


class Stage:
    """A client, what it sends, and the units on its seeded database."""

    def __init__(self, client: MongoClient[dict[str, Any]], seen: CommandsSeen, name: str) -> None:
        self.seen = seen
        self.marks = client[name].marks
        self.shop = Shop(client[name])

    def carry_out(self, operation: Operation, *, marked: bool) -> tuple[Any, list[Mapping[str, Any]]]:
        """Return the lsid of a unit and the commands of an operation in it; the unit is rolled back."""
        lsid = None
        try:
            with suppress(Undone), self.shop as uow:
                lsid = session_id(uow)
                if marked:
                    uow.database.marks.insert_one({"of": operation.name})
                consume(operation.call(target(operation, uow.database)), closed_early=operation.closed_early)
                assert not operation.refused, "it was not refused"
                assert uow.core.session.take_escaped() is None
                raise Undone
        except PyMongoError as error:
            operation.check_refusal(error)
        *sent, end = self.seen.take()
        assert "abortTransaction" in end
        assert in_transaction_of(end, sent[0])
        return lsid, sent


@pytest.fixture(scope="module", params=["", "w=majority", "w=1&journal=true"], ids=lambda options: options or "plain")
def stage(request: pytest.FixtureRequest, mongod_uri: str) -> Iterator[Stage]:
    name, seen = f"test_{uuid.uuid4().hex[:16]}", CommandsSeen()
    with MongoClient[dict[str, Any]](
        with_options(mongod_uri, request.param), event_listeners=[seen, guard()]
    ) as client:
        seed(client, name)
        seen.take()
        yield Stage(client, seen, name)
        empty(client, name)


def target(operation: Operation, database: Any) -> Any:
    if operation.target == "files":
        return GridFS(database)
    return GridFSBucket(database) if operation.target == "bucket" else database


def is_readable(result: object) -> bool:
    return isinstance(result, Cursor | CommandCursor | GridOut)


def consume(result: Any, *, closed_early: bool) -> None:
    """Do what the commands of an operation hang on: read to the end, or write and close."""
    if isinstance(result, GridIn):
        result.write(b"new")
        result.close()
    elif is_readable(result):
        for _ in result:
            if closed_early:
                break
        result.close()


@each_operation
def test_an_operation_is_in_the_transaction_of_the_unit_and_undone_with_it(stage: Stage, operation: Operation) -> None:
    lsid, (mark, *sent) = stage.carry_out(operation, marked=True)
    assert mark["lsid"] == lsid
    assert sent
    for command in sent:
        assert in_transaction_of(command, mark)
        assert "startTransaction" not in command
        assert "writeConcern" not in command or operation.target == "client"
    assert stage.marks.count_documents({}) == 0
    stage.seen.take()


@each_operation
def test_an_operation_may_be_the_first_of_its_transaction(stage: Stage, operation: Operation) -> None:
    lsid, (first, *rest) = stage.carry_out(operation, marked=False)
    assert first["lsid"] == lsid
    assert (first["startTransaction"], first["readConcern"]["level"]) == (True, "snapshot")
    assert in_transaction_of(first, first)
    for command in rest:
        assert in_transaction_of(command, first)
        assert "startTransaction" not in command


def test_no_operation_of_the_driver_was_forgotten() -> None:
    kinds = {
        "collection": Collection,
        "database": Database,
        "client": MongoClient,
        "files": GridFS,
        "bucket": GridFSBucket,
    }
    public = set[str]().union(*(with_session(kind, called) for called, kind in kinds.items()))
    assert public - methods_of(OPERATIONS) == {"client.bulk_write"}
