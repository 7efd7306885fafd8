"""How a plan is made: each step of each revision is looked at beside the stored documents; nothing is written.

No lease is needed, so a plan can be made while another deployer runs; it says what is true at that moment.
"""

from collections.abc import Mapping, Sequence

from boundwork.alembic_like_migrations.engine.ledger import Direction, Record
from boundwork.alembic_like_migrations.engine.program import Program
from boundwork.alembic_like_migrations.engine.server import Server
from boundwork.alembic_like_migrations.graph import Graph
from boundwork.alembic_like_migrations.lazy.steps import LazyUpcast
from boundwork.alembic_like_migrations.planning.counting import INDEXED_PER_SECOND, count, seconds_of
from boundwork.alembic_like_migrations.planning.plan import Plan, PlannedRevision, PlannedStep
from boundwork.alembic_like_migrations.planning.refusals import adoptions, as_if_run, refusals
from boundwork.alembic_like_migrations.planning.warnings import WayBack, stopped_by, warnings_of
from boundwork.alembic_like_migrations.steps.indexes import ChangeIndex, CreateIndex
from boundwork.alembic_like_migrations.steps.step import AnyStep, DataStep
from boundwork.alembic_like_migrations.steps.transactions import ExecuteOutside, OnceStep, Seed, Together, Unseed


async def make_plan(
    server: Server, graph: Graph, programs: Sequence[Program], direction: Direction, records: Mapping[str, Record]
) -> Plan:
    """Return what carrying out revisions in a direction would do. Raises SessionFailure."""
    then = as_if_run(programs, records) if direction == "up" else records
    planned = tuple([await _revision(server, graph, one, direction, then) for one in programs])
    return Plan(direction, planned, adoptions(graph, direction, [one.revision for one in programs]))


async def _revision(
    server: Server, graph: Graph, program: Program, direction: Direction, records: Mapping[str, Record]
) -> PlannedRevision:
    one = program.revision
    way_back: WayBack | None = None if direction == "down" else "by hand" if program.down is not None else "none"
    steps = program.up if direction == "up" else program.down or ()
    warnings = tuple([warning async for warning in refusals(server, graph, program, direction, records)])
    planned = tuple([await _step(server, step, way_back) for step in steps])
    return PlannedRevision(one.revision, one.title, one.phase, planned, warnings)


async def _step(server: Server, step: AnyStep, way_back: WayBack | None) -> PlannedStep:
    documents = await _documents(server, step)
    stopped = await stopped_by(server, step)
    if isinstance(step, CreateIndex | ChangeIndex) and documents is not None:
        seconds: float | None = round(documents / INDEXED_PER_SECOND, 1)
    elif isinstance(step, DataStep) and not isinstance(step, OnceStep) and stopped is None:
        seconds = await seconds_of(server, step, documents)
    else:
        seconds = None
    warnings = (stopped,) if stopped else await warnings_of(server, step, way_back)
    return PlannedStep(step.title, step.kind, _locks(step), documents, seconds, warnings)


async def _documents(server: Server, step: AnyStep) -> int | None:  # noqa: PLR0911 - one line for each kind
    match step:
        case CreateIndex():
            return await count(server, step.collection, {})
        case ChangeIndex():
            return 0 if step.in_place else await count(server, step.collection, {})
        case LazyUpcast():
            return await count(server, step.target, step.finisher().where)
        case Seed() | Unseed():
            return len(step.documents)
        case Together():
            counts = [await _documents(server, inner) for inner in step.steps]
            return None if None in counts else sum(number or 0 for number in counts)
        case DataStep() if not isinstance(step, OnceStep):
            return await count(server, step.collection, step.where)
        case _:
            return None


def _locks(step: AnyStep) -> str:
    match step:
        case CreateIndex() | ChangeIndex():
            return "the collection, alone, when the build begins and ends"
        case ExecuteOutside():
            return "unknown"
        case LazyUpcast():
            return "nothing: the documents are left to `finish`"
        case DataStep():
            return "the documents of a batch, until it commits"
        case _:
            return "the collection, alone, for a moment"
