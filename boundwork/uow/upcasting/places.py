"""How a dotted path of the new version relates to the place that a piece of an upcast changes."""

from collections.abc import Sequence
from enum import Enum

GONE = "_boundwork_gone"
"""A name that no document has: what a path means that leads to a field which the upcast takes away."""


class Untranslatable(Exception):
    """What was asked has no equal in terms of the old version; the text says why, without values."""


class Relation(Enum):
    """Where a path lies."""

    APART = "apart"
    ABOVE = "above"
    BELOW = "below"


def relation(path: str, place: Sequence[str]) -> tuple[Relation, int]:
    """Return how a path relates to a place, and how many names of the place it goes along."""
    parts = path.split(".")
    for number, name in enumerate(place):
        if number == len(parts):
            return Relation.ABOVE, number
        if parts[number] != name:
            if number and parts[number].isdecimal():
                raise Untranslatable(f"{path!r} names an element of a list by its number")
            return Relation.APART, number
    return Relation.BELOW, len(place)


def renamed(path: str, place: Sequence[str], name: str) -> str:
    """Return a path at or below a place with another last name of the place."""
    parts = path.split(".")
    return ".".join([*parts[: len(place) - 1], name, *parts[len(place) :]])
