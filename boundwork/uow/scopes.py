"""Whose documents a unit works with, and what that means for each collection.

A unit whose models say whose their documents are is of one tenant, or says aloud that it is of all of them. What each
collection needs is learned from its models before anything of it is read or written; a collection of which nothing was
learned is refused, so that a condition cannot be forgotten.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from bson.raw_bson import RawBSONDocument

from boundwork.errors import InvalidDocument, NestedUnitOfWork, TenantMissing
from boundwork.models import Document
from boundwork.models.bson_types import MISSING, decode_all
from boundwork.models.data import data
from boundwork.models.difference import same
from boundwork.models.joined import joined, narrowed
from boundwork.models.mapper import Mapper, mapper_of
from boundwork.models.pipelines import Stage
from boundwork.models.scope import Everyone, Tenant, TenantChoice, tenant_now
from boundwork.models.structure.gathering import is_collated
from boundwork.uow.changes import Alteration, Change, Insertion

if TYPE_CHECKING:
    from boundwork.uow.unit import Unit


@data(frozen=True, slots=True)
class Reach:
    """The stored names of a collection's two fields, and the tenant as its field's value and in its stored form.

    `collated` says that the collection compares texts by the rules of a language.
    """

    tenant_name: str | None
    removed_name: str | None
    collated: bool
    value: Any = None
    stored: Any = None


class Scopes:
    """The default filters of one unit."""

    def __init__(self, unit: str, tenant: Tenant | Everyone | None) -> None:
        """Begin with no collection known."""
        self._unit = unit
        self.tenant = tenant
        self._reaches: dict[str, Reach] = {}
        self._met: set[type[Document[Any]]] = set()

    @property
    def binds(self) -> bool:
        """Tell whether the unit is of one tenant."""
        return self.tenant is not None and self.tenant is not Everyone.ALL

    def meet(self, mapper: Mapper[Any]) -> None:
        """Learn what a collection needs; TenantMissing if its documents have tenants and the unit has none."""
        if mapper.model in self._met:
            return
        reach = self._reach_of(mapper)
        known = self._reaches.setdefault(mapper.collection, reach)
        if (known.tenant_name, known.removed_name) != (reach.tenant_name, reach.removed_name):
            raise TypeError(
                f"{mapper.model.__name__} and another model of collection {mapper.collection!r} differ in tenant_field "
                "or soft_delete. Declare both on a base that names the collection.",
            )
        self._met.add(mapper.model)

    def _reach_of(self, mapper: Mapper[Any]) -> Reach:
        field, removal = mapper.scope.tenant_field, mapper.scope.soft_delete
        removed = None if removal is None else mapper.stored_name(removal)
        collated = self.binds and is_collated(mapper.model)
        if field is None:
            return Reach(None, removed, collated)
        if self.tenant is None:
            raise missing(self._unit, mapper.model)
        name = mapper.stored_name(field)
        if isinstance(self.tenant, Everyone):
            return Reach(name, removed, collated)
        return Reach(name, removed, collated, *mapper.as_tenant(self.tenant))

    def reach(self, collection: str) -> Reach:
        """Return what is known of a collection; TenantMissing if no model of it was met."""
        try:
            return self._reaches[collection]
        except KeyError:
            raise TenantMissing(
                f"The unit of work {self._unit} has a tenant, and nobody said whose the documents of collection "
                f"{collection!r} are. Declare a repository of their model in the unit, or use a unit without a tenant.",
            ) from None

    def condition(self, collection: str, *, collated: bool = False) -> dict[str, Any]:
        """Return what the documents of the tenant meet in a collection; {} where documents have no tenants.

        In a `collated` comparison a text may equal others, so it has to match a pattern as well, which no collation
        changes.
        """
        reach = self.reach(collection)
        if reach.tenant_name is None:
            return {}
        if (collated or reach.collated) and isinstance(reach.stored, str):
            return {reach.tenant_name: {"$eq": reach.stored, "$regex": rf"\A{re.escape(reach.stored)}\z"}}
        return {reach.tenant_name: reach.stored}

    def present(self, collection: str) -> Mapping[str, Any]:
        """Return what the documents meet that are not removed; {} where nothing is known of the collection."""
        reach = self._reaches.get(collection)
        return {} if reach is None or reach.removed_name is None else {reach.removed_name: None}

    def joined(
        self, mapper: Mapper[Any], stages: Sequence[Stage], *, all_tenants: bool, removed_too: bool
    ) -> tuple[Stage, ...]:
        """Return a pipeline that sees no removed document of another collection; ValueError for one that may."""
        if self.binds and not all_tenants:
            narrowed(mapper.collection, stages, self.condition)  # for its complaints: the session does it
        return tuple(stages) if removed_too else tuple(joined(stages, self.present, strict=False))

    def named(self, name: str) -> str:
        """Return a name of the program as one that no other tenant can have."""
        return json.dumps([str(self.tenant), name]) if self.binds else name

    def owner_for(self, mapper: Mapper[Any], document: Document[Any]) -> Any:
        """Return the tenant that a new document still lacks, else MISSING; InvalidDocument if it has another one."""
        self.meet(mapper)
        field = mapper.scope.tenant_field
        if field is None:
            return MISSING
        given = field in document.__pydantic_fields_set__
        if not given and self.binds:
            return self._reaches[mapper.collection].value
        if not given:
            raise _refused(mapper, document.id, field, "must be given in a unit of all tenants")
        if self.binds and not same(mapper.encode_field(document, field), self._reaches[mapper.collection].stored):
            raise _refused(mapper, document.id, field, "is not the tenant of the unit")
        return MISSING

    def check(self, changes: Iterable[Change]) -> None:
        """Raise InvalidDocument for a change that would give a document to another tenant."""
        for change in changes:
            field = change.mapper.scope.tenant_field
            if field is None:
                continue
            moved = isinstance(change, Alteration) and field in change.update.fields
            if moved or (isinstance(change, Insertion) and not self._is_own(change)):
                raise _refused(change.mapper, change.id, field, "was changed: a document stays with its tenant")

    def owns(self, collection: str, stored: Mapping[str, Any]) -> bool:
        """Tell whether a stored form is one that the unit may insert."""
        reach = self.reach(collection)
        if not self.binds or reach.tenant_name is None:
            return True
        if isinstance(stored, RawBSONDocument):  # it would keep all that it is asked for one field of
            [stored] = decode_all(bytes(stored.raw))
        return same(stored.get(reach.tenant_name, MISSING), reach.stored)

    def _is_own(self, change: Insertion) -> bool:
        field = change.mapper.scope.tenant_field
        reach = self.reach(change.mapper.collection)
        return not self.binds or field is None or same(change.mapper.encode_field(change.document, field), reach.stored)


def scopes_for(unit: str, models: Iterable[type[Document[Any]]], choice: TenantChoice) -> Scopes | None:
    """Return the default filters of a unit, None if it needs none; TenantMissing if a tenant was not given."""
    tenant = tenant_now(choice)
    if tenant is None and all(model.__boundwork_scope__.is_open for model in models):
        return None
    scopes = Scopes(unit, tenant)
    for model in models:
        scopes.meet(mapper_of(model))
    return scopes


def meet(unit: "Unit", mapper: Mapper[Any]) -> None:
    """Let a unit learn a model before it works with it; TenantMissing if it would have to guess whose documents."""
    if mapper.lineage is not None:
        from boundwork.uow.upcasting.door import learn  # noqa: PLC0415 - few programs have versions to learn

        learn(unit, mapper)
    if unit.scopes is None:
        unit.scopes = Scopes(unit.name, None)
    unit.scopes.meet(mapper)


def refuse_another_tenant(unit: "Unit", choice: TenantChoice) -> None:
    """Raise NestedUnitOfWork where a unit is nested in one of another tenant."""
    if callable(choice) and unit.scopes is not None and tenant_now(choice) != unit.scopes.tenant:
        raise NestedUnitOfWork(
            f"A unit was opened inside the open unit {unit.name} of another tenant. Leave that one first, or open a "
            "separate unit by independent().",
        )


def missing(unit: str, model: type[Document[Any]]) -> TenantMissing:
    """Return the error of a unit that was to work with documents of tenants and has none."""
    return TenantMissing(
        f"The unit of work {unit} was not told whose documents it works with, and those of {model.__name__} have "
        "tenants. Nothing was sent. Open a unit of one (for_tenant), or of all on purpose (for_all_tenants).",
    )


def _refused(mapper: Mapper[Any], document_id: object, field: str, reason: str) -> InvalidDocument:
    return InvalidDocument(mapper.collection, document_id, [(field, reason)], stored=False)
