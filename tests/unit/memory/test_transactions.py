from collections.abc import Callable, Coroutine
from threading import Thread
from typing import Any, TypeVar, cast

import bson
import pytest

from boundwork.uow.commands import (
    BulkResult,
    BulkWrite,
    DeleteOne,
    Find,
    InsertOne,
    UniqueKey,
    UpdateOne,
    UpsertOne,
    Write,
)
from boundwork.uow.failures import FailureKind, SessionFailure
from boundwork.uow.port import BoundSession
from boundwork.uow.sessions.memory import MemoryDatabase, MemorySession
from boundwork.uow.sessions.memory.encoding import CODEC

T = TypeVar("T")


def ran(step: Coroutine[Any, Any, T]) -> T:
    try:
        step.send(None)
    except StopIteration as end:
        return cast(T, end.value)
    raise AssertionError("the session suspended")


def opened(database: MemoryDatabase) -> MemorySession:
    session = MemorySession(database)
    ran(session.open())
    return session


def write(session: BoundSession, *writes: Write) -> BulkResult:
    return ran(session.write([BulkWrite("things", writes)]))[0]


def read(session: BoundSession, **condition: Any) -> list[dict[str, Any]]:
    return [
        document
        for batch in ran(session.find(Find("things", condition)))
        for document in bson.decode_iter(batch, CODEC)
    ]


def failure_of(call: Callable[[], Any]) -> SessionFailure:
    with pytest.raises(SessionFailure) as caught:
        call()
    return caught.value


@pytest.fixture
def database() -> MemoryDatabase:
    filled = MemoryDatabase("shop")
    session = opened(filled)
    write(session, InsertOne({"_id": 1, "n": 1}), InsertOne({"_id": 2, "n": 2}))
    ran(session.commit())
    return filled


def increase(number: int) -> UpdateOne:
    return UpdateOne({"_id": number}, {"$inc": {"n": 10}})


def test_a_transaction_sees_its_own_writes_and_nobody_else_does(database: MemoryDatabase) -> None:
    one, other = opened(database), opened(database)
    write(one, increase(1), DeleteOne({"_id": 2}), InsertOne({"_id": 3}))
    assert read(one) == [{"_id": 1, "n": 11}, {"_id": 3}]
    assert read(other) == [{"_id": 1, "n": 1}, {"_id": 2, "n": 2}]
    ran(one.abort())
    assert database.documents("things") == [{"_id": 1, "n": 1}, {"_id": 2, "n": 2}]


def test_a_snapshot_is_taken_by_the_first_command_and_kept(database: MemoryDatabase) -> None:
    reader, writer = opened(database), opened(database)
    write(writer, increase(1))
    ran(writer.commit())
    assert read(reader, _id=1) == [{"_id": 1, "n": 11}]
    ran(writer.begin())
    write(writer, increase(1), DeleteOne({"_id": 2}))
    ran(writer.commit())
    assert read(reader) == [{"_id": 1, "n": 11}, {"_id": 2, "n": 2}]


def test_a_write_to_what_another_transaction_wrote_fails_at_once(database: MemoryDatabase) -> None:
    one, other = opened(database), opened(database)
    write(one, increase(1))
    failure = failure_of(lambda: write(other, increase(1)))
    assert (failure.kind, failure.code, failure.transient) == (FailureKind.SERVER, 112, True)
    assert (failure_of(lambda: read(other)).code, failure_of(lambda: ran(other.commit())).code) == (251, 251)
    ran(one.commit())
    assert database.documents("things")[0] == {"_id": 1, "n": 11}


def test_a_write_to_what_was_committed_since_the_snapshot_fails(database: MemoryDatabase) -> None:
    one, other = opened(database), opened(database)
    read(other)
    write(one, increase(1))
    ran(one.commit())
    assert failure_of(lambda: write(other, DeleteOne({"_id": 1}))).code == 112


def test_a_session_can_begin_again_after_a_failed_transaction(database: MemoryDatabase) -> None:
    session = opened(database)
    failure_of(lambda: write(session, InsertOne({"_id": 3}), InsertOne({"_id": 1})))
    ran(session.abort())
    ran(session.begin())
    assert [document["_id"] for document in read(session)] == [1, 2]


def test_a_taken_id_names_the_key_and_the_write(database: MemoryDatabase) -> None:
    failure = failure_of(lambda: write(opened(database), InsertOne({"_id": 3}), InsertOne({"_id": 1.0})))
    assert (failure.kind, failure.code, failure.key) == (FailureKind.DUPLICATE_KEY, 11000, ("_id",))
    assert (failure.collection, failure.index) == ("things", 1)


def test_true_and_one_are_different_ids(database: MemoryDatabase) -> None:
    session = opened(database)
    write(session, InsertOne({"_id": True}))
    assert read(session, _id=True) == [{"_id": True}]
    assert read(session, _id=1.0) == [{"_id": 1, "n": 1}]


def test_a_taken_unique_key_names_its_fields(database: MemoryDatabase) -> None:
    database.create_unique_index("things", "owner.name", "n", name="owner")
    session = opened(database)
    write(session, InsertOne({"_id": 3, "owner": {"name": "a"}, "n": 1}))
    failure = failure_of(lambda: write(session, InsertOne({"_id": 4, "owner": [{"name": "a"}], "n": 1.0})))
    assert (failure.kind, failure.key) == (FailureKind.DUPLICATE_KEY, ("owner.name", "n"))
    assert ran(opened(database).unique_keys("things")) == (UniqueKey("owner", ("owner.name", "n")),)


def test_a_unique_key_that_was_given_up_is_free_in_the_same_transaction(database: MemoryDatabase) -> None:
    database.create_unique_index("things", "n")
    session = opened(database)
    write(session, UpdateOne({"_id": 1}, {"$unset": {"n": ""}}), UpdateOne({"_id": 2}, {"$set": {"n": 1}}))
    write(session, UpdateOne({"_id": 1}, {"$set": {"n": 2}}))
    ran(session.commit())
    assert database.documents("things") == [{"_id": 1, "n": 2}, {"_id": 2, "n": 1}]


def test_two_transactions_that_want_one_unique_key_conflict(database: MemoryDatabase) -> None:
    database.create_unique_index("things", "n")
    one, other = opened(database), opened(database)
    write(one, InsertOne({"_id": 3, "n": 3}))
    assert failure_of(lambda: write(other, InsertOne({"_id": 4, "n": 3}))).code == 112


def test_a_sparse_unique_index_lets_documents_without_the_field_be(database: MemoryDatabase) -> None:
    database.create_unique_index("things", "code", sparse=True)
    session = opened(database)
    write(session, InsertOne({"_id": 3}), InsertOne({"_id": 4, "code": None}))
    assert failure_of(lambda: write(session, InsertOne({"_id": 5, "code": None}))).kind is FailureKind.DUPLICATE_KEY


def test_an_index_that_the_documents_break_is_not_made(database: MemoryDatabase) -> None:
    failure = failure_of(lambda: database.create_unique_index("things", "missing"))
    assert (failure.kind, failure.key) == (FailureKind.DUPLICATE_KEY, ("missing",))
    assert ran(opened(database).unique_keys("things")) == ()


def test_a_bulk_counts_what_it_reached(database: MemoryDatabase) -> None:
    result = write(
        opened(database),
        InsertOne({"_id": 3}),
        increase(1),
        UpdateOne({"_id": 2}, {"$set": {"n": 2}}),
        UpdateOne({"_id": 9}, {"$set": {"n": 2}}),
        UpsertOne({"_id": 1, "n": 99}),
        UpsertOne({"_id": 4, "n": 99}),
        DeleteOne({"_id": 2, "n": 3}),
        DeleteOne({"_id": 2}),
    )
    assert result == BulkResult(inserted=1, matched=3, modified=1, deleted=1, upserted=1)


def test_what_failed_in_one_bulk_undoes_the_bulks_before_it(database: MemoryDatabase) -> None:
    session = opened(database)
    write(session, increase(1))
    failure = failure_of(lambda: write(session, UpdateOne({"_id": 1}, {"$set": {"n.x": 1}})))
    assert (failure.kind, failure.code, failure.index) == (FailureKind.SERVER, 28, 0)
    assert database.documents("things")[0] == {"_id": 1, "n": 1}


def test_a_transaction_without_commands_sends_nothing(database: MemoryDatabase) -> None:
    session = opened(database)
    ran(session.commit())
    ran(session.begin())
    ran(session.abort())
    assert session.commands == 0


def test_commands_are_counted(database: MemoryDatabase) -> None:
    session = opened(database)
    read(session)
    ran(session.write([BulkWrite("things", (increase(1),)), BulkWrite("others", (InsertOne({"_id": 1}),))]))
    ran(session.commit())
    assert session.commands == 4


def test_a_probe_aborts_what_is_open_and_tells_what_became_of_the_rest(database: MemoryDatabase) -> None:
    going_on, committed, failed = opened(database), opened(database), opened(database)
    for number, session in enumerate((going_on, committed)):
        write(session, InsertOne({"_id": 10 + number}))
    failure_of(lambda: write(failed, InsertOne({"_id": 1})))
    ran(committed.commit())
    ran(going_on.probe())
    assert failure_of(lambda: ran(going_on.probe())).code == 251
    assert failure_of(lambda: ran(failed.probe())).code == 251
    assert failure_of(lambda: ran(committed.probe())).code == 256
    assert [document["_id"] for document in read(opened(database))] == [1, 2, 11]


def test_old_versions_are_forgotten_with_the_last_transaction_that_sees_them(database: MemoryDatabase) -> None:
    reader, writer = opened(database), opened(database)
    read(reader)
    write(writer, increase(1))
    ran(writer.commit())
    assert database.history.is_keeping()
    ran(reader.close())
    assert not database.history.is_keeping()


def test_a_session_that_is_closed_or_not_opened_refuses(database: MemoryDatabase) -> None:
    session = MemorySession(database)
    assert failure_of(lambda: read(session)).kind is FailureKind.MISUSE
    ran(session.open())
    ran(session.unbind())
    ran(session.close())
    assert failure_of(lambda: read(session)).kind is FailureKind.MISUSE


def test_there_is_no_driver_behind_the_fake(database: MemoryDatabase) -> None:
    failure = failure_of(lambda: opened(database).database)
    assert failure.kind is FailureKind.MISUSE
    assert "no driver" in str(failure)


def test_clear_leaves_the_indexes_and_refuses_under_an_open_write(database: MemoryDatabase) -> None:
    database.create_unique_index("things", "n")
    session = opened(database)
    write(session, increase(1))
    assert failure_of(database.clear).kind is FailureKind.MISUSE
    ran(session.abort())
    database.clear()
    assert database.documents("things") == []
    assert len(database.unique_keys("things")) == 1


def test_threads_that_retry_lose_no_update(database: MemoryDatabase) -> None:
    def increase_often() -> None:
        session = opened(database)
        for _ in range(50):
            while True:
                try:
                    write(session, increase(1))
                    ran(session.commit())
                    break
                except SessionFailure:
                    ran(session.abort())
                finally:
                    ran(session.begin())

    threads = [Thread(target=increase_often) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert database.documents("things")[0] == {"_id": 1, "n": 2001}
