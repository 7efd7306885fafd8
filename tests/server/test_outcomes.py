"""How units end when the server or the network fails: written once, not at all, or said to be unknown."""

from typing import Any

import pytest
from pymongo.errors import PyMongoError

from boundwork import (
    BoundworkError,
    CommitOutcomeUnknown,
    DuplicateKey,
    TransactionFailed,
    TransientFailure,
    UnitDoomed,
)
from tests.server.bank import Account, raw, settled
from tests.server.commands_seen import CommandsSeen, names

Stored = dict[str, Any]

# The reply is lost, the server says that it is no primary, or that too few members have it: none says what happened.
UNANSWERED: dict[str, dict[str, Any]] = {
    "closeConnection": {"closeConnection": True},
    "ShutdownInProgress": {"errorCode": 91},
    "MaxTimeMSExpired": {"errorCode": 50},
    "WriteConcernFailed": {"writeConcernError": {"code": 64, "errmsg": "waiting for replication timed out"}},
}
# The server has applied the commit, and sending it again would not tell more.
SETTLED_ELSEWHERE: dict[str, dict[str, Any]] = {
    "UnsatisfiableWriteConcern": {"writeConcernError": {"code": 100, "errmsg": "not enough members"}},
    "UnknownReplWriteConcern": {"writeConcernError": {"code": 79, "errmsg": "no such write concern"}},
}
TRANSIENT: dict[str, dict[str, Any]] = {
    "closeConnection": {"closeConnection": True},
    "ShutdownInProgress": {"errorCode": 91},
    "WriteConflict": {"errorCode": 112, "errorLabels": ["TransientTransactionError"]},
}
LOST: dict[str, Any] = {"errorCode": 251, "errorLabels": ["TransientTransactionError"]}


async def deposit(uow: Any) -> None:
    (await uow.accounts.get(1)).balance += 1


@pytest.mark.parametrize("how", UNANSWERED)
async def test_a_commit_of_unknown_outcome_is_sent_again_and_committed_once(
    banks: Any, seen: CommandsSeen, stored: Any, server: Any, how: str
) -> None:
    bank = banks()
    with server(["commitTransaction"], 2, UNANSWERED[how]):
        async with bank as uow:
            await deposit(uow)
    assert stored.find_one() == {"_id": 1, "balance": 1}
    commits = seen.take_named("commitTransaction")
    assert len(commits) == 3
    assert len({(bytes(commit["lsid"]["id"]), commit["txnNumber"]) for commit in commits}) == 1
    assert commits[-1]["writeConcern"]["w"] == "majority"
    assert (uow.receipt.updated, uow.receipt.commits) == (1, 1)


@pytest.mark.parametrize("how", UNANSWERED)
async def test_a_commit_that_is_never_answered_is_of_unknown_outcome_and_not_repeated(
    banks: Any, seen: CommandsSeen, stored: Any, server: Any, how: str
) -> None:
    bank = banks(commit_seconds=0.0)
    bodies = 0

    async def body(uow: Any) -> None:
        nonlocal bodies
        bodies += 1
        await deposit(uow)

    with server(["commitTransaction"], 20, UNANSWERED[how]):
        with pytest.raises(CommitOutcomeUnknown, match="Read what the unit wrote") as caught:
            await bank.run(body)
        sent = seen.take()
    assert bodies == 1
    assert isinstance(caught.value.__cause__, PyMongoError)
    assert "UnknownTransactionCommitResult" in caught.value.labels
    assert set(names(sent)) == {"find", "update", "commitTransaction"}
    assert stored.find_one()["balance"] == (1 if how == "WriteConcernFailed" else 0)


@pytest.mark.parametrize("how", SETTLED_ELSEWHERE)
async def test_a_commit_that_is_not_clearly_answered_is_of_unknown_outcome(
    banks: Any, seen: CommandsSeen, stored: Any, server: Any, how: str
) -> None:
    with server(["commitTransaction"], 20, SETTLED_ELSEWHERE[how]):
        with pytest.raises(CommitOutcomeUnknown):
            await banks().run(deposit)
        assert len(seen.take_named("commitTransaction")) == 1
    assert stored.find_one()["balance"] == 1


async def test_after_an_unknown_outcome_the_unit_refuses_and_sends_nothing(
    banks: Any, seen: CommandsSeen, stored: Any, server: Any
) -> None:
    with pytest.raises(UnitDoomed, match="unknown outcome"):
        async with banks(commit_seconds=0.0) as uow:
            await deposit(uow)
            with server(["commitTransaction"], 20, UNANSWERED["WriteConcernFailed"]):
                with pytest.raises(CommitOutcomeUnknown):
                    await uow.commit()
                seen.take()
                for use in (uow.accounts.count, uow.flush, uow.commit, uow.rollback):
                    with pytest.raises(UnitDoomed):
                        await use()
    assert seen.take() == []
    assert stored.find_one()["balance"] == 1


@pytest.mark.parametrize("how", TRANSIENT)
@pytest.mark.parametrize("where", ["find", "update"])
async def test_run_repeats_a_body_that_met_a_transient_failure(
    banks: Any, stored: Any, server: Any, where: str, how: str
) -> None:
    with server([where], 1, TRANSIENT[how]):
        await check_that_run_repeats_once(banks())
    assert stored.find_one() == {"_id": 1, "balance": 1}


async def test_run_repeats_a_body_whose_commit_certainly_failed(banks: Any, stored: Any, server: Any) -> None:
    with server(["commitTransaction"], 1, LOST):
        await check_that_run_repeats_once(banks())
    assert stored.find_one() == {"_id": 1, "balance": 1}


async def check_that_run_repeats_once(bank: Any) -> None:
    units: list[Any] = []

    async def body(uow: Any) -> int:
        units.append(uow.core)
        await deposit(uow)
        return len(units)

    assert await bank.run(body) == 2
    assert units[0] is not units[1]


@pytest.mark.parametrize("how", ["closeConnection", "WriteConflict"])
@pytest.mark.parametrize("where", ["find", "update"])
async def test_without_run_it_is_a_transient_failure_that_wrote_nothing(
    banks: Any, stored: Any, server: Any, where: str, how: str
) -> None:
    accounts: list[Account] = []
    with server([where], 1, TRANSIENT[how]), pytest.raises(TransientFailure, match="nothing was written") as caught:
        async with banks() as uow:
            accounts.append(await uow.accounts.get(1))
            accounts[0].balance = 7
            await uow.flush()
    assert isinstance(caught.value.__cause__, PyMongoError)
    assert "TransientTransactionError" in caught.value.labels
    assert stored.find_one() == {"_id": 1, "balance": 0}
    assert [account.balance for account in accounts] == ([0] if where == "update" else [])


async def test_a_commit_that_certainly_failed_is_a_transient_failure_and_the_objects_are_rewound(
    banks: Any, stored: Any, server: Any
) -> None:
    accounts: list[Account] = []
    with server(["commitTransaction"], 1, LOST), pytest.raises(TransientFailure) as caught:
        async with banks() as uow:
            accounts.append(await uow.accounts.get(1))
            accounts[0].balance = 7
    assert caught.value.code == LOST["errorCode"]
    assert accounts[0].balance == 0
    assert stored.find_one() == {"_id": 1, "balance": 0}


async def test_a_duplicate_key_is_not_repeated(banks: Any, seen: CommandsSeen, stored: Any) -> None:
    bodies = 0

    async def body(uow: Any) -> None:
        nonlocal bodies
        bodies += 1
        uow.accounts.add(Account(id=1))

    with pytest.raises(DuplicateKey):
        await banks().run(body)
    assert bodies == 1
    assert names(seen.take()) == ["insert", "abortTransaction"]
    assert stored.count_documents({}) == 1


@pytest.mark.usefixtures("stored")
async def test_an_error_without_a_label_is_not_repeated(banks: Any, server: Any) -> None:
    with server(["find"], 2, {"errorCode": 50}), pytest.raises(TransactionFailed) as caught:
        await banks().run(deposit)
    assert not isinstance(caught.value, TransientFailure)
    assert caught.value.code == 50


@pytest.mark.parametrize("how", TRANSIENT)
async def test_a_unit_sends_nothing_but_the_abort_after_an_error(
    banks: Any, seen: CommandsSeen, stored: Any, server: Any, how: str
) -> None:
    async def provoke(uow: Any) -> None:
        uow.accounts.add(Account(id=2))
        with server(["insert"], 1, TRANSIENT[how]):
            await uow.flush()

    await _fail_and_go_on(banks(), seen, provoke)
    assert stored.count_documents({}) == 1


async def test_a_unit_sends_nothing_but_the_abort_after_a_duplicate_key(
    banks: Any, seen: CommandsSeen, stored: Any
) -> None:
    async def provoke(uow: Any) -> None:
        uow.accounts.add(Account(id=2))
        uow.accounts.add(Account(id=1))
        await uow.flush()

    await _fail_and_go_on(banks(), seen, provoke)
    assert stored.count_documents({}) == 1


async def _fail_and_go_on(bank: Any, seen: CommandsSeen, provoke: Any) -> None:
    """Swallow an error in a unit and try to use it further: all is refused, the first error being the cause."""
    first: list[BoundworkError] = []
    with pytest.raises(UnitDoomed) as caught:
        async with bank as uow:
            try:
                await provoke(uow)
            except BoundworkError as error:
                first.append(error)
            seen.take()
            for use in (uow.accounts.count, uow.flush, uow.commit, uow.accounts.find().to_list):
                with pytest.raises(UnitDoomed):
                    await use()
            with pytest.raises(UnitDoomed):
                raw(uow)
    assert [caught.value.__cause__] == first
    assert [name for name in names(seen.take()) if name != "abortTransaction"] == []


async def test_run_repeats_a_body_whose_own_call_of_the_driver_met_a_transient_failure(
    banks: Any, stored: Any, server: Any
) -> None:
    bodies = 0

    async def body(uow: Any) -> None:
        nonlocal bodies
        bodies += 1
        await settled(raw(uow).accounts.update_one({"_id": 1}, {"$inc": {"balance": 1}}))

    with server(["update"], 1, TRANSIENT["WriteConflict"]):
        await banks().run(body)
    assert bodies == 2
    assert stored.find_one() == {"_id": 1, "balance": 1}


async def test_run_does_not_repeat_a_body_whose_own_calls_of_the_driver_were_committed(banks: Any, stored: Any) -> None:
    async def body(uow: Any) -> None:
        await settled(raw(uow).accounts.update_one({"_id": 1}, {"$inc": {"balance": 1}}))
        await uow.commit()
        raise TransientFailure("after the commit")

    with pytest.raises(TransientFailure, match="after the commit"):
        await banks().run(_three_times_at_most(body))
    assert stored.find_one() == {"_id": 1, "balance": 1}


def _three_times_at_most(body: Any) -> Any:
    bodies = 0

    async def counted(uow: Any) -> None:
        nonlocal bodies
        bodies += 1
        assert bodies <= 3, "the body is repeated again and again"
        await body(uow)

    return counted
