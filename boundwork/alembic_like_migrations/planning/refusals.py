"""What a run would refuse when it comes to a revision, asked of the same places that the run asks, and said in words.

A lazy revision that is yet to run counts as run: it leaves its documents to the finisher.
"""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence

from boundwork.alembic_like_migrations.engine.ledger import Direction, Record
from boundwork.alembic_like_migrations.engine.program import Program
from boundwork.alembic_like_migrations.engine.remembered import forgotten
from boundwork.alembic_like_migrations.engine.server import Server
from boundwork.alembic_like_migrations.graph import Graph
from boundwork.alembic_like_migrations.lazy.finishing import waited_for
from boundwork.alembic_like_migrations.lazy.records import finish_records
from boundwork.alembic_like_migrations.planning.plan import Adoption
from boundwork.alembic_like_migrations.revision import Revision
from boundwork.alembic_like_migrations.rollout.gate import living_too_old

BEFORE = "will stop before anything is run"


async def refusals(
    server: Server, graph: Graph, program: Program, direction: Direction, records: Mapping[str, Record]
) -> AsyncIterator[str]:
    """Yield what stops a run before the first step of a revision; `records` has those that the plan runs before."""
    if direction == "down":
        if program.down is None:
            yield f"{BEFORE}: it cannot be reverted, {program.why_not_down}"
        elif (missing := await forgotten(server, program, records)) is not None:
            yield f"{BEFORE}: {missing.step!r} needs what documents were, and {missing.why}"
    else:
        if program.revision.phase == "contract":
            for old in await living_too_old(server, graph, program.revision):
                yield f"the gate will refuse: {old} lives"
        async for left in waited_for(server, graph, program, records):
            who, first = left.revision, "run `finish` before it"
            if who == program.revision.revision:
                who, first = "it", "put op.lazy into a revision of its own"
            yield (
                f"will be refused: {left.collection!r} holds documents older than version {left.version}, which "
                f"{who} migrates lazily; {first}"
            )


def as_if_run(programs: Iterable[Program], records: Mapping[str, Record]) -> dict[str, Record]:
    """Return the records as they will be, as far as lazy revisions go."""
    run = {one.revision.revision: one for one in programs}
    noted = {name: Record(name, "applied", "", finish=finish_records(one)) for name, one in run.items()}
    return {**noted, **records}


def adoptions(seen: Graph, direction: Direction, path: Sequence[Revision]) -> tuple[Adoption, ...]:
    """Return the squashes that a run notes instead of running them: at its beginning, and when it has run the rest."""
    found = [Adoption(one, seen.everything[one].replaces, "before") for one in seen.view.adopting]
    if direction == "up" and seen.view.waiting:
        then = seen.seen_by(seen.applied | {one.revision for one in path})
        found += [Adoption(one, then.everything[one].replaces, "after") for one in then.view.adopting]
    return tuple(found)
