import bson

from boundwork.uow.commands import (
    Aggregate,
    BulkResult,
    BulkWrite,
    Count,
    DeleteMany,
    DeleteOne,
    Distinct,
    Find,
    FindAndUpdate,
    InsertOne,
    UpdateMany,
    UpdateOne,
    UpsertOne,
)
from boundwork.uow.log import LockRecord, Log, ReadRecord, WriteRecord, digest

FIND = Find("people", {"name": "Anna"})
COUNT = Count("people", {})
BULK = BulkWrite("people", (DeleteOne({"_id": 1}),))


def test_a_digest_depends_on_the_order_of_documents() -> None:
    first, second = bson.encode({"_id": 1}), bson.encode({"_id": 2})
    assert digest([first, second]) != digest([second, first])


def test_a_digest_depends_on_types_that_python_holds_equal() -> None:
    replies = [bson.encode({"_id": value}) for value in (1, 1.0, True)]
    assert len({digest([reply]) for reply in replies}) == 3


def test_a_digest_is_short_and_nothing_read_has_one_too() -> None:
    assert len(digest([])) == 16
    assert len(digest([b"x" * 100_000])) == 32
    assert digest([]) == digest([b""])


def test_records_stand_in_the_order_of_the_commands() -> None:
    log = Log()
    bulk, other = BulkWrite("people", (InsertOne({"_id": 1}),)), BulkWrite("towns", (DeleteOne({"_id": 1}),))
    log.found(FIND, [b"x"], "Person")
    log.wrote([bulk, other], [BulkResult(inserted=1), BulkResult()])
    log.counted(COUNT, 3, "Person")
    log.found(FIND, [], "Person")
    assert log.records == [
        ReadRecord(FIND, digest([b"x"]), "Person"),
        WriteRecord((bulk, other), (BulkResult(inserted=1), BulkResult())),
        ReadRecord(COUNT, 3, "Person"),
        ReadRecord(FIND, digest([]), "Person"),
    ]


def test_an_absence_is_recorded_too() -> None:
    log = Log()
    log.found(FIND, [], "Person")
    assert log.records


def test_a_record_keeps_no_document_that_was_read() -> None:
    log = Log()
    log.found(FIND, [bson.encode({"_id": 1, "name": "Anna"})], "Person")
    assert "Anna" not in repr(log.records[0].seen if isinstance(log.records[0], ReadRecord) else "Anna")


def test_no_command_shows_values_in_its_repr() -> None:
    held = {"name": "Anna"}
    writes = (
        InsertOne(held),
        UpsertOne(held),
        UpdateOne(held, {"$set": held}),
        DeleteOne(held),
        UpdateMany(held, {"$set": held}, (held,)),
        DeleteMany(held),
    )
    asked = (FIND, Count("people", held), Distinct("people", "age", held), Aggregate("people", ({"$match": held},)))
    changed = FindAndUpdate("people", held, {"$set": held}, array_filters=(held,))
    shown = repr((BulkWrite("people", writes), *asked, changed))
    assert "Anna" not in shown
    assert shown.count("people") == 6


def test_locks_are_recorded_and_forgotten_with_their_transaction() -> None:
    log = Log()
    log.took(BULK, [("people", 1)])
    assert log.records == [LockRecord(BULK)]
    assert log.locked == {("people", 1)}
    log.clear()
    assert (log.records, log.locked) == ([], set())


def test_a_cleared_log_does_not_empty_the_records_that_somebody_took() -> None:
    log = Log()
    log.counted(COUNT, 1, "Person")
    taken = log.records
    log.clear()
    assert log.records == []
    assert len(taken) == 1
