"""The life of a unit, as a table of legal moves.

A unit is READY until it is entered, ACTIVE while it works, DOOMED once a failure ended its transaction, UNSETTLED
once it sent a commit whose outcome nobody knows, and CLOSED for ever. What is not in the table is a fault of the
program that uses the unit, and raises.
"""

from enum import Enum
from typing import Final

from boundwork.errors import UnitClosed


class State(Enum):
    """Where a unit stands."""

    READY = "has not been entered"
    ACTIVE = "is open"
    DOOMED = "was ended by a failure"
    UNSETTLED = "sent a commit of unknown outcome"
    CLOSED = "has ended"

    __hash__ = object.__hash__  # that of Enum is written in Python


class Move(Enum):
    """What happens to a unit."""

    ENTER = "be entered"
    FAIL = "fail"
    LOSE = "lose its commit"
    RESTART = "begin its next transaction"
    LEAVE = "be left"

    __hash__ = object.__hash__  # as above


MOVES: Final[dict[tuple[State, Move], State]] = {
    (State.READY, Move.ENTER): State.ACTIVE,
    (State.ACTIVE, Move.FAIL): State.DOOMED,
    (State.DOOMED, Move.FAIL): State.DOOMED,
    (State.ACTIVE, Move.LOSE): State.UNSETTLED,
    (State.DOOMED, Move.LOSE): State.UNSETTLED,
    (State.ACTIVE, Move.RESTART): State.ACTIVE,
    (State.DOOMED, Move.RESTART): State.ACTIVE,
    (State.ACTIVE, Move.LEAVE): State.CLOSED,
    (State.DOOMED, Move.LEAVE): State.CLOSED,
    (State.UNSETTLED, Move.LEAVE): State.CLOSED,
}


def moved(state: State, move: Move) -> State:
    """Return the state after a move; UnitClosed if the move is not legal."""
    try:
        return MOVES[state, move]
    except KeyError:
        raise UnitClosed(f"The unit of work {state.value} and cannot {move.value}. Open a new one.") from None
