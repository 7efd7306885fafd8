from collections.abc import Coroutine
from typing import Any

import pytest

from boundwork import Document, TransactionFailed, UnitOfWork
from boundwork.uow.commands import BulkWrite, Find, InsertOne, UpdateOne
from boundwork.uow.failures import FailureKind, SessionFailure
from boundwork.uow.sessions.memory import MemoryDatabase, MemorySession


class Thing(Document[int], collection="things"):
    pass


def failure_of(command: str, *arguments: Any) -> SessionFailure:
    session = MemorySession(MemoryDatabase("shop"))
    steps: list[Coroutine[Any, Any, Any]] = [
        session.open(),
        session.write([BulkWrite("things", (InsertOne({"_id": 1, "a": "x"}),))]),
        getattr(session, command)(*arguments),
    ]
    for step in steps[:-1]:
        done(step)
    with pytest.raises(SessionFailure) as caught:
        done(steps[-1])
    return caught.value


def done(step: Coroutine[Any, Any, Any]) -> None:
    with pytest.raises(StopIteration):
        step.send(None)


@pytest.mark.parametrize(
    ("condition", "operator"),
    [
        ({"$where": "1"}, "$where"),
        ({"$expr": {"$eq": [1, 1]}}, "$expr"),
        ({"$text": {"$search": "x"}}, "$text"),
        ({"a": {"$near": [0, 0]}}, "$near"),
        ({"a": {"$bitsAllSet": 1}}, "$bitsAllSet"),
        ({"a": {"$not": {"$wrong": 1}}}, "$wrong"),
        ({"a": {"$regex": r"\p{L}"}}, r"\p"),
    ],
)
def test_a_filter_that_is_not_known_is_refused_by_name(condition: dict[str, Any], operator: str) -> None:
    failure = failure_of("find", Find("things", condition))
    assert failure.kind is FailureKind.MISUSE
    assert failure.detail["operator"] == operator
    assert operator in str(failure)
    assert isinstance(failure.__cause__, NotImplementedError)


@pytest.mark.parametrize(
    ("update", "operator"),
    [
        ({"$rename": {"a": "b"}}, "$rename"),
        ({"$push": {"b": {"$each": [], "$sort": 1}}}, "$sort of $push"),
        ({"$set": {"b.$": 1}}, "the positional operator $"),
    ],
)
def test_an_update_that_is_not_known_is_refused_by_name(update: dict[str, Any], operator: str) -> None:
    failure = failure_of("write", [BulkWrite("things", (UpdateOne({"_id": 1}, update),))])
    assert failure.kind is FailureKind.MISUSE
    assert failure.detail["operator"] == operator
    assert operator in str(failure)


def test_a_projection_that_is_no_plain_field_is_refused_by_name() -> None:
    failure = failure_of("find", Find("things", {}, projection={"a": {"$slice": 1}}))
    assert failure.detail["operator"] == "$slice"


def test_what_bson_lacks_is_refused_as_a_driver_does() -> None:
    failure = failure_of("write", [BulkWrite("things", (InsertOne({"_id": 2, "a": {1, 2}}),))])
    assert failure.kind is FailureKind.MISUSE


def test_a_document_over_sixteen_megabytes_is_too_large() -> None:
    failure = failure_of("write", [BulkWrite("things", (InsertOne({"_id": 2, "a": "x" * 2**24}),))])
    assert failure.kind is FailureKind.TOO_LARGE


def test_a_unit_that_is_asked_for_its_driver_refuses_and_goes_on() -> None:
    database = MemoryDatabase("shop")
    with UnitOfWork(database) as uow:
        with pytest.raises(TransactionFailed) as caught:
            _ = uow.database
        assert str(caught.value).startswith("The in-memory database has no driver")
        assert "rolled back" not in str(caught.value)
        uow.add(Thing(id=1))
    assert database.documents("things") == [{"_id": 1}]
