"""Whether something is a JSON body at all, and one of a size that is worth reading.

Only what `json.loads` makes is taken: a subclass could answer one question like this and the next like that.
"""

import math
from typing import Any, TypeGuard

from boundwork.models.kinds import is_array, is_document

MOST_DEPTH = 32
MOST_SIZE = 1_000_000
MOST_BITS = 1024
"""Bits of a whole number: any Decimal128 fits."""

_SCALARS = frozenset({bool, type(None)})


def why_no_body(data: object) -> str | None:
    """Return what is wrong with a parsed JSON body, without its contents; None if it is one.

    Its size counts characters of texts and names, and one for every other value.
    """
    level: list[object] = [data]
    size = 0
    for _ in range(MOST_DEPTH):
        inner: list[object] = []
        for value in level:
            problem = _of_one(value, inner)
            if problem is not None:
                return problem
            size += len(value) if is_text(value) else 1
        if size + len(inner) > MOST_SIZE:
            return f"is larger than {MOST_SIZE:,} characters"
        if not inner:
            return None
        level = inner
    return f"is nested more than {MOST_DEPTH} deep"


def _of_one(value: Any, inner: list[object]) -> str | None:
    """Return what is wrong with one value; note what is in it, names included."""
    if is_text(value):
        return None if _is_unicode(value) else "holds text that is no Unicode"
    if is_document(value):
        if not all(type(name) is str and "\0" not in name for name in value):
            return "has a name that is no text, or holds a zero character"
        inner += [*value, *value.values()]
        return None
    if is_array(value):
        inner += value
        return None
    return _of_scalar(value)


def _of_scalar(value: Any) -> str | None:
    if type(value) is int:
        return None if value.bit_length() <= MOST_BITS else "holds a number of too many digits"
    if type(value) is float:
        return None if math.isfinite(value) else "holds a number that is not finite"
    return None if type(value) in _SCALARS else f"holds a {type(value).__name__}, and JSON has none"


def is_text(value: object) -> TypeGuard[str]:
    """Tell whether a value is a str, and of no subclass."""
    return type(value) is str


def _is_unicode(text: str) -> bool:
    return text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text)
