"""What to think of before a step runs: what is lost, what is refused from now on, and what would stop it.

Each question is asked of the stored documents. Ids are named, never what the documents hold.
"""

from collections.abc import AsyncIterator, Mapping
from math import inf
from typing import Any, Literal

from boundwork.alembic_like_migrations.engine.server import Server
from boundwork.alembic_like_migrations.engine.unfit import CollectionUnfit, kind_of, refuse_unfit
from boundwork.alembic_like_migrations.errors import shown
from boundwork.alembic_like_migrations.planning.counting import count
from boundwork.alembic_like_migrations.steps.collections import ChangeOptions, DropCollection
from boundwork.alembic_like_migrations.steps.copies import CopyField
from boundwork.alembic_like_migrations.steps.duplicates import find_duplicates
from boundwork.alembic_like_migrations.steps.images import UpdateKeeping
from boundwork.alembic_like_migrations.steps.indexes import ChangeIndex, CreateIndex
from boundwork.alembic_like_migrations.steps.moves import MoveDocuments
from boundwork.alembic_like_migrations.steps.obstacles import Obstacle
from boundwork.alembic_like_migrations.steps.renames import STOPPING, MoveStep, RenameField
from boundwork.alembic_like_migrations.steps.step import AnyStep, DataStep, Irreversible, StructureStep
from boundwork.alembic_like_migrations.steps.transactions import MOST, ExecuteOutside, Together
from boundwork.alembic_like_migrations.steps.validators import SetValidator, non_conforming

NAMED = 3
WayBack = Literal["by hand", "none"]
"""Whether a revision has a `down` all the same where a step has no inverse."""
LOSING: Mapping[str, str] = {
    "expireAfterSeconds": "lets the server delete documents that are old enough, for good",
    "cappedSize": "lets the server delete the oldest documents that do not fit, for good",
    "cappedMax": "lets the server delete the oldest documents that are too many, for good",
}


async def stopped_by(server: Server, step: AnyStep) -> str | None:
    """Return what stops a data step whatever the documents are: a collection that none goes through."""
    try:
        if isinstance(step, DataStep):
            await refuse_unfit(server, step)
    except CollectionUnfit as unfit:
        return f"will stop: {unfit}"
    return None


async def warnings_of(server: Server, step: AnyStep, way_back: WayBack | None) -> tuple[str, ...]:
    """Return what there is to say about a step; `way_back` is None on the way down, where nobody asks for one."""
    asked = _of_documents(server, step) if isinstance(step, DataStep) else _of_structure(server, step)
    found = [warning async for warning in asked]
    try:
        if way_back is not None:
            step.inverse()
    except Irreversible as irreversible:
        but = ", so the down() that was written must do it" if way_back == "by hand" else ""
        found.append(f"cannot be undone by itself{but}: {irreversible.why}")
    return tuple(found)


async def _of_structure(server: Server, step: StructureStep) -> AsyncIterator[str]:
    match step:
        case DropCollection():
            lost = await _lost_with(server, step.name)
            if lost != 0:
                yield f"loses {_number(lost)} documents for good"
        case SetValidator() if step.tendency == "tightens":
            wrong = await non_conforming(server, step.collection, step.to.validator)
            yield f"tightens what is accepted; {wrong:,} stored documents do not conform"
        case CreateIndex() | ChangeIndex():
            for warning in await _of_index(server, step):
                yield warning
        case ChangeOptions():
            for warning in _losing(step.to, step.was or {}):
                yield warning
        case ExecuteOutside():
            yield "may run more than once, and nobody knows what it does"
        case _:
            return


async def _of_index(server: Server, step: CreateIndex | ChangeIndex) -> list[str]:
    index = step.specification if isinstance(step, CreateIndex) else step.to
    found = _losing(index, {} if isinstance(step, CreateIndex) else step.was)
    pairs = await find_duplicates(server, step.collection, index) if index.get("unique") else []
    if pairs:
        named = ", ".join(f"{shown(first)} and {shown(last)}" for first, last in pairs[:NAMED])
        found.append(f"will stop: several documents have the same key, such as {named}")
    return found


def _losing(bounds: Mapping[str, Any], before: Mapping[str, Any]) -> list[str]:
    """Return what is lost by bounds that leave fewer documents than the ones before, or than none."""
    return [text for word, text in LOSING.items() if _bound(bounds, word) < _bound(before, word)]


def _bound(bounds: Mapping[str, Any], word: str) -> float:
    value = bounds.get(word)
    return inf if value is None or value == "off" else float(value)


async def _lost_with(server: Server, name: str) -> int | None:
    """Return how many documents go with a collection; none go with a view."""
    listed = await server.all({"listCollections": 1, "filter": {"name": name}})
    return 0 if any(kind_of(one) == "a view" for one in listed) else await count(server, name, {})


async def _of_documents(server: Server, step: DataStep) -> AsyncIterator[str]:
    match step:
        case RenameField() if step.on_conflict not in STOPPING:
            if number := await count(server, step.collection, {"$expr": step.conflict()}):
                yield f"{number:,} documents have both names; of one the value goes (kept for the way down)"
        case MoveStep() | UpdateKeeping() | CopyField():
            obstacle = step.obstacle() if isinstance(step, MoveStep) else step.obstacle
            if number := await _in_the_way(server, step, obstacle):
                yield f"will stop: {number:,} documents {obstacle.what if obstacle else ''}"
        case MoveDocuments():
            if number := await _at_both(server, step):
                yield f"will stop: {number:,} documents have ids that {step.target!r} has as well"
        case Together():
            for inner in step.steps:
                async for warning in _of_one_of_several(server, inner):
                    yield warning
        case _:
            return


async def _of_one_of_several(server: Server, step: DataStep) -> AsyncIterator[str]:
    async for warning in _of_documents(server, step):
        yield warning
    visited = await count(server, step.collection, step.where)
    if visited is not None and visited > MOST:
        yield f"will stop: {step.title!r} has {visited:,} documents, too many for one transaction"


async def _at_both(server: Server, step: MoveDocuments) -> int:
    joined = {"from": step.target, "localField": "_id", "foreignField": "_id", "as": "there"}
    stages: list[dict[str, Any]] = [{"$match": dict(step.where)}, {"$project": {"_id": 1}}, {"$lookup": joined}]
    stages += [{"$match": {"there": {"$ne": []}}}, {"$count": "number"}]
    rows = await server.all({"aggregate": step.source, "pipeline": stages, "cursor": {}})
    return int(rows[0]["number"]) if rows else 0


async def _in_the_way(server: Server, step: DataStep, obstacle: Obstacle | None) -> int | None:
    if obstacle is None:
        return 0
    return await count(server, step.collection, {"$and": [dict(step.where), {"$expr": obstacle.when}]})


def _number(count: int | None) -> str:
    return "an unknown number of" if count is None else f"{count:,}"
