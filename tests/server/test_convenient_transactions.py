"""The situations that MongoDB's specification of the convenient transactions API lists, for `run` and for replay.

With `run` a unit does not repeat itself, so the body is called again; with replay it does, so the body is called once.

| situation | here |
| --- | --- |
| the callback returns, once and twice in a row; its value is returned | a_body_that_returns... |
| the callback commits; and runs another operation | a_body_may_commit..., what_follows_a_commit... |
| the callback aborts; without operations; and runs another | a_body_may_roll_back..., ...that_did_nothing, ..._in_the_next_transaction |
| the callback raises its own error: no retry | an_error_of_the_body... |
| the callback raises a server error without label (duplicate key): no retry | a_duplicate_key... |
| the callback succeeds after transient errors, after several connection errors | a_body_succeeds... |
| commit errors of unknown outcome: the commit is retried, not the callback | a_commit_of_unknown_outcome... |
| commit fails with MaxTimeMSExpired: not retried there, since the caller's limit would be over again; units set none, \
so it is resent | the same |
| commit write concern errors: timeout and failure retried; 79 and 100 not | a_write_concern_error... |
| commit fails with TransientTransactionError (24, 112, 246, 251): all is done again | a_commit_that_certainly_failed... |
| commit fails with an unknown outcome and then with TransientTransactionError, or the other way round | \
test_commits_that_fail_twice.py |
| options: none, of the client, of the database; overridden | the_options_of_a_transaction..., ...journal_and_time_limit... |
| 120 s are over: when the callback fails, when the commit is transient, when its outcome is unknown | after_120_seconds... |
| the waits between two attempts grow up to half a second | tests/unit/uow/test_attempts.py |
"""

from collections.abc import Callable, Iterator
from itertools import count, cycle
from time import monotonic
from typing import Any

import pytest
from pymongo.read_concern import ReadConcern
from pymongo.read_preferences import ReadPreference
from pymongo.write_concern import WriteConcern

from boundwork import BoundworkError, CommitOutcomeUnknown, DuplicateKey, TransientFailure
from boundwork.uow import attempts, committing
from tests.contract.colours import define
from tests.server.bank import Account
from tests.server.commands_seen import CommandsSeen, names
from tests.server.convenient import LABELLED, WAYS, Body, balance

UNKNOWN: dict[str, dict[str, Any]] = {
    "connection closed": {"closeConnection": True},
    "InterruptedAtShutdown": {"errorCode": 11600},
    "InterruptedDueToReplStateChange": {"errorCode": 11602},
    "NotWritablePrimary": {"errorCode": 10107},
    "NotPrimaryNoSecondaryOk": {"errorCode": 13435},
    "NotPrimaryOrSecondary": {"errorCode": 13436},
    "PrimarySteppedDown": {"errorCode": 189},
    "ShutdownInProgress": {"errorCode": 91},
    "HostNotFound": {"errorCode": 7},
    "HostUnreachable": {"errorCode": 6},
    "SocketException": {"errorCode": 9001},
    "NetworkTimeout": {"errorCode": 89},
    "MaxTimeMSExpired": {"errorCode": 50},
}
CONCERNS = {
    "WriteConcernFailed, timed out": {"code": 64, "errmsg": "", "errInfo": {"wtimeout": True}},
    "WriteConcernFailed": {"code": 64, "errmsg": ""},
    "MaxTimeMSExpired": {"code": 50, "errmsg": ""},
    "UnknownReplWriteConcern": {"code": 79, "errmsg": ""},
    "UnsatisfiableWriteConcern": {"code": 100, "errmsg": ""},
}
RESENT = {"WriteConcernFailed, timed out", "WriteConcernFailed", "MaxTimeMSExpired"}
UNDONE = {"LockTimeout": 24, "WriteConflict": 112, "SnapshotUnavailable": 246, "NoSuchTransaction": 251}


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def bank(banks: Callable[..., Any], way: str) -> Any:
    return banks(replay_seconds=WAYS[way])


@pytest.fixture
def body() -> Body:
    return Body()


async def test_a_body_that_returns_is_committed_and_its_value_returned(
    bank: Any, body: Body, stored: Any, seen: CommandsSeen
) -> None:
    assert await bank.run(body) == "run 1"
    assert await bank.run(body, 2) == "run 2"
    assert balance(stored) == 3
    sent = seen.take()
    assert names(sent) == ["find", "update", "commitTransaction"] * 2
    assert [command.get("startTransaction") for command in sent] == [True, None, None] * 2


async def test_a_body_may_commit(bank: Any, body: Body, stored: Any, seen: CommandsSeen) -> None:
    async def commits(uow: Any) -> None:
        await body(uow)
        await uow.commit()

    await bank.run(commits)
    assert balance(stored) == 1
    assert names(seen.take()) == ["find", "update", "commitTransaction"]


async def test_what_follows_a_commit_is_of_the_next_transaction_and_run_never_repeats_what_was_committed(
    bank: Any, body: Body, stored: Any, server: Any, way: str
) -> None:
    async def commits_and_goes_on(uow: Any) -> None:
        await body(uow)
        await uow.commit()
        with server(["insert"], 1, {"errorCode": 112}):
            uow.accounts.add(Account(id=2))
            await uow.flush()

    if way == "run":
        with pytest.raises(TransientFailure):
            await bank.run(commits_and_goes_on)
    else:
        await bank.run(commits_and_goes_on)
    assert len(body.units) == 1
    assert balance(stored) == 1
    assert stored.count_documents({}) == (1 if way == "run" else 2)


async def test_a_body_may_roll_back(bank: Any, body: Body, stored: Any, seen: CommandsSeen) -> None:
    async def rolls_back(uow: Any) -> str:
        value = await body(uow)
        await uow.flush()
        await uow.rollback()
        return value

    assert await bank.run(rolls_back) == "run 1"
    assert balance(stored) == 0
    assert names(seen.take()) == ["find", "update", "abortTransaction"]


async def test_a_body_may_roll_back_that_did_nothing(bank: Any, seen: CommandsSeen) -> None:
    async def rolls_back(uow: Any) -> None:
        await uow.rollback()

    await bank.run(rolls_back)
    assert seen.take() == []


async def test_what_follows_a_rollback_is_committed_in_the_next_transaction(
    bank: Any, body: Body, stored: Any, seen: CommandsSeen
) -> None:
    async def rolls_back_and_goes_on(uow: Any) -> None:
        await body(uow, 100)
        await uow.flush()
        await uow.rollback()
        await body(uow)

    await bank.run(rolls_back_and_goes_on)
    assert balance(stored) == 1
    commands = ["find", "update", "abortTransaction", "find", "update", "commitTransaction"]
    assert names(seen.take()) == commands


async def test_an_error_of_the_body_passes_through_and_nothing_is_repeated(
    bank: Any, body: Body, stored: Any, seen: CommandsSeen
) -> None:
    async def fails(uow: Any) -> None:
        await body(uow)
        await uow.flush()
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await bank.run(fails)
    assert (len(body.units), balance(stored)) == (1, 0)
    assert names(seen.take()) == ["find", "update", "abortTransaction"]


async def test_a_duplicate_key_ends_it_at_once(bank: Any, body: Body, stored: Any) -> None:
    stored.insert_one({"_id": 2})

    async def takes(uow: Any) -> None:
        await body(uow)
        uow.accounts.add(Account(id=2))

    with pytest.raises(DuplicateKey):
        await bank.run(takes)
    body.check("run", 0)
    assert balance(stored) == 0


# The server counts a refused find twice.
@pytest.mark.parametrize(
    ("command", "times", "how"),
    [
        ("update", 2, {"closeConnection": True}),
        ("find", 5, {"errorCode": 112}),
        ("update", 3, {"errorCode": 24, **LABELLED}),
    ],
    ids=["connection closed", "WriteConflict", "LockTimeout"],
)
async def test_a_body_succeeds_after_several_transient_errors(
    bank: Any,
    body: Body,
    stored: Any,
    server: Any,
    seen: CommandsSeen,
    way: str,
    command: str,
    times: int,
    how: dict[str, Any],
) -> None:
    with server([command], times, how):
        await bank.run(body)
    refused = len(seen.take_named(command)) - 1
    assert refused > 1
    body.check(way, refused)
    assert balance(stored) == 1


# Most of these take a search for the server, half a second each time, so each runs in one colour and one way.
@pytest.mark.parametrize(
    ("how", "colour", "way"), [*zip(UNKNOWN, cycle(["sync", "async"]), cycle(["run", "run", "replay"]), strict=False)]
)
async def test_a_commit_of_unknown_outcome_is_sent_again_and_nothing_else_is(
    bank: Any, body: Body, stored: Any, server: Any, seen: CommandsSeen, how: str
) -> None:
    with server(["commitTransaction"], 2, UNKNOWN[how]):
        assert await bank.run(body) == "run 1"
    body.check("run", 0)
    assert balance(stored) == 1
    sent = seen.take()
    assert names(sent) == ["find", "update", *["commitTransaction"] * 3]
    assert len({command["txnNumber"] for command in sent}) == 1
    assert all(command["writeConcern"]["w"] == "majority" for command in sent[2:])


@pytest.mark.parametrize("how", CONCERNS)
async def test_a_write_concern_error_of_the_commit_is_resent_where_that_can_help(
    bank: Any, body: Body, stored: Any, server: Any, seen: CommandsSeen, how: str
) -> None:
    with server(["commitTransaction"], 2, {"writeConcernError": CONCERNS[how]}):
        if how in RESENT:
            await bank.run(body)
        else:
            with pytest.raises(CommitOutcomeUnknown):
                await bank.run(body)
    body.check("run", 0)
    assert balance(stored) == 1
    assert len(seen.take_named("commitTransaction")) == (3 if how in RESENT else 1)


@pytest.mark.parametrize("how", UNDONE)
async def test_a_commit_that_certainly_failed_does_all_again(
    bank: Any, body: Body, stored: Any, server: Any, way: str, how: str
) -> None:
    with server(["commitTransaction"], 2, {"errorCode": UNDONE[how], **LABELLED}):
        await bank.run(body)
    body.check(way, 2)
    assert balance(stored) == 1


async def test_the_options_of_a_transaction_are_those_of_a_unit_whatever_client_and_database_have(
    opened: Callable[[str], Any], colour: str, way: str, body: Body, stored: Any, seen: CommandsSeen
) -> None:
    for options in ("", "w=1&readConcernLevel=local&readPreference=secondary", "w=0"):
        given = opened(options)
        others = given.with_options(
            write_concern=WriteConcern(1),
            read_concern=ReadConcern("available"),
            read_preference=ReadPreference.SECONDARY,
        )
        for database in (given, others):
            bank = define(colour, database, {"replay_seconds": WAYS[way]}, accounts=Account)
            await bank.run(body)
            first, *others_sent, commit = seen.take()
            assert first["readConcern"]["level"] == "snapshot"
            assert not any({"readConcern", "writeConcern"} & command.keys() for command in others_sent)
            assert commit["writeConcern"] == {"w": "majority"}
    assert balance(stored) == 6


async def test_journal_and_time_limit_of_the_client_s_write_concern_are_kept(
    banks: Callable[..., Any], way: str, body: Body, stored: Any, seen: CommandsSeen
) -> None:
    await banks("w=1&journal=true&wtimeoutMS=7000", replay_seconds=WAYS[way]).run(body)
    assert balance(stored) == 1
    assert seen.take_named("commitTransaction")[0]["writeConcern"] == {"w": "majority", "j": True, "wtimeout": 7000}


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let two minutes pass between any two looks at the clock."""
    clock: Iterator[float] = count(monotonic() + 121, 121)
    for module in (attempts, committing):
        monkeypatch.setattr(module, "monotonic", lambda: next(clock))


@pytest.mark.parametrize(
    ("command", "how", "error"),
    [
        ("update", {"errorCode": 112}, TransientFailure),
        ("commitTransaction", {"errorCode": 112, **LABELLED}, TransientFailure),
        ("commitTransaction", {"closeConnection": True}, CommitOutcomeUnknown),
    ],
    ids=["the callback fails", "the commit is transient", "the commit is of unknown outcome"],
)
@pytest.mark.usefixtures("stored", "hurried")
async def test_after_120_seconds_the_failure_is_raised(
    banks: Callable[..., Any], body: Body, server: Any, command: str, how: dict[str, Any], error: type[BoundworkError]
) -> None:
    with server([command], 2, how), pytest.raises(error):
        await banks().run(body)
    body.check("run", 0)
