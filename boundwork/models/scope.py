"""What a model declares about its default filters: whose a document is, and whether it was removed.

`tenant_field` names the field that holds the owner, `soft_delete` the one that holds the time of removal. Both are
declared where the collection is named, so that all models of a collection agree, and neither can be half true.
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from enum import Enum
from types import NoneType
from typing import Annotated, Any, get_args
from uuid import UUID

from bson import ObjectId
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from boundwork.models.data import data
from boundwork.models.slots import Tracked
from boundwork.models.tracking import touch_field

Tenant = str | int | ObjectId | UUID
"""The value that stands for a tenant; the same in every collection."""


class Everyone(Enum):
    """Stands in the place of a tenant for all of them."""

    ALL = "all tenants"


TenantChoice = Tenant | Callable[[], Tenant] | Everyone | None
"""What a definition is given: a tenant, what returns the present one, all of them, or nothing."""


@data(frozen=True, slots=True)
class Scope:
    """The names of the two fields; None where a model has none."""

    tenant_field: str | None = None
    soft_delete: str | None = None

    @property
    def is_open(self) -> bool:
        """Tell whether the model has no default filter."""
        return self.tenant_field is None and self.soft_delete is None


OPEN = Scope()


def declared_scope(
    model: type[Any], inherited: Scope, tenant_field: str | None, soft_delete: str | None, *, names_collection: bool
) -> Scope:
    """Return the scope of a class; TypeError where it would differ from that of a parent in the same collection."""
    if tenant_field is None and soft_delete is None:
        return inherited
    if not names_collection:
        raise TypeError(
            f"{model.__name__}: tenant_field and soft_delete are declared where the collection is named, because they "
            "are true of all its documents."
        )
    return Scope(tenant_field or inherited.tenant_field, soft_delete or inherited.soft_delete)


def check_scope(model: type[BaseModel], scope: Scope) -> None:
    """Raise TypeError if a complete model lacks a declared field, or has one of a type that cannot serve."""
    for word, name in (("tenant_field", scope.tenant_field), ("soft_delete", scope.soft_delete)):
        if name is not None and (name == "id" or name not in model.__pydantic_fields__):
            raise TypeError(f"{model.__name__}: {word} names {name!r}, which is not a field that the model may have.")
    if scope.soft_delete is None:
        return
    info = model.__pydantic_fields__[scope.soft_delete]
    kinds = set(_kinds(info.annotation))
    if not {datetime, NoneType} <= kinds or info.is_required() or info.get_default() is not None:
        raise TypeError(
            f"{model.__name__}.{scope.soft_delete} holds when a document was removed: declare it as "
            f"{scope.soft_delete}: datetime | None = None."
        )


def _kinds(annotation: Any) -> Iterator[Any]:
    yield annotation
    for part in get_args(annotation):
        yield from _kinds(part)


def checked_tenant(value: object) -> Tenant:
    """Return a tenant; TypeError for what cannot be one, ValueError for a text that is empty."""
    if isinstance(value, bool) or not isinstance(value, str | int | ObjectId | UUID):
        raise TypeError(f"A tenant is a str, an int, an ObjectId or a UUID, and {type(value).__name__} was given.")
    if value == "":
        raise ValueError("A tenant must not be empty: it names whose documents a unit works with.")
    return value


def tenant_now(choice: TenantChoice) -> Tenant | Everyone | None:
    """Return the tenant of this moment."""
    if choice is None or isinstance(choice, Everyone):
        return choice
    return checked_tenant(choice() if callable(choice) else choice)


def adapter_of(model: type[BaseModel], name: str) -> TypeAdapter[Any]:
    """Return what validates values of one field."""
    info = model.__pydantic_fields__[name]
    annotation: Any = Annotated[info.annotation, *info.metadata] if info.metadata else info.annotation
    return TypeAdapter(annotation, config=ConfigDict(arbitrary_types_allowed=True))


def as_tenant_of(model: type[BaseModel], name: str, adapter: TypeAdapter[Any], tenant: Tenant) -> Any:
    """Return a tenant as the value of a model's field; TypeError where the field does not take it."""
    try:
        return adapter.validate_python(tenant, strict=True)
    except ValidationError:
        raise TypeError(
            f"{model.__name__}.{name} does not take the tenant of the unit, which is of type {type(tenant).__name__}."
        ) from None


def write_field(document: Tracked, name: str, value: object) -> None:
    """Set a field that the program may not set: past pydantic, which may hold it frozen, but noticed."""
    touch_field(document, name)
    vars(document)[name] = value
    document.model_fields_set.add(name)
