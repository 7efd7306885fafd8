"""Changes of lists and sets: what is appended, taken out, and cut off.

Values are sent in lists of their own (`$each`, `$pullAll`), where the server looks for no operators.
"""

from collections.abc import Collection
from typing import Any, get_args, get_origin

from boundwork.models.expressions.changes import Change, Value
from boundwork.models.expressions.conditions import Filter, as_filter
from boundwork.models.expressions.elements import of_one_element
from boundwork.models.expressions.fields import place_in
from boundwork.models.expressions.new_values import sought_values, stored_values
from boundwork.models.expressions.operands import Expression
from boundwork.models.expressions.targets import Target

_SETS: tuple[object, ...] = (set, frozenset)


def push(field: Collection[Value] | None, *values: Value, at: int | None = None, keep: int | None = None) -> Change:
    """Append values to a list, or insert them before position `at`; of the result keep the first or, if negative, last.

    `push(Order.seen, now, keep=-10)` keeps the ten newest. TypeError for a set: `add_to_set` has no duplicates.
    """
    place = _growing("push", field)
    if any((get_origin(kind) or kind) in _SETS for kind in place.kinds):
        text = f"push({place.shown}, ...) could store a value twice, and the field is a set. Write add_to_set."
        raise TypeError(text)
    operand: dict[str, Any] = {"$each": stored_values("push", place.element(), values)}
    if at is not None:
        operand["$position"] = _whole("at", at)
    if keep is not None:
        operand["$slice"] = _whole("keep", keep)
    return Change("$push", place, operand)


def add_to_set(field: Collection[Value] | None, *values: Value) -> Change:
    """Append those values to a list or set that it does not have yet."""
    place = _growing("add_to_set", field)
    return Change("$addToSet", place, {"$each": stored_values("add_to_set", place.element(), values)})


def pull(field: Collection[Value] | None, *what: Value | Filter | bool) -> Change:
    """Take out the elements that equal one of the values, or that meet all conditions, written as those of `elem`."""
    place = _growing("pull", field)
    if any(isinstance(part, Expression) for part in what):
        condition = of_one_element(place, [as_filter(part) for part in what])
        return Change("$pull", place, condition)
    return Change("$pullAll", place, sought_values("pull", place.element(), what))


def pop(field: Collection[object] | None, *, first: bool = False) -> Change:
    """Take out the last element of a list, or the first."""
    place = _growing("pop", field)
    return Change("$pop", place, -1 if first else 1)


def _growing(word: str, field: object) -> Target:
    place = place_in(word, field)
    place.element()
    for kind in place.kinds:
        if get_origin(kind) is tuple and get_args(kind)[-1:] != (...,):
            text = f"{word} would change how many elements {place.shown} has, and its model says how many. Write set_."
            raise TypeError(text)
    return place


def _whole(name: str, number: object) -> int:
    if isinstance(number, bool) or not isinstance(number, int) or not -(2**31) <= number < 2**31:
        text = f"push: {name} is a whole number of 32 bits."
        raise TypeError(text)
    return number
