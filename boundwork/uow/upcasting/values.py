"""A test of a converted value becomes one of the stored value.

Stored values of the converted types are those that are converted; all others stay and are tested as they are. Both
parts are told apart by their type, or for conversions of single values by the values themselves.
"""

from collections.abc import Callable
from typing import Any

from bson import MaxKey, MinKey, Regex

from boundwork.models.bson_types import MISSING
from boundwork.models.upcasts.conversions import Conversion
from boundwork.models.upcasts.pieces import ConvertField
from boundwork.uow.upcasting.places import Untranslatable

Test = dict[str, Any]
Again = Callable[[ConvertField, str, Any], Any]
_DENIED = {"$ne": "$eq", "$nin": "$in"}
_RANGES = frozenset({"$gt", "$gte", "$lt", "$lte"})
_SAME = frozenset({"$exists", "$size", "$elemMatch"})
"""Tests that see no difference between a value and what it becomes: both are there, and no lists."""


def converted(piece: ConvertField, operator: str, operand: Any, options: Any, again: Again) -> Test:
    """Return the condition that stored values meet if what they become meets a test. Raises Untranslatable."""
    name, conversion = piece.name, piece.conversion
    if operator == "$not":
        inner = again(piece, name, operand)
        return {"$nor": [{name: operand} if inner is None else inner]}
    if operator in _DENIED:
        return {"$nor": [converted(piece, _DENIED[operator], operand, options, again)]}
    if operator == "$eq":
        return _equal(name, conversion, operand)
    if operator == "$in":
        return _one_of(name, conversion, operand)
    if operator in _RANGES:
        return _in_range(name, conversion, operator, operand)
    if operator in _SAME or (operator in {"$regex", "$mod"} and not conversion.about(operator)):
        return {name: {operator: operand} if options is None else {operator: operand, "$options": options}}
    raise Untranslatable(f"{name!r} is converted ({conversion.name}), and {operator} looks at the stored form")


def _equal(name: str, conversion: Conversion, value: object) -> Test:
    if isinstance(value, Regex):
        raise Untranslatable(f"{name!r} is converted ({conversion.name}), and is compared with a pattern as a value")
    return _one_of(name, conversion, [value])


def _one_of(name: str, conversion: Conversion, values: list[Any]) -> Test:
    if any(isinstance(value, Regex) for value in values) and conversion.about("$regex"):
        raise Untranslatable(f"{name!r} is converted ({conversion.name}), and a pattern looks at the stored form")
    sources = [source for value in values if (source := conversion.source_of(value)) is not MISSING]
    if not conversion.types:
        return {name: {"$in": [value for value in values if not conversion.takes(value)] + sources}}
    stay = {name: {"$in": list(values), "$not": {"$type": conversion.types}}}
    return {"$or": [stay, {name: {"$in": sources, "$type": conversion.types}}]} if sources else stay


def _in_range(name: str, conversion: Conversion, operator: str, bound: Any) -> Test:
    if not conversion.compares(bound) and not isinstance(bound, MinKey | MaxKey):
        if not conversion.types:
            return {name: {operator: bound}}
        return {name: {operator: bound, "$not": {"$type": conversion.types}}}
    source = conversion.source_of(bound)
    if not conversion.ordered or source is MISSING:  # the ends of the order have no source either
        raise Untranslatable(f"{name!r} is converted ({conversion.name}), and the stored form has another order")
    stay = {name: {operator: bound, "$not": {"$type": conversion.types}}}
    return {"$or": [stay, {name: {operator: source, "$type": conversion.types}}]}
