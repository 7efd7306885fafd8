"""How a document gives up its values of unique keys for a moment, so that another one may take them.

It is unset: a field may be missing more often than hold something strange, where a validator looks. But an index knows
only one document without a value, unless it is sparse, so where others are without one the place is taken by a value
that nobody else has.
"""

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

from bson import ObjectId

from boundwork.models.identity import identity_key
from boundwork.uow.changes import Alteration, Change
from boundwork.uow.commands import UniqueKey
from boundwork.uow.unique_claims import below, claims_after, claims_before

_NULL = identity_key(None)


def room(change: Change, keys: Sequence[UniqueKey]) -> tuple[str, ...]:
    """Return the paths that a change sets as a whole or unsets, at unique keys or above, so that they may be given up."""
    if not isinstance(change, Alteration):
        return ()
    written = (*change.update.set, *change.update.unset)
    return tuple(path for path in written if _rests(path, keys))


def without_a_value(changes: Sequence[Change], keys: Sequence[UniqueKey]) -> bool:
    """Tell whether one of the changes gives up or takes the place of a document that has no value."""
    claims = chain.from_iterable((*claims_before(change, keys), *claims_after(change, keys)) for change in changes)
    return any(_NULL in values for _, values in claims)


def given_up(change: Change, keys: Sequence[UniqueKey], alone: bool) -> Mapping[str, Mapping[str, Any]]:
    """Return the update by which a change makes room; `alone` says that no other document is without a value."""
    paths = room(change, keys)
    if alone:
        return {"$unset": dict.fromkeys(paths, "")}
    return {"$set": {path: _stranger(_rests(path, keys)) for path in paths}}


def _rests(written: str, keys: Sequence[UniqueKey]) -> list[tuple[str, ...]]:
    """Return what is left of the paths of keys below one that is written; of the path itself, nothing."""
    found = (below(written, path) for key in keys for path in key.paths)
    return [rest for rest in found if rest is not None]


def _stranger(rests: Sequence[tuple[str, ...]]) -> Any:
    """Return a value that has something unique at the end of each path."""
    if not all(rests):
        return ObjectId()
    inner: dict[str, list[tuple[str, ...]]] = {}
    for first, *rest in rests:
        inner.setdefault(first, []).append(tuple(rest))
    return {name: _stranger(more) for name, more in inner.items()}
