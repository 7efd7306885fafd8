"""What only a real server can do wrong: none of it quotes contents either."""

import logging
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.errors import BulkWriteError, OperationFailure

from boundwork import (
    BoundworkError,
    CommitOutcomeUnknown,
    Document,
    DuplicateKey,
    InvalidDocument,
    Repository,
    TransactionFailed,
    UnitOfWork,
    WriteEscaped,
    guard,
)
from tests.server.commands_seen import failing, with_options

CANARY = "canary-7f3a"


class Note(Document[int], collection="notes"):
    title: str = CANARY
    facts: dict[str, Any] = {CANARY: CANARY}


class Desk(UnitOfWork):
    notes = Repository(Note)


@pytest.fixture
def notes(mongod_client: MongoClient[dict[str, Any]], database_name: str) -> Any:
    validator = {"$jsonSchema": {"properties": {"title": {"maxLength": 20}}}}
    collection = mongod_client[database_name].create_collection("notes", validator=validator)
    collection.insert_one({"_id": 1, "title": CANARY, "facts": {}})
    return collection


def everything_said(error: BaseException, caplog: pytest.LogCaptureFixture) -> str:
    records = [caplog.handler.format(record) for record in caplog.records if record.name.startswith("boundwork")]
    printed = [line for line in traceback.format_exception(error) if 'File "' not in line]
    return "\n".join([str(error), repr(error), repr(vars(error)), *printed, *records])


@dataclass
class Scene:
    """A definition on a client of its own, and another client of the same server."""

    desk: Desk
    database: Any
    other: MongoClient[dict[str, Any]]

    def failing(self, command: str, times: int, **how: Any) -> Any:
        """Let the server refuse commands of the definition's client."""
        return failing(self.other, [command], times, appName=self.database.name, **how)


def refused_by_the_validator(scene: Scene) -> None:
    with scene.desk as uow:
        uow.notes.get(1).title = CANARY * 5


def doubled(scene: Scene) -> None:
    with scene.desk as uow:
        uow.add(Note(id=1))


def refused(scene: Scene) -> None:
    with scene.failing("update", 1, errorCode=2), scene.desk as uow:
        uow.notes.get(1).title = f"{CANARY}!"


def unknown(scene: Scene) -> None:
    with scene.failing("commitTransaction", 50, closeConnection=True), scene.desk as uow:
        uow.notes.get(1).title = f"{CANARY}!"


def escaped(scene: Scene) -> None:
    with scene.desk as uow:
        uow.add(Note(id=3))
        uow.flush()
        with scene.database.client.start_session() as session:
            scene.database.others.insert_one({"title": CANARY}, session=session)


SITUATIONS: list[tuple[Callable[[Scene], None], type[BoundworkError]]] = [
    (refused_by_the_validator, InvalidDocument),
    (doubled, DuplicateKey),
    (refused, TransactionFailed),
    (unknown, CommitOutcomeUnknown),
    (escaped, WriteEscaped),
]


@pytest.mark.usefixtures("notes")
@pytest.mark.parametrize(("situation", "expected"), SITUATIONS, ids=lambda each: each.__name__)
def test_an_error_of_a_real_server_says_nothing_of_contents(
    situation: Callable[[Scene], None],
    expected: type[BoundworkError],
    mongod_uri: str,
    mongod_client: MongoClient[dict[str, Any]],
    database_name: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG, logger="boundwork")
    address = with_options(mongod_uri, f"appName={database_name}")
    with MongoClient[dict[str, Any]](address, event_listeners=[guard()]) as client:
        database = client[database_name]
        desk = Desk(database, commit_seconds=0.5, replay_seconds=0.0)
        with pytest.raises(expected) as caught:
            situation(Scene(desk, database, mongod_client))
    assert CANARY not in everything_said(caught.value, caplog)


def test_the_driver_s_error_keeps_its_facts_but_not_its_text(
    notes: Any, mongod_client: MongoClient[dict[str, Any]], database_name: str
) -> None:
    notes.create_index("title", unique=True)
    with pytest.raises(DuplicateKey) as caught, Desk(mongod_client[database_name]) as uow:
        uow.add(Note(id=2))
    cause = caught.value.__cause__
    assert isinstance(cause, OperationFailure)
    assert CANARY not in f"{cause} {cause!r}"
    if isinstance(cause, BulkWriteError):
        assert CANARY in str(cause.details)  # this is what its text quoted
        assert cause.details["writeErrors"][0]["code"] == 11000
