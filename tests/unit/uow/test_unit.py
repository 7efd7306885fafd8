"""The life of a unit on a session that fails as a script says."""

import asyncio
import gc
import threading
import weakref

import pytest

from boundwork.errors import (
    CommitOutcomeUnknown,
    ServerUnavailable,
    TransactionFailed,
    TransientFailure,
    UnitClosed,
    UnitDoomed,
    UnitUsedElsewhere,
)
from boundwork.models.mapper import mapper_of
from boundwork.uow.commands import Count, Find
from boundwork.uow.failures import FailureKind
from boundwork.uow.ownership import Process
from boundwork.uow.states import State
from boundwork.uow.unit import Unit
from tests.unit.uow.people import Person
from tests.unit.uow.scripted import TRANSIENT, UNKNOWN, ScriptedSession, failure, unit_on

ALL = Find("people", {})
END = ["unbind", "close"]


async def entered(session: ScriptedSession, *, handover: bool = False) -> Unit:
    unit = unit_on(session, seconds=0.0, handover=handover)
    await unit.enter()
    return unit


async def count(unit: Unit) -> int:
    return await unit.workspace.count(mapper_of(Person), Count("people", {}))


async def test_a_clean_unit_is_opened_committed_unbound_and_closed() -> None:
    session = ScriptedSession()
    unit = await entered(session)
    await unit.leave(None)
    assert session.calls == ["open", "commit", *END]
    assert unit.state is State.CLOSED


async def test_an_error_of_the_body_aborts() -> None:
    session = ScriptedSession()
    unit = await entered(session)
    await unit.leave(ZeroDivisionError())
    assert session.calls == ["open", "abort", *END]


async def test_pending_documents_are_written_before_the_commit() -> None:
    session = ScriptedSession()
    unit = await entered(session)
    unit.workspace.add(Person(id=1))
    await unit.leave(None)
    assert session.calls == ["open", "write", "commit", *END]
    assert (unit.receipt.inserted, unit.receipt.commits) == (1, 1)


async def test_a_commit_in_the_middle_begins_the_next_transaction() -> None:
    session = ScriptedSession()
    unit = await entered(session)
    unit.workspace.add(Person(id=1))
    await unit.commit()
    assert unit.committed
    await unit.leave(ZeroDivisionError())
    assert session.calls == ["open", "write", "commit", "begin", "abort", *END]
    assert unit.receipt.inserted == 1


async def test_a_rollback_in_the_middle_aborts_and_begins_the_next_transaction() -> None:
    session = ScriptedSession()
    unit = await entered(session)
    unit.workspace.add(Person(id=1))
    await unit.rollback()
    await unit.leave(None)
    assert session.calls == ["open", "abort", "begin", "commit", *END]
    assert unit.receipt.inserted == 0


async def test_a_failed_command_dooms_the_unit_and_nothing_more_is_sent() -> None:
    session = ScriptedSession(count=[failure(code=112, labels=TRANSIENT)])
    unit = await entered(session)
    with pytest.raises(TransientFailure) as first:
        await count(unit)
    sent = list(session.calls)
    with pytest.raises(UnitDoomed) as second:
        await count(unit)
    with pytest.raises(UnitDoomed):
        unit.workspace.add(Person(id=1))
    assert second.value.__cause__ is first.value
    assert session.calls == sent


async def test_a_swallowed_failure_is_raised_at_the_end_and_nothing_is_committed() -> None:
    session = ScriptedSession(count=[failure(code=2)])
    unit = await entered(session)
    with pytest.raises(TransactionFailed):
        await count(unit)
    with pytest.raises(UnitDoomed):
        await unit.leave(None)
    assert session.calls == ["open", "count", "abort", *END]


async def test_after_a_rollback_a_doomed_unit_works_again() -> None:
    session = ScriptedSession(count=[failure(code=2)])
    unit = await entered(session)
    with pytest.raises(TransactionFailed):
        await count(unit)
    await unit.rollback()
    assert await count(unit) == 0
    await unit.leave(None)
    assert session.calls[-3:] == ["commit", *END]


async def test_a_failed_commit_aborts_and_ends_the_session() -> None:
    session = ScriptedSession(commit=[failure(code=251, labels=TRANSIENT)])
    unit = await entered(session)
    with pytest.raises(TransientFailure):
        await unit.leave(None)
    assert session.calls == ["open", "commit", "abort", *END]
    assert not unit.committed


async def test_a_commit_of_unknown_outcome_is_neither_aborted_nor_undone() -> None:
    session = ScriptedSession(commit=[failure(FailureKind.NETWORK, labels=UNKNOWN)])
    unit = await entered(session)
    person = Person(id=1, name="Anna")
    unit.workspace.add(person)
    person.name = "Anne"
    with pytest.raises(CommitOutcomeUnknown):
        await unit.leave(None)
    assert session.calls == ["open", "write", "commit", *END]
    assert person.name == "Anne"


async def test_after_a_commit_of_unknown_outcome_the_unit_can_only_be_left() -> None:
    session = ScriptedSession(commit=[failure(FailureKind.NETWORK, labels=UNKNOWN)])
    unit = await entered(session)
    with pytest.raises(CommitOutcomeUnknown) as first:
        await unit.commit()
    for attempt in (count(unit), unit.commit(), unit.rollback()):
        with pytest.raises(UnitDoomed, match="unknown outcome") as caught:
            await attempt
        assert caught.value.__cause__ is first.value
    await unit.leave(first.value)
    assert session.calls == ["open", "commit", *END]


@pytest.mark.parametrize("interruption", [KeyboardInterrupt(), asyncio.CancelledError()], ids=["ctrl-c", "cancelled"])
async def test_an_interrupted_commit_is_sent_again_until_its_outcome_is_known(interruption: BaseException) -> None:
    session = ScriptedSession(commit=[interruption, interruption])
    unit = await entered(session)
    with pytest.raises(type(interruption)):
        await unit.leave(None)
    assert session.calls == ["open", "commit", "commit", "commit", *END]


@pytest.mark.parametrize("interruption", [KeyboardInterrupt(), asyncio.CancelledError()], ids=["ctrl-c", "cancelled"])
async def test_an_interrupted_commit_that_did_not_happen_is_rolled_back(interruption: BaseException) -> None:
    session = ScriptedSession(commit=[interruption, failure(code=251, labels=TRANSIENT)])
    unit = await entered(session)
    with pytest.raises(type(interruption)):
        await unit.leave(None)
    assert session.calls == ["open", "commit", "commit", "abort", *END]


@pytest.mark.parametrize("interruption", [KeyboardInterrupt(), asyncio.CancelledError()], ids=["ctrl-c", "cancelled"])
async def test_an_interrupted_command_dooms_the_unit(interruption: BaseException) -> None:
    session = ScriptedSession(count=[interruption])
    unit = await entered(session)
    with pytest.raises(type(interruption)):
        await count(unit)
    with pytest.raises(UnitDoomed) as caught:
        await unit.leave(None)
    assert caught.value.__cause__ is interruption
    assert session.calls == ["open", "count", "overtake", *END]


async def test_an_abort_that_fails_does_not_hide_the_first_error(caplog: pytest.LogCaptureFixture) -> None:
    session = ScriptedSession(
        commit=[failure(code=251, labels=TRANSIENT)],
        abort=[failure(FailureKind.NETWORK)],
    )
    unit = await entered(session)
    with pytest.raises(TransientFailure):
        await unit.leave(None)
    assert session.calls[-2:] == END
    assert "the abort failed" in caplog.text


async def test_the_session_is_closed_even_if_it_cannot_be_unbound() -> None:
    session = ScriptedSession(unbind=[RuntimeError("elsewhere")])
    unit = await entered(session)
    with pytest.raises(RuntimeError, match="elsewhere"):
        await unit.leave(None)
    assert session.calls == ["open", "commit", *END]


async def test_a_server_that_cannot_be_reached_is_said_at_the_start() -> None:
    unit = unit_on(ScriptedSession(open=[failure(FailureKind.UNREACHABLE)]))
    with pytest.raises(ServerUnavailable, match="Check the address"):
        await unit.enter()
    assert not unit.is_open
    with pytest.raises(UnitClosed):
        unit.check()


async def test_a_unit_is_entered_once() -> None:
    unit = await entered(ScriptedSession())
    with pytest.raises(UnitClosed, match="is open and cannot be entered"):
        await unit.enter()
    await unit.leave(None)
    with pytest.raises(UnitClosed, match="has ended and cannot be entered"):
        await unit.enter()


async def test_a_unit_that_was_left_is_not_left_again() -> None:
    session = ScriptedSession()
    unit = await entered(session)
    await unit.leave(None)
    with pytest.raises(UnitClosed):
        await unit.leave(None)
    assert session.calls == ["open", "commit", *END]


async def test_a_unit_that_has_not_been_entered_refuses_work() -> None:
    unit = unit_on(ScriptedSession())
    with pytest.raises(UnitClosed, match="has not been entered"):
        await count(unit)


async def test_after_its_end_a_unit_says_who_had_opened_it() -> None:
    unit = await entered(ScriptedSession())
    await unit.leave(None)
    with pytest.raises(UnitClosed, match="opened and closed by task"):
        unit.check()


async def test_operations_that_overlap_are_refused_and_the_first_one_goes_on() -> None:
    unit = await entered(ScriptedSession(), handover=True)
    free = asyncio.Event()

    async def slow() -> str:
        await free.wait()
        return "done"

    first = asyncio.create_task(unit.send(slow))
    await asyncio.sleep(0)
    with pytest.raises(UnitUsedElsewhere, match="another operation of it was running"):
        await count(unit)
    free.set()
    assert await first == "done"
    assert await count(unit) == 0
    await unit.leave(None)


async def test_a_unit_left_in_another_task_is_rolled_back_ended_and_says_so() -> None:
    session = ScriptedSession()
    unit = await entered(session)
    with pytest.raises(UnitUsedElsewhere):
        await asyncio.create_task(unit.leave(None))
    assert session.calls == ["open", "abort", *END]
    assert unit.state is State.CLOSED


async def test_a_handed_over_unit_may_be_left_in_another_task() -> None:
    session = ScriptedSession()
    unit = await entered(session, handover=True)
    await asyncio.create_task(unit.leave(None))
    assert session.calls == ["open", "commit", *END]


async def test_another_thread_is_refused_before_anything_is_sent() -> None:
    session = ScriptedSession()
    unit = await entered(session)
    errors: list[BaseException] = []

    def intrude() -> None:
        try:
            unit.workspace.add(Person(id=1))
        except UnitUsedElsewhere as error:
            errors.append(error)

    thread = threading.Thread(target=intrude)
    thread.start()
    thread.join()
    assert len(errors) == 1
    assert session.calls == ["open"]
    await unit.leave(None)


async def test_another_process_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    unit = await entered(ScriptedSession(), handover=True)
    with monkeypatch.context() as patch:
        patch.setattr(Process, "number", -1)
        with pytest.raises(UnitUsedElsewhere):
            await count(unit)
    await unit.leave(None)


async def test_a_unit_that_has_ended_holds_no_document_and_no_record() -> None:
    unit = await entered(ScriptedSession())
    person = Person(id=1, name="Anna")
    unit.workspace.add(person)
    person.name = "Anne"
    await unit.workspace.flush()
    await count(unit)
    log = unit.workspace.log
    await unit.leave(None)
    watched = weakref.ref(person)
    del person
    gc.collect()
    assert watched() is None
    assert log.records == []


async def test_every_read_and_write_is_recorded_in_order() -> None:
    unit = await entered(ScriptedSession())
    unit.workspace.add(Person(id=1))
    await count(unit)
    await unit.workspace.get(mapper_of(Person), 2)
    assert [type(record).__name__ for record in unit.workspace.log.records] == [
        "WriteRecord",
        "ReadRecord",
        "ReadRecord",
    ]
    await unit.leave(None)
