"""How a document gets its tenant, and how it is removed while it stays stored.

Both are fields that the unit writes and the program does not. They are written as changes of the document, so that a
rollback takes them back like any other; a soft removal is flushed, guarded and repeated as the update that it is.
"""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from boundwork.models import Document
from boundwork.models.bson_types import MISSING
from boundwork.models.mapper import Mapper
from boundwork.models.scope import write_field
from boundwork.models.tracking import touch
from boundwork.uow.scopes import meet

if TYPE_CHECKING:
    from boundwork.uow.unit import Unit


def owner_for(unit: "Unit", mapper: Mapper[Any], document: Document[Any]) -> Any:
    """Return the tenant that a new document needs from its unit, else MISSING; InvalidDocument if it has another one."""
    if unit.scopes is None and not mapper.is_scoped:
        return MISSING
    meet(unit, mapper)
    return MISSING if unit.scopes is None else unit.scopes.owner_for(mapper, document)


def give(mapper: Mapper[Any], document: Document[Any], owner: object) -> None:
    """Give a tracked document its tenant."""
    if mapper.scope.tenant_field is not None:
        write_field(document, mapper.scope.tenant_field, owner)


def stored_for(unit: "Unit", mapper: Mapper[Any], document: Document[Any]) -> tuple[dict[str, Any], Any]:
    """Return a new document in its stored form, with the tenant that it needs, and that tenant, MISSING if it needs none."""
    owner = owner_for(unit, mapper, document)
    mapper.verify(document)
    stored = mapper.encode(document)
    return (stored if owner is MISSING else stored | mapper.tenant_stored(owner)), owner


def give_stored(mapper: Mapper[Any], document: Document[Any], owner: object) -> None:
    """Give a tracked document the tenant that it is stored with already."""
    if owner is not MISSING:
        changes = touch(document)
        give(mapper, document, owner)
        if changes is not None:
            changes.accept()


def mark_removed(mapper: Mapper[Any], document: Document[Any], time: datetime | None = None) -> None:
    """Note a time, or now, as that when a document was removed; one that is removed already keeps its own."""
    if mapper.scope.soft_delete is not None and not mapper.is_removed(document):
        write_field(document, mapper.scope.soft_delete, time or _now())


def removal_mark(mapper: Mapper[Any]) -> dict[str, Any]:
    """Return what is set in a stored document that is removed now."""
    return dict.fromkeys(mapper.present_filter, _now())


def _now() -> datetime:
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


def take_back(mapper: Mapper[Any], document: Document[Any]) -> datetime | None:
    """Undo a soft removal and return its time, None if there was none; TypeError for a model that has no soft removal."""
    if mapper.scope.soft_delete is None:
        raise TypeError(
            f"{type(document).__name__} declares no soft_delete: what is removed is gone with the next commit, and "
            "until it is sent, add() takes a removal back."
        )
    time: datetime | None = document.__dict__.get(mapper.scope.soft_delete)
    if time is not None:
        write_field(document, mapper.scope.soft_delete, None)
    return time
