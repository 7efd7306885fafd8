"""Whether a data step can go through a collection: what no transaction reads or writes is refused before it is tried.

The server answers for a capped collection as if a later try could do better, and for views and time series with codes
that say little. Both are told here, to the runner and to the plan.
"""

from collections.abc import Mapping
from typing import Any

from boundwork.alembic_like_migrations.engine.server import PATIENCE_SECONDS, Server
from boundwork.alembic_like_migrations.errors import MigrationError
from boundwork.alembic_like_migrations.steps.images import PutBack
from boundwork.alembic_like_migrations.steps.moves import MoveBack
from boundwork.alembic_like_migrations.steps.renames import Images, MoveStep
from boundwork.alembic_like_migrations.steps.step import AnyStep, DataStep
from boundwork.alembic_like_migrations.steps.undo_log import UNDO, every
from boundwork.alembic_like_migrations.steps.updates import UpdateRemembered

OWN = "boundwork_"
ADVICE = {
    "a capped collection": "no transaction reads one. Copy its documents to another collection and rename that one",
    "a time series": "its documents cannot be changed one by one. Write them into a new collection",
    "a view": "it has no documents of its own. Name the collection under it",
}


class CollectionUnfit(MigrationError):
    """The documents of a collection cannot be changed by steps; `kind` says what it is."""

    def __init__(self, collection: str, kind: str) -> None:
        """Name the collection, and what it is."""
        super().__init__(f"{collection!r} is {kind}, and {ADVICE[kind]}.")
        self.collection = collection
        self.kind = kind


class CollectionGone(MigrationError):
    """A way back would find none of the documents that it knows: their collection is not there."""

    def __init__(self, collection: str) -> None:
        """Name the collection."""
        super().__init__(
            f"There is no collection {collection!r}, and what is remembered of its documents would be forgotten. If it has "
            "another name now, rename it back and go on; if its documents are gone for good, create it empty and go on."
        )
        self.collection = collection


async def refuse_gone(server: Server, step: AnyStep) -> None:
    """Raise CollectionGone if a step is a way back that remembers documents of a collection that is not there."""
    match step:
        case MoveBack():
            name, mark = step.source, step.mark
        case PutBack() | UpdateRemembered():
            name, mark = step.target, step.mark
        case MoveStep(images=Images(mark=mark, put_back=True)):
            name = step.target
        case _:
            return
    listed = {"listCollections": 1, "filter": {"name": name}, "nameOnly": True}
    known = {"find": UNDO, "filter": every(mark), "limit": 1, "projection": {"_id": 1}}
    if not await server.patiently(lambda: server.all(listed), PATIENCE_SECONDS) and await server.all(known):
        raise CollectionGone(name)


async def refuse_unfit(server: Server, step: DataStep) -> None:
    """Raise CollectionUnfit if a step is about documents that no step can change; a collection may be missing."""
    names = {name for name in step.collections if not name.startswith(OWN)}
    if not names:
        return
    asked = {"listCollections": 1, "filter": {"name": {"$in": sorted(names)}}}
    for found in await server.patiently(lambda: server.all(asked), PATIENCE_SECONDS):
        kind = kind_of(found)
        if kind in ADVICE:
            raise CollectionUnfit(found["name"], kind)


def kind_of(listed: Mapping[str, Any]) -> str:
    """Return what an entry of `listCollections` is, in words."""
    if listed.get("type", "collection") != "collection":
        return "a view" if listed["type"] == "view" else "a time series"
    return "a capped collection" if listed.get("options", {}).get("capped") else "a collection"
