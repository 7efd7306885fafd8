"""How revisions are carried out: their steps one after another, each from where its record says.

The record of a revision is made before its first step and names all its steps, so what a crash leaves can be read,
and gone on with, by another process. A step that fails says so in its record; nothing is undone by itself.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from boundwork.alembic_like_migrations.engine.batches import Pace, run_data_step
from boundwork.alembic_like_migrations.engine.errors import LeaseLost, StepFailed
from boundwork.alembic_like_migrations.engine.ledger import BEGUN, Direction, Ledger, Place, Record, StepRecord
from boundwork.alembic_like_migrations.engine.program import Program
from boundwork.alembic_like_migrations.engine.server import Server
from boundwork.alembic_like_migrations.steps.step import AnyStep, DataStep, Irreversible
from boundwork.errors import BoundworkError
from boundwork.uow.failures import SessionFailure
from boundwork.uow.reporting import public_error

logger = logging.getLogger("boundwork.migrations")


class Watcher(Protocol):
    """Who is told how it goes."""

    def step(self, place: Place, record: StepRecord) -> None:
        """Take note of how far a step came."""

    def ended(self, revision: str, direction: Direction) -> None:
        """Take note that a revision was carried out."""


class Unwatched:
    """Nobody is told."""

    def step(self, place: Place, record: StepRecord) -> None:
        """Do nothing."""

    def ended(self, revision: str, direction: Direction) -> None:
        """Do nothing."""


@dataclass(slots=True)
class Runner:
    """Carries out revisions for the holder of the lease; `check` raises LeaseLost once the heartbeat saw that."""

    server: Server
    watcher: Watcher
    check: Callable[[], None]
    batch_seconds: float = 1.0

    async def run(self, program: Program, direction: Direction, record: Record | None) -> None:
        """Carry out a revision, or the rest of it if its record says that it was begun in this direction."""
        revision, ledger = program.revision, Ledger(self.server)
        steps = _steps(program, direction)
        if record is None or record.direction != direction:
            fresh = tuple(StepRecord.of(step) for step in steps)
            up, down = (fresh, ()) if record is None else (record.up, fresh)
            record = Record(revision.revision, BEGUN[direction], revision.checksum, up, down)
            await ledger.put(record)
        for number, step in enumerate(steps):
            if record.steps(direction)[number].state != "done":
                await self._step(Place(revision.revision, direction, number), step, record.steps(direction)[number])
        if direction == "down":
            await ledger.remove(revision.revision)
        else:
            await ledger.applied(revision.revision)
        self.watcher.ended(revision.revision, direction)

    async def _step(self, place: Place, step: AnyStep, record: StepRecord) -> None:
        self.check()
        try:
            if isinstance(step, DataStep):
                pace = Pace(step.batch_seconds or self.batch_seconds)
                done = await run_data_step(self.server, step, place, pace, self._progress(place))
            else:
                await Ledger(self.server).note(place, replace(record, state="running", error=None))
                await step.apply(self.server)
                done = replace(record, state="done", error=None)
                await Ledger(self.server).note(place, done)
            self.watcher.step(place, done)
        except LeaseLost:
            raise
        except (BoundworkError, SessionFailure) as failure:
            error = public_error(failure) if isinstance(failure, SessionFailure) else failure
            await self._note_failure(place, record, error)
            raise StepFailed(place.revision, place.direction, step.title, str(error)) from failure

    def _progress(self, place: Place) -> Callable[[StepRecord], None]:
        def progress(record: StepRecord) -> None:
            self.watcher.step(place, record)
            self.check()

        return progress

    async def _note_failure(self, place: Place, record: StepRecord, error: BoundworkError) -> None:
        try:
            await Ledger(self.server).failed(place, type(error).__name__)
        except (BoundworkError, SessionFailure) as unnoted:
            logger.warning("the failure of step %s of %s could not be noted: %s", record.title, place.revision, unnoted)


def _steps(program: Program, direction: Direction) -> Sequence[AnyStep]:
    if direction == "up":
        return program.up
    if program.down is None:
        raise Irreversible(program.revision.revision, program.why_not_down or "")
    return program.down
