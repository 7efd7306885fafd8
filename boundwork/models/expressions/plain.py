"""What a plain MongoDB filter may hold: stored names, operators the program wrote, python values.

Operators are welcome here because the program wrote them; those that run JavaScript on the server are not, at any
depth, unless the program asks for them. A value that is an object of the program can never bring an operator along.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

import bson

from boundwork.models.expressions.operands import Expression, encode_operand

REFUSED = frozenset({"$where", "$function", "$accumulator"})
JUNCTIONS = frozenset({"$and", "$or", "$nor"})


def plain_filter(filter: Mapping[str, Any], *, javascript: bool = False) -> dict[str, Any]:  # noqa: A002 - the word of the field
    """Return a copy of a plain filter with its values in stored form.

    Raises ValueError for an operator that runs JavaScript (`javascript` lets it pass), TypeError for a key that is no
    str or an expression.
    """
    return {checked_key(name, javascript): _stored(name, value, javascript) for name, value in filter.items()}


def stored_names(filter: Mapping[str, Any]) -> Iterator[str]:  # noqa: A002 - the word of the field
    """Yield the names of the root model's fields in a plain filter: what stands before the first dot of a path."""
    for name, value in filter.items():
        if name in JUNCTIONS and isinstance(value, list):
            for part in cast("list[object]", value):
                if isinstance(part, Mapping):
                    yield from stored_names(cast("Mapping[str, Any]", part))
        elif not name.startswith("$"):
            yield name.partition(".")[0]


def checked_key(name: object, javascript: bool) -> str:
    """Return a key; TypeError for one that is no str, ValueError for an operator that runs JavaScript."""
    if not isinstance(name, str):
        text = f"A plain filter has a key of type {type(name).__name__}. Keys are stored field names or operators."
        raise TypeError(text)
    if name in REFUSED and not javascript:
        text = (
            f"The operator {name} is refused: it runs JavaScript on the server. Use expressions, or $expr. "
            "Where it is meant, say allow_javascript=True."
        )
        raise ValueError(text)
    return name


def _stored(name: str, value: object, javascript: bool) -> object:
    if isinstance(value, Mapping):
        return plain_filter(cast("Mapping[str, Any]", value), javascript=javascript)
    if isinstance(value, list | tuple):
        return [_stored(name, item, javascript) for item in cast("list[object]", value)]
    if isinstance(value, Expression):
        text = f"An expression stands inside a plain filter, under {name!r}. Combine them with & and | instead."
        raise TypeError(text)
    if isinstance(value, re.Pattern | bson.Regex):
        return cast("object", value)
    encoded = encode_operand(name, value)
    if isinstance(encoded, Mapping) and any(str(key).startswith("$") for key in cast("Mapping[str, Any]", encoded)):
        text = f"The {type(value).__name__} under {name!r} would be read as an operator. Compare it by an expression."
        raise ValueError(text)
    return cast("object", encoded)
