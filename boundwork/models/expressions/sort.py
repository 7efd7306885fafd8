"""How sort keys become the (stored path, direction) pairs of a query."""

from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel

from boundwork.models.expressions.fields import FieldExpression, target_in
from boundwork.models.expressions.filters import check_root
from boundwork.models.expressions.stored_names import check_stored_path
from boundwork.models.expressions.targets import Target


@dataclass(frozen=True, slots=True)
class SortKey:
    """One field, or stored name, and its direction: 1 up, -1 down."""

    place: Target | str
    direction: Literal[1, -1]

    def __repr__(self) -> str:
        """Show the place and the direction."""
        shown = self.place if isinstance(self.place, str) else self.place.shown
        return f"{'asc' if self.direction == 1 else 'desc'}({shown})"


def asc(field: object) -> SortKey:
    """Sort upwards by a field of the class or a stored name."""
    return SortKey(_place("asc", field), 1)


def desc(field: object) -> SortKey:
    """Sort downwards by a field of the class or a stored name."""
    return SortKey(_place("desc", field), -1)


def compile_sort(model: type[BaseModel], *keys: object) -> tuple[tuple[str, int], ...]:
    """Return (stored path, 1 or -1) for `desc(field)`, `asc(field)`, a field, or a stored name with or without "-".

    Raises TypeError for anything else and for a field of another model, ValueError for a path that stands twice and
    for a name that the model does not store.
    """
    pairs: dict[str, int] = {}
    for key in keys:
        place, direction = _read(key)
        if isinstance(place, Target):
            check_root(model, place)
            place = place.path
        else:
            check_stored_path(model, place, "A sort", "Sort by a field that it declares.")
        if place in pairs:
            text = f"The sort names {place!r} twice."
            raise ValueError(text)
        pairs[place] = direction
    return tuple(pairs.items())


def _read(key: object) -> tuple[Target | str, int]:
    if isinstance(key, SortKey):
        return key.place, key.direction
    if isinstance(key, str) and key.startswith("-"):
        return _place("sort", key[1:]), -1
    return _place("sort", key), 1


def _place(word: str, field: object) -> Target | str:
    if isinstance(field, FieldExpression):
        return target_in(word, field)
    if not isinstance(field, str):
        text = f"{word} takes a field such as Order.created, desc(field), or a stored name, not {type(field).__name__}."
        raise TypeError(text)
    field = str.__str__(field)
    if any(not part or part.startswith("$") or "\0" in part for part in field.split(".")):
        text = f"{word}: a stored name must not be empty, hold an empty part, begin with '$', or hold NUL."
        raise ValueError(text)
    return field
