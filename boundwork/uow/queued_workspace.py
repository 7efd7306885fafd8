"""The words of a unit whose operations take turns: each waits, and is then carried out as a whole."""

from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from boundwork.models import Document
from boundwork.models.mapper import Mapper
from boundwork.uow.commands import Count, Find
from boundwork.uow.run_sync import run_sync
from boundwork.uow.workspace import Workspace

if TYPE_CHECKING:
    from boundwork.uow.queued_unit import QueuedUnit

DocumentT = TypeVar("DocumentT", bound=Document[Any])


class QueuedWorkspace(Workspace):
    """What such a unit holds."""

    unit: "QueuedUnit"

    def __init__(self, unit: "QueuedUnit") -> None:
        """Begin empty; what was sent stays watched, since another thread may be writing it again just now."""
        super().__init__(unit)
        self.tracker.shared = True

    async def get(self, mapper: Mapper[DocumentT], document_id: object, *, lock: bool = False) -> DocumentT | None:
        """Do as any workspace, in turn."""
        async with self.unit.turn():
            return await super().get(mapper, document_id, lock=lock)

    async def get_many(
        self, mapper: Mapper[DocumentT], document_ids: Iterable[object], *, lock: bool = False
    ) -> list[DocumentT | None]:
        """Do as any workspace, in turn."""
        async with self.unit.turn():
            return await super().get_many(mapper, document_ids, lock=lock)

    async def find(self, mapper: Mapper[DocumentT], command: Find) -> list[DocumentT]:
        """Do as any workspace, in turn."""
        async with self.unit.turn():
            return await super().find(mapper, command)

    async def count(self, mapper: Mapper[Any], command: Count) -> int:
        """Do as any workspace, in turn."""
        async with self.unit.turn():
            return await super().count(mapper, command)

    async def refresh(self, document: Document[Any]) -> None:
        """Do as any workspace, in turn."""
        async with self.unit.turn():
            await super().refresh(document)

    async def lock_name(self, name: str) -> None:
        """Do as any workspace, in turn."""
        async with self.unit.turn():
            await super().lock_name(name)

    async def add_if_absent(self, document: Document[Any]) -> bool:
        """Do as any workspace, in turn."""
        async with self.unit.turn():
            return await super().add_if_absent(document)

    async def flush(self) -> None:
        """Do as any workspace, in turn."""
        async with self.unit.turn():
            await super().flush()

    def add(self, document: Document[Any], origin: str | None = None) -> None:
        """Do as any workspace; threads in turn, tasks at once, since nothing can come between."""
        with self._thread_turn():
            super().add(document, origin)

    def add_all(self, documents: Sequence[Document[Any]], origin: str | None = None) -> None:
        """Do as `add`."""
        with self._thread_turn():
            super().add_all(documents, origin)

    def remove(self, document: Document[Any], *, softly: bool = True) -> None:
        """Do as `add`."""
        with self._thread_turn():
            super().remove(document, softly=softly)

    def restore(self, document: Document[Any]) -> None:
        """Do as `add`."""
        with self._thread_turn():
            super().restore(document)

    @contextmanager
    def _thread_turn(self) -> Generator[None]:
        turns = self.unit.turns
        self.unit.turn()
        taken = not turns.awaits and run_sync(turns.take())
        try:
            yield
        finally:
            if taken:
                turns.give()
