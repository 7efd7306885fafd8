"""Faults in the middle of entering, leaving, committing and rolling back."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from boundwork import NestedUnitOfWork, Repository, UnitOfWork
from boundwork.errors import (
    BoundworkError,
    ServerUnavailable,
    TransactionFailed,
    UnitClosed,
    UnitDoomed,
    UnitUsedElsewhere,
)
from boundwork.models.mapper import mapper_of
from boundwork.uow.commands import BulkResult, BulkWrite, Count
from boundwork.uow.failures import FailureKind
from boundwork.uow.ownership import Process
from boundwork.uow.sessions.memory import MemoryDatabase
from boundwork.uow.settings import Settings
from boundwork.uow.unit import Unit
from tests.unit.uow.people import Person
from tests.unit.uow.scripted import TRANSIENT, ScriptedSession, failure, unit_on

LOST = failure(FailureKind.NETWORK)
END = ["unbind", "close"]


async def entered(session: ScriptedSession, *, handover: bool = False) -> Unit:
    unit = unit_on(session, handover=handover)
    await unit.enter()
    return unit


@pytest.mark.parametrize("error", [failure(FailureKind.UNREACHABLE), KeyboardInterrupt(), asyncio.CancelledError()])
async def test_a_session_that_opened_half_way_is_unbound_and_closed(error: BaseException) -> None:
    session = ScriptedSession(open=[error])
    unit = unit_on(session)
    with pytest.raises((ServerUnavailable, KeyboardInterrupt, asyncio.CancelledError)):
        await unit.enter()
    assert session.calls == ["open", *END]
    assert not unit.is_open


@pytest.mark.parametrize("step", END)
async def test_a_failing_clean_up_is_logged_and_does_not_hide_that_the_commit_succeeded(
    step: str, caplog: pytest.LogCaptureFixture
) -> None:
    session = ScriptedSession(**{step: [LOST]})
    unit = await entered(session)
    unit.workspace.add(Person(id=1))
    await unit.leave(None)
    assert session.calls == ["open", "write", "commit", *END]
    assert unit.receipt.commits == 1
    assert f"the {step} failed" in caplog.text


async def test_a_transaction_that_does_not_begin_after_a_commit_is_reported_as_an_error_of_boundwork() -> None:
    unit = await entered(ScriptedSession(begin=[LOST]))
    with pytest.raises(TransactionFailed):
        await unit.commit()
    with pytest.raises(UnitDoomed):
        unit.check()


async def test_a_transaction_that_does_not_begin_after_a_rollback_is_reported_as_an_error_of_boundwork() -> None:
    unit = await entered(ScriptedSession(begin=[LOST]))
    with pytest.raises(BoundworkError):
        await unit.rollback()
    with pytest.raises(UnitDoomed):
        unit.check()


@pytest.mark.parametrize("interruption", [KeyboardInterrupt(), asyncio.CancelledError()])
async def test_what_an_interrupted_rollback_left_on_the_server_is_not_committed(interruption: BaseException) -> None:
    session = ScriptedSession(abort=[interruption])
    unit = await entered(session)
    unit.workspace.add(Person(id=1))
    await unit.workspace.flush()
    with pytest.raises(type(interruption)):
        await unit.rollback()
    with pytest.raises(UnitDoomed):
        await unit.leave(None)
    assert "commit" not in session.calls


@pytest.mark.parametrize("interruption", [KeyboardInterrupt(), asyncio.CancelledError()])
async def test_an_abort_that_is_interrupted_is_overtaken(interruption: BaseException) -> None:
    session = ScriptedSession(abort=[interruption])
    unit = await entered(session)
    with pytest.raises(type(interruption)):
        await unit.leave(ZeroDivisionError())
    assert session.calls == ["open", "abort", "overtake", *END]


async def test_an_abort_that_is_interrupted_is_overtaken_again_while_the_connection_is_lost() -> None:
    session = ScriptedSession(abort=[asyncio.CancelledError()], overtake=[LOST, LOST])
    unit = await entered(session)
    with pytest.raises(asyncio.CancelledError):
        await unit.rollback()
    await unit.leave(ZeroDivisionError())
    assert session.calls == ["open", "abort", "overtake", "overtake", "overtake", "abort", *END]


async def test_an_abort_that_cannot_be_overtaken_is_given_up_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    session = ScriptedSession(abort=[asyncio.CancelledError()], overtake=[LOST] * 100)
    unit = await entered(session)
    with pytest.raises(asyncio.CancelledError):
        await unit.leave(ZeroDivisionError())
    assert session.calls == ["open", "abort", *["overtake"] * 5, *END]
    assert "the abort failed" in caplog.text


async def test_an_explicit_commit_forbids_repeating_the_body_even_if_only_the_program_s_own_calls_wrote() -> None:
    unit = await entered(ScriptedSession())
    await unit.commit()
    assert unit.committed
    await unit.leave(None)


async def test_leaving_twice_does_not_change_the_receipt() -> None:
    unit = await entered(ScriptedSession())
    await unit.leave(None)
    seconds = unit.receipt.seconds
    with pytest.raises(UnitClosed):
        await unit.leave(None)
    assert unit.receipt.seconds == seconds


async def test_an_operation_that_is_cancelled_after_the_unit_was_left_stays_cancelled() -> None:
    unit = await entered(ScriptedSession(), handover=True)
    running = asyncio.create_task(unit.send(lambda: asyncio.sleep(60)))
    await asyncio.sleep(0)
    await unit.leave(ZeroDivisionError())
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_a_doomed_unit_is_not_rolled_back_by_another_task() -> None:
    unit = await entered(ScriptedSession())
    unit.doom(ZeroDivisionError())
    with pytest.raises(UnitUsedElsewhere):
        await asyncio.create_task(unit.rollback())
    await unit.leave(ZeroDivisionError())


async def test_a_forked_child_that_leaves_the_unit_does_not_end_the_transaction_of_its_parent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    session = ScriptedSession()
    unit = await entered(session, handover=True)
    with monkeypatch.context() as patch:
        patch.setattr(Process, "number", -1)
        with pytest.raises(UnitUsedElsewhere):
            await unit.leave(None)
    assert session.calls == ["open", "unbind"]


class SlowSession(ScriptedSession):
    """Waits in the middle of one kind of call."""

    def __init__(self, call: str) -> None:
        super().__init__()
        self.slow = call
        self.go_on = asyncio.Event()

    async def write(self, bulks: Sequence[BulkWrite]) -> list[BulkResult]:
        if self.slow == "write":
            await self.go_on.wait()
        return await super().write(bulks)

    async def commit(self) -> None:
        if self.slow == "commit":
            await self.go_on.wait()
        await super().commit()


async def test_what_is_added_while_a_flush_is_under_way_is_refused_and_not_lost() -> None:
    session = SlowSession("write")
    unit = await entered(session, handover=True)
    unit.workspace.add(Person(id=1))
    flushing = asyncio.create_task(unit.workspace.flush())
    await asyncio.sleep(0)
    with pytest.raises(UnitUsedElsewhere, match="another operation"):
        unit.workspace.add(Person(id=2))
    session.go_on.set()
    await flushing
    unit.workspace.add(Person(id=2))
    await unit.leave(None)
    assert unit.receipt.inserted == 2


async def test_an_operation_during_a_commit_is_refused_because_it_would_run_outside_of_the_transaction() -> None:
    session = SlowSession("commit")
    unit = await entered(session, handover=True)
    leaving = asyncio.create_task(unit.leave(None))
    await asyncio.sleep(0)
    with pytest.raises(UnitUsedElsewhere, match="another operation"):
        await unit.workspace.count(mapper_of(Person), Count("people", {}))
    session.go_on.set()
    await leaving
    assert session.calls == ["open", "commit", *END]


@pytest.mark.parametrize("reached", [False, True])
async def test_a_server_is_waited_for_by_a_unit_that_has_reached_it(reached: bool) -> None:
    gone = failure(FailureKind.UNREACHABLE, labels=TRANSIENT)
    session = ScriptedSession(count=[gone])
    unit = Unit("Shop", session, Settings(replay_seconds=30.0))
    await unit.enter()
    if reached:
        await unit.workspace.get(mapper_of(Person), 1)
        await unit.workspace.count(mapper_of(Person), Count("people", {}))
        assert session.calls == ["open", "find", "count", "abort", "begin", "find", "count"]
    else:
        with pytest.raises(ServerUnavailable):
            await unit.workspace.count(mapper_of(Person), Count("people", {}))
        assert session.calls == ["open", "count"]
    await unit.leave(ZeroDivisionError())


class Shop(UnitOfWork):
    people = Repository(Person)


def test_a_unit_that_was_prepared_outside_is_not_entered_inside_another_one() -> None:
    shop = Shop(MemoryDatabase())
    held = shop.unit()
    with shop, pytest.raises(NestedUnitOfWork):
        held.__enter__()


def test_a_unit_that_was_prepared_inside_another_one_may_be_entered_after_it() -> None:
    shop = Shop(MemoryDatabase())
    with shop:
        held = shop.unit()
    with held as uow:
        assert uow.people.count() == 0


@pytest.mark.parametrize("word", ["commit", "rollback", "flush", "refresh", "run", "attempts", "unit"])
def test_a_repository_may_not_take_a_word_of_either_colour(word: str) -> None:
    with pytest.raises((TypeError, RuntimeError)):
        type("Wrong", (UnitOfWork,), {word: Repository(Person)})


def test_a_repository_may_replace_an_inherited_one() -> None:
    class People(Repository[Person]):
        pass

    replaced: Any = type("Replaced", (Shop,), {"people": People()})
    assert replaced.models == {Person}


def test_an_attempt_that_is_never_entered_ends_the_series() -> None:
    assert len(list(zip(range(9), Shop(MemoryDatabase()).attempts(), strict=False))) == 1


def test_an_attempt_is_entered_once() -> None:
    for attempt in Shop(MemoryDatabase()).attempts():
        with attempt:
            pass
        with pytest.raises(UnitClosed, match="entered once"):
            attempt.__enter__()


async def test_what_another_task_changes_while_a_flush_is_under_way_is_written_by_the_next_one() -> None:
    session = SlowSession("write")
    unit = await entered(session)
    person = Person(id=1, name="Anna")
    unit.workspace.add(person)

    async def rename() -> None:
        person.name = "Anne"
        session.go_on.set()

    renaming = asyncio.create_task(rename())
    await unit.workspace.flush()
    await renaming
    await unit.leave(None)
    assert session.calls == ["open", "write", "write", "commit", *END]
