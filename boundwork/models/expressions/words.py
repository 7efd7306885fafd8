"""The conditions that Python has no operator for, and the two ways through Optional and lists.

For type checkers a field is the value it has on an instance; these signatures are written for that view.
"""

import re
from collections.abc import Iterable
from datetime import date, time, timedelta
from decimal import Decimal
from enum import Enum
from ipaddress import IPv4Address, IPv6Address
from pathlib import PurePath
from typing import Any, TypeVar, cast
from uuid import UUID

import bson
from pydantic import AnyUrl, BaseModel

from boundwork.models.expressions.conditions import Comparison, Condition, Filter, Negation, as_filter
from boundwork.models.expressions.fields import FieldExpression, target_in
from boundwork.models.expressions.operands import encode_operand

T = TypeVar("T")

# With a free type variable checkers settle on `object` and accept any values for any field; these alternatives make
# them choose one type for the field and the values. A field of another type needs a plain filter.
Member = TypeVar(
    "Member",
    str,
    bytes,
    int,
    float,
    Decimal,
    date,
    time,
    timedelta,
    UUID,
    bson.ObjectId,
    bson.Decimal128,
    Enum,
    IPv4Address,
    IPv6Address,
    PurePath,
    AnyUrl,
    BaseModel,
    list[Any],
    dict[str, Any],
)


def some(field: T | None) -> T:
    """Reach through an optional field: `some(Order.billing).city`."""
    return cast("T", FieldExpression(target_in("some", field)))


def any_of(field: Iterable[T]) -> T:
    """Reach any element of a list, set or tuple: `any_of(Order.lines).sku == "x"`.

    Each comparison stands for itself: two of them may be met by two different elements.
    """
    return cast("T", FieldExpression(target_in("any_of", field).element()))


def in_(field: Member | None, values: Iterable[Member | None]) -> Filter:
    """Require that the field equals one of the values; ValueError for an object whose first key begins with `$`."""
    return _membership("in_", "$in", field, values)


def not_in(field: Member | None, values: Iterable[Member | None]) -> Filter:
    """Require that the field equals none of the values; a document without the field meets this."""
    return _membership("not_in", "$nin", field, values)


def is_none(field: object) -> Filter:
    """Require that the field is null or not stored at all."""
    return Comparison(target_in("is_none", field), {"$eq": None})


def exists(field: object, flag: bool = True) -> Filter:
    """Require that the field is stored, null included, or with `flag=False` that it is not."""
    return Comparison(target_in("exists", field), {"$exists": bool(flag)})


def regex(field: str | None, pattern: str, *, raw: bool = False, ignore_case: bool = False) -> Filter:
    """Require that the text has a match of the pattern somewhere.

    The pattern is taken literally unless `raw` says that it is a regular expression of the program's own:
    one from outside can keep the server busy for minutes.
    """
    return _text_match("regex", field, pattern if raw else _literal(pattern), ignore_case=ignore_case)


def contains(field: str | None, text: str, *, ignore_case: bool = False) -> Filter:
    """Require that the text of the field contains this text."""
    return _text_match("contains", field, _literal(text), ignore_case=ignore_case)


def starts_with(field: str | None, text: str, *, ignore_case: bool = False) -> Filter:
    """Require that the text of the field begins with this text; an index helps unless the case is ignored."""
    return _text_match("starts_with", field, "^" + _literal(text), ignore_case=ignore_case)


def not_(condition: Condition) -> Filter:
    """Require that a condition does not hold."""
    return Negation(as_filter(condition))


def _membership(word: str, operator: str, field: object, values: Iterable[object]) -> Filter:
    target = target_in(word, field)
    if isinstance(values, str | bytes | FieldExpression):
        text = f"{word}({target.shown}, ...) takes a list of values, not one {type(values).__name__}."
        raise TypeError(text)
    encoded = [encode_operand(target.shown, value) for value in values]
    if any(isinstance(value, dict) and _begins_like_an_operator(cast("dict[str, Any]", value)) for value in encoded):
        # The server refuses these: inside a list of values it would take them for operators.
        text = f"{word}({target.shown}, ...): an object whose first key begins with '$' cannot be in the list. Use == and |."
        raise ValueError(text)
    return Comparison(target, {operator: encoded})


def _begins_like_an_operator(value: dict[str, Any]) -> bool:
    return next(iter(value), "").startswith("$")


def _literal(text: object) -> str:
    return re.escape(_text(text))


def _text(text: object) -> str:
    if not isinstance(text, str):
        problem = f"A pattern is a str, not {type(text).__name__}. For a compiled pattern pass its text with raw=True."
        raise TypeError(problem)
    return text


def _text_match(word: str, field: object, pattern: str, *, ignore_case: bool) -> Filter:
    target = target_in(word, field)
    if "\0" in _text(pattern):
        text = f"{word}({target.shown}, ...): a pattern cannot hold a NUL character."
        raise ValueError(text)
    encode_operand(target.shown, pattern)
    test: dict[str, Any] = {"$regex": pattern}
    if ignore_case:
        test["$options"] = "i"
    return Comparison(target, test)
