"""How revisions are carried out: their steps one after another, each from where its record says.

The record of a revision is made before its first step and names all its steps, so what a crash leaves can be read,
and gone on with, by another process. A step that fails says so in its record; nothing is undone by itself.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

from boundwork.alembic_like_migrations.engine.batches import Pace, run_data_step
from boundwork.alembic_like_migrations.engine.errors import LeaseLost, StepFailed, StepsChanged
from boundwork.alembic_like_migrations.engine.heartbeat import Look, Pulse
from boundwork.alembic_like_migrations.engine.ledger import BEGUN, Direction, Ledger, Place, Record, StepRecord
from boundwork.alembic_like_migrations.engine.making import note_making, take_away
from boundwork.alembic_like_migrations.engine.passing import refusal
from boundwork.alembic_like_migrations.engine.program import Program
from boundwork.alembic_like_migrations.engine.server import PATIENCE_SECONDS, Server
from boundwork.alembic_like_migrations.engine.unfit import refuse_gone, refuse_unfit
from boundwork.alembic_like_migrations.lazy.records import finish_records
from boundwork.alembic_like_migrations.revision import Revision
from boundwork.alembic_like_migrations.steps.building import Build, progress
from boundwork.alembic_like_migrations.steps.indexes import ChangeIndex, CreateIndex
from boundwork.alembic_like_migrations.steps.step import AnyStep, DataStep, Irreversible, StructureStep
from boundwork.alembic_like_migrations.steps.undo_log import forget_some
from boundwork.errors import BoundworkError
from boundwork.uow.failures import SessionFailure

logger = logging.getLogger("boundwork.migrations")
COUNT_MILLISECONDS = 2_000


class Watcher(Protocol):
    """Who is told how it goes."""

    counts: bool
    """Whether it wants to know how many documents a step will visit."""

    def began(self, place: Place, record: StepRecord, total: int | None) -> None:
        """Take note that a step begins, or is gone on with; `total` is about how many documents it will visit."""

    def step(self, place: Place, record: StepRecord) -> None:
        """Take note of how far a step came."""

    def ended(self, revision: str, direction: Direction) -> None:
        """Take note that a revision was carried out."""

    def building(self, place: Place, record: StepRecord, build: Build) -> None:
        """Take note of how far the build of an index is; called by another thread while the step waits for it."""

    def adopted(self, squash: str, replaced: Sequence[str]) -> None:
        """Take note that a squash counts as applied, because all of what it replaces was; nothing was run."""


class Unwatched:
    """Nobody is told."""

    counts = False

    def began(self, place: Place, record: StepRecord, total: int | None) -> None:
        """Do nothing."""

    def step(self, place: Place, record: StepRecord) -> None:
        """Do nothing."""

    def ended(self, revision: str, direction: Direction) -> None:
        """Do nothing."""

    def building(self, place: Place, record: StepRecord, build: Build) -> None:
        """Do nothing."""

    def adopted(self, squash: str, replaced: Sequence[str]) -> None:
        """Do nothing."""


@dataclass(slots=True)
class Runner:
    """Carries out revisions for the holder of the lease; `pulse` raises LeaseLost once the heartbeat saw that."""

    server: Server
    watcher: Watcher
    pulse: Pulse
    batch_seconds: float = 1.0

    async def run(self, program: Program, direction: Direction, record: Record | None) -> None:
        """Carry out a revision, or the rest of it if its record says that it was begun in this direction."""
        revision, ledger = program.revision, Ledger(self.server)
        steps = _steps(program, direction)
        begun = _begun(program, direction, steps, record)
        if record is None:
            await self._forget_images(revision)
        if begun != record:
            await ledger.put(begun)
        for number, (step, known) in enumerate(zip(steps, begun.steps(direction), strict=True)):
            if known.state != "done":
                await self.step(Place(revision.revision, direction, number, self.server.epoch), step, known)
        if direction == "down":
            await self._take_away(revision, begun)
            await ledger.remove(revision.revision)
            await self._forget_images(revision)
        else:
            await ledger.applied(revision.revision)
        self.watcher.ended(revision.revision, direction)

    async def _take_away(self, revision: Revision, record: Record) -> None:
        """Drop the collections that came into being by the revision, where nothing is in them any more."""
        for collection in record.made:
            try:
                await self.server.patiently(partial(take_away, self.server, collection), PATIENCE_SECONDS)
            except LeaseLost:
                raise
            except (BoundworkError, SessionFailure) as failure:
                why = str(refusal(failure) if isinstance(failure, SessionFailure) else failure)
                raise StepFailed(revision.revision, "down", f"drop {collection}, which it made", why) from failure

    async def _forget_images(self, revision: Revision) -> None:
        """Forget what is left of an earlier time: of a stamped or resolved revision, or of documents that are gone.

        The way back would take it for what the steps to come have kept.
        """
        for identifier in (revision.revision, *revision.replaces):
            while await self.server.fenced(partial(forget_some, revision=identifier)):
                self.pulse.check()

    async def step(self, place: Place, step: AnyStep, record: StepRecord) -> StepRecord:
        """Carry out one step from where its record says, and return its record then. Raises StepFailed."""
        self.pulse.check()
        try:
            if place.direction == "up" and not record.touched:
                await note_making(self.server, place.revision, step)
            self.watcher.began(place, record, await self._total(step))
            if isinstance(step, DataStep):
                await refuse_unfit(self.server, step)
                await refuse_gone(self.server, step)
                pace = Pace(step.batch_seconds or self.batch_seconds)
                return await run_data_step(self.server, step, place, pace, self._progress(place))
            done = await self._change_structure(step, place, record)
            self.watcher.step(place, done)
        except LeaseLost:
            raise
        except Exception as failure:
            error = refusal(failure) if isinstance(failure, SessionFailure) else failure
            await self._note_failure(place, record, error)
            why = (
                str(error)
                if isinstance(error, BoundworkError)
                else f"{type(error).__name__} was raised, see the cause."
            )
            raise StepFailed(place.revision, place.direction, step.title, why) from failure
        return done

    async def _change_structure(self, step: StructureStep, place: Place, record: StepRecord) -> StepRecord:
        """Carry out a step that may be carried out twice: after a failover it is."""
        ledger = Ledger(self.server)

        async def once() -> None:
            await ledger.note(place, replace(record, state="running", error=None))
            await step.apply(self.server)

        with self.pulse.looking(self._look(step, place, record)):
            await self.server.patiently(once, PATIENCE_SECONDS)
        done = replace(record, state="done", error=None)
        await ledger.note(place, done)
        return done

    def _look(self, step: StructureStep, place: Place, record: StepRecord) -> Look | None:
        """Return what tells how far the build of an index is, if somebody wants to know."""
        if not (self.watcher.counts and isinstance(step, CreateIndex | ChangeIndex)):
            return None

        async def look() -> None:
            build = await progress(self.server, step.collection)
            if build is not None:
                self.watcher.building(place, record, build)

        return look

    async def _total(self, step: AnyStep) -> int | None:
        """Return about how many documents a step will visit, if somebody wants to know and it is found out soon."""
        if not (self.watcher.counts and isinstance(step, DataStep)):
            return None
        count = {"count": step.collection, "query": dict(step.where), "maxTimeMS": COUNT_MILLISECONDS}
        try:
            return int((await self.server.command(count))["n"])
        except SessionFailure:
            return None

    def _progress(self, place: Place) -> Callable[[StepRecord], None]:
        def progress(record: StepRecord) -> None:
            self.watcher.step(place, record)
            self.pulse.check()

        return progress

    async def _note_failure(self, place: Place, record: StepRecord, error: Exception) -> None:
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


def _begun(program: Program, direction: Direction, steps: Sequence[AnyStep], record: Record | None) -> Record:
    """Return the record of a revision that is begun, or gone on with; its file may declare other steps to come only."""
    revision, fresh = program.revision, tuple(StepRecord.of(step) for step in steps)
    if record is None:
        return Record(revision.revision, BEGUN[direction], revision.checksum, fresh, finish=finish_records(program))
    if record.direction != direction:
        return replace(record, state=BEGUN[direction], checksum=revision.checksum, down=fresh)
    known = record.steps(direction)
    touched = max((number for number, one in enumerate(known, 1) if one.touched), default=0)
    for number, one in enumerate(known[:touched]):
        if number >= len(fresh) or (fresh[number].title, fresh[number].kind) != (one.title, one.kind):
            raise StepsChanged(revision.revision, number + 1, one.title)
    if [one.title for one in known] == [one.title for one in fresh]:
        fresh = known
    left = finish_records(program) if direction == "up" else record.finish
    begun = replace(record, checksum=revision.checksum, finish=left)
    return begun.with_steps(direction, (*known[:touched], *fresh[touched:]))
