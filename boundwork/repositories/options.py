"""How a query says in which way it is carried out: index, collation, comment, limit of time."""

from typing import Any

from pydantic import BaseModel

from boundwork.models.expressions import compile_sort
from boundwork.models.structure.options import Collation, Strength

MOST_MILLISECONDS = 2**31 - 1
MOST_AT_ONCE = 2**31 - 2
MOST = 2**63 - 1


def whole_number(word: str, number: object, *, least: int = 1, most: int = MOST) -> int:
    """Return a number of documents; TypeError for what is no int (a text of a request, a fraction), ValueError beyond."""
    if not isinstance(number, int) or isinstance(number, bool):
        raise TypeError(f"{word} takes a whole number of documents, not {type(number).__name__}.")
    if not least <= number <= most:
        raise ValueError(f"{word} takes a {'positive ' if least else ''}number of documents, at most {most}.")
    return int.__int__(number)  # a subclass may have a form of its own in BSON


def hint_of(model: type[BaseModel], keys: tuple[object, ...]) -> str | tuple[tuple[str, int], ...]:
    """Return an index by its name, the only str, or by its fields; ValueError for neither."""
    if len(keys) == 1 and isinstance(keys[0], str):
        if not keys[0]:
            raise ValueError("hint takes the name of an index, or its fields.")
        return _text("hint", keys[0])
    fields = compile_sort(model, *keys)
    if not fields:
        raise ValueError("hint takes the name of an index, or its fields.")
    return fields


def collation_of(
    collation: Collation | str, strength: Strength | None, numeric_ordering: bool | None
) -> dict[str, Any]:
    """Return a collation, or one of a locale, as the server takes it."""
    if not isinstance(collation, Collation):
        collation = Collation(locale=collation, strength=strength, numeric_ordering=numeric_ordering)
    elif strength is not None or numeric_ordering is not None:
        raise TypeError("collation: a Collation says everything itself. Put strength and numeric_ordering into it.")
    return collation.stored()


def comment_of(text: str) -> str:
    """Return a comment for the server's log and profiler."""
    return _text("comment", text)


def milliseconds(seconds: object) -> int:
    """Return a limit of time in whole milliseconds, at least one; ValueError unless it is positive, TypeError for no number."""
    if not isinstance(seconds, int | float) or isinstance(seconds, bool):
        raise TypeError(f"max_time takes a number of seconds, not {type(seconds).__name__}.")
    if not 0 < seconds * 1000 <= MOST_MILLISECONDS:
        raise ValueError("max_time takes a positive number of seconds, at most 24 days.")
    return max(1, round(seconds * 1000))


def _text(word: str, value: object) -> str:
    if not isinstance(value, str) or "\0" in value:
        raise TypeError(f"{word} takes a str without NUL, not {type(value).__name__}.")
    return str.__str__(value)
