"""Conditions that one and the same element of a list must meet.

`any_of(Order.lines).sku == "x"` and `any_of(Order.lines).quantity > 1` may be met by two different lines; inside
`elem` they are conditions on one. They are written the same way in both places.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, cast

from boundwork.models.expressions.conditions import Comparison, Condition, Filter, Junction, as_filter
from boundwork.models.expressions.fields import target_in
from boundwork.models.expressions.plain import JUNCTIONS
from boundwork.models.expressions.stored_names import REMEDY, check_stored_path
from boundwork.models.expressions.targets import Target


def elem(field: Iterable[object] | None, *conditions: Condition) -> Filter:
    """Require that one element of a list meets all conditions: `elem(Order.lines, any_of(Order.lines).sku == "x", ...)`.

    Conditions begin with `any_of` of the same list; names in a plain filter are those of an element. Raises ValueError
    for a condition on something else, TypeError for a field that is no list, set or tuple.
    """
    target = target_in("elem", field)
    target.element()
    if not conditions:
        text = (
            f"elem({target.shown}) has no condition. Write not_(size({target.shown}, 0)) for a list that is not empty."
        )
        raise ValueError(text)
    return ElementMatch(target, [as_filter(condition) for condition in conditions])


class ElementMatch(Filter):
    """A list with an element that meets all conditions."""

    __slots__ = ("_inner", "_parts", "_target")

    def __init__(self, target: Target, parts: Sequence[Filter], inner: dict[str, Any] | None = None) -> None:
        """Keep the list and the conditions, as written and as the server takes them for one element."""
        self._target = target
        self._parts = tuple(parts)
        self._inner = of_one_element(target, parts) if inner is None else inner

    def compiled(self) -> dict[str, Any]:
        """Return `{path: {"$elemMatch": conditions}}`."""
        return Comparison(self._target, {"$elemMatch": self._inner}).compiled()

    def targets(self) -> Iterator[Target]:
        """Yield the list and the places in its elements."""
        yield self._target
        for part in self._parts:
            yield from part.targets()

    def shown(self) -> str:
        """Return the list and the conditions."""
        return f"elem({self._target.shown}, {', '.join(part.shown() for part in self._parts)})"

    def inside(self, elements: Target) -> Filter:
        """Return the match of a list that lies in the elements of another one."""
        return ElementMatch(self._target.below(elements), self._parts, self._inner)

    def operators(self) -> Iterator[str]:
        """Yield the operators of the conditions."""
        for part in self._parts:
            yield from part.operators()


def of_one_element(target: Target, parts: Sequence[Filter]) -> dict[str, Any]:
    """Return the conditions as one on a single element of a list; ValueError for one on something else, or nothing."""
    for part in parts:
        for path in part.stored_paths():
            check_stored_path(target.root, f"{target.path}.{path}", "A plain filter", REMEDY)
    junction = Junction("$and", [part.inside(target) for part in parts])
    compiled = junction.compiled()
    if not _has_operators(compiled):
        return _ranges_joined(compiled)
    merged: dict[str, Any] = {}
    for part in junction.parts:
        test = part.bare if isinstance(part, Comparison) else None
        if test is None or merged.keys() & test.keys():
            text = (
                f"elem({target.shown}, ...): on elements themselves the server takes comparisons with different "
                "operators, joined by &. Write other conditions with any_of, outside of elem."
            )
            raise ValueError(text)
        merged.update(test)
    return merged


def _ranges_joined(compiled: dict[str, Any]) -> dict[str, Any]:
    """Return several comparisons of one field as one: the embedded server takes no $and as all that an element must meet."""
    if list(compiled) != ["$and"]:
        return compiled
    joined: dict[str, dict[str, Any]] = {}
    for condition in compiled["$and"]:
        for path, test in condition.items():
            tests = joined.setdefault(path, {})
            operators = cast("dict[str, Any]", test) if isinstance(test, dict) else {"": test}
            if path.startswith("$") or tests.keys() & operators.keys() or not all(key[:1] == "$" for key in operators):
                return compiled
            tests.update(operators)
    return joined


def _has_operators(compiled: dict[str, Any]) -> bool:
    """Tell whether an operator stands where a field should: it is about the element itself."""
    return any(
        any(map(_has_operators, value)) if key in JUNCTIONS else key.startswith("$") for key, value in compiled.items()
    )
