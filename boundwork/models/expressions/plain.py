"""What a plain MongoDB filter may hold: stored names, operators the program wrote, python values.

Operators are welcome here because the program wrote them; those that run JavaScript on the server are not, at any
depth, unless the program asks for them. A value that is an object of the program can never bring an operator along.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar, cast

import bson
from bson.errors import BSONError

from boundwork.models.expressions.operands import Expression, encode_operand

REFUSED = frozenset({"$where", "$function", "$accumulator"})
# Operators of the server's own use: two of them run JavaScript as $function does.
INTERNAL = "$_internal"
JUNCTIONS = frozenset({"$and", "$or", "$nor"})
T = TypeVar("T")


def plain_filter(filter: Mapping[str, Any], *, javascript: bool = False) -> dict[str, Any]:  # noqa: A002 - the word of the field
    """Return a copy of a plain filter with its values in stored form.

    Raises ValueError for an operator that runs JavaScript (`javascript` lets it pass) and for what cannot be read to
    its end, TypeError for a key that is no str or an expression.
    """
    copied = whole("A plain filter", lambda: _copied(filter, javascript))
    _check_junctions(copied)
    return copied


def whole(what: str, read: Callable[[], T]) -> T:
    """Return what `read` makes of nested mappings; ValueError where they are nested too deeply or are broken BSON."""
    try:
        return read()
    except RecursionError:
        text = f"{what} is nested too deeply, or contains itself."
        raise ValueError(text) from None
    except BSONError:
        text = f"{what} holds bytes that are no BSON document."
        raise ValueError(text) from None  # the driver's text quotes them


def _check_junctions(filter: Mapping[str, Any]) -> None:  # noqa: A002 - as above
    for name in JUNCTIONS & filter.keys():
        parts = cast("object", filter[name])
        if (
            not isinstance(parts, list)
            or not parts
            or not all(isinstance(part, dict) for part in cast("list[object]", parts))
        ):
            text = f"A plain filter has {name} without a list of filters."
            raise ValueError(text)
        for part in cast("list[dict[str, Any]]", parts):
            _check_junctions(part)


def stored_paths(filter: Mapping[str, Any], above: str = "") -> Iterator[str]:  # noqa: A002 - the word of the field
    """Yield the paths in a plain filter: those that conditions stand under, in the elements of lists as well."""
    for name, value in filter.items():
        if name in JUNCTIONS and isinstance(value, list):
            for part in cast("list[object]", value):
                if isinstance(part, Mapping):
                    yield from stored_paths(cast("Mapping[str, Any]", part), above)
        elif not name.startswith("$"):
            yield f"{above}{name}"
            yield from _paths_of_elements(value, f"{above}{name}.")


def _paths_of_elements(test: object, above: str) -> Iterator[str]:
    """Yield the paths below `$elemMatch` in the test of one path."""
    if isinstance(test, Mapping):
        for operator, operand in cast("Mapping[str, object]", test).items():
            if operator == "$elemMatch" and isinstance(operand, Mapping):
                yield from stored_paths(cast("Mapping[str, Any]", operand), above)
            elif operator == "$not":
                yield from _paths_of_elements(operand, above)
            elif operator == "$all" and isinstance(operand, list):
                for one in cast("list[object]", operand):
                    yield from _paths_of_elements(one, above)


def checked_key(name: object, javascript: bool) -> str:
    """Return a key as a str and nothing more; TypeError for one that is no str, ValueError for one that runs JavaScript."""
    if not isinstance(name, str):
        text = f"A plain filter has a key of type {type(name).__name__}. Keys are stored field names or operators."
        raise TypeError(text)
    key = str.__str__(name)  # a subclass may answer comparisons as it likes, and is sent as what it holds
    if (key in REFUSED or key.startswith(INTERNAL)) and not javascript:
        text = (
            f"The operator {key} is refused: it runs JavaScript on the server. Use expressions, or $expr. "
            "Where it is meant, say allow_javascript=True."
        )
        raise ValueError(text)
    return key


def holds_operator(encoded: object) -> bool:
    """Tell whether a stored value has, at any depth, a name that a server could read as an operator."""
    if isinstance(encoded, Mapping):
        fields = cast("Mapping[str, object]", encoded)
        return any(name.startswith("$") or holds_operator(part) for name, part in fields.items())
    if isinstance(encoded, bson.DBRef):
        return holds_operator(encoded.id) or any(holds_operator(part) for part in _more_of(encoded))
    return isinstance(encoded, list) and any(map(holds_operator, cast("list[object]", encoded)))


def _more_of(reference: bson.DBRef) -> Iterator[object]:
    """Yield what a reference holds besides collection, id and database."""
    return (part for name, part in reference.as_doc().items() if name not in {"$ref", "$id", "$db"})


def _copied(filter: Mapping[str, Any], javascript: bool) -> dict[str, Any]:  # noqa: A002 - as above
    return {(key := checked_key(name, javascript)): _stored(key, value, javascript) for name, value in filter.items()}


def _stored(name: str, value: object, javascript: bool) -> object:
    if isinstance(value, Mapping):
        return _copied(cast("Mapping[str, Any]", value), javascript)
    if isinstance(value, list | tuple):
        return [_stored(name, item, javascript) for item in cast("list[object]", value)]
    if isinstance(value, Expression):
        text = f"An expression stands inside a plain filter, under {name!r}. Combine them with & and | instead."
        raise TypeError(text)
    if isinstance(value, re.Pattern | bson.Regex):
        return cast("object", value)
    encoded = encode_operand(name, value)
    if holds_operator(encoded):
        text = f"The {type(value).__name__} under {name!r} would be read as an operator. Compare it by an expression."
        raise ValueError(text)
    return cast("object", encoded)
