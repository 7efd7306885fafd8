"""What a query asks for, as an immutable value, and the commands that it becomes."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Generic, Self, TypeVar

from boundwork.errors import DocumentNotFound
from boundwork.models import Document
from boundwork.models.expressions import Condition, compile_filter, compile_sort
from boundwork.models.expressions.filters import checked
from boundwork.models.mapper import Mapper
from boundwork.uow.commands import Count, Find
from boundwork.uow.unit import Unit

DocumentT = TypeVar("DocumentT", bound=Document[Any])


@dataclass(frozen=True, slots=True)
class Plan(Generic[DocumentT]):
    """A query of one unit: conditions, order, and the part of the result that is wanted."""

    unit: Unit
    mapper: Mapper[DocumentT]
    filters: tuple[Condition, ...] = ()
    order: tuple[object, ...] = ()
    skipped: int = 0
    limited: int = 0

    def sorted(self, keys: tuple[object, ...]) -> Self:
        """Return the plan in another order."""
        compile_sort(self.mapper.model, *keys)
        return replace(self, order=keys)

    def without_first(self, number: int) -> Self:
        """Return the plan without its first documents; ValueError if the number is negative."""
        if number < 0:
            raise ValueError(f"skip takes a number of documents, not {number}")
        return replace(self, skipped=number)

    def at_most(self, number: int) -> Self:
        """Return the plan with a limit; ValueError unless the number is positive."""
        if number < 1:
            raise ValueError(f"limit takes a positive number of documents, not {number}")
        return replace(self, limited=number)

    async def documents(self) -> list[DocumentT]:
        """Carry out the plan."""
        order = compile_sort(self.mapper.model, *self.order)
        command = Find(self.mapper.collection, self._filter(), order, self.skipped, self.limited)
        return await self.unit.workspace.find(self.mapper, command)

    async def first(self) -> DocumentT | None:
        """Return the first document, None if there is none."""
        found = await self.at_most(1).documents()
        return found[0] if found else None

    async def count(self) -> int:
        """Return the number of documents; skip and limit count."""
        if "$near" in checked(self.mapper.model, *self.filters).operators():
            raise ValueError("The server cannot count what is near a point. Count with within_metres(...) instead.")
        command = Count(self.mapper.collection, self._filter(), self.skipped, self.limited)
        return await self.unit.workspace.count(self.mapper, command)

    async def exists(self) -> bool:
        """Tell whether there is a document."""
        return await self.at_most(1).count() > 0

    def _filter(self) -> dict[str, Any]:
        compiled = compile_filter(self.mapper.model, *self.filters)
        base = self.mapper.base_filter
        if not base:
            return compiled
        return {"$and": [base, compiled]} if compiled else dict(base)


async def get(unit: Unit, mapper: Mapper[DocumentT], document_id: object, *, lock: bool = False) -> DocumentT:
    """Return the document with an id; DocumentNotFound if there is none."""
    found = await unit.workspace.get(mapper, document_id, lock=lock)
    if found is None:
        raise DocumentNotFound(mapper.model.__name__, mapper.collection, document_id)
    return found


async def get_many(
    unit: Unit, mapper: Mapper[DocumentT], document_ids: Iterable[object], *, lock: bool = False
) -> list[DocumentT]:
    """Return the documents with these ids, in their order; DocumentNotFound names those that there are not."""
    ids = list(document_ids)
    found = await unit.workspace.get_many(mapper, ids, lock=lock)
    if missing := [document_id for document_id, document in zip(ids, found, strict=True) if document is None]:
        raise DocumentNotFound.of_many(mapper.model.__name__, mapper.collection, missing)
    return [document for document in found if document is not None]
