"""The exit codes of `boundwork migrate`, all of them in this one place.

They are a promise to the scripts that call it; the same table is in docs/guide/migrations.md, and a test compares them.
"""

from enum import IntEnum
from typing import Self

from boundwork import BoundworkError
from boundwork.alembic_like_migrations import (
    DatabaseDirty,
    GateRefused,
    IdRefused,
    LeaseLost,
    LockHeld,
    NotFinished,
    NotHalfDone,
    NotLazy,
    PhaseBlocked,
    RevisionAmbiguous,
    RevisionNotApplied,
    RevisionNotFound,
    RevisionTampered,
    SeveralHeads,
    SquashImpossible,
    StepsChanged,
    StepsImpossible,
    UpcastChanged,
)
from boundwork.alembic_like_migrations.rollout.rename_pair import RenameUnclear


class Exit(IntEnum):
    """What an exit code means."""

    meaning: str

    def __new__(cls, code: int, meaning: str) -> Self:
        """Make a code with its meaning."""
        self = int.__new__(cls, code)
        self._value_ = code
        self.meaning = meaning
        return self

    OK = 0, "done, or all as it should be"
    FAILED = 1, "something went wrong, and stderr says what"
    USAGE = 2, "a wrong option, or a name that means no revision"
    PENDING = 3, "revisions are pending, or the models differ from them"
    DRIFT = 4, "the database differs from its revisions"
    LOCKED = 5, "another deployer holds the lock"
    REFUSED = 6, "the gate of a rolling deploy refused"
    TAMPERED = 7, "the file of an applied revision was changed"
    DIRTY = 8, "a revision stopped half-way"


_CODES: dict[tuple[type[BoundworkError], ...], Exit] = {
    # Two heads are a state of the project, so a script that meets them has not called wrongly.
    (SeveralHeads,): Exit.FAILED,
    (
        RevisionNotFound,
        RevisionAmbiguous,
        StepsImpossible,
        IdRefused,
        RevisionNotApplied,
        NotHalfDone,
        NotLazy,
        RenameUnclear,
        SquashImpossible,
    ): Exit.USAGE,
    (LockHeld, LeaseLost): Exit.LOCKED,
    (GateRefused, PhaseBlocked, NotFinished): Exit.REFUSED,
    (RevisionTampered, StepsChanged, UpcastChanged): Exit.TAMPERED,
    (DatabaseDirty,): Exit.DIRTY,
}


def exit_of(failure: BoundworkError) -> Exit:
    """Return the exit code for a failure."""
    return next((code for kinds, code in _CODES.items() if isinstance(failure, kinds)), Exit.FAILED)
