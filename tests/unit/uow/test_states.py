import pytest

from boundwork.errors import UnitClosed
from boundwork.uow.states import MOVES, Move, State, moved

LEGAL = {
    ("READY", "ENTER", "ACTIVE"),
    ("ACTIVE", "FAIL", "DOOMED"),
    ("DOOMED", "FAIL", "DOOMED"),
    ("ACTIVE", "LOSE", "UNSETTLED"),
    ("DOOMED", "LOSE", "UNSETTLED"),
    ("ACTIVE", "RESTART", "ACTIVE"),
    ("DOOMED", "RESTART", "ACTIVE"),
    ("ACTIVE", "LEAVE", "CLOSED"),
    ("DOOMED", "LEAVE", "CLOSED"),
    ("UNSETTLED", "LEAVE", "CLOSED"),
}
EVERY = [(state, move) for state in State for move in Move]
ILLEGAL = [(state, move) for state, move in EVERY if (state.name, move.name) not in {entry[:2] for entry in LEGAL}]


def test_the_table_has_exactly_these_moves() -> None:
    assert {(state.name, move.name, after.name) for (state, move), after in MOVES.items()} == LEGAL


@pytest.mark.parametrize(("state", "move", "after"), sorted(LEGAL))
def test_a_legal_move_leads_to_its_state(state: str, move: str, after: str) -> None:
    assert moved(State[state], Move[move]) is State[after]


@pytest.mark.parametrize(("state", "move"), ILLEGAL, ids=lambda value: value.name)
def test_every_other_move_is_refused_and_names_state_and_move(state: State, move: Move) -> None:
    with pytest.raises(UnitClosed) as caught:
        moved(state, move)
    assert str(caught.value) == f"The unit of work {state.value} and cannot {move.value}. Open a new one."


def test_nothing_leads_out_of_the_end_and_nothing_back_to_the_beginning() -> None:
    assert not [state for state, _ in MOVES if state is State.CLOSED]
    assert State.READY not in MOVES.values()


def test_a_commit_of_unknown_outcome_can_only_be_left() -> None:
    assert [move for state, move in MOVES if state is State.UNSETTLED] == [Move.LEAVE]
