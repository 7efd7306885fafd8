"""What can be asked of a database and its revisions: to go up or down, to end or undo what was begun, and where it stands.

Written once for both colours. What is done needs the lease; what is only read does not. Every revision of a path is
prepared before the first one runs, so a mistake in the last file is met before anything is written. Which of a squash
and what it replaces counts is decided anew for the records of each call.
"""

from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from boundwork.alembic_like_migrations.engine import lease, ledger
from boundwork.alembic_like_migrations.engine.adopting import adopt, adopted, replaced_by, seen_by
from boundwork.alembic_like_migrations.engine.errors import (
    DatabaseDirty,
    NotHalfDone,
    NothingToResume,
    RevisionTampered,
)
from boundwork.alembic_like_migrations.engine.holding import Keep, explained, holding
from boundwork.alembic_like_migrations.engine.ledger import Direction, Ledger, Record
from boundwork.alembic_like_migrations.engine.program import Program, prepare
from boundwork.alembic_like_migrations.engine.pruning import Pruned, Wanted, prunable, prune
from boundwork.alembic_like_migrations.engine.remembered import refuse_forgotten
from boundwork.alembic_like_migrations.engine.runner import Runner, Unwatched, Watcher
from boundwork.alembic_like_migrations.engine.server import Server
from boundwork.alembic_like_migrations.errors import RevisionNotFound
from boundwork.alembic_like_migrations.graph import Graph
from boundwork.alembic_like_migrations.lazy.finishing import (
    Finished,
    Unfinished,
    finish,
    may_wait,
    refuse_unfinished,
    to_finish,
    unfinished,
)
from boundwork.alembic_like_migrations.planning.plan import Plan
from boundwork.alembic_like_migrations.planning.planner import make_plan
from boundwork.alembic_like_migrations.planning.rehearsal import Rehearsal, Terms, rehearse
from boundwork.alembic_like_migrations.revision import Phase, Revision
from boundwork.alembic_like_migrations.rollout.gate import open_gate, pass_gate
from boundwork.alembic_like_migrations.rollout.phases import limited
from boundwork.alembic_like_migrations.steps.step import Irreversible

NOTHING: Mapping[str, Any] = {}


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a database stands.

    `applied` and `pending` are in order, `tips` the applied ones that nothing applied comes after; `half_done` are the
    records of those that were begun and not ended, `tampered` the applied ones whose file has changed. `adopting` are
    squashes that count as applied and that the next run notes, `waiting` those that wait for what they replace, with what
    is missing; `replaced` is history: what was applied once, and its squash. `unfinished` is what lazy ones have left to the
    finisher, `pruned` are those whose undo log was given up.
    """

    applied: tuple[str, ...]
    tips: tuple[str, ...]
    pending: tuple[str, ...]
    half_done: tuple[Record, ...]
    tampered: tuple[str, ...]
    adopting: tuple[str, ...] = ()
    waiting: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: NOTHING)
    replaced: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    unfinished: tuple[Unfinished, ...] = ()
    pruned: tuple[str, ...] = ()


@dataclass(slots=True)
class Work:
    """The revisions of a project and a database that they are applied to."""

    graph: Graph
    server: Server
    watcher: Watcher
    keep: Keep
    lease_seconds: float = 30.0
    patience: float = 0.0
    batch_seconds: float = 1.0
    _programs: dict[str, Program] = field(default_factory=dict)

    async def standing(self) -> Standing:
        """Read where the database stands; needs no lease."""
        records = await self._records()
        graph = seen_by(self.graph, records)
        with explained():
            left = await unfinished(
                self.server, [one for one in records.values() if one.applied and not one.replaced_by]
            )
        return Standing(
            applied=tuple(one.revision for one in graph if one.revision in graph.applied),
            tips=graph.tips(graph.applied),
            pending=tuple(one.revision for one in graph if one.revision not in graph.applied),
            half_done=tuple(record for record in records.values() if record.direction is not None),
            tampered=_changed(_applied_files(graph, records), records),
            adopting=tuple(graph.view.adopting),
            waiting=graph.view.waiting,
            replaced=replaced_by(records),
            unfinished=left,
            pruned=tuple(one.revision for one in graph if one.revision in records and records[one.revision].pruned),
        )

    async def upgrade(self, target: str = "head", phase: Phase | None = None) -> tuple[str, ...]:
        """Apply what is missing up to a target, or what of it may run in a phase, and return it, in order."""
        return await self._go("up", target, phase)

    async def plan(self, direction: Direction, target: str, phase: Phase | None = None) -> Plan:
        """Return what an upgrade or downgrade would do; nothing is written, and no lease is needed."""
        records = await self._records()
        path = self._path(direction, target, records, phase)
        graph = seen_by(self.graph, records)
        with explained():
            return await make_plan(self.server, graph, self._prepared(path), direction, adopted(graph, records))

    async def rehearse(self, scratch: Server, target: str, terms: Terms) -> Rehearsal:
        """Run an upgrade and its way back in a scratch database, which is dropped, on some of the documents."""
        records = await self._records()
        programs = self._prepared(self._path("up", target, records))
        with explained():
            async with holding(scratch, self.keep, self.lease_seconds, self.patience) as (server, pulse):
                try:
                    runner = Runner(server, Unwatched(), pulse, self.batch_seconds)
                    return await rehearse(self.server, runner, programs, records, terms)
                finally:
                    await server.command({"dropDatabase": 1})

    async def downgrade(self, target: str) -> tuple[str, ...]:
        """Revert what came after a target and return it, in order."""
        return await self._go("down", target)

    async def resume(self, *, changed: bool = False) -> tuple[str, ...]:
        """End what was left half-done, each revision in the direction that it was going.

        `changed` says that its file may have been mended since; what was begun of it must be the same.
        """
        async with self._holding() as runner:
            records = await self._records()
            seen = seen_by(self.graph, records)
            begun = [one for one in seen if one.revision in records and records[one.revision].direction]
            if not begun:
                raise NothingToResume
            if not changed:
                _refuse_tampered(begun, records)
            programs = self._prepared(begun)
            for program in programs:
                record = records[program.revision.revision]
                await runner.run(program, record.direction or "up", record)
            return tuple(one.revision for one in begun)

    async def finish(self, name: str | None = None, *, changed: bool = False) -> tuple[Finished, ...]:
        """Bring the documents that lazy revisions have left, or those of one revision, and return what was done."""
        async with self._holding() as runner:
            records = await self._records()
            graph = seen_by(self.graph, records)
            chosen = to_finish(graph, records, name)
            revisions = [graph[one.revision] for one in chosen]
            _refuse_tampered(revisions, records)
            done: list[Finished] = []
            for program, record in zip(self._prepared(revisions), chosen, strict=True):
                done += await finish(runner, program, record, changed=changed)
            return tuple(done)

    async def stamp(self, target: str) -> tuple[str, ...]:
        """Note that the database stands at a target, without running anything, and return what counts as applied."""
        graph = self.graph.naming(target)
        wanted = graph.stamped(target)
        async with self._holding() as runner:
            records = await self._records()
            noted = [self._noted(one, records) for one in graph if one.revision in wanted]
            history = {name for name, by in replaced_by(records).items() if by in wanted}
            await Ledger(runner.server).put(*noted, without=records.keys() - wanted - history)
        return tuple(record.revision for record in noted)

    async def resolve(self, name: str, state: Literal["applied", "reverted"]) -> None:
        """Decide by hand what a half-done revision is, or that the changed file of an applied one is what was applied."""
        graph = seen_by(self.graph, await self._records())
        found = (name,) if name in graph.everything else graph.resolve(name)
        if len(found) != 1:
            raise RevisionNotFound(name, "one revision must be named to be resolved.")
        async with self._holding() as runner:
            records, one = await self._records(), graph.everything[found[0]]
            known = records.get(one.revision)
            changed = known is not None and known.checksum != one.checksum and known.state == "applied" == state
            if known is None or known.replaced_by is not None or (known.direction is None and not changed):
                raise NotHalfDone(one.revision)
            if state == "reverted":
                await Ledger(runner.server).remove(one.revision)
            else:
                await Ledger(runner.server).put(self._noted(one, records))

    async def prune(self, wanted: Wanted, *, dry_run: bool = False) -> tuple[Pruned, ...]:
        """Give up what revisions remember of documents, and return which; a dry run only says so, without the lease."""
        if dry_run:
            return (await self._prunable(wanted))[-1]
        async with self._holding() as runner:
            seen, records, found = await self._prunable(wanted)
            await prune(runner, seen, records, found)
            return found

    async def _prunable(self, wanted: Wanted) -> tuple[Graph, dict[str, Record], tuple[Pruned, ...]]:
        records = await self._records()
        seen = seen_by(self.graph, records)
        with explained():
            found = await prunable(self.server, seen, records, wanted, lambda one: self._prepared([seen[one]])[0])
        return seen, records, found

    async def unlock(self) -> str | None:
        """Take the lease away from whoever has it, and return who that was."""
        with explained():
            return await lease.unlock(self.server)

    async def _go(self, direction: Direction, target: str, phase: Phase | None = None) -> tuple[str, ...]:
        if not await self._looked_ahead(direction, target, phase):
            return ()
        async with self._holding() as runner:
            records = await self._records()
            path = self._path(direction, target, records, phase)
            programs = self._prepared(path)
            _refuse_irreversible(direction, programs)
            records = await self._adopted(runner, records)
            with explained():
                if direction == "up":
                    await pass_gate(runner.server, seen_by(self.graph, records), path)
                else:
                    await refuse_forgotten(runner.server, programs, records)
            for program in programs:
                if direction == "up" and may_wait(program):
                    await self._refuse_unfinished(runner.server, program)
                await runner.run(program, direction, records.get(program.revision.revision))
            if seen_by(self.graph, records).view.waiting:
                await self._adopted(runner, await self._records())
            return tuple(program.revision.revision for program in programs)

    async def _adopted(self, runner: Runner, records: dict[str, Record]) -> dict[str, Record]:
        """Note the squashes that stand for what is applied, tell of it, and return the records as they are then."""
        seen = seen_by(self.graph, records)
        after = await adopt(runner.server, seen, records)
        for squash in seen.view.adopting:
            self.watcher.adopted(squash, seen.everything[squash].replaces)
        return after

    async def _refuse_unfinished(self, server: Server, program: Program) -> None:
        records = await self._records()
        with explained():
            await refuse_unfinished(server, seen_by(self.graph, records), program, records)

    async def _looked_ahead(self, direction: Direction, target: str, phase: Phase | None) -> bool:
        """Tell whether there is something to do, without the lease; a mistake in a file is met before it is taken."""
        records = await self._records()
        try:
            path = self._path(direction, target, records, phase)
        except DatabaseDirty:
            return True  # somebody may be at work, which the lease tells
        _refuse_irreversible(direction, self._prepared(path))
        return bool(path or seen_by(self.graph, records).view.adopting)

    def _path(
        self, direction: Direction, target: str, records: dict[str, Record], phase: Phase | None = None
    ) -> Sequence[Revision]:
        """Return what is to be run; a downgrade that failed may be tried again, as nothing else may."""
        begun = {revision for revision, record in records.items() if record.direction is not None}
        again = {revision for revision in begun if direction == records[revision].direction == "down"}
        if begun - again:
            raise DatabaseDirty(sorted(begun - again))
        graph = seen_by(self.graph, records)
        if direction == "down":
            path = graph.downgrade_path(graph.applied, target)
            if left := again - {one.revision for one in path}:
                raise DatabaseDirty(sorted(left))
            _refuse_tampered(path, records)
            return path
        _refuse_tampered(_applied_files(graph, records), records)
        return limited(graph, graph.upgrade_path(graph.applied, target), phase)

    def _prepared(self, path: Sequence[Revision]) -> list[Program]:
        """Return the programs of revisions; each file is run once."""
        for revision in path:
            if revision.revision not in self._programs:
                self._programs[revision.revision] = prepare(revision)
        return [self._programs[revision.revision] for revision in path]

    def _noted(self, one: Revision, records: dict[str, Record]) -> Record:
        """Return the record that says that a revision is applied; what is known of one that was is kept."""
        known = records.get(one.revision)
        if known is not None and known.state == "applied":
            return replace(known, checksum=one.checksum)
        return Record(one.revision, "applied", one.checksum, stamped=True)

    async def _records(self) -> dict[str, Record]:
        with explained():
            return await self.server.patiently(lambda: ledger.read(self.server), lease.PASSING_SECONDS)

    @asynccontextmanager
    async def _holding(self) -> AsyncGenerator[Runner]:
        async with holding(self.server, self.keep, self.lease_seconds, self.patience) as (server, pulse):
            try:
                yield Runner(server, self.watcher, pulse, self.batch_seconds)
            finally:
                await open_gate(server)


def _applied_files(graph: Graph, records: dict[str, Record]) -> list[Revision]:
    """Return the files of applied revisions, in order; those that a squash is about to replace come last."""
    return [one for one in (*graph, *graph.replaced) if one.revision in records and records[one.revision].applied]


def _changed(revisions: Iterable[Revision], records: dict[str, Record]) -> tuple[str, ...]:
    return tuple(
        one.revision for one in revisions if one.revision in records and records[one.revision].checksum != one.checksum
    )


def _refuse_tampered(revisions: Iterable[Revision], records: dict[str, Record]) -> None:
    if changed := _changed(revisions, records):
        raise RevisionTampered(changed, [one for one in changed if records[one].direction is not None])


def _refuse_irreversible(direction: Direction, programs: Sequence[Program]) -> None:
    for program in programs:
        if direction == "down" and program.down is None:
            raise Irreversible(program.revision.revision, program.why_not_down or "it has no down()")
