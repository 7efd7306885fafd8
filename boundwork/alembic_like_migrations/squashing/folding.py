"""Steps that together are fewer steps: only where that is plain to see, and only among steps that follow each other.

A validator that is set on a collection just made becomes one of its options. An index that is built on such a collection
and dropped again was never there. Everything else stays in its order.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from boundwork.alembic_like_migrations.steps.collections import (
    ChangeOptions,
    CreateCollection,
    DropCollection,
    RenameCollection,
)
from boundwork.alembic_like_migrations.steps.indexes import ChangeIndex, CreateIndex, DropIndex
from boundwork.alembic_like_migrations.steps.step import AnyStep
from boundwork.alembic_like_migrations.steps.validators import SetValidator

VALIDATION = frozenset({"validator", "validationLevel", "validationAction"})


@dataclass(frozen=True, slots=True)
class Piece:
    """A step, and the revision that it comes from."""

    revision: str
    step: AnyStep


def folded(pieces: Sequence[Piece]) -> list[Piece]:
    """Return fewer structure steps that make the same of a database that none of them was applied to."""
    made: list[Piece] = []
    for piece in pieces:
        if not (_validated(made, piece.step) or _unbuilt(made, piece.step)):
            made.append(piece)
    return made


def _validated(made: list[Piece], step: AnyStep) -> bool:
    """Fold a validator into the making of its collection, and tell whether that was done."""
    if not isinstance(step, SetValidator):
        return False
    number = _made_at(made, step.collection, len(made))
    if number is None:
        return False
    create = made[number].step
    if not isinstance(create, CreateCollection):
        return False
    options = {name: value for name, value in create.options.items() if name not in VALIDATION}
    if step.to.validator:
        options |= step.to.options()
    made[number] = replace(made[number], step=replace(create, options=options))
    return True


def _unbuilt(made: list[Piece], step: AnyStep) -> bool:
    """Take away the building of an index that is dropped, and tell whether that was done."""
    if not isinstance(step, DropIndex):
        return False
    for number in range(len(made) - 1, -1, -1):
        before = made[number].step
        if isinstance(before, CreateIndex) and (before.collection, before.name) == (step.collection, step.name):
            # Without its collection the index would have made it, which later steps may need.
            if _made_at(made, step.collection, number) is None:
                return False
            del made[number]
            return True
        if _changes(before, step.collection) or isinstance(before, ChangeIndex):
            return False
    return False


def _made_at(made: Sequence[Piece], collection: str, end: int) -> int | None:
    """Return where a collection is made, if only its indexes are changed between there and an end."""
    for number in range(end - 1, -1, -1):
        step = made[number].step
        if isinstance(step, CreateCollection) and step.name == collection:
            return number
        if _changes(step, collection):
            return None
    return None


def _changes(step: AnyStep, collection: str) -> bool:
    """Tell whether a step changes more of a collection than its indexes."""
    match step:
        case RenameCollection():
            return collection in {step.old, step.new}
        case CreateCollection() | DropCollection() | ChangeOptions():
            return step.name == collection
        case SetValidator():
            return step.collection == collection
        case CreateIndex() | DropIndex() | ChangeIndex():
            return False
        case _:
            return step.kind != "structure"
