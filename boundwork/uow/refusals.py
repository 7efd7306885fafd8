"""Why a unit refuses to be used or ended here and now, in words."""

from typing import TYPE_CHECKING

from boundwork.errors import (
    BoundworkError,
    CommitRefused,
    NestedUnitOfWork,
    UnitClosed,
    UnitDoomed,
    UnitUsedElsewhere,
)
from boundwork.uow.states import State

if TYPE_CHECKING:
    from boundwork.uow.unit import Unit


def unusable(unit: "Unit") -> BoundworkError:
    """Return why a unit that is where it belongs cannot be used: suspended, doomed, unsettled, not open."""
    if unit.suspended is not None:
        return NestedUnitOfWork(f"The unit of work {unit.name} cannot be used {unit.suspended}. Leave that first.")
    if unit.state is State.DOOMED:
        since = " since its last commit" if unit.committed else ""
        return _doomed(
            unit,
            f"was ended by an earlier failure and wrote nothing{since}; the first error is the cause. "
            "Leave the block, or call rollback() and begin again.",
        )
    if unit.state is State.UNSETTLED:
        return _doomed(
            unit,
            "sent a commit of unknown outcome; the first error is the cause. "
            "Leave the block and read what it wrote in a new unit.",
        )
    opened = ""
    if unit.owner is not None:
        closed = "" if unit.closed_by is None else f" by {unit.owner.name}"
        opened = f" It was opened{closed} and closed by {unit.closed_by or unit.owner.name}."
    return UnitClosed(f"The unit of work {unit.name} {unit.state.value}.{opened} Open a new one.")


def _doomed(unit: "Unit", what: str) -> UnitDoomed:
    error = UnitDoomed(f"The unit of work {unit.name} {what}")
    error.__cause__ = unit.first_error
    return error


def overlapping(unit: "Unit") -> UnitUsedElsewhere:
    """Return the error of an operation that came before another one had ended."""
    return UnitUsedElsewhere(
        f"The unit of work {unit.name} was used while another operation of it was running. "
        "Its operations must follow one another.",
    )


def left_too_early(unit: "Unit") -> NestedUnitOfWork:
    """Return the error of a unit that was left before a nested one."""
    inner = f" in {unit.levels[-1].name}" if unit.levels else ""
    return NestedUnitOfWork(
        f"The unit of work {unit.name} was left while a nested unit{inner} was still open, and was rolled back. "
        "Blocks must end in the reverse order of their beginnings: leave the inner one first.",
    )


def refuse_end(unit: "Unit", word: str) -> None:
    """Raise if a transaction must not end here by a word of the program: in a hook, or in a nested unit."""
    if unit.hooks.running:
        raise CommitRefused(
            f"{word}() was called in a before_commit hook of {unit.name}. The commit follows the hook by itself; "
            "raise an exception to roll back.",
        )
    if unit.savepoints:
        raise NestedUnitOfWork(
            f"{word}() was called in a nested unit of {unit.name}. A nested unit ends with its block: leave it "
            "cleanly to keep its work, or by an exception to undo it.",
        )
