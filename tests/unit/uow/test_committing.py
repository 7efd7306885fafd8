import asyncio
from collections.abc import Iterator

import pytest

from boundwork.errors import CommitOutcomeUnknown
from boundwork.uow import committing
from boundwork.uow.committing import certainly_not_committed, commit
from boundwork.uow.failures import FailureKind, SessionFailure
from tests.unit.uow.scripted import TRANSIENT, UNKNOWN, ScriptedSession, failure

LOST = failure(FailureKind.NETWORK, labels=UNKNOWN)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let ten seconds pass between any two looks at the clock."""
    ticks: Iterator[float] = iter(range(0, 10_000, 10))
    monkeypatch.setattr(committing, "monotonic", lambda: next(ticks))


async def test_a_commit_that_succeeds_is_sent_once() -> None:
    session = ScriptedSession()
    await commit(session, 30.0)
    assert session.calls == ["commit"]


async def test_a_commit_of_unknown_outcome_is_sent_again_until_it_is_known() -> None:
    session = ScriptedSession(commit=[LOST, LOST, LOST])
    await commit(session, 30.0)
    assert session.calls == ["commit"] * 4


async def test_at_the_deadline_the_outcome_is_unknown(clock: None) -> None:
    session = ScriptedSession(commit=[LOST] * 100)
    with pytest.raises(CommitOutcomeUnknown, match="nobody can say whether it happened") as caught:
        await commit(session, 30.0)
    assert session.calls == ["commit"] * 3
    assert caught.value.labels == UNKNOWN


async def test_without_time_it_is_sent_once(clock: None) -> None:
    session = ScriptedSession(commit=[LOST])
    with pytest.raises(CommitOutcomeUnknown):
        await commit(session, 0.0)
    assert session.calls == ["commit"]


async def test_a_transient_failure_is_not_sent_again_and_wrote_nothing() -> None:
    session = ScriptedSession(commit=[failure(code=112, labels=TRANSIENT)])
    with pytest.raises(SessionFailure) as caught:
        await commit(session, 30.0)
    assert certainly_not_committed(caught.value)
    assert session.calls == ["commit"]


async def test_a_transient_failure_of_a_resent_commit_wrote_nothing() -> None:
    session = ScriptedSession(commit=[LOST, failure(code=251, labels=TRANSIENT)])
    with pytest.raises(SessionFailure) as caught:
        await commit(session, 30.0)
    assert certainly_not_committed(caught.value)


async def test_the_unknown_label_wins_over_the_transient_one() -> None:
    session = ScriptedSession(commit=[failure(code=91, labels=UNKNOWN | TRANSIENT)])
    await commit(session, 30.0)
    assert session.calls == ["commit"] * 2


async def test_an_exceeded_time_limit_is_unknown_and_not_sent_again() -> None:
    session = ScriptedSession(commit=[failure(code=50, labels=UNKNOWN)])
    with pytest.raises(CommitOutcomeUnknown):
        await commit(session, 30.0)
    assert session.calls == ["commit"]


@pytest.mark.parametrize(
    "reply",
    [
        failure(code=100, write_concern=True),
        failure(code=79, write_concern=True),
        failure(code=251, labels=TRANSIENT, write_concern=True),
        failure(code=251),
        failure(code=225),
        failure(code=11600),
        failure(FailureKind.NETWORK),
        failure(FailureKind.UNREACHABLE),
    ],
    ids=lambda reply: f"{reply.kind.name} {reply.code} {reply.write_concern}",
)
async def test_what_nobody_can_be_sure_of_is_unknown(reply: SessionFailure) -> None:
    assert not certainly_not_committed(reply)
    with pytest.raises(CommitOutcomeUnknown) as caught:
        await commit(ScriptedSession(commit=[reply]), 30.0)
    assert caught.value.code == reply.code


@pytest.mark.parametrize("kind", [FailureKind.MISUSE, FailureKind.NO_TRANSACTIONS])
async def test_a_commit_that_was_never_sent_wrote_nothing(kind: FailureKind) -> None:
    with pytest.raises(SessionFailure) as caught:
        await commit(ScriptedSession(commit=[failure(kind)]), 30.0)
    assert certainly_not_committed(caught.value)


async def test_the_driver_s_error_is_the_cause() -> None:
    reply = failure(code=251)
    reply.__cause__ = ZeroDivisionError()
    with pytest.raises(CommitOutcomeUnknown) as caught:
        await commit(ScriptedSession(commit=[reply]), 30.0)
    assert caught.value.__cause__ is reply.__cause__


@pytest.mark.parametrize("interruption", [KeyboardInterrupt(), asyncio.CancelledError()], ids=["ctrl-c", "cancelled"])
async def test_an_interruption_passes_through(interruption: BaseException) -> None:
    with pytest.raises(type(interruption)):
        await commit(ScriptedSession(commit=[interruption]), 30.0)
