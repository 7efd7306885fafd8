"""What a model may ask of its collection beyond its indexes, and which wishes exclude each other.

The server refuses the same combinations when the collection is made; here they fail where the class is written.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import timedelta
from types import NoneType
from typing import Any, Literal

Seconds = timedelta | int
Strength = Literal[1, 2, 3, 4, 5]
"""What makes a difference: letters, accents too, case too, and so on."""
_NAMES = {
    "case_level": "caseLevel",
    "case_first": "caseFirst",
    "numeric_ordering": "numericOrdering",
    "max_variable": "maxVariable",
}


def _refuse_locale(locale: object) -> None:
    # What only says that it is a text would be sent as something else.
    if not issubclass(type(locale), str) or not isinstance(locale, str) or "\0" in locale:
        raise TypeError(f"collation takes a str without NUL, not {type(locale).__name__}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Collation:
    """How text is compared and sorted: `Collation(locale="de", strength=2)`; what is None is left to the locale."""

    locale: str
    strength: Strength | None = None
    case_level: bool | None = None
    case_first: Literal["upper", "lower", "off"] | None = None
    numeric_ordering: bool | None = None
    alternate: Literal["non-ignorable", "shifted"] | None = None
    max_variable: Literal["punct", "space"] | None = None
    backwards: bool | None = None
    normalization: bool | None = None

    def __post_init__(self) -> None:
        """Refuse what no server takes; a value may come past the type checkers, from outside."""
        _refuse_locale(self.locale)
        for name in ("strength", *_NAMES, "alternate", "backwards", "normalization"):
            if type(getattr(self, name)) not in {NoneType, bool, int, str}:
                raise TypeError(f"collation: {name} takes no {type(getattr(self, name)).__name__}.")
        if self.strength is not None and self.strength not in range(1, 6):
            raise ValueError(f"collation: a strength is 1 to 5, not {self.strength!r}.")

    def stored(self) -> dict[str, Any]:
        """Return it as the server takes it."""
        given = {field.name: getattr(self, field.name) for field in fields(self)}
        return {_NAMES.get(name, name): value for name, value in given.items() if value is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Capped:
    """A collection of fixed size in bytes, and of at most so many documents; the oldest make room."""

    size: int
    documents: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeSeries:
    """A time series: the field of the time, and the one that says what was measured, by their names in the model."""

    time: str
    meta: str | None = None
    granularity: Literal["seconds", "minutes", "hours"] = "seconds"


@dataclass(frozen=True, slots=True, kw_only=True)
class Validation:
    """Let the server check documents against the model.

    `level="moderate"` leaves alone documents that do not fit already; `action="warn"` only writes to the server's log.
    """

    level: Literal["strict", "moderate"] = "strict"
    action: Literal["error", "warn"] = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectionOptions:
    """What a collection is made with; `expire_after` (seconds or timedelta) is for time series and clustered ones."""

    validation: Validation | None = None
    collation: Collation | None = None
    capped: Capped | None = None
    time_series: TimeSeries | None = None
    clustered: bool = False
    change_images: bool = False
    expire_after: Seconds | None = None

    def __post_init__(self) -> None:
        """Refuse what the server would refuse."""
        if self.time_series is not None:
            others = {
                "capped": self.capped,
                "clustered": self.clustered,
                "change_images": self.change_images,
                "validation": self.validation,
            }
            _exclude("time_series", others)
        if self.clustered:
            _exclude("clustered", {"capped": self.capped})
        if self.expire_after is not None and self.time_series is None and not self.clustered:
            raise TypeError(
                "expire_after is for time series and clustered collections. "
                "For others declare an index: Index('expires_at', expire_after=0).",
            )


def _exclude(chosen: str, others: Mapping[str, object]) -> None:
    for name, value in others.items():
        if value:
            message = f"A collection with {chosen} cannot have {name}: the server refuses it. Leave one of them out."
            raise TypeError(message)


def seconds(value: Seconds | None) -> int | None:
    """Return a span in whole seconds, which is all that the server keeps; TypeError for a part of one."""
    if value is None or isinstance(value, int):
        return value
    if value % timedelta(seconds=1):
        raise TypeError("expire_after is in whole seconds for the server; round it.")
    return value // timedelta(seconds=1)
