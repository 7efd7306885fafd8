"""What differs between a collection as it is declared and as it was found: a pure function.

Each difference has a path such as `orders.indexes.number_1.unique`. An index that is declared and not there is no
difference but missing, unless one with the same keys stands in its way under another name.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from boundwork.models.data import data
from boundwork.models.difference import same
from boundwork.models.kinds import is_array, is_mapping, is_ordered
from boundwork.models.structure.declared import DeclaredCollection, DeclaredIndex, FoundCollection

# The rest depends on the locale: undeclared, it is whatever the server took.
_COLLATION_DEFAULTS = {"strength": 3, "caseLevel": False, "numericOrdering": False, "maxVariable": "punct"}
_SIMPLE = "simple"
_VALIDATION = frozenset({"validator", "validation_level", "validation_action"})


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is declared otherwise than it was found; None stands for what is not there.

    `index` is the found index that it belongs to, `part` the option or the field of an index.
    """

    path: str
    declared: Any
    found: Any
    index: str | None = None
    part: str | None = None

    def __str__(self) -> str:
        return f"{self.path}: declared {self.declared!r}, found {self.found!r}"


@data(frozen=True, slots=True)
class Comparison:
    """What is missing in a collection, and what differs."""

    missing: tuple[DeclaredIndex, ...]
    differing: tuple[Difference, ...]


def compare(declared: DeclaredCollection, found: FoundCollection) -> Comparison:
    """Compare a declared collection with the one of its name."""
    kind = "collection" if declared.options.time_series is None else "timeseries"
    if found.kind != kind:
        return Comparison((), (Difference(f"{declared.name}.type", kind, found.kind),))
    pairs, missing, unknown = _paired(declared.indexes, found.indexes)
    differing = [*_options(declared, found)]
    for index, other in pairs:
        differing += _index(f"{declared.name}.indexes.{index.name}", index, other)
    differing += [
        Difference(f"{declared.name}.indexes.{other.name}", None, other.specification(), other.name)
        for other in unknown
    ]
    return Comparison(tuple(missing), tuple(differing))


def _options(declared: DeclaredCollection, found: FoundCollection) -> Iterator[Difference]:
    mine, other = declared.options, found.options
    for field in fields(mine):
        name = field.name
        if name in _VALIDATION and mine.validator is None and (other.validator is None or name != "validator"):
            continue
        at = f"{declared.name}.options.{name}"
        value, there = getattr(mine, name), getattr(other, name)
        if name == "collation":
            if not _same_collation(value, there):
                yield Difference(at, value, there, part=name)
        elif name == "validator" and value is not None and there is not None:
            yield from _inside(at, value, there)
        elif not same(_plain(value), _plain(there)):
            yield Difference(at, value, there, part=name)


def _inside(path: str, declared: Any, found: Any) -> Iterator[Difference]:
    """Go down to the parts of a validator that differ."""
    if is_mapping(declared) and is_mapping(found):
        for name in dict.fromkeys([*declared, *found]):
            yield from _inside(f"{path}.{name}", declared.get(name), found.get(name))
    elif not same(_plain(declared), _plain(found)) and not _same_set(path, declared, found):
        yield Difference(path, declared, found, part="validator")


def _same_set(path: str, declared: Any, found: Any) -> bool:
    """Compare what has no order: the names of required fields and of types."""
    if not path.endswith((".required", ".bsonType")) or not is_array(declared) or not is_array(found):
        return False
    return sorted(map(str, declared)) == sorted(map(str, found))


Pairs = list[tuple[DeclaredIndex, DeclaredIndex]]


def _paired(
    declared: Sequence[DeclaredIndex], found: Sequence[DeclaredIndex]
) -> tuple[Pairs, list[DeclaredIndex], list[DeclaredIndex]]:
    """Pair indexes by name, and else with an equivalent one, beside which the server would refuse the new one."""
    left = {index.name: index for index in found}
    pairs: Pairs = [(index, left.pop(index.name)) for index in declared if index.name in left]
    paired = {index.name for index, _ in pairs}
    missing: list[DeclaredIndex] = []
    for index in declared:
        if index.name in paired:
            continue
        twin = next((other for other in left.values() if _stands_in_the_way(index, other)), None)
        if twin is None:
            missing.append(index)
        else:
            pairs.append((index, left.pop(twin.name)))
    return pairs, missing, list(left.values())


def _stands_in_the_way(index: DeclaredIndex, other: DeclaredIndex) -> bool:
    if index.is_text and other.is_text:
        return True
    return (
        index.keys == other.keys
        and _same_collation(index.collation, other.collation)
        and (index.unique, index.sparse) == (other.unique, other.sparse)
        and same(_plain(index.where), _plain(other.where))
        and (index.projection or {}) == (other.projection or {})
    )


def _index(path: str, declared: DeclaredIndex, found: DeclaredIndex) -> Iterator[Difference]:
    for field in fields(declared):
        value, there = getattr(declared, field.name), getattr(found, field.name)
        if field.name == "collation":
            equal = _same_collation(value, there)
        elif field.name in {"weights", "projection"}:
            equal = (value or {}) == (there or {})
        else:
            equal = same(_plain(value), _plain(there))
        if not equal:
            yield Difference(f"{path}.{field.name}", value, there, found.name, field.name)


def _same_collation(declared: Mapping[str, Any] | None, found: Mapping[str, Any] | None) -> bool:
    mine = None if declared is None or declared["locale"] == _SIMPLE else declared
    if mine is None or found is None:
        return mine is found
    wanted, there = {**_COLLATION_DEFAULTS, **mine}, {**_COLLATION_DEFAULTS, **found}
    return all(there.get(name) == value for name, value in wanted.items())


def _plain(value: Any) -> Any:
    """Return mappings as dicts, tuples as lists and whole numbers as int, so that their BSON can be compared."""
    if is_mapping(value):
        return {name: _plain(part) for name, part in value.items()}
    if is_ordered(value):
        return [_plain(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return int(value) if isinstance(value, int) and not isinstance(value, bool) else value
