"""Repositories and queries for `UnitOfWork`."""

from collections.abc import Iterable, Iterator
from typing import Any, Generic, Self, TypeVar

from boundwork.models import Document
from boundwork.models.expressions import Condition
from boundwork.repositories.binding import IdT, RepositoryBase
from boundwork.repositories.plan import Plan, get, get_many
from boundwork.uow.run_sync import run_sync

DocumentT = TypeVar("DocumentT", bound=Document[Any])


class Query(Generic[DocumentT]):
    """A query of one unit: lazy and immutable, each word returns another one, nothing is kept of a result.

    It belongs to the unit that made it, and refuses after the end of that unit.
    """

    def __init__(self, plan: Plan[DocumentT]) -> None:
        """Make a query of a plan; repositories do this."""
        self._plan = plan

    def sort(self, *keys: object) -> Self:
        """Order by fields: `Order.total`, `desc(Order.created)`, or stored names, "-" before one for descending."""
        return type(self)(self._plan.sorted(keys))

    def skip(self, number: int) -> Self:
        """Leave out the first documents."""
        return type(self)(self._plan.without_first(number))

    def limit(self, number: int) -> Self:
        """Return at most so many documents."""
        return type(self)(self._plan.at_most(number))

    def to_list(self) -> list[DocumentT]:
        """Return the documents, after pending changes were flushed."""
        return run_sync(self._plan.documents())

    def first(self) -> DocumentT | None:
        """Return the first document, None if there is none."""
        return run_sync(self._plan.first())

    def count(self) -> int:
        """Return the number of documents; skip and limit count."""
        return run_sync(self._plan.count())

    def exists(self) -> bool:
        """Tell whether there is a document."""
        return run_sync(self._plan.exists())

    def __iter__(self) -> Iterator[DocumentT]:
        """Iterate over the documents of `to_list()`."""
        return iter(self.to_list())


class Repository(RepositoryBase[DocumentT, IdT]):
    """The documents of one model, for `UnitOfWork`.

    Declare it in a unit (`orders = Orders()` or `customers = Repository(Customer)`), or use it on its own inside an
    open unit. Subclass it for queries with names of the domain. `Repository[Order, ObjectId]` types the ids as well.
    """

    def get(self, document_id: IdT, *, for_update: bool = False) -> DocumentT:
        """Return the document with an id; DocumentNotFound if there is none. Asked again, the server is not.

        With `for_update` it is locked until the transaction ends. As the first word of a unit that waits for a rival,
        up to `replay_seconds`, and returns what the rival committed.
        """
        known = None if for_update else self.unit.workspace.recall(self.mapper, document_id)
        return run_sync(get(self.unit, self.mapper, document_id, lock=for_update)) if known is None else known

    def get_many(self, document_ids: Iterable[IdT], *, for_update: bool = False) -> list[DocumentT]:
        """Return the documents with these ids, in their order; DocumentNotFound names all that are missing.

        Those that are known are not asked for again, all others at once. `for_update` is that of `get`.
        """
        return run_sync(get_many(self.unit, self.mapper, document_ids, lock=for_update))

    def find_by_id(self, document_id: IdT, *, for_update: bool = False) -> DocumentT | None:
        """Return the document with an id, None if there is none; `for_update` is that of `get`."""
        return run_sync(self.unit.workspace.get(self.mapper, document_id, lock=for_update))

    def find(self, *filters: Condition) -> Query[DocumentT]:
        """Return the query for documents that meet all conditions: expressions or plain MongoDB filters."""
        return Query(Plan(self.unit, self.mapper, filters))

    def first(self, *filters: Condition) -> DocumentT | None:
        """Return a document that meets all conditions, None if there is none."""
        return self.find(*filters).first()

    def count(self, *filters: Condition) -> int:
        """Return the number of documents that meet all conditions."""
        return self.find(*filters).count()

    def exists(self, *filters: Condition) -> bool:
        """Tell whether a document meets all conditions."""
        return self.find(*filters).exists()

    def add_if_absent(self, document: DocumentT) -> bool:
        """Insert a document now unless its id is taken; True if it was inserted and belongs to the unit."""
        self._check_model(document)
        return run_sync(self.unit.workspace.add_if_absent(document))
