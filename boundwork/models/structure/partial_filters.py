"""The condition of a partial index, in its stored form.

It is written as a mapping from field names, or as a function from the fields to a condition, since the class cannot
be named in its own statement: `where=lambda order: order.paid == False`. The server takes few operators there.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from boundwork.models.bson_types import encode_value
from boundwork.models.expressions.fields import FieldExpression, field_expression
from boundwork.models.expressions.filters import compile_filter
from boundwork.models.kinds import is_mapping
from boundwork.models.structure.paths import stored_path

Where = Mapping[str, Any] | Callable[[Any], Any]
_JOINING = frozenset({"$and", "$or"})
_TAKEN = frozenset({"$eq", "$exists", "$gt", "$gte", "$lt", "$lte", "$type", "$in"})


class Fields:
    """The fields of a model whose class is not finished yet: `fields.paid` is what `Order.paid` will be."""

    def __init__(self, model: type[BaseModel]) -> None:
        """Stand for a model."""
        self._model = model

    def __getattr__(self, name: str) -> FieldExpression:
        """Return the expression of a field; AttributeError names the nearest one."""
        return field_expression(self._model, name)


def stored_condition(model: type[BaseModel], where: Where) -> dict[str, Any]:
    """Return the filter; raise TypeError for an operator that no partial index takes."""
    condition = compile_filter(model, where(Fields(model))) if callable(where) else _renamed(model, where)
    _check(condition)
    return condition


def _renamed(model: type[BaseModel], where: Mapping[str, Any]) -> dict[str, Any]:
    condition: dict[str, Any] = {}
    for name, value in where.items():
        if name in _JOINING:
            condition[name] = [_renamed(model, part) for part in value]
        elif name.startswith("$"):
            raise _not_taken(name)
        else:
            condition[stored_path(model, name)] = encode_value(value)
    return condition


def _check(condition: Mapping[str, Any]) -> None:
    for name, value in condition.items():
        if name in _JOINING:
            for part in _parts(value):
                _check(part)
        elif name.startswith("$"):
            raise _not_taken(name)
        elif is_mapping(value):
            for operator, operand in value.items():
                if operator[:1] == "$" and (operator not in _TAKEN or (operator == "$exists" and not operand)):
                    raise _not_taken(f"{operator}: {operand}" if operator == "$exists" else operator)


def _parts(value: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    return value


def _not_taken(operator: str) -> TypeError:
    return TypeError(
        f"{operator} cannot stand in the condition of a partial index. The server takes equality, $exists: True, "
        "$gt, $gte, $lt, $lte, $in, $type, and $and or $or of these.",
    )
