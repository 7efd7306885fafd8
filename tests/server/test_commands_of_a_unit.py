"""What a unit sends: its concerns, its session, and the program's own calls among its commands."""

from contextvars import Context
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.read_concern import ReadConcern
from pymongo.read_preferences import ReadPreference
from pymongo.write_concern import WriteConcern

from boundwork import TransactionFailed
from tests.server.bank import Account, bank_of, raw, settled
from tests.server.commands_seen import CommandsSeen, in_transaction_of, names, session_id

Stored = dict[str, Any]
CONCERNS = {
    "": {"w": "majority"},
    "w=majority": {"w": "majority"},
    "w=1&journal=true": {"w": "majority", "j": True},
    "w=majority&wtimeoutMS=5000": {"w": "majority", "wtimeout": 5000},
    "w=0": {"w": "majority"},
    "readConcernLevel=majority&readPreference=secondaryPreferred": {"w": "majority"},
}


@pytest.mark.parametrize("options", CONCERNS, ids=lambda options: options or "plain")
async def test_the_first_command_reads_a_snapshot_and_the_commit_is_a_majority_one(
    banks: Any, seen: CommandsSeen, options: str
) -> None:
    bank = banks(options)
    async with bank as uow:
        uow.accounts.add(Account(id=1))
        assert await uow.accounts.count() == 1
        await settled(raw(uow).accounts.update_one({"_id": 1}, {"$inc": {"balance": 1}}))
        lsid = session_id(uow)
    first, *rest, commit = seen.take()
    assert first["lsid"] == lsid
    assert (first["startTransaction"], first["readConcern"]["level"]) == (True, "snapshot")
    assert names([first, *rest, commit]) == ["insert", "aggregate", "update", "commitTransaction"]
    for command in (*rest, commit):
        assert in_transaction_of(command, first)
        assert "readConcern" not in command
    assert [command for command in (first, *rest) if "writeConcern" in command] == []
    assert commit["writeConcern"] == CONCERNS[options]


@pytest.mark.parametrize("options", ["", "w=majority", "w=1&journal=true"])
async def test_calls_of_the_driver_are_committed_with_the_unit(
    banks: Any, mongod_client: MongoClient[Stored], database_name: str, options: str
) -> None:
    async with banks(options) as uow:
        uow.accounts.add(Account(id=1))
        await settled(raw(uow).notes.insert_one({"_id": 1}))
        # Another client is not for use inside the block, so it asks from a context without one.
        assert Context().run(mongod_client[database_name].notes.find_one) is None
    assert mongod_client[database_name].notes.find_one() == {"_id": 1}
    assert mongod_client[database_name].accounts.count_documents({}) == 1


@pytest.mark.parametrize("options", ["", "w=majority", "w=1&journal=true"])
async def test_calls_of_the_driver_are_rolled_back_with_the_unit(
    banks: Any, mongod_client: MongoClient[Stored], database_name: str, options: str
) -> None:
    with pytest.raises(ZeroDivisionError):
        async with banks(options) as uow:
            uow.accounts.add(Account(id=1))
            await uow.flush()
            await settled(raw(uow).notes.insert_one({"_id": 1}))
            raise ZeroDivisionError
    assert mongod_client[database_name].notes.find_one() is None
    assert mongod_client[database_name].accounts.find_one() is None


async def test_a_call_of_the_driver_sees_what_was_flushed_and_refresh_sees_what_it_wrote(banks: Any) -> None:
    async with banks() as uow:
        account = uow.accounts.add(Account(id=1, balance=5))
        await uow.flush()
        stored = await settled(raw(uow).accounts.find_one_and_update({"_id": 1}, {"$inc": {"balance": 1}}))
        assert stored == {"_id": 1, "balance": 5}
        await uow.refresh(account)
        assert account.balance == 6


async def test_a_handle_of_the_programs_own_joins_the_transaction_too(
    opened: Any, colour: str, mongod_client: MongoClient[Stored], database_name: str
) -> None:
    database = opened()
    with pytest.raises(ZeroDivisionError):
        async with bank_of(colour, database):
            await settled(database.notes.insert_one({"_id": 1}))
            assert await settled(database.notes.find_one()) == {"_id": 1}
            raise ZeroDivisionError
    assert mongod_client[database_name].notes.find_one() is None


async def test_the_database_of_a_unit_has_neutral_concerns(opened: Any, colour: str) -> None:
    given = opened("w=majority&readConcernLevel=majority&readPreference=secondary")
    given = given.with_options(write_concern=WriteConcern(w=1, j=True))
    async with bank_of(colour, given) as uow:
        database = raw(uow)
        assert (database.write_concern, database.read_concern) == (WriteConcern(), ReadConcern())
        assert database.read_preference == ReadPreference.PRIMARY
        assert (database.name, database.client) == (given.name, given.client)


async def test_transactions_of_one_unit_follow_one_another_in_one_session(banks: Any, seen: CommandsSeen) -> None:
    async with banks() as uow:
        uow.accounts.add(Account(id=1))
        await uow.commit()
        uow.accounts.add(Account(id=2))
        await uow.flush()
        await uow.rollback()
        uow.accounts.add(Account(id=3))
    sent = seen.take()
    assert names(sent) == ["insert", "commitTransaction", "insert", "abortTransaction", "insert", "commitTransaction"]
    assert len({bytes(command["lsid"]["id"]) for command in sent}) == 1
    first = sent[0]["txnNumber"]
    assert [command["txnNumber"] - first for command in sent] == [0, 0, 1, 1, 2, 2]


async def test_a_unit_that_only_read_commits_with_majority(banks: Any, seen: CommandsSeen) -> None:
    async with banks() as uow:
        await uow.accounts.count()
        await uow.accounts.find_by_id(1)
    *_, commit = seen.take()
    assert (commit["commitTransaction"], commit["writeConcern"]) == (1, {"w": "majority"})


async def test_a_unit_that_did_nothing_sends_nothing(banks: Any, seen: CommandsSeen) -> None:
    async with banks() as uow:
        await uow.flush()
        await uow.commit()
        await uow.rollback()
    assert seen.take() == []


async def test_only_the_question_for_unique_keys_is_asked_outside_of_the_transaction(
    banks: Any, seen: CommandsSeen, mongod_client: MongoClient[Stored], database_name: str
) -> None:
    mongod_client[database_name].accounts.create_index("balance", unique=True)
    mongod_client[database_name].accounts.insert_one({"_id": 1, "balance": 1})
    async with banks() as uow:
        uow.accounts.remove(await uow.accounts.get(1))
        uow.accounts.add(Account(id=2, balance=1))
    first, *sent = seen.take()
    outside = [command for command in sent if not in_transaction_of(command, first)]
    assert names(outside) == ["listIndexes"]
    assert outside[0]["lsid"] != first["lsid"]
    assert "txnNumber" not in outside[0]


async def test_a_call_that_the_server_refuses_leaves_the_unit_as_it_is_raised_and_nothing_is_written(
    banks: Any, seen: CommandsSeen, mongod_client: MongoClient[Stored], database_name: str
) -> None:
    mongod_client[database_name].notes.insert_one({"_id": 1})
    with pytest.raises(TransactionFailed):
        async with banks() as uow:
            uow.accounts.add(Account(id=1))
            await uow.flush()
            with pytest.raises(Exception, match="E11000"):
                await settled(raw(uow).notes.insert_one({"_id": 1}))
    assert mongod_client[database_name].accounts.find_one() is None
    assert names(seen.take())[:2] == ["insert", "insert"]
