"""How values are converted from one type to another, each to one and back to the same.

What would not come back the same ("007" as a number) is not converted but refused. So a filter on the converted value is
exact on the stored one; where both types have the same order, so is a range.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, get_args

from bson import DatetimeMS, Decimal128, Int64, ObjectId

from boundwork.models.bson_types import MISSING

Named = Literal[
    "text to int",
    "int to text",
    "text to object id",
    "object id to text",
    "milliseconds to date",
    "date to milliseconds",
    "text to date",
    "date to text",
]
"""The conversions that have a name; texts of dates are like 2026-11-23T10:30:00.000Z."""
Kind = Literal["text", "int", "object id", "milliseconds", "date"]
Values = Mapping[str | int | bool, str | int | bool]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_INT = re.compile(r"0|-?[1-9][0-9]{0,18}", re.ASCII)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z", re.ASCII)
_HEX = re.compile(r"[0-9a-f]{24}", re.ASCII)
_LEAST, _MOST = -(2**63), 2**63


class Conversion(ABC):
    """Values of one kind become values of another; all others stay."""

    @property
    @abstractmethod
    def name(self) -> str:
        """What people call it."""

    @property
    def types(self) -> list[str]:
        """The BSON types whose values are all converted; none if single values are."""
        return []

    @property
    def ordered(self) -> bool:
        """Tell whether what is converted is in the same order before and after."""
        return False

    def compares(self, value: Any) -> bool:
        """Tell whether a range with this bound may hold converted values."""
        return value is not None

    @abstractmethod
    def takes(self, value: Any) -> bool:
        """Tell whether a stored value is one to be converted."""

    @abstractmethod
    def up(self, value: Any) -> Any:
        """Return what a value becomes; MISSING if that would not come back the same."""

    @abstractmethod
    def inverse(self) -> "Conversion":
        """Return the way back."""

    @abstractmethod
    def source_of(self, value: Any) -> Any:
        """Return the stored value that becomes one equal to this; MISSING if none does."""

    @abstractmethod
    def about(self, word: str) -> bool:
        """Tell whether a test such as `$regex` may see a difference."""


@dataclass(frozen=True, slots=True)
class ByKind(Conversion):
    """A conversion from one type to another."""

    source: Kind
    target: Kind

    @property
    def name(self) -> str:
        """Both kinds."""
        return f"{self.source} to {self.target}"

    @property
    def types(self) -> list[str]:
        """The types of the source."""
        return {"text": ["string"], "object id": ["objectId"], "date": ["date"]}.get(self.source, ["int", "long"])

    @property
    def ordered(self) -> bool:
        """Decimal texts are not in the order of numbers; everything else is in order."""
        return {self.source, self.target} != {"text", "int"}

    def compares(self, value: Any) -> bool:
        """Tell whether the bound is of the target's kind; all numbers are compared with each other."""
        if self.target in {"int", "milliseconds"}:
            return isinstance(value, int | float | Decimal128) and not isinstance(value, bool)
        return _is(self.target, value)

    def takes(self, value: Any) -> bool:
        """Tell whether the value is of the source's kind."""
        return _is(self.source, value)

    def up(self, value: Any) -> Any:
        """Convert, and make sure of the way back."""
        now = _converted(self.source, self.target, value)
        if now is MISSING or _converted(self.target, self.source, now) != value:
            return MISSING
        return now

    def inverse(self) -> Conversion:
        """Swap the kinds."""
        return ByKind(self.target, self.source)

    def source_of(self, value: Any) -> Any:
        """Convert back; numbers that are equal are one."""
        if self.target in {"int", "milliseconds"}:
            value = _whole(value)
        return _converted(self.target, self.source, value) if _is(self.target, value) else MISSING

    def about(self, word: str) -> bool:
        """Patterns see texts, and remainders numbers."""
        kinds = {self.source, self.target}
        return (word == "$regex" and "text" in kinds) or (word == "$mod" and bool(kinds & {"int", "milliseconds"}))


@dataclass(frozen=True, slots=True)
class ByValue(Conversion):
    """A conversion of single values, such as codes."""

    pairs: tuple[tuple[Any, Any], ...]

    @property
    def name(self) -> str:
        """Values are not shown."""
        return f"of {len(self.pairs)} values"

    def takes(self, value: Any) -> bool:
        """Tell whether the value is listed."""
        return self.up(value) is not MISSING

    def up(self, value: Any) -> Any:
        """Return the partner."""
        return next((new for old, new in self.pairs if _equal(old, value)), MISSING)

    def inverse(self) -> Conversion:
        """Swap the partners."""
        return ByValue(tuple((new, old) for old, new in self.pairs))

    def source_of(self, value: Any) -> Any:
        """Return the partner."""
        return next((old for old, new in self.pairs if _equal(new, value)), MISSING)

    def about(self, word: str) -> bool:
        """Both tests look into values."""
        return word in {"$regex", "$mod"}


def conversion(of: Named | Values) -> Conversion:
    """Return the conversion that has this name, or that lists these values; ValueError for none."""
    if isinstance(of, str):
        if of not in get_args(Named):
            raise ValueError(f"No conversion is called {of!r}. There are: {', '.join(get_args(Named))}.")
        source, _, target = of.partition(" to ")
        return ByKind(source, target)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType] - the names are made of kinds
    pairs = tuple(of.items())
    listed: list[Any] = [*(old for old, _ in pairs), *(new for _, new in pairs)]
    for number, one in enumerate(listed):
        if not isinstance(one, str | int) or any(_equal(one, other) for other in listed[:number]):
            raise ValueError(
                "convert takes a dict of texts, whole numbers or booleans, in which each value stands once, on one side."
            )
    if not pairs:
        raise ValueError("convert was given no values.")
    return ByValue(pairs)


def _equal(one: Any, other: Any) -> bool:
    """Tell whether values are equal on the server, where True is not 1 and 1.0 is."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(other, Decimal128):
        number = other.to_decimal()
        return isinstance(one, int) and not number.is_nan() and number == one
    return bool(one == other)


def _is(kind: Kind, value: Any) -> bool:
    match kind:
        case "text":
            return isinstance(value, str)
        case "int" | "milliseconds":
            return isinstance(value, int) and not isinstance(value, bool)
        case "object id":
            return isinstance(value, ObjectId)
        case "date":
            return isinstance(value, datetime | DatetimeMS)


def _whole(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, Decimal128):
        number = value.to_decimal()
        return int(number) if number.is_finite() and number == number.to_integral_value() else value
    return value


def _converted(source: Kind, target: Kind, value: Any) -> Any:
    if isinstance(value, DatetimeMS):  # beyond the years that a text or Python can hold
        return MISSING
    if source == "text":
        return _read(target, value)
    if source == "milliseconds":
        return _date(int(value))
    if target == "milliseconds":
        return Int64((value - _EPOCH) // timedelta(milliseconds=1))
    if source == "date":
        moment = value.astimezone(UTC)
        return f"{moment:%Y-%m-%dT%H:%M:%S}".rjust(19, "0") + f".{moment.microsecond // 1000:03}Z"
    return str(value)


def _read(kind: Kind, text: str) -> Any:
    if kind == "int":
        number = int(text) if _INT.fullmatch(text) else _MOST
        return Int64(number) if _LEAST <= number < _MOST else MISSING
    if kind == "object id":
        return ObjectId(text) if _HEX.fullmatch(text) else MISSING
    if not _DATE.fullmatch(text):
        return MISSING
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
    except ValueError:
        return MISSING


def _date(milliseconds: int) -> Any:
    try:
        return _EPOCH + timedelta(milliseconds=milliseconds)
    except OverflowError:
        return MISSING
