"""Which differences the server can mend in place, by which command: a pure function.

Only what is declared is set. Nothing is taken away that a model does not speak of, and nothing is dropped.
"""

from collections.abc import Sequence
from typing import Any

from boundwork.models.data import data
from boundwork.models.structure.comparison import Difference
from boundwork.models.structure.declared import DeclaredCollection

_VALIDATION = frozenset({"validator", "validation_level", "validation_action"})
_INDEX = {"hidden": "hidden", "expire_after_seconds": "expireAfterSeconds"}


@data(frozen=True, slots=True)
class Change:
    """A `collMod` command, and the differences that it ends."""

    command: dict[str, Any]
    ends: tuple[Difference, ...]


def changes(declared: DeclaredCollection, differing: Sequence[Difference]) -> tuple[Change, ...]:
    """Return the changes that bring a collection nearer to what is declared; there may be none."""
    found: list[Change] = []
    validation = tuple(one for one in differing if one.index is None and one.part in _VALIDATION)
    if validation and declared.options.validator is not None:
        found.append(Change({"collMod": declared.name, **declared.options.validation()}, validation))
    for one in differing:
        parts = _index_part(one) if one.index is not None else _option(one)
        if parts:
            found.append(Change({"collMod": declared.name, **parts}, (one,)))
    return tuple(found)


def _option(one: Difference) -> dict[str, Any]:
    if one.part == "change_images" and one.declared:
        return {"changeStreamPreAndPostImages": {"enabled": True}}
    if one.part == "expire_after_seconds" and one.declared is not None:
        return {"expireAfterSeconds": one.declared}
    return {}


def _index_part(one: Difference) -> dict[str, Any]:
    option = _INDEX.get(one.part or "")
    if option is None or one.declared is None:
        return {}
    return {"index": {"name": one.index, option: one.declared}}
