"""Whether what a way back needs to know of documents is there: asked before a downgrade, since nothing is done without it.

A revision that was stamped has never run here, so its steps remember nothing. One that ran and changed documents has left
images or ids; if all of a step's are gone, the way back would leave the documents as they are and say that it is done.
"""

from collections.abc import Iterable, Mapping, Sequence

from boundwork.alembic_like_migrations.engine.errors import ImagesMissing, ImagesPruned
from boundwork.alembic_like_migrations.engine.ledger import Record
from boundwork.alembic_like_migrations.engine.program import Mark, Program
from boundwork.alembic_like_migrations.engine.server import Server
from boundwork.alembic_like_migrations.steps.images import PutBack
from boundwork.alembic_like_migrations.steps.moves import MoveBack
from boundwork.alembic_like_migrations.steps.renames import MoveStep
from boundwork.alembic_like_migrations.steps.step import AnyStep
from boundwork.alembic_like_migrations.steps.transactions import Together, Unseed
from boundwork.alembic_like_migrations.steps.undo_log import UNDO, every
from boundwork.alembic_like_migrations.steps.updates import UpdateRemembered

PRUNED = "its undo log was pruned"


async def refuse_forgotten(server: Server, programs: Iterable[Program], records: Mapping[str, Record]) -> None:
    """Raise ImagesMissing if the way back of a revision that is not begun needs what nobody remembers."""
    for program in programs:
        if (missing := await forgotten(server, program, records)) is not None:
            raise missing


async def forgotten(server: Server, program: Program, records: Mapping[str, Record]) -> ImagesMissing | None:
    """Return the error for a way back that is not begun and needs what nobody remembers; None if all is there."""
    own = records.get(program.revision.revision)
    if own is not None and own.direction is None:
        for step in program.down or ():
            for mark in _needed(step):
                pruned = own.pruned or _ran(mark, own, records).pruned
                why = _expected(mark, program, records)
                if pruned and why is not None:  # a crash while it was pruned may have left a part
                    return ImagesPruned(program.revision.revision, step.title, PRUNED)
                if why is not None and not await _remembers(server, mark):
                    return ImagesMissing(program.revision.revision, step.title, why)
    return None


def needs_images(program: Program) -> bool:
    """Tell whether the way back of a revision needs what its steps have remembered."""
    return any(_needed(step) for step in program.down or ())


def _needed(step: AnyStep) -> Sequence[Mark]:
    match step:
        case PutBack() | UpdateRemembered() | MoveBack() | Unseed():
            return [step.mark]
        case MoveStep():
            return [step.images.mark] if step.images is not None and step.images.put_back else []
        case Together():
            return [mark for inner in step.steps for mark in _needed(inner)]
        case _:
            return []


def _expected(mark: Mark, program: Program, records: Mapping[str, Record]) -> str | None:
    """Say why something should be remembered under a mark; None if there may be nothing."""
    own = records[program.revision.revision]
    ran = _ran(mark, own, records)
    if own.stamped or ran.stamped:
        return "it was stamped, and never run here"
    up = [step for step in program.up if ran is own or getattr(_mark_of(step), "revision", None) == mark.revision]
    number = next((number for number, step in enumerate(up) if _mark_of(step) == mark), None)
    if number is None:
        return PRUNED if own.pruned or ran.pruned else None  # nobody knows how much it changed
    title = up[number].title
    nth = sum(step.title == title for step in up[:number])
    changed = [record.changed for record in ran.up if record.title == title][nth : nth + 1]
    return f"{changed[0]} documents were changed, and what they were is gone" if changed and changed[0] else None


def _ran(mark: Mark, own: Record, records: Mapping[str, Record]) -> Record:
    """Return the record of the step that remembered: one that a squash holds was perhaps run by its old file."""
    return records.get(mark.revision, own)


def _mark_of(step: AnyStep) -> Mark | None:
    found = step.images.mark if isinstance(step, MoveStep) and step.images is not None else getattr(step, "mark", None)
    return found if isinstance(found, Mark) else None


async def _remembers(server: Server, mark: Mark) -> bool:
    return bool(await server.all({"find": UNDO, "filter": every(mark), "limit": 1}))
