"""Data steps that move documents from one collection to another, and back; no document is ever in both, or in none."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bson.raw_bson import RawBSONDocument

from boundwork.alembic_like_migrations.engine.program import Mark
from boundwork.alembic_like_migrations.steps.documents import EXACT, filled_in, read_in_order, replacement, send, split
from boundwork.alembic_like_migrations.steps.errors import DocumentsInTheWay
from boundwork.alembic_like_migrations.steps.obstacles import LISTED
from boundwork.alembic_like_migrations.steps.step import AnyStep, Batch, DataStep, Worked
from boundwork.alembic_like_migrations.steps.undo_log import forget, remember
from boundwork.alembic_like_migrations.steps.ways_back import WayBack
from boundwork.uow.commands import Find
from boundwork.uow.port import BoundSession


@dataclass(frozen=True, slots=True)
class MoveDocuments(DataStep):
    """Move the documents that match; with a mark their ids are remembered, so that the same ones go back."""

    source: str
    target: str
    matching: Mapping[str, Any]
    mark: Mark | None = None

    @property
    def title(self) -> str:
        """One line for people."""
        which = f" ({', '.join(self.matching)})" if self.matching else ""
        return f"move documents of {self.source} to {self.target}{which}"

    @property
    def collection(self) -> str:
        """The collection that they leave."""
        return self.source

    @property
    def where(self) -> Mapping[str, Any]:
        """The filter of the documents to move."""
        return self.matching

    @property
    def needs_documents(self) -> bool:
        """They are moved as they are."""
        return True

    @property
    def collections(self) -> Sequence[str]:
        """All collections whose documents are read or written."""
        return (self.source, self.target)

    @property
    def makes(self) -> Sequence[str]:
        """The collection that comes into being by the documents."""
        return (self.target,)

    def inverse(self) -> AnyStep:
        """Return the move back."""
        if self.mark is not None:
            return MoveBack(self.target, self.source, self.mark)
        return MoveDocuments(self.target, self.source, self.matching)

    async def work(self, batch: Batch) -> Worked:
        """Move the documents of a batch."""
        if self.mark is not None:
            await remember(batch.session, self.mark, batch.ids)
        return Worked(await _move(batch.session, self.source, self.target, batch.ids, batch.documents))


@dataclass(frozen=True, slots=True)
class MoveBack(WayBack):
    """Move back the documents whose ids were remembered, as they are by then."""

    source: str
    target: str
    mark: Mark

    @property
    def title(self) -> str:
        """One line for people."""
        return f"move documents of {self.source} back to {self.target}"

    @property
    def collections(self) -> Sequence[str]:
        """All collections whose documents are read or written."""
        return (self.source, self.target)

    async def work(self, batch: Batch) -> Worked:
        """Move back the documents of a batch of ids."""
        ids = [one["of"] for one in batch.ids]
        found = [RawBSONDocument(one, EXACT) for one in await read_in_order(batch.session, self.source, ids)]
        moved = await _move(batch.session, self.source, self.target, [one["_id"] for one in found], found)
        await forget(batch.session, self.mark, ids)
        return Worked(moved)


async def _move(
    session: BoundSession, source: str, target: str, ids: Sequence[Any], documents: Sequence[RawBSONDocument]
) -> int:
    asked = Find(target, {"_id": {"$in": list(ids)}}, sort=(("_id", 1),), limit=LISTED, projection={"_id": 1})
    taken = [RawBSONDocument(one, EXACT)["_id"] for batch in await session.find(asked) for one in split(batch)]
    if taken:
        raise DocumentsInTheWay(source, target, taken)
    await send(session, "insert", target, documents)
    filled = [{"q": {"_id": one["_id"]}, "u": replacement(one)} for one in documents if filled_in(one)]
    await send(session, "update", target, filled)
    return await send(session, "delete", source, [{"q": {"_id": {"$in": list(ids)}}, "limit": 0}] if ids else [])
