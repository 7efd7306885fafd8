from itertools import islice

import pytest

from boundwork.errors import (
    CommitOutcomeUnknown,
    DuplicateKey,
    ServerUnavailable,
    StaleDocument,
    TransientFailure,
    UnitDoomed,
)
from boundwork.uow.attempts import Attempts
from boundwork.uow.waits import FIRST_WAIT, GROWTH, LONGEST_WAIT
from tests.unit.uow.scripted import ScriptedSession

TRANSIENT = TransientFailure("lost")


def doomed_by(cause: BaseException) -> UnitDoomed:
    error = UnitDoomed("doomed")
    error.__cause__ = cause
    return error


def test_attempts_are_numbered_from_one_until_one_settles_the_matter() -> None:
    series = Attempts()
    numbers: list[int] = []
    for number in series.numbers():
        numbers.append(number)
        series.again(TRANSIENT if number < 3 else None, ScriptedSession(), committed=False)
    assert numbers == [1, 2, 3]


def test_the_first_attempt_does_not_wait() -> None:
    series = Attempts()
    next(series.numbers())
    assert series.wait() == 0.0


def test_waits_stay_below_a_bound_that_grows_by_half_up_to_half_a_second() -> None:
    series = Attempts()
    for number in range(2, 40):
        series.number = number
        bound = min(LONGEST_WAIT, FIRST_WAIT * GROWTH ** (number - 2))
        waits = [series.wait() for _ in range(50)]
        assert all(0.0 <= wait <= bound for wait in waits)
        assert len(set(waits)) > 1
    assert (FIRST_WAIT, GROWTH, LONGEST_WAIT) == (0.005, 1.5, 0.5)


def test_two_series_do_not_wait_in_step() -> None:
    one, two = Attempts(), Attempts()
    one.number = two.number = 20
    assert [one.wait() for _ in range(5)] != [two.wait() for _ in range(5)]


@pytest.mark.parametrize(
    "error",
    [TRANSIENT, StaleDocument.of("Person", "people", 1), doomed_by(TRANSIENT)],
    ids=["transient", "stale", "swallowed"],
)
def test_a_failure_that_wrote_nothing_and_may_not_come_back_is_worth_another_attempt(error: BaseException) -> None:
    series = Attempts()
    assert series.again(error, ScriptedSession(), committed=False)
    assert not series.over


@pytest.mark.parametrize(
    "error",
    [
        None,
        ZeroDivisionError(),
        KeyboardInterrupt(),
        CommitOutcomeUnknown("unknown"),
        DuplicateKey("people", 1, ("email",)),
        doomed_by(ZeroDivisionError()),
        UnitDoomed("without a cause"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_anything_else_ends_the_series(error: BaseException | None) -> None:
    series = Attempts()
    assert not series.again(error, ScriptedSession(), committed=False)
    assert series.over
    assert list(series.numbers()) == []


class SessionOfDriverCalls(ScriptedSession):
    """A session that the program's own calls used, and whose driver calls this error transient."""

    foreign = True

    def may_repeat(self, error: BaseException | None) -> bool:
        return isinstance(error, ConnectionError)


def test_a_transaction_that_is_gone_again_and_again_after_calls_of_the_driver_is_not_repeated_for_ever() -> None:
    series = Attempts()
    gone = TransientFailure("gone", code=251)
    assert [series.again(gone, SessionOfDriverCalls(), committed=False) for _ in range(3)] == [True, True, False]
    assert "errors of such calls" in gone.__notes__[0]


def test_a_transaction_that_is_gone_now_and_then_is_repeated() -> None:
    series = Attempts()
    errors = [TransientFailure("gone", code=251), TransientFailure("rival", code=112)] * 5
    assert all(series.again(error, SessionOfDriverCalls(), committed=False) for error in errors)


def test_a_transaction_without_calls_of_the_driver_is_repeated_however_often_it_is_gone() -> None:
    series = Attempts()
    gone = TransientFailure("gone", code=251)
    assert all(series.again(gone, ScriptedSession(), committed=False) for _ in range(9))


def test_a_server_that_is_gone_is_waited_for_only_after_it_was_there() -> None:
    series = Attempts()
    away = ServerUnavailable("gone")
    away.__cause__ = ConnectionError()
    series.number = 1
    assert not series.again(away, SessionOfDriverCalls(), committed=False)
    series.number = 2
    assert series.again(away, SessionOfDriverCalls(), committed=False)
    assert not series.again(ServerUnavailable("login"), SessionOfDriverCalls(), committed=False)


def test_nothing_is_repeated_after_a_commit_in_the_middle() -> None:
    series = Attempts()
    assert not series.again(TRANSIENT, ScriptedSession(), committed=True)
    assert series.over


def test_nothing_is_repeated_after_the_deadline() -> None:
    series = Attempts(seconds=0.0)
    assert not series.again(TRANSIENT, ScriptedSession(), committed=False)
    assert series.over


def test_a_series_that_is_not_over_goes_on() -> None:
    series = Attempts()
    numbers = series.numbers()
    first = next(numbers)
    series.again(TRANSIENT, ScriptedSession(), committed=False)
    assert [first, *islice(numbers, 1)] == [1, 2]
