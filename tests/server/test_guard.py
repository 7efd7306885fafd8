"""A write that leaves the session of a unit refuses the commit: with both clients of PyMongo and with Motor."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import AsyncMongoClient, MongoClient, UpdateOne

from boundwork import UnitDoomed, WriteEscaped, guard
from boundwork.uow.sessions import guard as guarding
from tests.server.bank import Account, bank_of, raw, settled
from tests.server.commands_seen import failing, with_options
from tests.server.conftest import SOON_BACK
from tests.server.escaping import READS, WRITES, insertion, past
from tests.servers import empty

pytestmark = pytest.mark.filterwarnings("ignore:Motor is deprecated")
KINDS: dict[str, Any] = {"sync": MongoClient, "async": AsyncMongoClient, "motor": AsyncIOMotorClient}


@pytest.fixture(params=list(KINDS))
def driver(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def client(driver: str, mongod_uri: str, database_name: str) -> AsyncIterator[Any]:
    address = with_options(mongod_uri, f"{SOON_BACK}&appName={database_name}")
    client = KINDS[driver](address, event_listeners=[guard()])
    yield client
    await settled(client.admin.command("ping"))
    await settled(client.close())


@pytest.fixture
def bank(driver: str, client: Any, database_name: str) -> Any:
    return bank_of("sync" if driver == "sync" else "async", client[database_name])


@pytest.fixture
def notes(client: Any, mongod_client: MongoClient[Any], database_name: str) -> Iterator[Any]:
    """Return a collection of another database, for the calls of a test to leave the unit with."""
    name = f"{database_name}_notes"
    mongod_client[name].notes.create_index("n")
    mongod_client[name].notes.insert_many([{"_id": number, "n": number} for number in range(3)])
    yield client[name].notes
    empty(mongod_client, name)


async def test_a_write_in_another_session_refuses_the_commit_and_says_what_is_not_undone(
    bank: Any, stored: Any, client: Any, notes: Any, mongod_client: MongoClient[Any]
) -> None:
    account = None
    with pytest.raises(WriteEscaped) as caught:
        async with bank as uow:
            account = await uow.accounts.get(1)
            account.balance = 7
            await past(client, insertion, notes)
    assert account is not None
    assert (caught.value.command, caught.value.collection) == ("insert", "notes")
    assert caught.value.database == notes.database.name
    assert "insert on collection 'notes' of database" in str(caught.value)
    assert "what it did is not undone" in str(caught.value)
    assert stored.find_one() == {"_id": 1, "balance": 0}
    assert account.balance == 0
    assert mongod_client[notes.database.name].notes.count_documents({"_id": "escaped"}) == 1


@pytest.mark.parametrize("name", WRITES)
async def test_each_kind_of_write_is_seen_and_named(bank: Any, client: Any, notes: Any, name: str) -> None:
    call, command, collection = WRITES[name]
    with pytest.raises(WriteEscaped) as caught:
        async with bank:
            await past(client, call, notes)
    assert (caught.value.command, caught.value.collection) == (command, collection)


@pytest.mark.parametrize("name", READS)
async def test_no_read_is_an_escape(bank: Any, stored: Any, client: Any, notes: Any, name: str) -> None:
    async with bank as uow:
        (await uow.accounts.get(1)).balance = 7
        await past(client, READS[name], notes)
    assert stored.find_one() == {"_id": 1, "balance": 7}


async def test_a_transaction_by_hand_is_an_escape_too(bank: Any, client: Any, notes: Any) -> None:
    with pytest.raises(WriteEscaped):
        async with bank as uow:
            assert await uow.accounts.count() == 0
            session = await settled(client.start_session())
            await settled(session.start_transaction())
            await settled(insertion(notes, session))
            await settled(session.commit_transaction())
            await settled(session.end_session())


async def test_a_write_in_the_unit_s_session_but_not_in_its_transaction_is_an_escape(
    bank: Any, stored: Any, notes: Any
) -> None:
    with pytest.raises(WriteEscaped):
        async with bank as uow:
            assert await uow.accounts.count() == 1
            await settled(uow.core.session._session.abort_transaction())
            await settled(notes.insert_one({"_id": "escaped"}))
    assert stored.find_one() == {"_id": 1, "balance": 0}


async def test_of_several_writes_the_first_is_named(bank: Any, client: Any, notes: Any) -> None:
    with pytest.raises(WriteEscaped) as caught:
        async with bank:
            for name in ("update_many", "insert_one", "drop"):
                await past(client, WRITES[name][0], notes)
    assert caught.value.command == "update"


async def test_writes_of_the_driver_in_the_unit_s_own_session_are_none(bank: Any, stored: Any, notes: Any) -> None:
    async with bank as uow:
        await settled(raw(uow)["accounts"].insert_one({"_id": 5, "balance": 1}))
        await settled(raw(uow)["accounts"].bulk_write([UpdateOne({"_id": 1}, {"$set": {"balance": 3}})]))
        await settled(raw(uow)["accounts"].find_one_and_update({"_id": 1}, {"$inc": {"balance": 1}}))
        await settled(notes.insert_one({"_id": "inside"}))
    assert [account["balance"] for account in stored.find().sort("_id")] == [4, 1]


async def test_a_commit_in_the_middle_is_refused_and_after_a_rollback_the_unit_goes_on(
    bank: Any, stored: Any, client: Any, notes: Any
) -> None:
    async with bank as uow:
        account = await uow.accounts.get(1)
        account.balance = 7
        await past(client, insertion, notes)
        with pytest.raises(WriteEscaped):
            await uow.commit()
        with pytest.raises(UnitDoomed):
            await uow.accounts.count()
        await uow.rollback()
        assert account.balance == 0
        (await uow.accounts.get(1)).balance = 8
    assert stored.find_one() == {"_id": 1, "balance": 8}


async def test_a_refused_unit_whose_error_was_swallowed_does_not_commit_either(
    bank: Any, stored: Any, client: Any, notes: Any
) -> None:
    with pytest.raises(UnitDoomed) as caught:
        async with bank as uow:
            (await uow.accounts.get(1)).balance = 7
            await past(client, insertion, notes)
            with pytest.raises(WriteEscaped):
                await uow.commit()
    assert isinstance(caught.value.__cause__, WriteEscaped)
    assert stored.find_one() == {"_id": 1, "balance": 0}


async def test_a_unit_that_is_rolled_back_anyway_keeps_its_error_and_logs_the_escape(
    bank: Any, client: Any, notes: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(ZeroDivisionError):
        async with bank:
            await past(client, insertion, notes)
            raise ZeroDivisionError
    assert f"insert on {notes.database.name}.notes left its session" in caplog.text


async def test_a_rollback_forgets_the_escape_and_logs_it(
    bank: Any, client: Any, notes: Any, caplog: pytest.LogCaptureFixture
) -> None:
    async with bank as uow:
        await past(client, insertion, notes)
        await uow.rollback()
        assert "left its session" in caplog.text


async def test_an_escape_from_a_nested_unit_that_was_undone_still_refuses_the_outer_commit(
    bank: Any, stored: Any, client: Any, notes: Any
) -> None:
    with pytest.raises(WriteEscaped):
        async with bank as uow:
            (await uow.accounts.get(1)).balance = 7
            with pytest.raises(ZeroDivisionError):
                async with uow:
                    await past(client, insertion, notes)
                    raise ZeroDivisionError
    assert stored.find_one() == {"_id": 1, "balance": 0}


async def test_a_replay_does_not_forget_the_escape(
    bank: Any, stored: Any, client: Any, notes: Any, mongod_client: MongoClient[Any], database_name: str
) -> None:
    conflict: dict[str, Any] = {"errorCode": 112, "errorLabels": ["TransientTransactionError"]}
    with pytest.raises(WriteEscaped):
        async with bank as uow:
            account = await uow.accounts.get(1)
            await past(client, insertion, notes)
            with failing(mongod_client, ["update"], 1, appName=database_name, **conflict):
                account.balance = 7
                await uow.flush()
            assert uow.receipt.replays == 1
    assert stored.find_one() == {"_id": 1, "balance": 0}


async def test_a_refused_body_is_not_run_again(bank: Any, client: Any, notes: Any) -> None:
    runs: list[None] = []
    with pytest.raises(WriteEscaped):
        for attempt in bank.attempts():
            async with attempt:
                runs.append(None)
                await past(client, insertion, notes)
    assert len(runs) == 1


async def test_what_is_written_outside_the_unit_on_purpose_is_no_escape(
    bank: Any, stored: Any, client: Any, notes: Any
) -> None:
    async with bank as uow:
        (await uow.accounts.get(1)).balance = 7
        async with uow.outside():
            await settled(notes.insert_one({}))
            await past(client, insertion, notes)
    assert stored.find_one() == {"_id": 1, "balance": 7}


async def test_after_stepping_in_again_a_write_is_an_escape_as_before(bank: Any, client: Any, notes: Any) -> None:
    with pytest.raises(WriteEscaped):
        async with bank as uow:
            async with uow.outside():
                await settled(notes.insert_one({}))
            await past(client, insertion, notes)


async def test_an_independent_unit_is_no_escape(bank: Any, stored: Any) -> None:
    async with bank as uow:
        (await uow.accounts.get(1)).balance = 7
        async with bank.independent() as other:
            await settled(raw(other)["accounts"].insert_one({"_id": 2, "balance": 2}))
        (await uow.accounts.get(1)).balance = 8
    assert [account["balance"] for account in stored.find().sort("_id")] == [8, 2]


async def test_an_escape_from_an_independent_unit_refuses_that_one_alone(
    bank: Any, stored: Any, client: Any, notes: Any
) -> None:
    async with bank as uow:
        (await uow.accounts.get(1)).balance = 7
        with pytest.raises(WriteEscaped):
            async with bank.independent():
                await past(client, insertion, notes)
    assert stored.find_one() == {"_id": 1, "balance": 7}


async def test_an_escape_after_an_independent_unit_refuses_the_outer_one(
    bank: Any, stored: Any, client: Any, notes: Any
) -> None:
    with pytest.raises(WriteEscaped):
        async with bank as uow:
            (await uow.accounts.get(1)).balance = 7
            async with bank.independent() as other:
                assert await other.accounts.count() == 1
            await past(client, insertion, notes)
    assert stored.find_one() == {"_id": 1, "balance": 0}


async def test_a_unit_that_was_handed_over_is_no_escape_from_the_one_that_is_bound(bank: Any, stored: Any) -> None:
    held = bank.unit(handover=True)
    handed = await asyncio.create_task(held.__aenter__())
    async with bank as uow:
        (await uow.accounts.get(1)).balance = 7
        handed.add(Account(id=2))
        await handed.flush()
    await held.__aexit__(None, None, None)
    assert [account["balance"] for account in stored.find().sort("_id")] == [7, 0]


async def test_a_unit_is_not_blamed_for_what_escaped_before_it(bank: Any, stored: Any, client: Any, notes: Any) -> None:
    await past(client, WRITES["insert_one"][0], notes)
    with pytest.raises(WriteEscaped):
        async with bank:
            await past(client, WRITES["insert_one"][0], notes)
    await past(client, WRITES["insert_one"][0], notes)
    async with bank as uow:
        (await uow.accounts.get(1)).balance = 7
    assert stored.find_one() == {"_id": 1, "balance": 7}


async def test_the_guard_keeps_nothing_of_units_that_ended(bank: Any, client: Any, notes: Any) -> None:
    kept = len(guarding._OPEN)
    async with bank as uow:
        assert len(guarding._OPEN) == kept + 1
        async with uow.outside():
            pass
    with pytest.raises(ZeroDivisionError):
        async with bank:
            raise ZeroDivisionError
    with pytest.raises(WriteEscaped):
        async with bank:
            await past(client, insertion, notes)
    assert len(guarding._OPEN) == kept


async def test_without_a_guard_nothing_is_seen(
    driver: str, client: Any, mongod_uri: str, database_name: str, notes: Any
) -> None:
    plain = KINDS[driver](mongod_uri)
    try:
        async with bank_of("sync" if driver == "sync" else "async", plain[database_name]):
            await past(client, insertion, notes)
    finally:
        await settled(plain.close())
