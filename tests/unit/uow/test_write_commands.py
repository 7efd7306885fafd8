"""How the writes of a bulk become commands: in order, of one kind each, in messages of a moderate size."""

from typing import Any

import bson
import pytest
from bson.raw_bson import RawBSONDocument
from pymongo.errors import BulkWriteError, DocumentTooLarge

from boundwork.uow.commands import BulkResult, BulkWrite, DeleteOne, InsertOne, Options, UpdateMany, UpdateOne, Write
from boundwork.uow.sessions.write_commands import MANY_WRITES, MESSAGE_BYTES, command_result, write_commands, writes_of


def commands(*writes: Write) -> list[dict[str, Any]]:
    return write_commands(BulkWrite("orders", writes))


def test_each_run_of_one_kind_is_a_command() -> None:
    update = UpdateOne({"_id": 1}, {"$set": {"a": 1}})
    sent = commands(InsertOne({"_id": 1}), InsertOne({"_id": 2}), update, DeleteOne({"_id": 2}), InsertOne({"_id": 2}))
    assert [next(iter(command)) for command in sent] == ["insert", "update", "delete", "insert"]
    assert [writes_of(command) for command in sent] == [2, 1, 1, 1]
    assert all(command["ordered"] for command in sent)


def test_an_operation_with_options_of_the_command_is_a_command_of_its_own() -> None:
    marked = UpdateMany({}, {"$set": {"a": 1}}, options=Options(comment="night"))
    sent = commands(UpdateOne({"_id": 1}, {"$set": {"a": 1}}), marked, UpdateOne({"_id": 2}, {"$set": {"a": 1}}))
    assert [command.get("comment") for command in sent] == [None, "night", None]


@pytest.mark.parametrize("encoded", [False, True], ids=["dicts", "BSON"])
def test_what_is_more_than_a_message_is_divided_and_stays_in_order(*, encoded: bool) -> None:
    documents = [{"_id": number, "text": "x" * 700_000} for number in range(7)]
    kept: list[Any] = [RawBSONDocument(bson.encode(document)) for document in documents] if encoded else documents
    sent = commands(*map(InsertOne, kept))
    assert [document["_id"] for command in sent for document in command["documents"]] == list(range(7))
    assert len(sent) > 1
    assert all(len(bson.encode(command)) < MESSAGE_BYTES + 1000 for command in sent)


def test_more_writes_than_a_command_takes_are_divided() -> None:
    sent = commands(*(DeleteOne({"_id": number}) for number in range(MANY_WRITES + 1)))
    assert [writes_of(command) for command in sent] == [MANY_WRITES, 1]


def test_what_no_server_takes_is_refused_before_it_is_sent() -> None:
    large = InsertOne({"_id": 1, "text": "x" * 17 * 1024 * 1024})
    with pytest.raises(DocumentTooLarge):
        commands(InsertOne({"_id": 2}), large, InsertOne({"_id": 3}))


def test_an_error_of_a_later_command_has_its_place_in_the_bulk() -> None:
    sent = commands(InsertOne({"_id": 1}), InsertOne({"_id": 2}), DeleteOne({"_id": 1}))
    reply = {"n": 0, "writeErrors": [{"index": 0, "code": 11000}]}
    with pytest.raises(BulkWriteError) as refused:
        command_result(sent[1], reply, BulkResult(inserted=2), 2)
    assert refused.value.details["writeErrors"][0]["index"] == 2
