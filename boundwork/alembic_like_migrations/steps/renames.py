"""Data steps that give a field another name, or another place in its document.

A plain renaming is its own way back. Where something is lost or moves to the end, images are kept: the way back puts
back the documents that nobody has changed since, and treats the others, and those that came later, by the same step.
"""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Any

from boundwork.alembic_like_migrations.engine.program import Mark
from boundwork.alembic_like_migrations.steps.obstacles import Obstacle
from boundwork.alembic_like_migrations.steps.renaming import Conflict, Expression, Renaming
from boundwork.alembic_like_migrations.steps.step import AnyStep, Batch, DataStep, Worked
from boundwork.alembic_like_migrations.steps.undo_log import keep_images, put_back_known
from boundwork.alembic_like_migrations.steps.updates import Update, update_all

STOPPING: frozenset[Conflict] = frozenset({"error", "error_if_different"})
CHOOSE = "Decide by on_conflict='keep_new' or 'keep_old', or change the documents, and go on."


@dataclass(frozen=True, slots=True)
class Images:
    """Whether images are kept under a mark, or those under a mark are put back."""

    mark: Mark
    put_back: bool = False


@dataclass(frozen=True, slots=True)
class MoveStep(DataStep):
    """What the renaming and the moving of a field have in common."""

    target: str
    old: str
    new: str
    images: Images | None

    @property
    def collection(self) -> str:
        """The collection whose documents are changed."""
        return self.target

    @property
    def where(self) -> Mapping[str, Any]:
        """Only documents with the field are visited."""
        return {self.old: {"$exists": True}}

    @property
    def needs_documents(self) -> bool:
        """Images need whole documents."""
        return self.images is not None

    @abstractmethod
    def stages(self) -> Update:
        """Return the pipeline."""

    @abstractmethod
    def obstacle(self) -> Obstacle | None:
        """Return what must not be."""

    async def work(self, batch: Batch) -> Worked:
        """Change the documents of a batch."""
        session, images, ids, number = batch.session, self.images, batch.ids, 0
        if images is not None and images.put_back:
            number, ids = await put_back_known(session, images.mark, self.target, batch.documents)
        obstacle = self.obstacle()
        if obstacle is not None and ids:
            await obstacle.refuse(session, self.target, ids)
        number += await update_all(session, self.target, ids, self.stages())
        if images is not None and not images.put_back:
            await keep_images(session, images.mark, self.target, batch.documents, unchanged=True)
        return Worked(number)


@dataclass(frozen=True, slots=True)
class RenameField(MoveStep):
    """Give a field another name where it stands; dotted paths lead into documents, and into those in arrays."""

    on_conflict: Conflict = "error"

    @property
    def where(self) -> Mapping[str, Any]:
        """Documents with the field; where images are kept also those with the new one, to be told from later ones."""
        there = {self.old: {"$exists": True}}
        if self.images is None or self.images.put_back:
            return there
        return {"$or": [there, {self.new: {"$exists": True}}]}

    @property
    def title(self) -> str:
        """One line for people."""
        choice = "" if self.on_conflict == "error" else f" ({self.on_conflict})"
        return f"rename field {self.old} of {self.target} to {self.new}{choice}"

    def inverse(self) -> AnyStep:
        """Return the renaming back."""
        images = None if self.images is None else replace(self.images, put_back=True)
        return RenameField(self.target, self.new, self.old, images)

    def stages(self) -> Update:
        """Return the pipeline."""
        return self._renaming().stages()

    def obstacle(self) -> Obstacle | None:
        """Return what must not be: both names in one document."""
        if self.on_conflict not in STOPPING:
            return None
        values = " with different values" if self.on_conflict == "error_if_different" else ""
        return Obstacle(self.conflict(), f"have both {self.old!r} and {self.new!r}{values}", CHOOSE)

    def conflict(self) -> Expression:
        """Return the expression that is true for documents with both names at one place."""
        return self._renaming().conflict()

    def _renaming(self) -> Renaming:
        *parents, old = self.old.split(".")
        return Renaming(parents, old, self.new.split(".")[-1], self.on_conflict)


@dataclass(frozen=True, slots=True)
class MoveField(MoveStep):
    """Move a field to another path; paths do not lead through arrays."""

    @property
    def title(self) -> str:
        """One line for people."""
        return f"move field {self.old} of {self.target} to {self.new}"

    def inverse(self) -> AnyStep:
        """Return the move back."""
        images = None if self.images is None else replace(self.images, put_back=True)
        return MoveField(self.target, self.new, self.old, images)

    def stages(self) -> Update:
        """Return the pipeline."""
        return [{"$set": {self.new: f"${self.old}"}}, {"$unset": self.old}]

    def obstacle(self) -> Obstacle:
        """Return what must not be: something at the new path, or an array or a value on the way."""
        arrays: list[Expression] = [{"$isArray": [f"${path}"]} for path in above(self.old)]
        values = [{"$not": [{"$in": [{"$type": f"${path}"}, ["missing", "object"]]}]} for path in above(self.new)]
        taken = {"$ne": [{"$type": f"${self.new}"}, "missing"]}
        what = f"have something at {self.new!r}, or an array or a value on the way"
        return Obstacle({"$or": [taken, *arrays, *values]}, what, "Change them, and go on.")


def above(path: str) -> list[str]:
    """Return the paths of the documents around a field."""
    return list(accumulate(path.split(".")[:-1], lambda before, name: f"{before}.{name}"))
