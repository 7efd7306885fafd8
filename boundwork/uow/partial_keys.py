"""Whether a partial unique key takes a document in: yes, no, or None where that is not certain.

The filters of partial indexes know few operators. What is compared by rules that only a server knows in full (arrays,
documents, text under a collation) stays uncertain; the caller then counts the document as taken in.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from math import isnan
from operator import ge, gt, le, lt
from typing import Any

from bson import Decimal128, ObjectId

from boundwork.models.bson_types import MISSING
from boundwork.models.identity import identity_key
from boundwork.models.kinds import is_array, is_document

Verdict = bool | None
ORDERS: Mapping[str, Callable[[Any, Any], bool]] = {"$gt": gt, "$gte": ge, "$lt": lt, "$lte": le}
NUMBERS = {int, float, Decimal128}
NAMES: Mapping[type[Any], frozenset[str | int]] = {
    str: frozenset({"string", 2}),
    bool: frozenset({"bool", 8}),
    ObjectId: frozenset({"objectId", 7}),
    datetime: frozenset({"date", 9}),
    float: frozenset({"double", 1, "number"}),
    Decimal128: frozenset({"decimal", 19, "number"}),
    type(None): frozenset({"null", 10}),
}


def takes_in(condition: Mapping[str, Any], look: Callable[[str], Any], *, collated: bool = False) -> Verdict:
    """Tell whether a document meets the filter of a partial index; `look` gives its values by dotted paths."""
    return _all(_meets(name, wanted, look, collated=collated) for name, wanted in condition.items())


def _meets(name: str, wanted: Any, look: Callable[[str], Any], *, collated: bool) -> Verdict:
    if name in {"$and", "$or"}:
        parts = [takes_in(part, look, collated=collated) for part in wanted]
        return _all(parts) if name == "$and" else _any(parts)
    if name.startswith("$"):
        return None
    value = look(name)
    if not is_document(wanted) or not any(operator.startswith("$") for operator in wanted):
        return _equal(value, wanted, collated=collated)
    return _all(_compares(operator, value, operand, collated=collated) for operator, operand in wanted.items())


def _compares(operator: str, value: Any, operand: Any, *, collated: bool) -> Verdict:
    if operator == "$exists":
        return None if value == [] else (value is not MISSING) == bool(operand)
    if operator == "$eq":
        return _equal(value, operand, collated=collated)
    if operator == "$in":
        return _any([_equal(value, one, collated=collated) for one in operand])
    if operator == "$type":
        return _is_of_type(value, operand if is_array(operand) else [operand])
    if operator in ORDERS:
        return _ordered(ORDERS[operator], value, operand, collated=collated)
    return None


def _equal(value: Any, operand: Any, *, collated: bool) -> Verdict:
    if value is MISSING:
        return operand is None
    if any(is_array(side) or is_document(side) for side in (value, operand)):
        return None
    if identity_key(value) == identity_key(operand):
        return True
    return None if collated and isinstance(value, str) and isinstance(operand, str) else False


def _ordered(order: Callable[[Any, Any], bool], value: Any, operand: Any, *, collated: bool) -> Verdict:
    """Compare values of one class; the server never orders values of different ones."""
    if _class_of(operand) is None or _comparable(operand) is None:
        return None
    if value is MISSING or value is None:
        return False
    kind = _class_of(value)
    if kind is None or _comparable(value) is None or (collated and kind is str):
        return None
    return kind is _class_of(operand) and order(_comparable(value), _comparable(operand))


def _class_of(value: Any) -> type[Any] | None:
    kind: type[Any] = value.__class__
    if kind in NUMBERS:
        return float
    return kind if kind in {str, bool, ObjectId, datetime} else None


def _comparable(value: Any) -> Any:
    """Return a value as Python compares it; None for what is not a number."""
    if isinstance(value, Decimal128):
        decimal = value.to_decimal()
        return None if decimal.is_nan() else decimal
    if isinstance(value, datetime) and value.tzinfo is None:
        return value.replace(tzinfo=UTC)
    return None if isinstance(value, float) and isnan(value) else value


def _is_of_type(value: Any, wanted: Sequence[Any]) -> Verdict:
    if value is MISSING:
        return False
    kind: type[Any] = value.__class__
    if kind is int and "number" in wanted:
        return True
    names = NAMES.get(kind)
    return None if names is None else not names.isdisjoint(wanted)


def _all(verdicts: Iterable[Verdict]) -> Verdict:
    found = set(verdicts)
    if False in found:
        return False
    return None if None in found else True


def _any(verdicts: Sequence[Verdict]) -> Verdict:
    if True in verdicts:
        return True
    return None if None in verdicts else False
