"""Whether somebody else holds a value inside a document.

Touching is noticed where it begins at the document. A program that built the document may hold its list or an embedded
model since before, and change that; such a document is watched from the start. References are counted as CPython
does. Where the count is too high for another reason, a document is watched in vain: that costs time and nothing else.
"""

from collections.abc import Iterable
from enum import Enum
from sys import getrefcount
from typing import Any

from boundwork.models.kinds import is_array, is_dict, is_list, is_model, is_mutable_set, is_record, is_tuple
from boundwork.models.restore import ATOMS


def is_held(values: Iterable[Any]) -> bool:
    """Tell whether a container among these values, or inside them, has a reference from elsewhere."""
    try:
        return _is_any_held(values)
    except RecursionError:  # a cyclic value cannot be written, and whoever writes it says so
        return False


def _is_any_held(values: Iterable[Any]) -> bool:
    for value in values:
        if type(value) in ATOMS or isinstance(value, Enum):
            continue
        count = getrefcount(value)  # before anything here refers to it as well
        if is_array(value):
            inside: Iterable[Any] = value
        elif is_model(value):
            inside = value.__dict__.values()
        else:
            rest = _inside(value)
            if rest is None:
                continue
            inside = rest
            count = _ALONE if is_tuple(value) else count  # a tuple cannot be changed itself
        if count > _ALONE or (not ATOMS.issuperset(map(type, inside)) and _is_any_held(inside)):
            return True
    return False


def _inside(value: Any) -> Iterable[Any] | None:
    """Return what a container of a rarer kind holds; None for a value that cannot be changed."""
    if is_record(value):
        attributes: dict[str, Any] = value.__dict__
        return attributes.values()
    if is_list(value) or is_tuple(value):
        return value
    if is_dict(value):
        return value.values()
    return () if is_mutable_set(value) else None


_ALONE = 3
"""The count of a container that only its place, the loop and the counting refer to."""
