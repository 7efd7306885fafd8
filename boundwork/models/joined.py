"""How a condition follows an aggregation into the other collections that it looks into.

Each stage that reads a collection gets the condition of that one. What a stage reads that is not listed here nobody can
say, so it is refused where a condition must hold.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

from typing_extensions import TypeIs

from boundwork.models.kinds import is_mapping
from boundwork.models.pipelines import Stage, restricted

ConditionOf = Callable[[str], Mapping[str, Any]]

_OF_ROWS = frozenset(
    {
        "$addFields",
        "$bucket",
        "$bucketAuto",
        "$count",
        "$densify",
        "$fill",
        "$geoNear",
        "$group",
        "$limit",
        "$match",
        "$project",
        "$redact",
        "$replaceRoot",
        "$replaceWith",
        "$sample",
        "$set",
        "$setWindowFields",
        "$skip",
        "$sort",
        "$sortByCount",
        "$unset",
        "$unwind",
    }
)


def narrowed(collection: str, stages: Iterable[Stage], condition_of: ConditionOf) -> tuple[Stage, ...]:
    """Return a pipeline that reads only what meets the condition of its collection; ValueError for an unknown stage."""
    return restricted(joined(stages, condition_of, strict=True), condition_of(collection))


def joined(stages: Iterable[Stage], condition_of: ConditionOf, *, strict: bool) -> list[Stage]:
    """Return the stages with the conditions of the other collections that they read.

    A `strict` one raises ValueError for a stage of which it is not known what it reads; else that one stays as it is.
    """
    return [_stage(stage, condition_of, strict=strict) for stage in stages]


def _stage(stage: Stage, condition_of: ConditionOf, *, strict: bool) -> Stage:
    name, operand = _named(stage)
    if name in _OF_ROWS:
        return stage
    if name == "$facet" and is_mapping(operand) and all(map(_is_pipeline, operand.values())):
        parts = {key: joined(part, condition_of, strict=strict) for key, part in operand.items()}
        return {name: parts}
    if name == "$unionWith" and isinstance(operand, str):
        operand = {"coll": operand}
    other = _other(name, operand)
    if other is not None:
        return {name: _reaching(name, other, operand, condition_of, strict=strict)}
    if strict:
        raise ValueError(
            f"The stage {name} is refused in a unit with a tenant: which documents it reads is not known. "
            "Use another one, or lift the tenant for this aggregation (all_tenants=True)."
        )
    return stage


def _named(stage: Any) -> tuple[str, Any]:
    """Return name and operand of a stage; of what is none, which the server refuses, that it has no name."""
    if is_mapping(stage) and len(stage) == 1:
        ((name, operand),) = stage.items()
        return name, operand
    return "without a name", None


def _is_pipeline(value: Any) -> TypeIs[list[Any] | tuple[Any, ...]]:
    return isinstance(value, list | tuple)


def _other(name: str, operand: Any) -> str | None:
    """Return the collection that a stage reads, None if that is not known."""
    word = {"$lookup": "from", "$graphLookup": "from", "$unionWith": "coll"}.get(name)
    if word is None or not is_mapping(operand) or not _is_pipeline(operand.get("pipeline", ())):
        return None
    named = operand.get(word)
    return named if isinstance(named, str) else None


def _reaching(
    name: str, other: str, operand: Mapping[str, Any], condition_of: ConditionOf, *, strict: bool
) -> Mapping[str, Any]:
    condition = condition_of(other)
    if name == "$graphLookup":
        given = operand.get("restrictSearchWithMatch")
        both = {"$and": [dict(condition), given]} if given and condition else dict(condition) or given
        return {**operand, "restrictSearchWithMatch": both} if both else operand
    inner = joined(cast("Iterable[Stage]", operand.get("pipeline", ())), condition_of, strict=strict)
    stages = restricted(inner, condition)
    return {**operand, "pipeline": list(stages)} if stages else operand
