"""Repositories and queries for `AsyncUnitOfWork`."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import Any, Generic, Literal, NoReturn, Self, TypeVar

from pydantic import BaseModel

from boundwork.models import Document
from boundwork.models.expressions import Change, Condition
from boundwork.models.references.ways import Place, Way
from boundwork.models.structure.options import Collation, Strength
from boundwork.repositories import set_based
from boundwork.repositories.binding import IdT, RepositoryBase
from boundwork.repositories.page import Page
from boundwork.repositories.plan import NO_TRUTH, Plan, aggregated, get, get_many
from boundwork.repositories.set_based import UpdateResult
from boundwork.repositories.streams import AsyncStream
from boundwork.uow.merging import MergeMissing, merge
from boundwork.uow.origin import origin_of_caller
from boundwork.uow.references import Missing

DocumentT = TypeVar("DocumentT", bound=Document[Any])

ItemT = TypeVar("ItemT", bound=BaseModel)
ModelT = TypeVar("ModelT", bound=BaseModel)
ValueT = TypeVar("ValueT")
Verbosity = Literal["queryPlanner", "executionStats", "allPlansExecution"]


class AsyncQuery(Generic[ItemT]):
    """A query of one unit: lazy and immutable, each word returns another one, nothing is kept of a result.

    It belongs to the unit that made it, and refuses after the end of that unit.
    """

    def __init__(self, plan: Plan[ItemT]) -> None:
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

    def hint(self, *keys: object) -> Self:
        """Use an index: its name, or its fields as in `sort`. One that is missing fails the unit."""
        return type(self)(self._plan.hinted(keys))

    def collation(
        self, collation: Collation | str, *, strength: Strength | None = None, numeric_ordering: bool | None = None
    ) -> Self:
        """Compare text as a language does: `collation(Collation(...))` as in an index, or `collation("de", strength=2)`.

        Strength 1 ignores case and accents, 2 case; `numeric_ordering` puts "a2" before "a10".
        """
        return type(self)(self._plan.collated(collation, strength, numeric_ordering))

    def comment(self, text: str) -> Self:
        """Leave a comment in the server's log and profiler."""
        return type(self)(self._plan.commented(text))

    def max_time(self, seconds: float) -> Self:
        """Let the server give up after so many seconds; that fails the unit."""
        return type(self)(self._plan.within(seconds))

    def all_tenants(self) -> Self:
        """Lift the tenant of the unit for this query: documents of others are copies that belong to no unit."""
        return type(self)(self._plan.of_all_tenants())

    def including_removed(self) -> Self:
        """Return the documents that are softly removed as well; they belong to the unit and can be restored."""
        return type(self)(self._plan.including_removed())

    def project(self, model: type[ModelT]) -> "AsyncQuery[ModelT]":
        """Return the query for read-only instances of a frozen pydantic model; only what it needs is fetched.

        A field means the one of the document with the same name, or with the stored name that is its alias. The unit
        does not know the instances. TypeError for a field that the document lacks.
        """
        return AsyncQuery(self._plan.projected(model))

    def include(self, *references: Place | Way, missing: Missing = "error") -> Self:
        """Return the query that loads what its documents refer to as well: one more query for each model referred to.

        `include(Order.customer, any_of(Order.lines).product, via(Order.customer, Customer.region))`. After that `loaded`
        gives them, and `load` sends nothing. DocumentNotFound names those that are not there, unless `missing` is "none".
        """
        return type(self)(self._plan.including(references, missing))

    async def to_list(self) -> list[ItemT]:
        """Return the documents, after pending changes were flushed."""
        return await self._plan.items()

    async def first(self) -> ItemT | None:
        """Return the first document, None if there is none."""
        return await self._plan.first()

    async def one(self) -> ItemT:
        """Return the only document; DocumentNotFound if there is none, MultipleDocumentsFound if there are more."""
        return await self._plan.one()

    async def one_or_none(self) -> ItemT | None:
        """Return the only document, None if there is none; MultipleDocumentsFound if there are more."""
        return await self._plan.one_or_none()

    async def count(self) -> int:
        """Return the number of documents; skip and limit count."""
        return await self._plan.count()

    async def exists(self) -> bool:
        """Tell whether there is a document."""
        return await self._plan.exists()

    async def distinct(self, field: ValueT) -> list[ValueT]:
        """Return the different values of a field, in no order: `distinct(Order.status)`, `distinct(any_of(Order.tags))`.

        A document without the field has none; one with null has None. TypeError for a list.
        """
        return await self._plan.distinct(field)

    async def page(self, size: int, *, after: str | None = None, key: bytes | str | None = None) -> Page[ItemT]:
        """Return one page: the first, or that which a token of another page (`next`, `previous`) names.

        Pages follow the values of the sort fields and the id, so that inserts move nothing. With a `key` tokens are
        signed. InvalidPageToken for any other token, TypeError for a sort by lists or objects.
        """
        return await self._plan.page(size, after, key)

    def stream(self, batch_size: int = 1000, *, track: bool = False) -> AsyncStream[ItemT]:
        """Return an iterator that fetches the result batch by batch, in constant memory.

        Its documents belong to no unit and their changes are not written, unless `track` says otherwise: then the unit
        keeps them all. It ends with the transaction: after that it raises UnitClosed.
        """
        return AsyncStream(self._plan, batch_size, track=track)

    async def explain(self, verbosity: Verbosity = "queryPlanner") -> dict[str, Any]:
        """Return the server's plan for the query.

        Servers explain nothing inside a transaction: it is asked outside, does not see what the unit wrote, and nothing
        is flushed. BoundworkError if it fails; the unit goes on.
        """
        return await self._plan.explained(verbosity)

    async def update(self, *changes: Change) -> UpdateResult:
        """Change all documents of the query at once, on the server, and return how many matched and changed.

        Pending changes are flushed first, and documents of the unit that match are read again after. ValueError for a
        query with a sort, skip, limit or project.
        """
        return await set_based.update(self._plan, changes)

    async def delete(self) -> int:
        """Delete all documents of the query at once, on the server, and return how many.

        Pending changes are flushed first; documents of the unit among them are removed ones then.
        """
        return await set_based.delete(self._plan)

    def __bool__(self) -> NoReturn:
        """Refuse to be a condition: a query that would find nothing has been sent as little as any other."""
        raise TypeError(NO_TRUTH)

    async def __aiter__(self) -> AsyncIterator[ItemT]:
        """Iterate over the documents of `to_list()`."""
        for document in await self.to_list():
            yield document


class AsyncRepository(RepositoryBase[DocumentT, IdT]):
    """The documents of one model, for `AsyncUnitOfWork`.

    Declare it in a unit (`orders = Orders()` or `customers = AsyncRepository(Customer)`), or use it on its own inside an
    open unit. Subclass it for queries with names of the domain. `AsyncRepository[Order, ObjectId]` types the ids as well.
    """

    is_awaited = True

    async def get(self, document_id: IdT, *, for_update: bool = False) -> DocumentT:
        """Return the document with an id; DocumentNotFound if there is none. Asked again, the server is not.

        With `for_update` it is locked until the transaction ends. As the first word of a unit that waits for a rival,
        up to `replay_seconds`, and returns what the rival committed.
        """
        unit, mapper = self.unit, self.mapper
        known = None if for_update else unit.workspace.recall(mapper, document_id)
        return await get(unit, mapper, document_id, lock=for_update) if known is None else known

    async def get_many(self, document_ids: Iterable[IdT], *, for_update: bool = False) -> list[DocumentT]:
        """Return the documents with these ids, in their order; DocumentNotFound names all that are missing.

        Those that are known are not asked for again, all others at once. `for_update` is that of `get`.
        """
        return await get_many(self.unit, self.mapper, document_ids, lock=for_update)

    async def find_by_id(self, document_id: IdT, *, for_update: bool = False) -> DocumentT | None:
        """Return the document with an id, None if there is none; `for_update` is that of `get`."""
        return await self.unit.workspace.get(self.mapper, document_id, lock=for_update)

    def find(self, *filters: Condition) -> AsyncQuery[DocumentT]:
        """Return the query for documents that meet all conditions: expressions or plain MongoDB filters."""
        return AsyncQuery(Plan(self.unit, self.mapper, filters))

    async def first(self, *filters: Condition) -> DocumentT | None:
        """Return a document that meets all conditions, None if there is none."""
        return await self.find(*filters).first()

    async def count(self, *filters: Condition) -> int:
        """Return the number of documents that meet all conditions."""
        return await self.find(*filters).count()

    async def exists(self, *filters: Condition) -> bool:
        """Tell whether a document meets all conditions."""
        return await self.find(*filters).exists()

    async def aggregate(
        self,
        pipeline: Sequence[Mapping[str, Any]],
        *,
        into: type[ModelT],
        allow_javascript: bool = False,
        all_tenants: bool = False,
        including_removed: bool = False,
    ) -> list[ModelT]:
        """Return the rows of a pipeline as read-only instances of a frozen pydantic model.

        Pending changes are flushed first. A field of the class stands for its path, and `$match` takes conditions; `id`
        of the model is the `_id` of a row. ValueError for `$out` and `$merge`, and for JavaScript unless it is allowed.
        In a unit of one tenant all collections that it reads are of that one, unless `all_tenants` says otherwise.
        """
        return await aggregated(
            self.unit,
            self.mapper,
            pipeline,
            into,
            javascript=allow_javascript,
            all_tenants=all_tenants,
            removed_too=including_removed,
        )

    async def merge(self, copy: DocumentT, *, missing: MergeMissing = "error") -> DocumentT:
        """Bring a changed copy, such as one validated from a web form, into the unit, and return the tracked document.

        Only fields that are set in the copy and differ are written; the copy itself stays detached. DocumentNotFound
        where there is no document, unless `missing="add"`; StaleDocument if the model is versioned and the copy is of
        another version.
        """
        self._check_model(copy)
        origin = origin_of_caller()
        return await self.unit.whole(merge(self.unit, self.mapper, copy, missing, origin))

    async def add_if_absent(self, document: DocumentT) -> bool:
        """Insert a document now unless its id is taken; True if it was inserted and belongs to the unit."""
        self._check_model(document)
        return await self.unit.workspace.add_if_absent(document)

    async def update_where(self, *parts: Condition | Change) -> UpdateResult:
        """Change all documents that meet all conditions: `update_where(Order.total > 5, set_(Order.status, "big"))`.

        As `find(...).update(...)`; TypeError without a condition.
        """
        conditions, changes = set_based.divided("update_where", parts)
        return await self.find(*conditions).update(*changes)

    async def delete_where(self, *filters: Condition) -> int:
        """Delete all documents that meet all conditions, and return how many; TypeError without a condition."""
        set_based.required("delete_where", filters)
        return await self.find(*filters).delete()

    async def find_and_update(
        self, *parts: Condition | Change, sort: object = None, before: bool = False
    ) -> DocumentT | None:
        """Change the first document that meets all conditions and return it, None if there is none.

        `sort` is a key, or a list of them, as in `Query.sort`. It is the unit's object, as it is after the change; with
        `before` it is a copy of what was before, which belongs to no unit.
        """
        return await set_based.find_and_update(self.unit, self.mapper, parts, sort, before=before)

    async def upsert(self, *parts: Condition | Change, on_insert: DocumentT) -> DocumentT:
        """Change one document that meets all conditions, or insert `on_insert` as it is; return what is there then.

        A unique index must cover the conditions, else two units may both insert; `on_insert` should meet them.
        """
        self._check_model(on_insert)
        return await set_based.upsert(self.unit, self.mapper, parts, on_insert)
