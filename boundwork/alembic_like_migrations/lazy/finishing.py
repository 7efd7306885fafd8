"""The finisher: which lazy revisions have documents left, and how these are brought under a running application.

Its steps are data steps of the engine, with records of their own beside those of `up` and `down`: batches, the fence and
going on after a crash are the same. Old code that still runs may add documents behind it, so it looks again at the end,
and goes round until a look finds none.
"""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from boundwork.alembic_like_migrations.engine.ledger import Ledger, Place, Record, StepRecord
from boundwork.alembic_like_migrations.engine.program import Program
from boundwork.alembic_like_migrations.engine.runner import Runner
from boundwork.alembic_like_migrations.engine.server import Server
from boundwork.alembic_like_migrations.errors import RevisionNotFound
from boundwork.alembic_like_migrations.graph import Graph
from boundwork.alembic_like_migrations.lazy.errors import NotFinished, NotLazy, UpcastChanged
from boundwork.alembic_like_migrations.lazy.records import finish_records, finishers
from boundwork.alembic_like_migrations.lazy.steps import Finish
from boundwork.alembic_like_migrations.planning.counting import count
from boundwork.alembic_like_migrations.steps.collections import RenameCollection
from boundwork.alembic_like_migrations.steps.moves import MoveDocuments
from boundwork.alembic_like_migrations.steps.step import AnyStep
from boundwork.alembic_like_migrations.steps.transactions import Together
from boundwork.models.upcasts.lineage import FIRST
from boundwork.models.upcasts.upcast import SCHEMA_VERSION

ROUNDS = 5


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A collection that a lazy revision leaves to be migrated; `left` is how many documents, None if nobody could count."""

    revision: str
    collection: str
    version: int
    left: int | None


@dataclass(frozen=True, slots=True)
class Finished:
    """What a finisher has done for one collection of a lazy revision; `left` are documents that old code added since."""

    revision: str
    collection: str
    version: int
    migrated: int
    left: int | None


def to_finish(graph: Graph, records: Mapping[str, Record], name: str | None) -> list[Record]:
    """Return the records of applied lazy revisions, in order, or that of the one that is named. Raises NotLazy."""
    if name is None:
        return [records[one.revision] for one in graph if one.revision in records and records[one.revision].finish]
    found = graph.resolve(name)
    if len(found) != 1:
        raise RevisionNotFound(name, "one revision must be named to be finished.")
    record = records.get(found[0])
    if record is None or record.direction is not None:
        raise NotLazy(found[0], "it is not applied. Run `upgrade` first.")
    return [record]


async def finish(runner: Runner, program: Program, record: Record, *, changed: bool) -> list[Finished]:
    """Bring the documents that a lazy revision has left. Raises UpcastChanged, StepFailed."""
    revision, steps, fresh = program.revision.revision, finishers(program), finish_records(program)
    if not steps:
        raise NotLazy(revision, "it migrates nothing lazily.")
    known = list(record.finish) if len(record.finish) == len(fresh) else list(fresh)
    for number, (old, new) in enumerate(zip(known, fresh, strict=True)):
        if old.about != new.about and not changed:
            raise UpcastChanged(revision, steps[number].target)
        known[number] = replace(old, about=new.about, title=new.title)
    if tuple(known) != record.finish:
        await Ledger(runner.server).put(replace(record, finish=tuple(known)))
    done: list[Finished] = []
    for number, step in enumerate(steps):
        place = Place(revision, "finish", number, runner.server.epoch)
        done.append(await _round_and_round(runner, step, place, known[number]))
    return done


async def _round_and_round(runner: Runner, step: Finish, place: Place, known: StepRecord) -> Finished:
    before, left = known.changed, await _left(runner.server, step)
    for _ in range(ROUNDS):
        if known.state == "done":
            if left == 0:
                break
            known = replace(known, state="running", after=())
            await Ledger(runner.server).note(place, known)
        known = await runner.step(place, step, known)
        left = await _left(runner.server, step)
    return Finished(place.revision, step.target, step.upcast.to, known.changed - before, left)


async def _left(server: Server, step: Finish) -> int | None:
    return await server.patiently(lambda: count(server, step.target, step.where), 10.0)


async def unfinished(server: Server, records: Sequence[Record]) -> tuple[Unfinished, ...]:
    """Return what lazy revisions have left, and how many documents that is; a finished one counts nothing."""
    found: list[Unfinished] = []
    for record in records:
        for one in record.finish:
            collection, to = str((one.about or {})["collection"]), int((one.about or {})["to"])
            left = 0 if one.state == "done" else await count(server, collection, _before(to))
            if one.state != "done":
                found.append(Unfinished(record.revision, collection, to, left))
    return tuple(found)


async def left_by(server: Server, records: Iterable[Record]) -> AsyncIterator[Unfinished]:
    """Yield what lazy revisions have documents left of, whatever their finishers have noted; they are not counted."""
    for record in records:
        for one in record.finish:
            collection, to = str((one.about or {})["collection"]), int((one.about or {})["to"])
            asked = {"find": collection, "filter": _before(to), "limit": 1, "projection": {"_id": 1}}
            if await server.all(asked):
                yield Unfinished(record.revision, collection, to, None)


def may_wait(program: Program) -> bool:
    """Tell whether a revision is one that waits for lazy ones; the others ask nobody."""
    return program.revision.phase == "contract" or bool(_left_collections(program.up))


async def waited_for(
    server: Server, graph: Graph, program: Program, records: Mapping[str, Record]
) -> AsyncIterator[Unfinished]:
    """Yield what must be finished before a revision is run.

    For a contracting one that is all of the lazy revisions before it; for one that gives documents another collection,
    whatever is left in that one, by itself too: neither the finisher nor `current` would look for it in the other.
    """
    name, leaving = program.revision.revision, _left_collections(program.up)
    contracts = program.revision.phase == "contract"
    before = graph.ancestors(name) if contracts else frozenset[str]()
    if may_wait(program):
        known = [records[one.revision] for one in graph if one.revision in records and one.revision != name]
        known.append(Record(name, "applied", "", finish=finish_records(program)))
        async for left in left_by(server, known):
            if left.revision in before or left.collection in leaving:
                yield left


async def refuse_unfinished(server: Server, graph: Graph, program: Program, records: Mapping[str, Record]) -> None:
    """Raise NotFinished if lazy revisions have documents left that a revision must wait for."""
    async for left in waited_for(server, graph, program, records):
        one, moves = program.revision, left.collection in _left_collections(program.up)
        raise NotFinished(one.revision, left.revision, left.collection, left.version, moves=moves)


def _left_collections(steps: Iterable[AnyStep]) -> set[str]:
    """Return the collections whose documents get another one."""
    found: set[str] = set()
    for step in steps:
        match step:
            case RenameCollection():
                found.add(step.old)
            case MoveDocuments():
                found.add(step.source)
            case Together():
                found |= _left_collections(step.steps)
            case _:
                pass
    return found


def _before(to: int) -> dict[str, int | None]:
    return {SCHEMA_VERSION: None if to - 1 == FIRST else to - 1}
