"""Which document was not as it was read, and the error that says so, with versions where the model has them.

A bulk only counts what it met. If that is less than was sent, the documents are looked for: an update that took place
has left its version, and a delete that did not has left its document.
"""

from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

from boundwork.errors import StaleDocument
from boundwork.models import Document
from boundwork.models.bson_types import MISSING, decode_all
from boundwork.models.fixed_fields import FixedFields
from boundwork.models.identity import identity_key
from boundwork.models.mapper import Mapper, mapper_of
from boundwork.uow.changes import Alteration, Insertion, Removal
from boundwork.uow.commands import BulkResult, Find
from boundwork.uow.unique_claims import value_at

if TYPE_CHECKING:
    from boundwork.uow.flush_plan import PlannedBulk
    from boundwork.uow.unit import Unit

Stored = dict[str, Any]


async def check_counts(unit: "Unit", bulks: "list[PlannedBulk]", results: list[BulkResult]) -> None:
    """Raise StaleDocument if an update or a delete met no document; temporary updates count as well."""
    changes = [write.change for bulk in bulks for write in bulk.writes]
    sent = [change for change in changes if not isinstance(change, Insertion)]
    if not sent or sum(result.matched + result.deleted for result in results) >= len(sent):
        return
    altered = [change for change in sent if isinstance(change, Alteration)]
    removed = [change for change in sent if isinstance(change, Removal)]
    in_order: list[Alteration | Removal] = [*altered, *removed]
    for change in in_order:
        found = await _look(unit, change)
        if (found is None) is isinstance(change, Alteration) or (found is not None and _missed(change, found)):
            raise stale(unit, change, found)
    raise stale(unit, (removed or altered)[0], None)


async def _look(unit: "Unit", change: Alteration | Removal) -> Stored | None:
    """Return what is stored under an id: the id, the version and the shard key."""
    fixed = change.mapper.fixed
    paths = () if fixed is None else (fixed.version_path, *fixed.shard_key)
    projection = dict.fromkeys(("_id", *filter(None, paths)), 1)
    command = Find(change.mapper.collection, {"_id": change.id}, limit=1, projection=projection)
    found = decode_all(b"".join(await unit.send(partial(unit.session.find, command))))
    return found[0] if found else None


def _missed(change: Alteration | Removal, found: Stored) -> bool:
    """Tell whether a write, whose document is there, did not reach it."""
    fixed = change.mapper.fixed
    if isinstance(change, Removal):
        return True
    if fixed is None:
        return False
    look = partial(value_at, found)
    return fixed.number(look) != change.version or fixed.key(look) != fixed.key(change.before)


def stale(unit: "Unit", change: Alteration | Removal, found: Stored | None) -> StaleDocument:
    """Doom a unit, and return why: a document that it changes is not as it was read; `found` is what is there now."""
    mapper = change.mapper
    expected = None if mapper.fixed is None else mapper.fixed.number(change.before)
    if isinstance(change, Alteration) and change.version is not None:
        expected = change.version - 1  # the document has the next one already
    error = StaleDocument.of(
        mapper.model.__name__, mapper.collection, change.id, expected, _number(mapper.fixed, found), gone=found is None
    )
    unit.doom(error)
    return error


def deleted_here(unit: "Unit", change: Alteration) -> StaleDocument:
    """Doom a unit, and return why: a document was changed after an operation of the unit on all that match deleted it."""
    model = change.mapper.model.__name__
    error = StaleDocument(
        f"{model} {change.id!r} was deleted by an operation of this unit on all that match, and changed since. Nothing was "
        "written. Change it no more after that, or add it again.",
    )
    error.model, error.collection, error.id = model, change.mapper.collection, change.id
    error.may_pass = False
    unit.doom(error)
    return error


def changed_reading(unit: "Unit", command: Find, batches: Iterable[bytes]) -> StaleDocument | None:
    """Return the error of a query that gives another answer than before, if a version tells which document changed."""
    found = {identity_key(stored["_id"]): stored for stored in decode_all(b"".join(batches)) if "_id" in stored}
    wanted = command.filter.get("_id", MISSING)
    if wanted is not MISSING and not isinstance(wanted, dict):
        found.setdefault(identity_key(wanted), {})
    for key, stored in found.items():
        known = unit.workspace.known
        document = known.current(command.collection, key) or known.earlier(command.collection, key)
        error = _compared(unit, document, stored) if isinstance(document, Document) else None
        if error is not None:
            return error
    return None


def _compared(unit: "Unit", document: Document[Any], stored: Stored) -> StaleDocument | None:
    mapper: Mapper[Any] = mapper_of(type(document))
    if mapper.fixed is None or mapper.fixed.version is None or (stored and mapper.fixed.version_path not in stored):
        return None
    changes = unit.workspace.tracker.changes_of(document)
    name = mapper.fixed.version
    expected = document.__dict__.get(name) if changes is None else changes.first(name)
    number = _number(mapper.fixed, stored or None)
    if expected == number:
        return None
    return StaleDocument.of(mapper.model.__name__, mapper.collection, document.id, expected, number, gone=not stored)


def _number(fixed: FixedFields | None, stored: Stored | None) -> int | None:
    return None if fixed is None or stored is None else fixed.number(partial(value_at, stored))
