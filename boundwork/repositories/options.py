"""How a query says in which way it is carried out: index, collation, comment, limit of time."""

from typing import Any

from pydantic import BaseModel

from boundwork.models.expressions import compile_sort

MOST_MILLISECONDS = 2**31 - 1


def hint_of(model: type[BaseModel], keys: tuple[object, ...]) -> str | tuple[tuple[str, int], ...]:
    """Return an index by its name, the only str, or by its fields; ValueError for neither."""
    if len(keys) == 1 and isinstance(keys[0], str):
        if not keys[0]:
            raise ValueError("hint takes the name of an index, or its fields.")
        return keys[0]
    fields = compile_sort(model, *keys)
    if not fields:
        raise ValueError("hint takes the name of an index, or its fields.")
    return fields


def collation_of(locale: str, strength: int | None, numeric: bool) -> dict[str, Any]:
    """Return a collation as the server takes it."""
    collation: dict[str, Any] = {"locale": _text("collation", locale)}
    if strength is not None:
        if strength not in range(1, 6):
            raise ValueError(f"collation: a strength is 1 to 5, not {strength!r}.")
        collation["strength"] = strength
    if numeric:
        collation["numericOrdering"] = True
    return collation


def comment_of(text: str) -> str:
    """Return a comment for the server's log and profiler."""
    return _text("comment", text)


def milliseconds(seconds: float) -> int:
    """Return a limit of time in whole milliseconds, at least one; ValueError unless it is positive."""
    if not 0 < seconds * 1000 <= MOST_MILLISECONDS:
        raise ValueError("max_time takes a positive number of seconds, at most 24 days.")
    return max(1, round(seconds * 1000))


def _text(word: str, value: object) -> str:
    if not isinstance(value, str) or "\0" in value:
        raise TypeError(f"{word} takes a str without NUL, not {type(value).__name__}.")
    return str.__str__(value)
