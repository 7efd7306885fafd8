"""What the words of a query send to a real server, and what becomes of them when it fails."""

import tracemalloc
from typing import Any

import pytest

from boundwork import TransientFailure, in_
from tests.contract.colours import define, step
from tests.server.bank import Account
from tests.server.commands_seen import CommandsSeen, failing, in_transaction_of, name_of, names

LOST = {"errorCode": 251, "errorLabels": ["TransientTransactionError"]}


@pytest.fixture
async def stored(opened: Any, colour: str, database_name: str, mongod_client: Any) -> Any:
    accounts = mongod_client[database_name].accounts
    accounts.insert_many([{"_id": number, "balance": number % 7} for number in range(20)])
    return define(colour, opened(), {"replay_seconds": 20.0}, accounts=Account)


async def test_options_are_sent_with_every_read_and_inside_the_transaction(stored: Any, seen: CommandsSeen) -> None:
    async with stored as uow:
        query = uow.accounts.find(Account.id < 5).comment("nightly").max_time(2.5)
        hinted = query.hint(Account.id)
        await hinted.to_list()
        await hinted.first()
        await hinted.count()
        await query.collation("en").distinct(Account.balance)
        await hinted.page(2)
    first, *rest, _ = seen.take()
    assert names([first, *rest]) == ["find", "find", "aggregate", "distinct", "find"]
    for command in (first, *rest):
        assert (command["comment"], command["maxTimeMS"]) == ("nightly", 2500)
        assert in_transaction_of(command, first)
        assert name_of(command) == "distinct" or dict(command["hint"]) == {"_id": 1}


async def test_an_explanation_is_asked_for_outside_the_transaction(stored: Any, seen: CommandsSeen) -> None:
    async with stored as uow:
        await uow.accounts.get(1)
        await uow.accounts.find(Account.id > 3).sort(Account.id).limit(2).comment("why").explain()
        (await uow.accounts.get(1)).balance = 100
    read, asked, *_ = seen.take()
    assert name_of(asked) == "explain"
    assert {name: asked["explain"][name] for name in ("find", "limit", "comment")} == {
        "find": "accounts", "limit": 2, "comment": "why",
    }  # fmt: skip
    assert not in_transaction_of(asked, read)
    assert "txnNumber" not in asked


async def test_a_page_is_found_by_an_index_and_not_by_counting(
    stored: Any, mongod_client: Any, database_name: str
) -> None:
    mongod_client[database_name].accounts.create_index([("balance", 1), ("_id", 1)])
    async with stored as uow:
        query = uow.accounts.find().sort(Account.balance)
        page = await query.page(5, after=(await query.page(5)).next)
        (record,) = uow.core.workspace.log.records[1:]
        plan = await uow.core.session.explain(record.command, "executionStats")
    stages = str(plan["queryPlanner"]["winningPlan"])
    assert len(page.items) == 5
    assert "IXSCAN" in stages
    assert "COLLSCAN" not in stages
    assert "'stage': 'SORT'" not in stages
    assert plan["executionStats"]["totalDocsExamined"] <= 12


async def test_a_stream_fetches_its_batches_inside_the_transaction(stored: Any, seen: CommandsSeen) -> None:
    async with stored as uow:
        assert len([account async for account in uow.accounts.find().stream(6)]) == 20
        given_up = uow.accounts.find().stream(6)
        await step(given_up)
        await given_up.close()
    first, *rest, _ = seen.take()
    assert names([first, *rest]) == ["find", "getMore", "getMore", "getMore", "find", "killCursors"]
    assert first["batchSize"] == 6
    assert [command["batchSize"] for command in rest if "getMore" in command] == [6, 6, 6]
    assert all(in_transaction_of(command, first) for command in rest)
    assert uow.receipt.commands == len(rest) + 2


async def test_nothing_is_sent_for_a_stream_that_nobody_begins(stored: Any, seen: CommandsSeen) -> None:
    async with stored as uow:
        uow.accounts.find().stream(6)
    assert seen.take() == []


@pytest.mark.parametrize("word", ["distinct", "find", "aggregate"])
async def test_reads_of_every_kind_are_got_over_and_repeated(
    stored: Any, mongod_client: Any, database_name: str, word: str
) -> None:
    async with stored as uow:
        assert sorted(await uow.accounts.find(Account.id < 3).distinct(Account.id)) == [0, 1, 2]
        assert len([account async for account in uow.accounts.find().stream(6)]) == 20
        await uow.accounts.find().page(3)
        with failing(mongod_client, [word], 1, appName=database_name, **LOST):
            if word == "distinct":
                await uow.accounts.find().distinct(Account.balance)
            elif word == "aggregate":
                await uow.accounts.count()
            else:
                assert len([account async for account in uow.accounts.find(Account.id < 9).stream(4)]) == 9
        (await uow.accounts.get(1)).balance = 50
    assert uow.receipt.replays == 1
    assert mongod_client[database_name].accounts.find_one({"_id": 1})["balance"] == 50


async def test_a_unit_with_an_open_stream_meets_a_failure_as_transient(
    stored: Any, mongod_client: Any, database_name: str
) -> None:
    replays = -1
    with pytest.raises(TransientFailure):
        async with stored as uow:
            (await uow.accounts.get(1)).balance = 50
            with failing(mongod_client, ["getMore"], 1, appName=database_name, **LOST):
                async for _ in uow.accounts.find().stream(6):
                    replays = uow.receipt.replays
    assert replays == 0
    assert mongod_client[database_name].accounts.find_one({"_id": 1})["balance"] == 1


@pytest.mark.filterwarnings("ignore::ResourceWarning")
async def test_a_stream_holds_one_batch_however_long_the_result_is(
    stored: Any, mongod_client: Any, database_name: str
) -> None:
    accounts = mongod_client[database_name].accounts
    accounts.insert_many([{"_id": number, "balance": 1, "padding": "x" * 2000} for number in range(100, 10_100)])
    async with stored as uow:
        tracemalloc.start()
        try:
            number = 0
            async for _ in uow.accounts.find().stream(200):
                number += 1
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert len(uow.core.workspace.log.records) == 1
    assert number == 10_020
    assert peak < 6_000_000, "the documents are 20 MB"


async def test_no_operator_comes_from_a_value(stored: Any, seen: CommandsSeen) -> None:
    hostile: Any = {"$ne": None}
    async with stored as uow:
        await uow.accounts.find(Account.balance == hostile).to_list()
        await uow.accounts.find(Account.balance != hostile, in_(Account.id, [1])).distinct(Account.id)
    found, distinct, *_ = seen.take()
    assert found["filter"] == {"balance": {"$eq": {"$ne": None}}}
    assert distinct["query"]["balance"] == {"$ne": {"$ne": None}}
