"""What a field on the class does: `Order.status` compares, orders, and leads on into embedded models.

Type checkers see `Order.status` as the value it has on an instance, so `Order.status == "open"` is a bool for them
and a filter at run time; `__eq__` and `__ne__` are declared accordingly. Everything of its own has a name with
underscores, since every other name may be a field of the user.
"""

from typing import NoReturn, cast

from pydantic import BaseModel

from boundwork.models.expressions.conditions import Comparison, Condition, Filter, as_filter
from boundwork.models.expressions.operands import Expression, operand_at
from boundwork.models.expressions.targets import Target, target_of


class FieldExpression(Expression):
    """A field of a model, to be compared, sorted by, or followed into embedded models."""

    __slots__ = ("__target__",)
    __target__: Target

    def __init__(self, target: Target) -> None:
        """Stand for the place."""
        self.__target__ = target

    def __getattr__(self, name: str) -> "FieldExpression":
        """Step into an embedded model by python field name; AttributeError names the nearest one."""
        if name.startswith("_"):
            # copy, pickle and inspection ask for these; pydantic fields never begin so.
            text = f"{type(self).__name__!r} object has no attribute {name!r}"
            raise AttributeError(text)
        return FieldExpression(self.__target__.attribute(name))

    def __getitem__(self, key: object) -> "FieldExpression":
        """Step to one key of a dict or one position of a list."""
        return FieldExpression(self.__target__.item(key))

    def __iter__(self) -> NoReturn:
        """Refuse: there is nothing to iterate over before the server answers."""
        shown = self.__target__.shown
        text = f"{shown} cannot be iterated. Write any_of({shown}) for a condition on its elements."
        raise TypeError(text)

    def __contains__(self, value: object) -> NoReturn:
        """Refuse: Python would turn the answer into a bool."""
        shown = self.__target__.shown
        text = f"`in {shown}` is no condition. Write any_of({shown}) == value, or contains({shown}, text)."
        raise TypeError(text)

    # Two expressions of one field are two keys: with equal hashes a dict would go on to ask for the truth of `==`.
    __hash__ = object.__hash__

    def __eq__(self, other: object) -> bool:
        """Compare by `$eq`; None also matches a document without the field."""
        return cast("bool", self._compared("$eq", other))

    def __ne__(self, other: object) -> bool:
        """Compare by `$ne`; a document without the field differs from every value but None."""
        return cast("bool", self._compared("$ne", other))

    def __lt__(self, other: object) -> Filter:
        """Compare by `$lt`, among values of the same BSON type class."""
        return self._ordered("$lt", other)

    def __le__(self, other: object) -> Filter:
        """Compare by `$lte`, among values of the same BSON type class."""
        return self._ordered("$lte", other)

    def __gt__(self, other: object) -> Filter:
        """Compare by `$gt`, among values of the same BSON type class."""
        return self._ordered("$gt", other)

    def __ge__(self, other: object) -> Filter:
        """Compare by `$gte`, among values of the same BSON type class."""
        return self._ordered("$gte", other)

    def __filter__(self) -> Filter:
        """Return the condition that a field which is a bool is true."""
        target = target_in("a condition", self)
        if target.kinds != (bool,):
            text = f"{target.shown} is a field, not a condition. Compare it, as in {target.shown} == value."
            raise TypeError(text)
        return Comparison(target, {"$eq": True})

    def __and__(self, other: Condition) -> Filter:
        """Require that the field is true and the other condition holds."""
        return self.__filter__() & other

    def __rand__(self, other: Condition) -> Filter:
        """Require that the field is true and the other condition holds."""
        return as_filter(other) & self.__filter__()

    def __or__(self, other: Condition) -> Filter:
        """Require that the field is true or the other condition holds."""
        return self.__filter__() | other

    def __ror__(self, other: Condition) -> Filter:
        """Require that the field is true or the other condition holds."""
        return as_filter(other) | self.__filter__()

    def __repr__(self) -> str:
        """Show the place as it was written."""
        return f"<FieldExpression {self.__target__.shown}>"

    def _compared(self, operator: str, value: object) -> Filter:
        target = target_in(operator, self)
        return Comparison(target, {operator: operand_at(target, value)})

    def _ordered(self, operator: str, value: object) -> Filter:
        if value is None:
            text = f"{self.__target__.shown} cannot be ordered against None. Write == None or is_none(...)."
            raise TypeError(text)
        return self._compared(operator, value)


def field_expression(model: type[BaseModel], name: str) -> FieldExpression:
    """Return the expression for a model's field; AttributeError names the nearest field."""
    return FieldExpression(target_of(model, name))


def target_in(word: str, field: object) -> Target:
    """Return the place of a field that was passed to the function `word`; TypeError if it is none, or one of `each`."""
    target = place_in(word, field)
    if any(target.elements):
        text = f"{word} takes no {target.shown}: each(...) is for changes. Write any_of(...)."
        raise TypeError(text)
    return target


def place_in(word: str, field: object) -> Target:
    """Return the same place, which may lie in elements that `each` has chosen."""
    if isinstance(field, FieldExpression):
        return field.__target__
    text = f"{word} takes a field of the class, such as Order.status, not {type(field).__name__}."
    raise TypeError(text)
