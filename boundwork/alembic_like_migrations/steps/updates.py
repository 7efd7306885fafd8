"""Data steps that the server carries out by itself: an update of the documents of each batch, by operators or stages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from boundwork.alembic_like_migrations.steps.step import EVERYTHING, AnyStep, Batch, DataStep, Irreversible, Worked


@dataclass(frozen=True, slots=True)
class UpdateStep(DataStep):
    """Apply an update to the documents that match a filter; each one once, so that `$inc` is safe as well."""

    target: str
    update: Mapping[str, Any] | Sequence[Mapping[str, Any]]
    matching: Mapping[str, Any] = field(default_factory=lambda: EVERYTHING)
    undo: "Mapping[str, Any] | Sequence[Mapping[str, Any]] | None" = None

    @property
    def title(self) -> str:
        """One line for people."""
        stages = self.update if isinstance(self.update, Sequence) else [self.update]
        words = [f"{word} {', '.join(names)}" for stage in stages for word, names in stage.items()]
        return f"update {self.target}: {'; '.join(words)}"

    @property
    def collection(self) -> str:
        """The collection whose documents are updated."""
        return self.target

    @property
    def where(self) -> Mapping[str, Any]:
        """The filter of the documents to update."""
        return self.matching

    def inverse(self) -> AnyStep:
        """Return the update that was given as `undo`. Raises Irreversible without one."""
        if self.undo is None:
            raise Irreversible(self.title, "nobody said how (undo=...)")
        return UpdateStep(self.target, self.undo, self.matching, self.update)

    async def work(self, batch: Batch) -> Worked:
        """Update the documents of a batch."""
        update = dict(self.update) if isinstance(self.update, Mapping) else list(self.update)
        statement = {"q": {"_id": {"$in": list(batch.ids)}}, "u": update, "multi": True}
        reply = await batch.session.command({"update": self.target, "updates": [statement]})
        return Worked(int(reply["nModified"]))
