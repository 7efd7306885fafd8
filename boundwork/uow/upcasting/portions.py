"""How documents of all versions are asked for: in one query, or in portions that are put together again.

A filter is one query with an alternative for each version. A sort by what an upcast changes needs a query for each
portion of documents whose keys lie at the same stored path, and the union of what comes first in each is sorted here.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field, replace
from typing import Any

from boundwork.models.data import data
from boundwork.models.upcasts.conversions import Conversion
from boundwork.models.upcasts.lineage import Lineage
from boundwork.models.upcasts.pieces import Compute, ConvertField, Piece, RenameField, SetField, UnsetField
from boundwork.models.upcasts.upcast import Upcast
from boundwork.uow.sessions.memory.paths import elements_along, split
from boundwork.uow.upcasting.filters import Condition, before, translated
from boundwork.uow.upcasting.places import GONE, Relation, Untranslatable, relation, renamed

Sort = tuple[tuple[str, int], ...]


@data(frozen=True, slots=True)
class Place:
    """Where a value of the new version lies in some old documents: those that meet a condition.

    `path` is None where none of them stores it, and all have the same `values`; `conversions` are still to be applied.
    """

    path: str | None
    condition: Condition = field(default_factory=dict[str, Any], repr=False)
    values: tuple[Any, ...] = field(default=(), repr=False)
    conversions: tuple[Conversion, ...] = ()


@data(frozen=True, slots=True)
class Portion:
    """A query for some of the documents."""

    condition: Condition = field(repr=False)
    sort: Sort = ()


def filtered(condition: Condition, lineage: Lineage) -> Condition:
    """Return the filter for documents of all versions; the same object if it is the same for all."""
    olds = {version: translated(condition, lineage.since(version)) for version in lineage.old}
    if all(old is condition for old in olds.values()):
        return condition
    parts = [both(lineage.current, condition)]
    parts += [both(lineage.stored_in(version), old) for version, old in olds.items()]
    return {"$or": parts}


def portions(condition: Condition, sort: Sort, lineage: Lineage) -> list[Portion]:
    """Return the queries whose results together are what is asked for, each in the order that is asked for."""
    changed = False
    found = [Portion(both(lineage.current, condition), sort)]
    for version in lineage.old:
        upcasts = lineage.since(version)
        old = translated(condition, upcasts)
        ways = _sorted_ways(sort, upcasts)
        changed = changed or [way.sort for way in ways] != [sort]
        found += [Portion(both(lineage.stored_in(version), both(way.condition, old)), way.sort) for way in ways]
    return found if changed else [Portion(filtered(condition, lineage), sort)]


def both(one: Condition, other: Condition) -> Condition:
    """Return the filter of what meets both."""
    if not one or not other:
        return one or other
    return {"$and": [one, other]} if one.keys() & other.keys() else {**one, **other}


def places(path: str, upcasts: Iterable[Upcast]) -> list[Place]:
    """Return where the values of a path of the new version are in the documents that the upcasts begin with."""
    found = [Place(path)]
    for piece in _undone(upcasts):
        found = [earlier for place in found for earlier in _before(place, piece)]
    return found


def touches(path: str, lineage: Lineage) -> bool:
    """Tell whether an upcast changes something at, above or below a path."""
    return any(
        relation(path, place.split("."))[0] is not Relation.APART
        for upcast in lineage.upcasts
        for place in upcast.paths()
    )


def _undone(upcasts: Iterable[Upcast]) -> Iterable[Piece]:
    return (piece for upcast in reversed(tuple(upcasts)) for piece in reversed(upcast.pieces))


def _sorted_ways(sort: Sort, upcasts: Sequence[Upcast]) -> list[Portion]:
    ways = [Portion({}, sort)]
    for piece in _undone(upcasts):
        ways = [earlier for way in ways for earlier in _sorted_before(way, piece)]
    return ways


def _sorted_before(way: Portion, piece: Piece) -> list[Portion]:
    """Undo a piece in a sort: documents whose keys lie elsewhere become a portion of their own."""
    ways = [Portion(before(way.condition, piece), ())]
    for path, direction in way.sort:
        made: list[Portion] = []
        for place in _before(Place(path), piece):
            if any(not conversion.ordered for conversion in place.conversions):
                raise Untranslatable(f"{path!r} is converted ({piece.title}), and the stored form has another order")
            key = () if place.path is None else ((place.path, direction),)
            made += [
                replace(one, condition=both(one.condition, place.condition), sort=(*one.sort, *key)) for one in ways
            ]
        ways = made
    return ways


def _before(place: Place, piece: Piece) -> list[Place]:
    """Return where values were before a piece."""
    kept = replace(place, condition=before(place.condition, piece))
    path = place.path
    if path is None:
        return [kept]
    match piece:
        case RenameField():
            return [replace(kept, path=_moved(path, piece.new.split("."), piece.old.split(".")))]
        case UnsetField():
            return [replace(kept, path=_moved(path, piece.name.split("."), None))]
        case SetField() if relation(path, [piece.name])[0] is Relation.BELOW:
            values = tuple(elements_along({piece.name: piece.value}, split(path)))
            missing = replace(_there(kept, piece.name, yes=False), path=None, values=values)
            return [_there(kept, piece.name, yes=True), missing]
        case ConvertField() if path == piece.name:
            return _converted(kept, piece)
        case Compute() if path.partition(".")[0] in piece.names:
            raise Untranslatable(f"{path!r} is computed by a function ({piece.title})")
        case _:
            return [kept]


def _there(place: Place, name: str, *, yes: bool) -> Place:
    return replace(place, condition=both(place.condition, {name: {"$exists": yes}}))


def _converted(place: Place, piece: ConvertField) -> list[Place]:
    conversion = piece.conversion
    changed = replace(place, conversions=(conversion, *place.conversions))
    if not conversion.types:
        return [changed]
    is_type: Mapping[str, Any] = {piece.name: {"$type": conversion.types}}
    other: Mapping[str, Any] = {piece.name: {"$not": {"$type": conversion.types}}}
    return [
        replace(changed, condition=both(place.condition, is_type)),
        replace(place, condition=both(place.condition, other)),
    ]


def _moved(path: str, new: Sequence[str], old: Sequence[str] | None) -> str:
    """Return where a path led before a field got its name, or was taken away."""
    where = relation(path, new)[0]
    if where is Relation.ABOVE:
        raise Untranslatable(f"{path!r} is taken as a whole, and something in it is upcast")
    if where is Relation.BELOW:
        return renamed(path, new, GONE if old is None else old[-1])
    if old is not None and relation(path, old)[0] is Relation.BELOW:
        return renamed(path, old, GONE)
    return path
