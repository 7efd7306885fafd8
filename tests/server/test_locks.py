"""What locks are on a real server: what is sent, what is stored, who is shut out, and what they are good for."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from bson import CodecOptions
from bson.raw_bson import RawBSONDocument
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from boundwork import Document, Repository, StaleDocument, TransactionFailed, UnitOfWork
from boundwork.models.fields import SCRATCH
from boundwork.uow.commands import Find
from boundwork.uow.locking import LOCKS
from tests.server.bank import Account, AsyncBank, Bank, raw, settled
from tests.server.commands_seen import CommandsSeen, names
from tests.server.hot_counter import INCREMENTS, locked, named, plainly, race

Stored = dict[str, Any]
RAW: CodecOptions[Any] = CodecOptions(document_class=RawBSONDocument)
ROUNDS = 20
WRITE_CONFLICT = 112


class Doctor(Document[str], collection="doctors"):
    on_call: bool = True


class Ward(UnitOfWork):
    doctors = Repository(Doctor)


@pytest.fixture
def client(mongod_uri: str) -> Iterator[MongoClient[Stored]]:
    """Return a client beside the unit's, without an open unit."""
    with MongoClient[Stored](mongod_uri) as client:
        yield client


@pytest.fixture
def is_locked(client: MongoClient[Stored], database_name: str) -> Callable[[int], bool]:
    """Return a function from the id of an account to whether a transaction may not write it."""

    def ask(number: int) -> bool:
        with ThreadPoolExecutor(1) as aside:
            return aside.submit(write, number).result()

    def write(number: int) -> bool:
        with client.start_session() as session:
            session.start_transaction()
            try:
                update = {"$inc": {"balance": 1}}
                client[database_name].accounts.update_one({"_id": number}, update, session=session)
            except OperationFailure as error:
                if error.code != WRITE_CONFLICT:
                    raise
                return True
            session.abort_transaction()
            return False

    return ask


async def test_a_lock_leaves_each_byte_as_it_was(banks: Any, client: MongoClient[Stored], database_name: str) -> None:
    strange: Stored = {"_id": 1, "zone": [{}, [1.5]], "balance": 5, "a": {"": None}, "later": b"\0", "": 1}
    accounts: Any = client[database_name].get_collection("accounts", codec_options=RAW)
    accounts.insert_one(strange)
    before = accounts.find_one().raw
    async with banks() as uow:
        await uow.accounts.get(1, for_update=True)
        assert await uow.core.session.find(Find("accounts", {"_id": 1}, limit=1)) == [before]
    async with banks() as uow:
        await uow.accounts.get_many([1], for_update=True)
    async with banks(isolation="locked_reads") as uow:
        assert len(await uow.accounts.find().to_list()) == 1
    assert accounts.find_one().raw == before


async def test_many_are_locked_by_one_command_in_the_order_of_their_ids(
    banks: Any, accounts: Any, seen: CommandsSeen
) -> None:
    async with banks() as uow:
        await uow.accounts.get(4)
        await uow.accounts.get_many([9, 4, 7, 2], for_update=True)
        _, update, find = seen.take()
        assert names([update, find]) == ["update", "find"]
        assert [entry["q"]["_id"] for entry in update["updates"]] == [2, 2, 4, 4, 7, 7, 9, 9]
        assert find["filter"] == {"_id": {"$in": [9, 7, 2]}}
        await uow.rollback()


async def test_one_is_locked_and_read_by_two_commands(banks: Any, stored: Any, seen: CommandsSeen) -> None:
    async with banks() as uow:
        await uow.accounts.get(1, for_update=True)
        await uow.accounts.get(1)
    assert names(seen.take()) == ["update", "find", "commitTransaction"]


async def test_a_lock_is_taken_again_when_the_unit_repeats_itself(
    banks: Any, accounts: Any, server: Any, is_locked: Callable[[int], bool]
) -> None:
    lost = {"errorCode": 251, "errorLabels": ["TransientTransactionError"]}
    async with banks(replay_seconds=20.0) as uow:
        await uow.accounts.get(1, for_update=True)
        await uow.lock("accounts")
        with server(["aggregate"], 1, lost):
            await uow.accounts.count()
        assert uow.receipt.replays == 1
        assert is_locked(1)
        assert not is_locked(2)
    assert not is_locked(1)
    taken = accounts.database[LOCKS].find_one()
    assert taken["_id"] == "accounts"


async def test_a_validator_that_forbids_the_field_of_locks_is_named(
    banks: Any, client: MongoClient[Stored], database_name: str, is_locked: Callable[[int], bool]
) -> None:
    properties: Stored = {"_id": {}, "balance": {}}
    schema: Stored = {"bsonType": "object", "properties": properties, "additionalProperties": False}
    database = client[database_name]
    database.create_collection("accounts", validator={"$jsonSchema": schema}).insert_one({"_id": 1, "balance": 0})
    with pytest.raises(TransactionFailed, match=f"'accounts' refused a lock, which sets the field '{SCRATCH}'"):
        async with banks() as uow:
            await uow.accounts.get(1, for_update=True)
    properties[SCRATCH] = {}
    database.command("collMod", "accounts", validator={"$jsonSchema": schema})
    async with banks() as uow:
        await uow.accounts.get(1, for_update=True)
        assert is_locked(1)


async def test_a_new_name_commits_no_call_of_the_driver(banks: Any, stored: Any, is_locked: Any) -> None:
    with pytest.raises(ZeroDivisionError):
        async with banks() as uow:
            await settled(raw(uow).accounts.update_one({"_id": 1}, {"$set": {"balance": 5}}))
            await uow.lock("accounts")
            raise ZeroDivisionError
    assert stored.find_one() == {"_id": 1, "balance": 0}


def test_a_lock_is_two_updates_in_a_change_stream(client: MongoClient[Stored], database_name: str) -> None:
    accounts = client[database_name].accounts
    accounts.insert_one({"_id": 1, "balance": 0})
    with accounts.watch() as changes:
        with Bank(client[database_name]) as uow:
            uow.accounts.get(1, for_update=True)
        seen = [next(changes)["updateDescription"] for _ in range(2)]
    assert [list(change["updatedFields"]) for change in seen] == [[SCRATCH], []]
    assert [change["removedFields"] for change in seen] == [[], [SCRATCH]]


@pytest.mark.parametrize("way", [locked, named])
def test_on_a_hot_counter_all_who_lock_first_get_through(
    client: MongoClient[Stored], database_name: str, way: Any
) -> None:
    ends, value = race(client[database_name], way)
    assert (ends["committed"], ends["stale"], value) == (INCREMENTS, 0, INCREMENTS)


def test_on_a_hot_counter_those_who_only_read_it_find_it_stale_but_lose_nothing(
    client: MongoClient[Stored], database_name: str
) -> None:
    ends, value = race(client[database_name], plainly)
    assert ends["stale"] > 0
    assert value == ends["committed"] == INCREMENTS - ends["stale"]


async def test_tasks_that_lock_the_same_name_first_all_get_through(async_bank: AsyncBank) -> None:
    async def work() -> None:
        async with async_bank as uow:
            await uow.lock("next number")
            number = await uow.accounts.count()
            uow.accounts.add(Account(id=number))

    await asyncio.gather(*(work() for _ in range(30)))
    async with async_bank as uow:
        assert [account.id for account in await uow.accounts.find().sort("_id").to_list()] == list(range(30))


def _both(client: MongoClient[Stored], database_name: str, body: Callable[[str, str], bool]) -> tuple[list[bool], int]:
    """Let two doctors who are on call act at once; return what became of them, and how many are on call then."""
    doctors = client[database_name].doctors
    doctors.delete_many({})
    doctors.insert_many([{"_id": "ann", "on_call": True}, {"_id": "bob", "on_call": True}])
    with ThreadPoolExecutor(2) as pool:
        ends = list(pool.map(body, ["ann", "bob"], ["bob", "ann"]))
    return ends, doctors.count_documents({"on_call": True})


def test_snapshots_let_both_doctors_go_off_duty(client: MongoClient[Stored], database_name: str) -> None:
    ward = Ward(client[database_name])

    for _ in range(ROUNDS):
        both = Barrier(2, timeout=60)

        def leave(me: str, _: str, both: Barrier = both) -> bool:
            with ward as uow:
                if len(uow.doctors.find({"on_call": True}).to_list()) > 1:
                    both.wait()
                    uow.doctors.get(me).on_call = False
                return True

        assert _both(client, database_name, leave) == ([True, True], 0)


def test_locked_reads_keep_one_doctor_on_call(client: MongoClient[Stored], database_name: str) -> None:
    ward = Ward(client[database_name], isolation="locked_reads")

    for _ in range(ROUNDS):
        both = Barrier(2, timeout=60)

        def leave(me: str, _: str, both: Barrier = both) -> bool:
            with ward as uow:
                both.wait()
                may_leave = len(uow.doctors.find({"on_call": True}).to_list()) > 1
                if may_leave:
                    uow.doctors.get(me).on_call = False
                return may_leave

        left, on_call = _both(client, database_name, leave)
        assert (sorted(left), on_call) == ([False, True], 1)


def test_locked_reads_that_cross_end_with_one_conflict(client: MongoClient[Stored], database_name: str) -> None:
    ward = Ward(client[database_name], isolation="locked_reads")

    for _ in range(ROUNDS):
        both = Barrier(2, timeout=60)

        def leave(me: str, other: str, both: Barrier = both) -> bool:
            try:
                with ward as uow:
                    is_covered = uow.doctors.get(other).on_call
                    both.wait()
                    if is_covered:
                        uow.doctors.get(me).on_call = False
            except StaleDocument:
                return False
            return True

        left, on_call = _both(client, database_name, leave)
        assert (sorted(left), on_call) == ([False, True], 1)
