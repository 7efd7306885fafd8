"""Data steps that keep an image of each document that they change, and the step that puts the documents back.

A document that is as the step left it becomes what it was, byte by byte. Of one that was changed since, the fields that
the step changed come back if they were left alone; else nothing of the batch is put back and the document is named.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from boundwork.alembic_like_migrations.engine.program import Mark
from boundwork.alembic_like_migrations.steps.documents import read_in_order
from boundwork.alembic_like_migrations.steps.errors import DocumentsChanged
from boundwork.alembic_like_migrations.steps.obstacles import Obstacle
from boundwork.alembic_like_migrations.steps.step import AnyStep, Batch, DataStep, Worked
from boundwork.alembic_like_migrations.steps.undo_log import (
    compare,
    forget,
    keep_images,
    put_back,
)
from boundwork.alembic_like_migrations.steps.updates import Update, update_all
from boundwork.alembic_like_migrations.steps.ways_back import WayBack


@dataclass(frozen=True, slots=True)
class UpdateKeeping(DataStep):
    """Update the documents that match a filter, and keep images of them."""

    label: str
    target: str
    update: Update
    matching: Mapping[str, Any]
    mark: Mark
    obstacle: Obstacle | None = None

    @property
    def title(self) -> str:
        """One line for people."""
        return self.label

    @property
    def collection(self) -> str:
        """The collection whose documents are updated."""
        return self.target

    @property
    def where(self) -> Mapping[str, Any]:
        """The filter of the documents to update."""
        return self.matching

    @property
    def needs_documents(self) -> bool:
        """Whole documents become images."""
        return True

    def inverse(self) -> AnyStep:
        """Return the step that puts the documents back."""
        return PutBack(f"undo: {self.label}", self.target, self.mark)

    async def work(self, batch: Batch) -> Worked:
        """Update the documents of a batch."""
        if self.obstacle is not None:
            await self.obstacle.refuse(batch.session, self.target, batch.ids)
        await update_all(batch.session, self.target, batch.ids, self.update)
        return Worked(await keep_images(batch.session, self.mark, self.target, batch.documents))


@dataclass(frozen=True, slots=True)
class PutBack(WayBack):
    """Put back the documents of which images were kept."""

    label: str
    target: str
    mark: Mark

    @property
    def title(self) -> str:
        """One line for people."""
        return self.label

    @property
    def needs_documents(self) -> bool:
        """Images are needed whole."""
        return True

    @property
    def collections(self) -> Sequence[str]:
        """All collections whose documents are read or written."""
        return (self.target,)

    async def work(self, batch: Batch) -> Worked:
        """Put back the documents of a batch of images, and forget the images."""
        ids = [one["of"] for one in batch.ids]
        left = compare(batch.documents, await read_in_order(batch.session, self.target, ids))
        number, lost = await put_back(batch.session, self.target, left)
        if lost:
            raise DocumentsChanged(self.target, [one["_id"] for one in lost])
        await forget(batch.session, self.mark, ids)
        return Worked(number)
