"""Which values of unique keys a change gives up and which it takes.

A claim is a key and a tuple of values in a comparable form. Arrays claim each of their elements, as a multikey
index does. Numbers that the server holds equal are equal here. Under a collation more texts are held equal than the
server may do: a change too many that waits costs nothing, one too few meets a taken key.
"""

from collections.abc import Hashable, Iterator, Sequence
from functools import partial
from itertools import product
from typing import Any, TypeGuard, cast
from unicodedata import normalize

from boundwork.models.bson_types import MISSING
from boundwork.models.identity import identity_key
from boundwork.uow.changes import Alteration, Change, Insertion, Look, Removal
from boundwork.uow.commands import UniqueKey
from boundwork.uow.partial_keys import takes_in

Claim = tuple[str, tuple[Hashable, ...]]


def claims_before(change: Change, keys: Sequence[UniqueKey]) -> Iterator[Claim]:
    """Iterate over what a change gives up."""
    if isinstance(change, Insertion):
        return
    for key in keys:
        if isinstance(change, Removal) or touches(change, key):
            yield from _claims(key, change.id, change.before)


def claims_after(change: Change, keys: Sequence[UniqueKey]) -> Iterator[Claim]:
    """Iterate over what a change takes."""
    if isinstance(change, Removal):
        return
    for key in keys:
        if isinstance(change, Insertion):
            yield from _claims(key, change.id, partial(value_at, change.stored))
        elif touches(change, key):
            yield from _claims(key, change.id, change.after)


def touches(change: Alteration, key: UniqueKey) -> bool:
    """Tell whether an update writes to a path of a key or of its conditions, above it or below it."""
    written = (*change.update.set, *change.update.unset, *change.update.push)
    return any(
        is_at_or_above(other, path) or any(form.startswith(f"{path}.") for form in _forms(other))
        for path in (*key.paths, *key.conditions)
        for other in written
    )


def is_at_or_above(written: str, path: str) -> bool:
    """Tell whether an update that writes to one path writes the whole value at the path of an index."""
    return below(written, path) is not None


def below(written: str, path: str) -> tuple[str, ...] | None:
    """Return what is left of the path of an index below one that an update writes; None if it lies elsewhere."""
    for form in _forms(written):
        if path == form:
            return ()
        if path.startswith(f"{form}."):
            return tuple(path[len(form) + 1 :].split("."))
    return None


def _forms(written: str) -> set[str]:
    """Return a path as it is and without places in arrays; indexes may name it either way."""
    return {written, ".".join(part for part in written.split(".") if not part.isdecimal())}


def value_at(stored: Any, path: str) -> Any:
    """Return the stored value at a dotted path, through arrays as an index sees it; MISSING where there is none."""
    value: Any = stored
    for place, part in enumerate(parts := path.split(".")):
        if _is_list(value):
            rest = ".".join(parts[place:])
            return [found for element in value if (found := value_at(element, rest)) is not MISSING]
        if not isinstance(value, dict) or part not in value:
            return MISSING
        value = cast("dict[str, Any]", value)[part]
    return value


def _is_list(value: object) -> TypeGuard[list[Any]]:
    return isinstance(value, list)


def _claims(key: UniqueKey, stored_id: Any, look: Look) -> Iterator[Claim]:
    values = [stored_id if path == "_id" else look(path) for path in key.paths]
    if key.sparse and all(value is MISSING for value in values):
        return
    if key.partial and takes_in(key.partial, look, collated=key.collated) is False:
        return
    comparable = _folded if key.collated else identity_key
    choices: list[list[Any]] = [value if _is_list(value) else [value] for value in values]
    for chosen in product(*choices):
        yield key.name, tuple(comparable(None if value is MISSING else value) for value in chosen)


def _folded(value: Any) -> Hashable:
    """Return a comparable form in which texts differ only by letters and digits, whatever their case and accents."""
    if isinstance(value, str):
        return "".join(filter(str.isalnum, normalize("NFKD", normalize("NFKD", value).casefold())))
    if _is_list(value):
        return tuple(map(_folded, value))
    if isinstance(value, dict):
        fields = cast("dict[str, Any]", value)
        return tuple((name, _folded(part)) for name, part in fields.items())
    return identity_key(value)
