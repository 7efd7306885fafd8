"""What an aggregation may hold, and the form in which it is sent.

The stages are the program's own. Values are stored as they are in documents, a field of the class stands for its path
(`Order.total` for `"$total"`), and a `$match` takes conditions. What writes is refused, and so is JavaScript unless the
program asks for it.
"""

import re
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any, cast

import bson
from pydantic import BaseModel

from boundwork.models.expressions.conditions import Filter, Plain
from boundwork.models.expressions.fields import FieldExpression
from boundwork.models.expressions.filters import check_root, compile_filter
from boundwork.models.expressions.operands import Expression, encode_operand
from boundwork.models.expressions.plain import checked_key, whole
from boundwork.models.kinds import is_array, is_document

_WRITING = frozenset({"$out", "$merge"})
_FIRST_ONLY = frozenset({"$geoNear", "$search", "$searchMeta", "$vectorSearch"})
Stage = dict[str, Any]


def compile_pipeline(
    model: type[BaseModel], pipeline: Sequence[Mapping[str, Any]], base: Mapping[str, Any], *, javascript: bool
) -> tuple[Stage, ...]:
    """Return the stages in stored form, for the documents that meet `base` only.

    Raises TypeError for what is no stage, ValueError for a stage that writes, for an operator that runs JavaScript
    (`javascript` lets it pass), and for a first `$match` with a name that the model does not store.
    """
    stages = whole(
        "The pipeline", lambda: [_stage(model, number, stage, javascript) for number, stage in enumerate(pipeline)]
    )
    return restricted(stages, base)


def restricted(stages: Sequence[Stage], base: Mapping[str, Any]) -> tuple[Stage, ...]:
    """Return stages that are given only the documents that meet a condition."""
    if not base:
        return tuple(stages)
    first = next(iter(stages[0]), "") if stages else ""
    if first == "$match":  # it stays the first one: $text is taken nowhere else
        return ({"$match": {"$and": [dict(base), stages[0]["$match"]]}}, *stages[1:])
    place = int(first in _FIRST_ONLY)
    return (*stages[:place], {"$match": dict(base)}, *stages[place:])


def _stage(model: type[BaseModel], number: int, stage: object, javascript: bool) -> Stage:
    fields = list(_fields(stage).items())
    name = _key(fields[0][0], javascript) if len(fields) == 1 and isinstance(fields[0][0], str) else ""
    if not name.startswith("$"):
        raise TypeError(
            f"Stage {number + 1} of the pipeline is no mapping with one operator, such as {{'$match': ...}}."
        )
    operand = fields[0][1]
    if name == "$match":
        return {name: _matched(model, operand, javascript, first=number == 0)}
    return {name: _stored(model, name, operand, javascript)}


def _key(name: object, javascript: bool) -> str:
    """Return a key; ValueError for a stage that writes, wherever it stands: in $facet, in a pipeline of $lookup."""
    key = checked_key(name, javascript)
    if key in _WRITING:
        raise ValueError(f"The stage {key} is refused: it writes past the unit, and no transaction takes it.")
    return key


def _matched(model: type[BaseModel], operand: object, javascript: bool, *, first: bool) -> dict[str, Any]:
    """Return a condition; after the first stage the names of a plain one may be those of rows."""
    if not isinstance(operand, Mapping):
        return compile_filter(model, cast("Filter", operand))
    return compile_filter(model, Plain(cast("Mapping[str, Any]", operand), known=first, javascript=javascript))


def _stored(model: type[BaseModel], name: str, value: object, javascript: bool) -> object:
    if isinstance(value, Mapping):
        parts = _fields(cast("object", value)).items()
        return {(key := _key(name, javascript)): _stored(model, key, part, javascript) for name, part in parts}
    if isinstance(value, list | tuple):
        return [_stored(model, name, item, javascript) for item in cast("list[object]", value)]
    if isinstance(value, Expression):
        return _of_the_class(model, value)
    return cast("object", value) if isinstance(value, re.Pattern | bson.Regex) else _value(name, value)


def _of_the_class(model: type[BaseModel], value: Expression) -> object:
    if not isinstance(value, FieldExpression):
        return compile_filter(model, cast("Filter", value))
    check_root(model, value.__target__)
    return f"${value.__target__.path}"


def _value(name: str, value: object) -> object:
    encoded: Any = encode_operand(name, value)
    # The keys of an object could be operators here, and its texts paths; as a literal it is the value that it is.
    said = isinstance(value, str) and not isinstance(value, Enum)
    return {"$literal": encoded} if not said and _speaks(encoded) else encoded


def _speaks(encoded: object) -> bool:
    """Tell whether an aggregation would read a value as operators or paths, wholly or in part."""
    if is_array(encoded):
        return any(map(_speaks, encoded))
    return (
        is_document(encoded)
        or isinstance(encoded, bson.DBRef)
        or (isinstance(encoded, str) and encoded.startswith("$"))
    )


def _fields(value: object) -> Mapping[object, object]:
    return cast("Mapping[object, object]", value) if isinstance(value, Mapping) else {}
