"""How many commands a flush over several collections is: one on a server 8 or newer, else one a collection."""

from collections.abc import Iterator
from typing import Any

import pytest
from pymongo import AsyncMongoClient, InsertOne, MongoClient, UpdateOne

from boundwork import DuplicateKey, guard
from tests.server.bank import Account, AsyncBank, Bank, Entry, bank_of, raw, settled
from tests.server.commands_seen import CommandsSeen, in_transaction_of, names

Stored = dict[str, Any]
WIRE_VERSION_OF_8 = 25


@pytest.fixture
def embedded_bank(embedded_uri: str, database_name: str, seen: CommandsSeen) -> Iterator[Bank]:
    with MongoClient[Stored](embedded_uri, event_listeners=[seen, guard()]) as client:
        assert client.admin.command("hello")["maxWireVersion"] >= WIRE_VERSION_OF_8
        seen.take()
        yield Bank(client[database_name])


def change_two_collections(uow: Any) -> None:
    uow.accounts.add(Account(id=1, balance=1))
    uow.journal.add(Entry(source=1, target=2, amount=1))
    uow.accounts.add(Account(id=2, balance=1))


def test_on_a_server_8_a_flush_over_several_collections_is_one_command(embedded_bank: Bank, seen: CommandsSeen) -> None:
    # Not as the first command of its transaction, which this server would refuse.
    with embedded_bank as uow:
        assert uow.accounts.count() == 0
        change_two_collections(uow)
    first, bulk, commit = seen.take()
    assert names([first, bulk, commit]) == ["aggregate", "bulkWrite", "commitTransaction"]
    assert in_transaction_of(bulk, first)
    assert in_transaction_of(commit, first)
    assert "writeConcern" not in bulk
    assert (uow.receipt.inserted, uow.receipt.commands) == (3, 3)
    with embedded_bank as uow:
        (entry,) = uow.journal.find()
        for account in uow.accounts.find():
            account.balance += 1
        uow.journal.remove(entry)
    sent = [name for name in names(seen.take()) if name != "listIndexes"]
    assert sent == ["find", "find", "bulkWrite", "commitTransaction"]
    assert (uow.receipt.updated, uow.receipt.removed) == (2, 1)
    with embedded_bank as uow:
        assert [account.balance for account in uow.accounts.find()] == [2, 2]
        assert uow.journal.count() == 0


async def test_on_a_server_8_a_flush_in_a_task_is_one_command_too(
    embedded_uri: str, database_name: str, seen: CommandsSeen
) -> None:
    async with AsyncMongoClient[Stored](embedded_uri, event_listeners=[seen, guard()]) as client:
        async with AsyncBank(client[database_name]) as uow:
            assert await uow.accounts.count() == 0
            change_two_collections(uow)
        first, bulk, commit = seen.take()
    assert names([first, bulk, commit]) == ["aggregate", "bulkWrite", "commitTransaction"]
    assert in_transaction_of(bulk, first)


def test_the_first_command_of_a_transaction_may_be_a_flush_over_several_collections(
    embedded_bank: Bank, seen: CommandsSeen
) -> None:
    with embedded_bank as uow:
        change_two_collections(uow)
    first, *_, commit = seen.take()
    assert (first["startTransaction"], first["readConcern"]["level"]) == (True, "snapshot")
    assert commit["writeConcern"] == {"w": "majority"}
    assert uow.receipt.inserted == 3


def test_on_a_server_8_a_flush_of_one_collection_is_a_command_of_that_collection(
    embedded_bank: Bank, seen: CommandsSeen
) -> None:
    with embedded_bank as uow:
        uow.accounts.add(Account(id=1))
    assert names(seen.take()) == ["insert", "commitTransaction"]


def test_a_duplicate_key_in_one_command_for_all_names_the_document_and_writes_nothing(
    embedded_bank: Bank,
) -> None:
    with embedded_bank as uow:
        uow.accounts.add(Account(id=2))
    with pytest.raises(DuplicateKey) as caught, embedded_bank as uow:
        assert uow.journal.count() == 0
        change_two_collections(uow)
    assert (caught.value.collection, caught.value.id) == ("accounts", 2)
    with embedded_bank as uow:
        assert [account.id for account in uow.accounts.find()] == [2]
        assert uow.journal.count() == 0


def test_the_clients_own_bulk_write_is_part_of_the_unit(
    embedded_bank: Bank, seen: CommandsSeen, database_name: str
) -> None:
    with embedded_bank as uow:
        uow.accounts.add(Account(id=1))
    seen.take()
    requests: list[Any] = [
        InsertOne[Stored]({"_id": 9}, namespace=f"{database_name}.notes"),
        UpdateOne({"_id": 1}, {"$inc": {"balance": 1}}, namespace=f"{database_name}.accounts"),
    ]
    with pytest.raises(ZeroDivisionError), embedded_bank as uow:
        uow.accounts.get(1)
        uow.database.client.bulk_write(requests)
        raise ZeroDivisionError
    first, bulk, abort = seen.take()
    assert names([first, bulk, abort]) == ["find", "bulkWrite", "abortTransaction"]
    assert in_transaction_of(bulk, first)
    with embedded_bank as uow:
        assert uow.accounts.get(1).balance == 0
        assert uow.database.notes.find_one() is None


@pytest.mark.server
async def test_on_an_older_server_a_flush_is_one_command_a_collection(
    opened: Any, colour: str, seen: CommandsSeen
) -> None:
    database = opened()
    hello = await settled(database.client.admin.command("hello"))
    if hello["maxWireVersion"] >= WIRE_VERSION_OF_8:
        pytest.skip("MONGODB_URI is a server 8 or newer: it takes one command for all, as the embedded one")
    seen.take()
    async with bank_of(colour, database) as uow:
        change_two_collections(uow)
        await uow.flush()
        assert await settled(raw(uow).journal.count_documents({})) == 1
    assert names(seen.take()) == ["insert", "insert", "aggregate", "commitTransaction"]
    assert uow.receipt.inserted == 3
