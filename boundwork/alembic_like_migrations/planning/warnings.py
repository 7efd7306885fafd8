"""What to think of before a step runs: what is lost, what is refused from now on, and what would stop it.

Each question is asked of the stored documents. Ids are named, never what the documents hold.
"""

from collections.abc import AsyncIterator

from boundwork.alembic_like_migrations.engine.server import Server
from boundwork.alembic_like_migrations.planning.counting import count
from boundwork.alembic_like_migrations.steps.collections import DropCollection
from boundwork.alembic_like_migrations.steps.duplicates import find_duplicates
from boundwork.alembic_like_migrations.steps.images import Obstacle, UpdateKeeping
from boundwork.alembic_like_migrations.steps.indexes import CreateIndex
from boundwork.alembic_like_migrations.steps.renames import MoveStep, RenameField
from boundwork.alembic_like_migrations.steps.step import AnyStep, DataStep, Irreversible, StructureStep
from boundwork.alembic_like_migrations.steps.transactions import ExecuteOutside
from boundwork.alembic_like_migrations.steps.validators import SetValidator, non_conforming

NAMED = 3


async def warnings_of(server: Server, step: AnyStep, *, undone_by_hand: bool) -> tuple[str, ...]:
    """Return what there is to say about a step; `undone_by_hand` if its revision has a `down` all the same."""
    asked = _of_documents(server, step) if isinstance(step, DataStep) else _of_structure(server, step)
    found = [warning async for warning in asked]
    try:
        step.inverse()
    except Irreversible as irreversible:
        but = ", so the down() that was written must do it" if undone_by_hand else ""
        found.append(f"cannot be undone by itself{but}: {irreversible.why}")
    return tuple(found)


async def _of_structure(server: Server, step: StructureStep) -> AsyncIterator[str]:
    match step:
        case DropCollection():
            lost = await count(server, step.name, {})
            if lost != 0:
                yield f"loses {_number(lost)} documents for good"
        case SetValidator() if step.tendency == "tightens":
            wrong = await non_conforming(server, step.collection, step.to.validator)
            yield f"tightens what is accepted; {wrong:,} stored documents do not conform"
        case CreateIndex() if step.specification.get("unique"):
            pairs = await find_duplicates(server, step.collection, step.specification)
            if pairs:
                named = ", ".join(f"{first!r} and {last!r}" for first, last in pairs[:NAMED])
                yield f"will stop: several documents have the same key, such as {named}"
        case ExecuteOutside():
            yield "may run more than once, and nobody knows what it does"
        case _:
            return


async def _of_documents(server: Server, step: DataStep) -> AsyncIterator[str]:
    match step:
        case RenameField() if step.on_conflict != "error":
            both = {step.old: {"$exists": True}, step.new: {"$exists": True}}
            if number := await count(server, step.collection, both):
                yield f"{number:,} documents have both names; of one the value goes (kept for the way down)"
        case MoveStep():
            async for warning in _in_the_way(server, step, step.obstacle()):
                yield warning
        case UpdateKeeping():
            async for warning in _in_the_way(server, step, step.obstacle):
                yield warning
        case _:
            return


async def _in_the_way(server: Server, step: DataStep, obstacle: Obstacle | None) -> AsyncIterator[str]:
    if obstacle is None:
        return
    query = {"$and": [dict(step.where), {"$expr": obstacle.when}]}
    if number := await count(server, step.collection, query):
        yield f"will stop: {number:,} documents {obstacle.what}"


def _number(count: int | None) -> str:
    return "an unknown number of" if count is None else f"{count:,}"
