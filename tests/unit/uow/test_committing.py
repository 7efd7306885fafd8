import asyncio
from collections.abc import Iterator

import pytest

from boundwork.errors import CommitOutcomeUnknown
from boundwork.uow import committing
from boundwork.uow.committing import commit
from boundwork.uow.failures import FailureKind, SessionFailure
from tests.unit.uow.scripted import TRANSIENT, UNKNOWN, ScriptedSession, failure

LOST = failure(FailureKind.NETWORK, labels=UNKNOWN)
OTHER = failure(code=8)
ABORTED = failure(code=251, labels=TRANSIENT)
APPLIED = failure(code=256)


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
    assert caught.value.code == 112
    assert session.calls == ["commit"]


async def test_a_transient_failure_of_a_resent_commit_wrote_nothing() -> None:
    session = ScriptedSession(commit=[LOST, ABORTED])
    with pytest.raises(SessionFailure):
        await commit(session, 30.0)
    assert session.calls == ["commit"] * 2


async def test_the_unknown_label_wins_over_the_transient_one() -> None:
    session = ScriptedSession(commit=[failure(code=91, labels=UNKNOWN | TRANSIENT)])
    await commit(session, 30.0)
    assert session.calls == ["commit"] * 2


async def test_after_a_time_limit_it_is_sent_again() -> None:
    session = ScriptedSession(commit=[failure(code=50, labels=UNKNOWN)])
    await commit(session, 30.0)
    assert session.calls == ["commit"] * 2


@pytest.mark.parametrize(
    "reply",
    [
        failure(code=100, write_concern=True),
        failure(code=79, write_concern=True),
        failure(code=251, labels=TRANSIENT, write_concern=True),
        failure(code=251),
        failure(code=225),
    ],
    ids=lambda reply: f"{reply.kind.name} {reply.code} {reply.write_concern}",
)
async def test_what_nobody_can_be_sure_of_is_unknown(reply: SessionFailure) -> None:
    session = ScriptedSession(commit=[reply])
    with pytest.raises(CommitOutcomeUnknown) as caught:
        await commit(session, 30.0)
    assert caught.value.code == reply.code
    assert session.calls == ["commit"]


@pytest.mark.parametrize(
    "reply",
    [
        OTHER,
        failure(code=388),
        failure(FailureKind.NETWORK),
        failure(FailureKind.UNREACHABLE),
        failure(FailureKind.LOGIN),
    ],
    ids=lambda reply: f"{reply.kind.name} {reply.code}",
)
async def test_an_error_that_says_nothing_of_the_outcome_is_followed_by_an_abort(reply: SessionFailure) -> None:
    session = ScriptedSession(commit=[reply])
    with pytest.raises(SessionFailure) as caught:
        await commit(session, 30.0)
    assert caught.value is reply
    assert session.calls == ["commit", "probe"]


async def test_nothing_left_to_abort_means_that_nothing_was_written() -> None:
    with pytest.raises(SessionFailure) as caught:
        await commit(ScriptedSession(commit=[OTHER], probe=[ABORTED]), 30.0)
    assert caught.value is OTHER


async def test_a_commit_that_was_applied_is_sent_again_to_be_durable() -> None:
    session = ScriptedSession(commit=[OTHER], probe=[APPLIED])
    await commit(session, 30.0)
    assert session.calls == ["commit", "probe", "commit"]


async def test_a_commit_that_was_applied_and_is_not_durable_is_of_unknown_outcome() -> None:
    session = ScriptedSession(commit=[OTHER, failure(code=100, write_concern=True)], probe=[APPLIED])
    with pytest.raises(CommitOutcomeUnknown) as caught:
        await commit(session, 30.0)
    assert caught.value.code == 100


async def test_an_applied_commit_that_fails_for_ever_is_of_unknown_outcome_at_the_deadline(clock: None) -> None:
    session = ScriptedSession(commit=[OTHER] * 100, probe=[APPLIED] * 100)
    with pytest.raises(CommitOutcomeUnknown):
        await commit(session, 30.0)
    assert session.calls == ["commit", "probe"] * 3


@pytest.mark.parametrize("reply", [failure(FailureKind.NETWORK), failure(code=91, labels=TRANSIENT)], ids=str)
async def test_an_abort_that_is_not_answered_is_sent_again(reply: SessionFailure) -> None:
    session = ScriptedSession(commit=[OTHER], probe=[reply, reply, ABORTED])
    with pytest.raises(SessionFailure):
        await commit(session, 30.0)
    assert session.calls == ["commit", "probe", "probe", "probe"]


async def test_an_abort_that_is_never_answered_leaves_the_outcome_unknown(clock: None) -> None:
    session = ScriptedSession(commit=[OTHER], probe=[LOST] * 100)
    with pytest.raises(CommitOutcomeUnknown) as caught:
        await commit(session, 30.0)
    assert caught.value.code == OTHER.code
    assert session.calls == ["commit", "probe", "probe", "probe"]


@pytest.mark.parametrize(
    "reply",
    [failure(code=13), failure(code=251, write_concern=True), failure(FailureKind.LOGIN)],
    ids=["no right", "not durable", "no login"],
)
async def test_an_abort_that_is_refused_leaves_the_outcome_unknown(reply: SessionFailure) -> None:
    session = ScriptedSession(commit=[OTHER], probe=[reply])
    with pytest.raises(CommitOutcomeUnknown):
        await commit(session, 30.0)
    assert session.calls == ["commit", "probe"]


@pytest.mark.parametrize("kind", [FailureKind.MISUSE, FailureKind.NO_TRANSACTIONS])
async def test_a_commit_that_was_never_sent_wrote_nothing(kind: FailureKind) -> None:
    with pytest.raises(SessionFailure):
        await commit(ScriptedSession(commit=[failure(kind)]), 30.0)


@pytest.mark.parametrize("kind", [FailureKind.MISUSE, FailureKind.NO_TRANSACTIONS])
async def test_a_call_that_the_driver_refuses_proves_nothing_once_the_commit_was_sent(kind: FailureKind) -> None:
    with pytest.raises(CommitOutcomeUnknown):
        await commit(ScriptedSession(commit=[LOST, failure(kind)]), 30.0)
    with pytest.raises(CommitOutcomeUnknown):
        await commit(ScriptedSession(commit=[failure(kind)]), 30.0, sent=True)


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
