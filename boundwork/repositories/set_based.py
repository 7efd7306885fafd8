"""What set-based words make of a query: its conditions and the way it is carried out, with changes instead of a result.

The filter of every such operation is that of the query (`_selected`), so whatever a query adds to its conditions holds
here as well. Conditions and changes stand in one list of arguments, since each says itself which of the two it is.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar, cast

from boundwork.models import Document
from boundwork.models.expressions import Change, Condition, compile_changes
from boundwork.models.expressions.changes import Update
from boundwork.models.expressions.filters import checked
from boundwork.models.kinds import is_mapping
from boundwork.models.mapper import Mapper
from boundwork.repositories.plan import Plan
from boundwork.uow import set_based
from boundwork.uow.commands import DeleteMany, Find, FindAndUpdate, UpdateMany
from boundwork.uow.owning import removal_mark
from boundwork.uow.scoped_session import writes
from boundwork.uow.unit import Unit

DocumentT = TypeVar("DocumentT", bound=Document[Any])


@dataclass(frozen=True, slots=True)
class UpdateResult:
    """How many documents met the conditions, and how many of them were changed by it."""

    matched: int
    modified: int


def divided(word: str, parts: Iterable[Condition | Change]) -> tuple[tuple[Condition, ...], tuple[Change, ...]]:
    """Return the conditions and the changes among arguments; TypeError if there is no condition."""
    conditions: list[Condition] = []
    changes: list[Change] = []
    for part in parts:
        if isinstance(part, Change):
            changes.append(part)
        else:
            conditions.append(part)
    required(word, conditions)
    return tuple(conditions), tuple(changes)


def required(word: str, conditions: Iterable[Condition]) -> None:
    """Raise TypeError if nothing is asked for, so that a forgotten condition does not mean all documents.

    For a word that ends in `where` a filter without a field is none: programs build it of what they were given.
    """
    where = word.endswith("where")
    if all(where and is_mapping(condition) and not condition for condition in conditions):
        raise TypeError(f"{word} takes a condition. To mean all documents write find().update(...) or find().delete().")


async def update(plan: Plan[Any], changes: tuple[Change, ...]) -> UpdateResult:
    """Change all documents that the plan selects."""
    asked, made = _selected(plan, "update"), _compiled(plan, changes)
    write = UpdateMany(asked.filter, made.operators, made.array_filters, asked.options)
    result = await plan.unit.whole(set_based.update_all(plan.unit, plan.mapper, write))
    return UpdateResult(result.matched, result.modified)


async def delete(plan: Plan[Any]) -> int:
    """Delete all documents that the plan selects, softly where their model says so, and return how many."""
    softly = plan.mapper.scope.soft_delete is not None
    # What was removed before keeps its time, even where the query shows it.
    asked = _selected(replace(plan, removed_too=False) if softly else plan, "delete")
    if softly:
        mark = _counted(plan.mapper, {"$set": removal_mark(plan.mapper)})
        marked = UpdateMany(asked.filter, mark, (), asked.options)
        return (await plan.unit.whole(set_based.update_all(plan.unit, plan.mapper, marked))).modified
    write = DeleteMany(asked.filter, asked.options)
    return await plan.unit.whole(set_based.delete_all(plan.unit, plan.mapper, write))


async def find_and_update(
    unit: Unit, mapper: Mapper[DocumentT], parts: Iterable[Condition | Change], sort: object, *, before: bool
) -> DocumentT | None:
    """Change the first document that meets the conditions among `parts` as the changes say, and return it."""
    command = _first("find_and_update", unit, mapper, parts, _keys_of(sort))
    return await unit.whole(set_based.find_and_update(unit, mapper, command, before=before))


async def upsert(
    unit: Unit, mapper: Mapper[DocumentT], parts: Iterable[Condition | Change], document: DocumentT
) -> DocumentT:
    """Change a document that meets the conditions, or insert this one."""
    command = _first("upsert", unit, mapper, parts, ())
    return await unit.whole(set_based.upsert(unit, mapper, command, document))


def _keys_of(sort: object) -> tuple[object, ...]:
    """Return sort keys that were given as one, as several, or as None."""
    if sort is None:
        return ()
    return tuple(cast("Sequence[object]", sort)) if isinstance(sort, list | tuple) else (sort,)


def _selected(plan: Plan[Any], word: str) -> Find:
    """Return which documents a set-based word means; ValueError for a part of a result, or a read model."""
    if plan.skipped or plan.limited:
        raise ValueError(f"{word} is for all documents that meet the conditions: leave skip and limit out.")
    if plan.order and word in {"update", "delete"}:
        raise ValueError(f"{word} has no order: leave sort out.")
    if plan.view is not None:
        raise ValueError(f"{word} is for documents, not for a read model: leave project out.")
    if plan.options.all_tenants:
        raise ValueError(f"{word} is for the tenant of the unit. To change all documents use a unit of all tenants.")
    if "$near" in checked(plan.mapper.model, *plan.filters).operators():
        raise ValueError(f"{word} takes no near(...): write within_metres(...) instead.")
    return plan.command()


def _first(
    word: str, unit: Unit, mapper: Mapper[Any], parts: Iterable[Condition | Change], keys: tuple[object, ...]
) -> FindAndUpdate:
    conditions, changes = divided(word, parts)
    plan: Plan[Any] = Plan(unit, mapper, conditions, keys)
    asked, made = _selected(plan, word), _compiled(plan, changes)
    return FindAndUpdate(asked.collection, asked.filter, made.operators, asked.sort, made.array_filters, asked.options)


def _compiled(plan: Plan[Any], changes: tuple[Change, ...]) -> Update:
    made, mapper = compile_changes(plan.mapper.model, changes), plan.mapper
    field = mapper.scope.tenant_field
    if field is not None and writes(made.operators, mapper.stored_name(field)):
        raise ValueError(f"{mapper.model.__name__}.{field} cannot be changed: documents stay with their tenant.")
    return replace(made, operators=_counted(mapper, made.operators))


def _counted(mapper: Mapper[Any], operators: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return operators if mapper.fixed is None else mapper.fixed.counted(operators)
