"""Whether somebody else holds a value inside a document.

Touching is noticed where it begins at the document. A program that built the document may hold its list or an embedded
model since before, and change that; such a document is watched from the start. References are counted as CPython
does. Where the count is too high for another reason, a document is watched in vain: that costs time and nothing else.
"""

from collections.abc import Iterable
from sys import getrefcount
from typing import Any

from boundwork.models.kinds import is_dict, is_list, is_model, is_mutable_set, is_record, is_tuple
from boundwork.models.restore import ATOMS


def is_held(values: Iterable[Any]) -> bool:
    """Tell whether a container among these values, or inside them, has a reference from elsewhere."""
    try:
        return _is_any_held(values)
    except RecursionError:  # a cyclic value cannot be written, and whoever writes it says so
        return False


def _is_any_held(values: Iterable[Any]) -> bool:
    for value in values:
        if type(value) in ATOMS:
            continue
        count = getrefcount(value)  # before anything here refers to it as well
        if is_model(value) or is_record(value):
            inside: Iterable[Any] = value.__dict__.values()
        elif is_list(value):
            inside = value
        elif is_dict(value):
            inside = value.values()
        elif is_tuple(value):
            inside, count = value, _ALONE
        elif is_mutable_set(value):
            inside = ()
        else:
            continue
        if count > _ALONE or (not ATOMS.issuperset(map(type, inside)) and _is_any_held(inside)):
            return True
    return False


_ALONE = 3
"""The count of a container that only its place, the loop and the counting refer to."""
