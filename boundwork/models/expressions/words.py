"""The conditions that Python has no operator for, and the two ways through Optional and lists.

For type checkers a field is the value it has on an instance; these signatures are written for that view.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import date, time, timedelta
from decimal import Decimal
from enum import Enum
from ipaddress import IPv4Address, IPv6Address
from pathlib import PurePath
from typing import Any, TypeVar, cast
from uuid import UUID

import bson
from pydantic import AnyUrl, BaseModel

from boundwork.models.expressions.conditions import Comparison, Condition, Filter, Negation, Plain, as_filter
from boundwork.models.expressions.fields import FieldExpression, target_in
from boundwork.models.expressions.operands import encode_operand, operand_at
from boundwork.models.expressions.targets import Target
from boundwork.models.kinds import Dataclass
from boundwork.models.references.ref import Ref

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
    Dataclass,
    Ref[Any, Any],
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


def contains_all(field: Collection[Member] | None, values: Iterable[Member]) -> Filter:
    """Require that a list, set or tuple contains every one of the values; ValueError for none, or as `in_`."""
    return _membership("contains_all", "$all", field, values)


def size(field: Collection[object] | None, number: int) -> Filter:
    """Require that a list, set or tuple has exactly so many elements."""
    target = target_in("size", field)
    target.element()
    return Comparison(target, {"$size": _whole("size", number, least=0)})


def mod(field: Decimal | float | None, divisor: int, remainder: int) -> Filter:
    """Require that the number divided by `divisor` leaves `remainder`; fractions are cut off first."""
    target = target_in("mod", field)
    return Comparison(target, {"$mod": [_whole("mod", divisor, least=1), _whole("mod", remainder)]})


def text(
    search: str,
    *,
    language: str | None = None,
    case_sensitive: bool = False,
    diacritic_sensitive: bool = False,
) -> Filter:
    """Require that the text index of the collection finds these words; quotes and a minus are its own syntax."""
    return TextSearch(search, language, case_sensitive=case_sensitive, diacritic_sensitive=diacritic_sensitive)


def raw(filter: Mapping[str, Any], *, allow_javascript: bool = False) -> Filter:  # noqa: A002 - the word of the field
    """Take a plain filter as it is: its names need not be those of the model.

    `allow_javascript` lets `$where`, `$function` and `$accumulator` through, for code of the program's own.
    """
    return Plain(filter, known=False, javascript=allow_javascript)


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


class TextSearch(Filter):
    """Words that the text index of a collection looks for."""

    __slots__ = ("_search",)

    def __init__(self, search: str, language: str | None, *, case_sensitive: bool, diacritic_sensitive: bool) -> None:
        """Keep what the server is asked for."""
        self._search: dict[str, Any] = {"$search": encode_operand("text", _text(search))}
        if language is not None:
            self._search["$language"] = encode_operand("text", _text(language))
        if case_sensitive:
            self._search["$caseSensitive"] = True
        if diacritic_sensitive:
            self._search["$diacriticSensitive"] = True

    def compiled(self) -> dict[str, Any]:
        """Return `{"$text": ...}`."""
        return {"$text": dict(self._search)}

    def targets(self) -> Iterator[Target]:
        """Yield nothing: the index knows its fields."""
        return iter(())

    def shown(self) -> str:
        """Return the word."""
        return "text(...)"

    def inside(self, elements: Target) -> Filter:
        """Refuse: an index searches documents."""
        problem = f"text(...) searches documents and cannot be a condition on the elements of {elements.shown}."
        raise ValueError(problem)


def _whole(word: str, number: object, least: int | None = None) -> int:
    if isinstance(number, bool) or not isinstance(number, int):
        problem = f"{word} takes a whole number, not {type(number).__name__}."
        raise TypeError(problem)
    if not -(2**63) <= number < 2**63 or (least is not None and number < least):
        problem = f"{word} takes a whole number of 64 bits" + ("." if least is None else f" that is not below {least}.")
        raise ValueError(problem)
    return int.__int__(number)


def _membership(word: str, operator: str, field: object, values: Iterable[object]) -> Comparison:
    target = target_in(word, field)
    place = target.element() if operator == "$all" else target
    if isinstance(values, str | bytes | FieldExpression) or not isinstance(cast("object", values), Iterable):
        problem = f"{word}({target.shown}, ...) takes a list of values, not one {type(values).__name__}."
        raise TypeError(problem)
    encoded = [operand_at(place, value) for value in values]
    if operator == "$all" and not encoded:
        problem = f"{word}({target.shown}, ...) takes at least one value: the server finds nothing for none."
        raise ValueError(problem)
    if any(isinstance(value, dict) and _begins_like_an_operator(cast("dict[str, Any]", value)) for value in encoded):
        # The server refuses these: inside a list of values it would take them for operators.
        problem = f"{word}({target.shown}, ...): an object whose first key begins with '$' cannot be in the list. Use == and |."
        raise ValueError(problem)
    return Comparison(target, {operator: encoded})


def _begins_like_an_operator(value: dict[str, Any]) -> bool:
    return next(iter(value), "").startswith("$")


def _literal(text: object) -> str:
    return re.escape(_text(text))


def _text(text: object) -> str:
    if not isinstance(text, str):
        problem = f"A pattern is a str, not {type(text).__name__}. For a compiled pattern pass its text with raw=True."
        raise TypeError(problem)
    return str.__str__(text)


def _text_match(word: str, field: object, pattern: str, *, ignore_case: bool) -> Filter:
    target = target_in(word, field)
    pattern = _text(pattern)
    if "\0" in pattern:
        problem = f"{word}({target.shown}, ...): a pattern cannot hold a NUL character."
        raise ValueError(problem)
    encode_operand(target.shown, pattern)
    test: dict[str, Any] = {"$regex": pattern}
    if ignore_case:
        test["$options"] = "i"
    return Comparison(target, test)
