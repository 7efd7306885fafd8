"""What a unit with a key sends, and that cancelling one never leaves its outcome in doubt."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from contextvars import Context
from typing import Any

import pytest
from pymongo import AsyncMongoClient, MongoClient
from pymongo.monitoring import CommandFailedEvent, CommandListener, CommandStartedEvent, CommandSucceededEvent

from boundwork import AlreadyCommitted, UnitFenced
from tests.server.bank import Account, AsyncBank, Bank, raw, settled
from tests.server.commands_seen import CommandsSeen, failing, in_transaction_of, name_of
from tests.server.under_way import HOLD_MS, held, left_open

Stored = dict[str, Any]
MARKERS = "boundwork_units"
# Cancelled ever later, until both ends were seen; how much later that is, the machine decides.
MOMENTS, MOST_MOMENTS = 40, 2000


class After(CommandListener):
    """Does something as soon as a command of a name was carried out, or `refused`."""

    def __init__(self, command: str, work: Callable[[], object], *, refused: bool = False) -> None:
        self._command, self._work, self._refused = command, work, refused

    def started(self, event: CommandStartedEvent) -> None:
        """Nothing is to be done yet."""

    def succeeded(self, event: CommandSucceededEvent) -> None:
        if not self._refused and event.command_name == self._command:
            Context().run(self._work)

    def failed(self, event: CommandFailedEvent) -> None:
        if self._refused and event.command_name == self._command:
            Context().run(self._work)


async def test_the_marker_is_read_first_and_written_last(banks: Any, seen: CommandsSeen, stored: Any) -> None:
    stored.database.create_collection(MARKERS)
    bank = banks()
    async with bank.unit(idempotency_key="first"):
        pass
    seen.take()
    async with bank.unit(idempotency_key="a") as uow:
        (await uow.accounts.get(1)).balance = 7
    look, *work, marker, commit = seen.take()
    assert (look["find"], look["filter"], look["startTransaction"]) == (MARKERS, {"_id": "a"}, True)
    assert [name_of(command) for command in work] == ["find", "update"]
    assert (marker["insert"], marker["documents"][0]["_id"]) == (MARKERS, "a")
    assert name_of(commit) == "commitTransaction"
    assert all(in_transaction_of(command, look) for command in (*work, marker, commit))
    assert uow.receipt.commands == 5
    written = stored.database[MARKERS].find_one("a")
    assert set(written) == {"_id", "unit", "at", "receipt"}
    assert written["receipt"]["updated"] == 1


async def test_the_collection_of_the_markers_is_made_before_any_transaction_writes_into_it(
    banks: Any, seen: CommandsSeen, stored: Any
) -> None:
    """One that comes with a commit is seen later than what else was committed: a rival would find no marker."""
    async with banks(idempotency_key="a") as uow:
        (await uow.accounts.get(1)).balance = 7
    made, look, *_, marker, _ = seen.take()
    assert (made["create"], made.get("startTransaction")) == (MARKERS, None)
    assert (look["find"], look["startTransaction"]) == (MARKERS, True)
    assert in_transaction_of(marker, look)
    assert uow.receipt.replays == 0


async def test_who_may_not_make_collections_tries_it_once(
    banks: Any, seen: CommandsSeen, stored: Any, mongod_client: Any
) -> None:
    stored.database.create_collection(MARKERS)
    bank = banks()
    with failing(mongod_client, ["create"], 1, errorCode=13):
        for key in ("a", "b"):
            async with bank.unit(idempotency_key=key) as uow:
                (await uow.accounts.get(1)).balance += 1
    assert [name_of(command) for command in seen.take()].count("create") == 1
    assert stored.find_one()["balance"] == 2


def test_a_rival_that_commits_as_soon_as_there_is_a_collection_of_markers_has_taken_the_key(
    mongod_uri: str, stored: Any
) -> None:
    def overtake() -> None:
        with Bank(stored.database, idempotency_key="a") as uow:
            uow.accounts.get(1).balance = 7

    with MongoClient[Stored](mongod_uri, event_listeners=[After("create", overtake)]) as client:
        bank = Bank(client[stored.database.name], idempotency_key="a")
        with pytest.raises(AlreadyCommitted), bank as uow:
            uow.accounts.get(1).balance = 8
    assert stored.find_one()["balance"] == 7


async def test_a_question_is_a_majority_insert_outside_of_every_transaction(
    banks: Any, seen: CommandsSeen, stored: Any
) -> None:
    bank = banks()
    sent: list[Any] = []
    with pytest.raises(ZeroDivisionError):
        async with bank as uow:
            uow.accounts.add(Account(id=2))
            await uow.flush()
            seen.take()
            assert await bank.outcome("a") is None
            sent += seen.take()
            await settled(raw(uow)["accounts"].insert_one({"_id": 3}))
            raise ZeroDivisionError
    (fence,) = sent
    assert (fence["insert"], fence["writeConcern"]["w"]) == (MARKERS, "majority")
    assert "autocommit" not in fence
    assert stored.count_documents({}) == 1
    assert stored.database[MARKERS].find_one({}, {"at": 0}) == {"_id": "a"}


async def test_a_taken_key_is_confirmed_by_a_majority(banks: Any, seen: CommandsSeen, stored: Any) -> None:
    bank = banks(idempotency_key="a")
    async with bank:
        pass
    seen.take()
    with pytest.raises(AlreadyCommitted):
        async with bank:
            pass
    look, confirmed, abort = seen.take()
    assert (look["find"], confirmed["find"], name_of(abort)) == (MARKERS, MARKERS, "abortTransaction")
    assert confirmed["readConcern"]["level"] == "majority"
    assert "afterClusterTime" in confirmed["readConcern"]


async def test_a_unit_with_a_key_that_is_cancelled_anywhere_is_all_or_nothing_and_its_outcome_says_which(
    async_bank: AsyncBank, stored: Any, mongod_client: Any
) -> None:
    async def deposit(key: str) -> None:
        async with async_bank.unit(idempotency_key=key) as uow:
            (await uow.accounts.get(1)).balance += 1

    committed, ends = 0, set[bool]()
    for turns in range(1, 100, 3):
        task = asyncio.create_task(deposit(str(turns)))
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        happened = await async_bank.outcome(str(turns)) is not None
        ends.add(happened)
        committed += happened
        assert stored.find_one()["balance"] == committed
    assert False in ends
    assert mongod_client.admin.command("serverStatus")["transactions"]["currentOpen"] == 0


async def test_a_unit_that_is_cancelled_while_it_replaces_its_commit_is_all_or_nothing_too(
    async_bank: AsyncBank, stored: Any, mongod_client: Any
) -> None:
    committed, ends = 0, set[bool]()
    for moment in range(MOST_MOMENTS):
        if moment >= MOMENTS and ends == {True, False}:
            break
        completed = asyncio.Event()

        async def deposit(key: str, completed: asyncio.Event = completed) -> None:
            async with async_bank.unit(idempotency_key=key) as uow:
                (await uow.accounts.get(1)).balance += 1
                uow.before_commit(completed.set)

        with failing(mongod_client, ["commitTransaction"], 1, errorCode=225):
            task = asyncio.create_task(deposit(str(moment)))
            await completed.wait()
            await asyncio.sleep(moment / 2000)
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        happened = await async_bank.outcome(str(moment)) is not None
        ends.add(happened)
        committed += happened
        assert stored.find_one()["balance"] == committed
    assert ends == {True, False}
    assert await left_open(mongod_client) == []


@pytest.mark.parametrize("replay_seconds", [0.0, 30.0])
async def test_a_unit_that_is_cancelled_while_it_looks_for_its_outcome_claims_none_and_leaves_no_transaction(
    mongod_uri: str, stored: Any, mongod_client: Any, replay_seconds: float
) -> None:
    refused = asyncio.Event()
    done: list[str] = []

    def make_the_next_find_slow() -> None:
        data = {"failCommands": ["find"], "blockConnection": True, "blockTimeMS": HOLD_MS}
        mongod_client.admin.command("configureFailPoint", "failCommand", mode={"times": 1}, data=data)
        refused.set()

    async def deposit(bank: AsyncBank) -> None:
        async with bank.unit(idempotency_key="a") as uow:
            (await uow.accounts.get(1)).balance += 1
            uow.on_commit(lambda: done.append("committed"))
            uow.on_rollback(lambda: done.append("rolled back"))

    listener = After("commitTransaction", make_the_next_find_slow, refused=True)
    async with AsyncMongoClient[Stored](mongod_uri, event_listeners=[listener]) as client:
        bank = AsyncBank(client[stored.database.name], replay_seconds=replay_seconds)
        with failing(mongod_client, ["commitTransaction"], 1, errorCode=225):
            task = asyncio.create_task(deposit(bank))
            await refused.wait()
            await held(mongod_client, "find")
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        assert await left_open(mongod_client) == []
        assert await bank.outcome("a") is None
    assert done == []
    assert stored.find_one()["balance"] == 0


@pytest.mark.parametrize("replay_seconds", [0.0, 30.0])
def test_a_doubt_that_a_fence_dispels_is_a_rollback(
    mongod_uri: str, stored: Any, mongod_client: Any, replay_seconds: float
) -> None:
    other = Bank(stored.database)

    def lose_the_transaction_and_ask() -> None:
        mongod_client.admin.command("killAllSessions", [])
        assert other.outcome("a") is None

    done: list[int] = []
    listener = After("commitTransaction", lose_the_transaction_and_ask, refused=True)
    with MongoClient[Stored](mongod_uri, event_listeners=[listener]) as client:
        bank = Bank(client[stored.database.name], replay_seconds=replay_seconds)
        refusing = failing(mongod_client, ["commitTransaction"], 2, errorCode=225)
        with refusing, pytest.raises(UnitFenced), bank.unit(idempotency_key="a") as uow:
            account = uow.accounts.get(1)
            account.balance = 7
            uow.on_rollback(lambda: done.append(account.balance))
    assert done == [0]
    assert stored.find_one()["balance"] == 0
