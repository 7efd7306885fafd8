"""Which elements of a list a change is about: all of them, or those that meet conditions.

`each` stands in changes where `any_of` stands in conditions. Its own conditions are written as those of `elem`.
"""

from collections.abc import Iterable
from typing import Any, TypeVar, cast

from boundwork.models.expressions.conditions import Condition, as_filter
from boundwork.models.expressions.elements import of_one_element
from boundwork.models.expressions.fields import FieldExpression, place_in
from boundwork.models.expressions.plain import JUNCTIONS

T = TypeVar("T")


class Chosen:
    """The elements of one list that meet a condition on a single element; None stands for all."""

    __slots__ = ("condition",)

    def __init__(self, condition: dict[str, Any] | None) -> None:
        """Keep the compiled condition."""
        self.condition = condition

    def named(self, name: str) -> dict[str, Any]:
        """Return the array filter that calls such an element by a name."""
        return _named(self.condition or {}, name)


def each(field: Iterable[T] | None, *conditions: Condition) -> T:
    """Mean, in a change, each element of a list: `set_(each(Order.lines, any_of(Order.lines).sku == "x").quantity, 3)`.

    Conditions choose the elements that meet all of them and begin with `any_of` of the same list; without one all
    elements are meant. A document that lacks the list fails the operation. Raises TypeError for a field that is no list,
    set or tuple, ValueError for a condition on something else.
    """
    target = place_in("each", field)
    target.element()
    condition = of_one_element(target, [as_filter(each) for each in conditions]) if conditions else None
    return cast("T", FieldExpression(target.element(Chosen(condition))))


def _named(condition: dict[str, Any], name: str) -> dict[str, Any]:
    named: dict[str, Any] = {}
    for key, test in condition.items():
        if key in JUNCTIONS:
            named[key] = [_named(part, name) for part in test]
        elif key.startswith("$"):
            named.setdefault(name, {})[key] = test
        else:
            named[f"{name}.{key}"] = test
    return named
