"""The data step that gives a field a second name beside the first, for a time in which both are in use.

Paths lead into documents. In an array there is no one place to write to, so a document with one on the way stops the step.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from boundwork.alembic_like_migrations.engine.program import Mark
from boundwork.alembic_like_migrations.steps.obstacles import Obstacle
from boundwork.alembic_like_migrations.steps.renames import above
from boundwork.alembic_like_migrations.steps.step import AnyStep, Batch, DataStep, Irreversible, Worked
from boundwork.alembic_like_migrations.steps.undo_log import remember
from boundwork.alembic_like_migrations.steps.updates import UpdateRemembered, update_all


@dataclass(frozen=True, slots=True)
class CopyField(DataStep):
    """Give documents that have a field a copy of it under another name at the same place; with a mark ids are kept."""

    target: str
    old: str
    new: str
    mark: Mark | None

    @property
    def title(self) -> str:
        """One line for people."""
        return f"copy field {self.old} of {self.target} to {self.new} where that is missing"

    @property
    def collection(self) -> str:
        """The collection whose documents are changed."""
        return self.target

    @property
    def where(self) -> Mapping[str, Any]:
        """Documents with the one name and without the other; those with an array on the way too, to be named."""
        there, missing = {self.old: {"$exists": True}}, {self.new: {"$exists": False}}
        arrays = self._arrays()
        return {**there, "$or": [missing, {"$expr": arrays}]} if above(self.old) else {**there, **missing}

    @property
    def obstacle(self) -> Obstacle | None:
        """What must not be: an array on the way."""
        if not above(self.old):
            return None
        return Obstacle(
            self._arrays(), f"have an array on the way to {self.old!r}", "Use op.transform for such documents."
        )

    def inverse(self) -> AnyStep:
        """Return the taking away of the copies that are still like their originals. Raises Irreversible."""
        if self.mark is None:
            raise Irreversible(self.title, "the ids of the documents are not kept (undo=False)")
        unchanged = {"$expr": {"$eq": [f"${self.new}", f"${self.old}"]}}
        return UpdateRemembered(self.target, {"$unset": {self.new: ""}}, self.mark, unchanged, f"undo: {self.title}")

    async def work(self, batch: Batch) -> Worked:
        """Change the documents of a batch."""
        if self.obstacle is not None:
            await self.obstacle.refuse(batch.session, self.target, batch.ids)
        if self.mark is not None:
            await remember(batch.session, self.mark, batch.ids)
        stages = [{"$set": {self.new: f"${self.old}"}}]
        return Worked(await update_all(batch.session, self.target, batch.ids, stages))

    def _arrays(self) -> dict[str, Any]:
        return {"$or": [{"$isArray": [f"${path}"]} for path in above(self.old)]}
