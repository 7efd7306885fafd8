"""What a condition is, and the MongoDB filter it becomes.

A condition is a small tree: comparisons of one field, plain filters, and their combinations by and, or, not. Only
this file writes operators, and every value stands under one (`{path: {"$eq": value}}`), so a value that looks like
an operator stays a value. New operators need a new comparison, not a new kind of condition.
"""

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from boundwork.models.expressions.operands import Expression
from boundwork.models.expressions.plain import plain_filter, stored_paths
from boundwork.models.expressions.targets import Target

# For these a dotted path into a list already means "any element". For the others, and where None is sought, it would
# mean "no element" or also match a document without the list, so they are put into $elemMatch.
_ANY_BY_PATH = frozenset({"$eq", "$in", "$gt", "$gte", "$lt", "$lte", "$regex", "$mod"})
_SIGNS = {"$eq": "==", "$ne": "!=", "$lt": "<", "$lte": "<=", "$gt": ">", "$gte": ">=", "$in": "in", "$nin": "not in"}
_WORDS = {"$and": " & ", "$or": " | "}


class Filter(Expression):
    """A condition on documents; combine with `&`, `|` and `not_`."""

    __slots__ = ()

    def __filter__(self) -> "Filter":
        """Return itself."""
        return self

    @abstractmethod
    def compiled(self) -> dict[str, Any]:
        """Return the condition as a MongoDB filter of BSON values."""

    @abstractmethod
    def targets(self) -> Iterator[Target]:
        """Yield every place of a model that the condition names."""

    @abstractmethod
    def shown(self) -> str:
        """Return the condition without its values."""

    @abstractmethod
    def inside(self, elements: Target) -> "Filter":
        """Return the condition as one on the elements of a list; ValueError if it is about something else."""

    def stored_paths(self) -> Iterator[str]:
        """Yield the stored paths that stand in plain filters; inside the conditions of `elem` those of an element."""
        return iter(())

    def operators(self) -> Iterator[str]:
        """Yield the operators that expressions wrote."""
        return iter(())

    def __and__(self, other: "Condition") -> "Filter":
        """Require both."""
        return Junction("$and", (self, as_filter(other)))

    def __rand__(self, other: "Condition") -> "Filter":
        """Require both."""
        return Junction("$and", (as_filter(other), self))

    def __or__(self, other: "Condition") -> "Filter":
        """Require one or both."""
        return Junction("$or", (self, as_filter(other)))

    def __ror__(self, other: "Condition") -> "Filter":
        """Require one or both."""
        return Junction("$or", (as_filter(other), self))

    def __repr__(self) -> str:
        """Show paths and operators; values are the user's and stay out of logs."""
        return f"<Filter {self.shown()}>"


Condition = Filter | bool | Mapping[str, Any]
"""What is accepted as a condition. `bool` is what type checkers make of `Order.status == "open"`; a real one is refused."""


class Comparison(Filter):
    """One operator on one field; options stand behind the operator in `test`."""

    __slots__ = ("_target", "_test")

    def __init__(self, target: Target, test: dict[str, Any]) -> None:
        """Keep the place and the operator with its encoded operand."""
        self._target = target
        self._test = test

    def compiled(self) -> dict[str, Any]:
        """Return `{path: {operator: value}}`, or the same through $elemMatch where "any element" needs it."""
        *outer, last = self._target.segments
        if not outer and not last:
            return dict(self._test)  # the element itself, inside $elemMatch
        # MongoDB looks through one list by itself, not through a list directly in a list.
        nested = "" in outer
        if not outer or (self._any_by_path() and not nested):
            return {self._target.path: dict(self._test)}
        inner: dict[str, Any] = {last: dict(self._test)} if last else dict(self._test)
        for segment in reversed(outer):
            match = {"$elemMatch": inner}
            inner = {segment: match} if segment else match
        return inner

    def targets(self) -> Iterator[Target]:
        """Yield the one place."""
        yield self._target

    def shown(self) -> str:
        """Return the field and the operator."""
        operator = next(iter(self._test))
        return f"{self._target.shown} {_SIGNS.get(operator, operator)} ..."

    def inside(self, elements: Target) -> Filter:
        """Return the comparison with what is left of the path below the elements."""
        return type(self)(self._target.below(elements), self._test)

    def operators(self) -> Iterator[str]:
        """Yield the one operator."""
        yield next(iter(self._test))

    @property
    def bare(self) -> dict[str, Any] | None:
        """The operator and its operand if this is about an element itself, else None."""
        return None if self._target.segments[0] else self.compiled()

    def _any_by_path(self) -> bool:
        operator, operand = next(iter(self._test.items()))
        sought = cast("list[object]", operand) if operator == "$in" else [operand]
        return operator in _ANY_BY_PATH and not any(value is None for value in sought)


class Junction(Filter):
    """Several conditions, all (`$and`) or at least one (`$or`) of which must hold."""

    __slots__ = ("_operator", "_parts")

    def __init__(self, operator: str, parts: Sequence[Filter]) -> None:
        """Take over the parts of a part that is the same junction: `a & b & c` is one level deep."""
        self._operator = operator
        self._parts: tuple[Filter, ...] = tuple(leaf for part in parts for leaf in _leaves(operator, part))

    @property
    def parts(self) -> tuple[Filter, ...]:
        """The conditions."""
        return self._parts

    @property
    def operator(self) -> str:
        """`$and` or `$or`."""
        return self._operator

    def compiled(self) -> dict[str, Any]:
        """Return one flat filter for `$and` where no key stands twice, else the list form."""
        compiled = [part.compiled() for part in self._parts]
        if self._operator == "$or":
            return {"$or": compiled}
        merged: dict[str, Any] = {}
        for condition in compiled:
            merged.update(condition)
        if len(merged) == sum(len(condition) for condition in compiled):
            return merged
        return {"$and": [condition for condition in compiled if condition]}

    def targets(self) -> Iterator[Target]:
        """Yield the places of all parts."""
        for part in self._parts:
            yield from part.targets()

    def shown(self) -> str:
        """Return the parts, joined as they were written."""
        return "(" + _WORDS[self._operator].join(part.shown() for part in self._parts) + ")"

    def inside(self, elements: Target) -> Filter:
        """Return the same junction of conditions on elements."""
        return Junction(self._operator, [part.inside(elements) for part in self._parts])

    def stored_paths(self) -> Iterator[str]:
        """Yield the stored paths in all parts."""
        for part in self._parts:
            yield from part.stored_paths()

    def operators(self) -> Iterator[str]:
        """Yield the operators of all parts."""
        for part in self._parts:
            yield from part.operators()


class Negation(Filter):
    """A condition that must not hold."""

    __slots__ = ("_part",)

    def __init__(self, part: Filter) -> None:
        """Keep the condition."""
        self._part = part

    def compiled(self) -> dict[str, Any]:
        """Return `$nor`, the one negation that takes any condition."""
        return {"$nor": [self._part.compiled()]}

    def targets(self) -> Iterator[Target]:
        """Yield the places of the condition."""
        return self._part.targets()

    def shown(self) -> str:
        """Return the condition in `not_`."""
        return f"not_({self._part.shown()})"

    def inside(self, elements: Target) -> Filter:
        """Return the negation of the condition on elements."""
        return Negation(self._part.inside(elements))

    def stored_paths(self) -> Iterator[str]:
        """Yield the stored paths in the condition."""
        return self._part.stored_paths()

    def operators(self) -> Iterator[str]:
        """Yield the operators of the condition."""
        return self._part.operators()


class Plain(Filter):
    """A plain MongoDB filter, in stored names; with `known=False` they need not be those of the model."""

    __slots__ = ("_filter", "_known")

    def __init__(
        self,
        filter: Mapping[str, Any],  # noqa: A002 - the word of the field
        *,
        known: bool = True,
        javascript: bool = False,
    ) -> None:
        """Check and encode at once, where the program wrote it."""
        self._filter = plain_filter(filter, javascript=javascript)
        self._known = known

    def compiled(self) -> dict[str, Any]:
        """Return the filter."""
        return dict(self._filter)

    def targets(self) -> Iterator[Target]:
        """Yield nothing: stored names belong to any model."""
        return iter(())

    def shown(self) -> str:
        """Return the names it begins with."""
        return "{" + ", ".join(f"{name}: ..." for name in self._filter) + "}"

    def inside(self, elements: Target) -> Filter:
        """Return itself: its names are those of an element there."""
        del elements
        return self

    def stored_paths(self) -> Iterator[str]:
        """Yield the stored paths, unless they are taken as they are."""
        return stored_paths(self._filter) if self._known else iter(())


def as_filter(condition: object) -> Filter:
    """Return a condition as a filter; TypeError says what to write instead of anything else."""
    if isinstance(condition, Expression):
        condition = condition.__filter__()
    if isinstance(condition, Filter):
        return condition
    if isinstance(condition, Mapping):
        return Plain(cast("Mapping[str, Any]", condition))
    if isinstance(condition, bool):
        text = (
            f"A condition was worked out to {condition} before it got here. Compare fields of the class, not of an "
            "instance (Order.status == 'open'), and write is_none(field) instead of `field is None`."
        )
        raise TypeError(text)
    text = f"A condition is an expression such as Order.status == 'open' or a plain filter, not {type(condition).__name__}."
    raise TypeError(text)


def _leaves(operator: str, part: Filter) -> tuple[Filter, ...]:
    if isinstance(part, Junction) and part.operator == operator:
        return part.parts
    return (part,)
