"""What a query asks for, as an immutable value, and the commands that it becomes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field, replace
from functools import partial
from typing import Any, Generic, Self, TypeVar, cast

from pydantic import BaseModel

from boundwork.errors import DocumentNotFound, MultipleDocumentsFound
from boundwork.models import Document
from boundwork.models.data import data
from boundwork.models.expressions import Condition, compile_sort
from boundwork.models.expressions.fields import target_in
from boundwork.models.expressions.filters import check_root, checked
from boundwork.models.fields import ID
from boundwork.models.mapper import Mapper
from boundwork.models.pipelines import compile_pipeline
from boundwork.models.structure.options import Collation, Strength
from boundwork.models.values import holds_lists, read_values
from boundwork.models.views import View
from boundwork.repositories import options as words
from boundwork.repositories.page import Page, PageRequest, refuse_collation
from boundwork.uow import reading
from boundwork.uow.batches import cut
from boundwork.uow.commands import AS_USUAL, Aggregate, Count, Distinct, Find, Options
from boundwork.uow.references import Included, Missing, include, with_more
from boundwork.uow.streaming import Flow
from boundwork.uow.unit import Unit

DocumentT = TypeVar("DocumentT", bound=Document[Any])
ItemT = TypeVar("ItemT", bound=BaseModel)
ModelT = TypeVar("ModelT", bound=BaseModel)
NOT_FOREIGN = (
    "A query of all tenants gives copies, whose references the unit of one tenant does not follow. Leave include out, or "
    "use a unit of all tenants (for_all_tenants)."
)
NO_TRUTH = "A query has no truth value: nothing was asked yet. Use exists(), first() or to_list()."
NOT_BOTH = "A read model holds no documents to include references of. Leave project out, or include."


@data(frozen=True, slots=True)
class Plan(Generic[ItemT]):
    """A query of one unit: conditions, order, the part of the result that is wanted, and how it is carried out.

    Its items are documents of the unit, or those of a view.
    """

    unit: Unit
    mapper: Mapper[Any]
    filters: tuple[Condition, ...] = ()
    order: tuple[object, ...] = ()
    skipped: int = 0
    limited: int = 0
    options: Options = field(default=AS_USUAL)
    view: View[Any] | None = None
    included: tuple[Included, ...] = ()
    removed_too: bool = False

    def of_all_tenants(self) -> Self:
        """Return the plan without the tenant of its unit; TypeError for a model without tenants."""
        if self.mapper.scope.tenant_field is None:
            raise TypeError(f"{self.mapper.model.__name__} declares no tenant_field: its queries are of all tenants.")
        self._refuse_foreign(self.included, all_tenants=True)
        return replace(self, options=replace(self.options, all_tenants=True))

    def including_removed(self) -> Self:
        """Return the plan with the documents that are softly removed; TypeError for a model without soft removal."""
        if self.mapper.scope.soft_delete is None:
            raise TypeError(f"{self.mapper.model.__name__} declares no soft_delete: what is removed is not stored.")
        return replace(self, removed_too=True)

    def sorted(self, keys: tuple[object, ...]) -> Self:
        """Return the plan in another order."""
        compile_sort(self.mapper.model, *keys)
        return replace(self, order=keys)

    def without_first(self, number: int) -> Self:
        """Return the plan without its first documents; ValueError for a negative number."""
        return replace(self, skipped=words.whole_number("skip", number, least=0))

    def at_most(self, number: int) -> Self:
        """Return the plan with a limit; ValueError unless the number is positive."""
        return replace(self, limited=words.whole_number("limit", number))

    def hinted(self, keys: tuple[object, ...]) -> Self:
        """Return the plan with an index to use."""
        return replace(self, options=replace(self.options, hint=words.hint_of(self.mapper.model, keys)))

    def collated(self, collation: Collation | str, strength: Strength | None, numeric_ordering: bool | None) -> Self:
        """Return the plan with a collation."""
        found = words.collation_of(collation, strength, numeric_ordering)
        return replace(self, options=replace(self.options, collation=found))

    def commented(self, text: str) -> Self:
        """Return the plan with a comment."""
        return replace(self, options=replace(self.options, comment=words.comment_of(text)))

    def within(self, seconds: float) -> Self:
        """Return the plan with a limit of time."""
        return replace(self, options=replace(self.options, max_time_ms=words.milliseconds(seconds)))

    def projected(self, model: type[ModelT]) -> "Plan[ModelT]":
        """Return the plan for instances of a read model; TypeError for one that does not fit the documents."""
        if self.included:
            raise ValueError(NOT_BOTH)
        view = View(model, self.mapper.model, self.mapper.collection)
        return cast("Plan[ModelT]", replace(self, view=view))

    async def items(self) -> list[ItemT]:
        """Carry out the plan."""
        if self._is_foreign:
            self._refuse_locks("A query of all tenants")
            copies = await self.unit.whole(reading.batches(self.unit, self.mapper, self.command()))
            return self.made(copies, track=False)
        if self.view is None:
            if self.included:
                return await self.unit.whole(self._with_references())
            return await self._present()
        return self.view.read(await self.unit.whole(reading.batches(self.unit, self.mapper, self._locked())))

    def including(self, references: Sequence[object], missing: Missing) -> Self:
        """Return the plan that loads references as well; TypeError for what is none, ValueError for a read model."""
        if self.view is not None:
            raise ValueError(NOT_BOTH)
        more = with_more(self.included, self.mapper.model, references, missing)
        self._refuse_foreign(more, all_tenants=self.options.all_tenants)
        return replace(self, included=more)

    def _refuse_foreign(self, included: Sequence[Included], *, all_tenants: bool) -> None:
        """Raise ValueError if a unit of one tenant would load what documents of others refer to."""
        if included and all_tenants and self.unit.scopes is not None and self.unit.scopes.binds:
            raise ValueError(NOT_FOREIGN)

    async def load_included(self, items: Sequence[Any]) -> None:
        """Load what documents refer to, as far as the plan says."""
        for part in self.included:
            await include(self.unit, items, part.tree, part.missing)

    async def _with_references(self) -> list[ItemT]:
        found = await self._present()
        await self.load_included(found)
        return found

    async def _present(self) -> list[Any]:
        """Return the documents that the plan finds, without those that the unit knows as softly removed."""
        found = await self.unit.workspace.find(self.mapper, self.command())
        hides = self.mapper.scope.soft_delete is not None and not self.removed_too
        return [document for document in found if not self.mapper.is_removed(document)] if hides else found

    def flow(self, batch_size: int) -> Flow:
        """Return the plan as a stream; ValueError unless the size is positive."""
        batch_size = words.whole_number("stream", batch_size, most=words.MOST_AT_ONCE)
        self._refuse_locks("A stream")
        return Flow(self.unit, self.command(), batch_size, self.mapper.model.__name__)

    def _refuse_locks(self, what: str) -> None:
        if self.unit.settings.locks_reads:
            raise ValueError(
                f"{what} locks nothing, and this unit locks what it reads. Read it in a unit that does not."
            )

    @property
    def _is_foreign(self) -> bool:
        """Tell whether the documents may be those of other tenants, which a unit of one must not keep."""
        scopes = self.unit.scopes
        return self.options.all_tenants and scopes is not None and scopes.binds

    def made(self, found: Sequence[bytes], *, track: bool) -> list[ItemT]:
        """Return stored documents as items; documents that are not tracked belong to no unit."""
        batches = [b"".join(found)] if found else []
        if self.view is not None:
            return self.view.read(batches)
        if track and not self._is_foreign:
            return reading.documents(self.unit, self.mapper, batches)
        return self.mapper.load_all(stored for batch in batches for stored in self.mapper.decode(batch))

    async def page(self, size: int, token: str | None, key: bytes | str | None) -> Page[ItemT]:
        """Return one page; InvalidPageToken for a token that was not made for this plan."""
        size = words.whole_number("page", size, most=words.MOST_AT_ONCE)
        if self.skipped or self.limited:
            raise ValueError("page decides where it begins and ends: leave skip and limit out.")
        refuse_collation(self.mapper, self.options)
        if self._is_foreign:
            self._refuse_locks("A query of all tenants")
        request = PageRequest(self.mapper.model, self.mapper.collection, self._order(), key=key)
        if token is not None:
            request.begin_at(token)
        plain = self.command(request.paths)
        conditions = [part for part in (plain.filter, request.condition) if part]
        together = conditions[0] if len(conditions) == 1 else {"$and": conditions} if conditions else {}
        command = replace(plain, filter=together, sort=tuple(request.order), limit=size + 1)
        return await self.unit.whole(self._page(request, size, command))

    async def _page(self, request: PageRequest, size: int, command: Find) -> Page[ItemT]:
        found = cut(await reading.batches(self.unit, self.mapper, command))
        page = request.page(size, found, partial(self.made, track=True))
        await self.load_included(page.items)
        return page

    async def first(self) -> ItemT | None:
        """Return the first document, None if there is none."""
        found = await self.at_most(1).items()
        return found[0] if found else None

    async def one_or_none(self) -> ItemT | None:
        """Return the only document, None if there is none; MultipleDocumentsFound if there are more."""
        found = await (self if self.limited == 1 else self.at_most(2)).items()
        if len(found) > 1:
            raise MultipleDocumentsFound(self.mapper.model.__name__, self.mapper.collection)
        return found[0] if found else None

    async def one(self) -> ItemT:
        """Return the only document; DocumentNotFound if there is none, MultipleDocumentsFound if there are more."""
        found = await self.one_or_none()
        if found is None:
            raise DocumentNotFound.of_query(self.mapper.model.__name__, self.mapper.collection)
        return found

    async def count(self) -> int:
        """Return the number of documents; skip and limit count."""
        if "$near" in checked(self.mapper.model, *self.filters).operators():
            raise ValueError("The server cannot count what is near a point. Count with within_metres(...) instead.")
        command = Count(self.mapper.collection, self._filter(), self.skipped, self.limited, self.options)
        return await self.unit.workspace.count(self.mapper, command)

    async def exists(self) -> bool:
        """Tell whether there is a document."""
        return await self.at_most(1).count() > 0

    async def distinct(self, place: object) -> list[Any]:
        """Return the different values of a field, in no order."""
        target = target_in("distinct", place)
        check_root(self.mapper.model, target)
        if "" in target.segments[:-1]:
            raise TypeError(f"{target.shown} lies in a list in a list, where distinct does not look. Use aggregate.")
        if target.segments[-1] and holds_lists(target):
            raise TypeError(f"{target.shown} is a list, and distinct lists its elements. Write any_of({target.shown}).")
        if self.skipped or self.limited:
            raise ValueError("distinct looks at all documents that meet the conditions: leave skip and limit out.")
        if self.options.hint is not None:
            raise ValueError("distinct takes no hint: servers before 7.1 refuse it.")
        command = Distinct(self.mapper.collection, target.path, self._filter(), self.options)
        values = reading.distinct(self.unit, command, self.mapper.model.__name__)
        return read_values(target, await self.unit.whole(values))

    async def explained(self, verbosity: str) -> dict[str, Any]:
        """Return the server's plan."""
        return await self.unit.whole(reading.explain(self.unit, self.command(), verbosity))

    def _locked(self) -> Find:
        return self.command((ID,) if self.unit.settings.locks_reads else ())

    def command(self, more: Sequence[str] = ()) -> Find:
        """Return the plan as a command; a view fetches `more` paths as well."""
        if self.view is not None and self.unit.settings.locks_reads and self.mapper.fixed is not None:
            more = (*more, *self.mapper.fixed.shard_key)  # a lock names it
        projection = None if self.view is None else self.view.projection(more)
        return Find(
            self.mapper.collection, self._filter(), self._order(), self.skipped, self.limited, projection, self.options
        )

    def _order(self) -> tuple[tuple[str, int], ...]:
        return compile_sort(self.mapper.model, *self.order)

    def _filter(self) -> dict[str, Any]:
        compiled = checked(self.mapper.model, *self.filters).compiled()
        base = self.mapper.kind_filter if self.removed_too else self.mapper.base_filter
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


async def aggregated(  # noqa: PLR0913 - the choices of an aggregation, all by keyword
    unit: Unit,
    mapper: Mapper[Any],
    pipeline: Sequence[Mapping[str, Any]],
    into: type[ModelT],
    *,
    javascript: bool,
    all_tenants: bool = False,
    removed_too: bool = False,
) -> list[ModelT]:
    """Return the rows of a pipeline over a model's documents as instances of a read model."""
    view = View(into, None, mapper.collection)
    base = mapper.kind_filter if removed_too else mapper.base_filter
    stages = compile_pipeline(mapper.model, pipeline, base, javascript=javascript)
    if unit.scopes is not None:
        stages = unit.scopes.joined(mapper, stages, all_tenants=all_tenants, removed_too=removed_too)
    rows = reading.aggregate(unit, Aggregate(mapper.collection, stages, all_tenants), mapper.model.__name__)
    return view.read(await unit.whole(rows))
