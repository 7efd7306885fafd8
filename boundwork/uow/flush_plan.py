"""In which order the changes of a unit reach the server.

Collections come in the order of their first use. Inside one, inserts come before updates before deletes, unless
a unique key must be free first: who frees a value goes before who takes it. Documents that exchange values wait
for each other; there one of them gives its value up for a moment inside the transaction (`making_room`).
Pure: changes and unique keys go in, writes come out.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush

from boundwork.uow.changes import Alteration, Change, Insertion, Removal
from boundwork.uow.commands import BulkWrite, DeleteOne, InsertOne, UniqueKey, UpdateOne, Write
from boundwork.uow.making_room import given_up, room, without_a_value
from boundwork.uow.unique_claims import Claim, claims_after, claims_before

RANK = {Insertion: 0, Alteration: 1, Removal: 2}
IDENTITY = UniqueKey("_id_", ("_id",))


@dataclass(slots=True)
class PlannedWrite:
    """One write, the change it stands for, and the paths whose values it only gives up for a moment."""

    write: Write
    change: Change
    unset: tuple[str, ...] = ()

    @property
    def temporary(self) -> bool:
        """Tell whether the write only makes room for another one."""
        return bool(self.unset)


@dataclass(slots=True)
class PlannedBulk:
    """The writes of one collection, in order."""

    collection: str
    writes: list[PlannedWrite]

    def command(self) -> BulkWrite:
        """Return the bulk as a command."""
        return BulkWrite(self.collection, tuple([planned.write for planned in self.writes]))


def by_collection(changes: Iterable[Change]) -> dict[str, list[Change]]:
    """Group changes by collection, in the order of first use."""
    groups: dict[str, list[Change]] = {}
    for change in changes:
        groups.setdefault(change.mapper.collection, []).append(change)
    return groups


def may_contend(changes: Sequence[Change]) -> bool:
    """Tell whether one of these changes could free a unique value that another one takes.

    Only then are the unique keys of the collection worth asking for.
    """
    kinds = set(map(type, changes))
    return len(kinds) > 1 or (Alteration in kinds and len(changes) > 1)


def planned(collection: str, changes: Sequence[Change], keys: Sequence[UniqueKey]) -> PlannedBulk:
    """Order the changes of one collection so that no unique key is taken before it is free."""
    ordered = sorted(changes, key=_rank)
    replaces = type(ordered[0]) is Insertion and type(ordered[-1]) is Removal
    contended = (IDENTITY, *keys) if replaces else tuple(keys)
    waits = _waits(ordered, contended) if contended and may_contend(ordered) else {}
    if not any(waits.values()):
        return PlannedBulk(collection, [_write(change) for change in ordered])
    return PlannedBulk(collection, _sequence(ordered, waits, keys))


def _rank(change: Change) -> int:
    return RANK[type(change)]


def _write(change: Change) -> PlannedWrite:
    write: Write
    if isinstance(change, Insertion):
        write = InsertOne(change.stored)
    elif isinstance(change, Alteration):
        write = UpdateOne(change.where or {"_id": change.id}, change.update.operators())
    else:
        write = DeleteOne(change.where or {"_id": change.id})
    return PlannedWrite(write, change)


def _waits(ordered: Sequence[Change], keys: Sequence[UniqueKey]) -> dict[int, set[int]]:
    """Return for each change the changes that must free a value before it."""
    frees: dict[Claim, list[int]] = {}
    for place, change in enumerate(ordered):
        for claim in claims_before(change, keys):
            frees.setdefault(claim, []).append(place)
    waits: dict[int, set[int]] = {place: set() for place in range(len(ordered))}
    if frees:
        for place, change in enumerate(ordered):
            for claim in claims_after(change, keys):
                waits[place].update(freer for freer in frees.get(claim, ()) if freer != place)
    return waits


def _sequence(
    ordered: Sequence[Change], waits: Mapping[int, set[int]], keys: Sequence[UniqueKey]
) -> list[PlannedWrite]:
    """Walk the changes in order, each after those it waits for."""
    waiting = {place: set(freers) for place, freers in waits.items()}
    followers: dict[int, list[int]] = {}
    for place, freers in waiting.items():
        for freer in freers:
            followers.setdefault(freer, []).append(place)
    ready = [place for place, freers in waiting.items() if not freers]
    heapify(ready)
    result: list[PlannedWrite] = []
    nowhere: set[int] = set()
    while waiting:
        if ready:
            place = heappop(ready)
            del waiting[place]
            result.append(_write(ordered[place]))
        else:
            place = _breaker(ordered, waiting, keys)
            if room(ordered[place], keys) and place in followers:
                alone = nowhere.isdisjoint(waiting) and not without_a_value(ordered, keys)
                result.append(_temporary(ordered[place], keys, alone))
                nowhere.add(place)
            else:
                waiting[place].clear()
                heappush(ready, place)
        for follower in followers.pop(place, ()):
            if follower in waiting:
                waiting[follower].discard(place)
                if not waiting[follower]:
                    heappush(ready, follower)
    return result


def _breaker(ordered: Sequence[Change], waiting: Mapping[int, set[int]], keys: Sequence[UniqueKey]) -> int:
    """Choose a change of a circle that can give its value up for a moment; where none can, the first goes as it is."""
    circle = _circle(waiting)
    return next((place for place in sorted(circle) if room(ordered[place], keys)), min(circle))


def _circle(waiting: Mapping[int, set[int]]) -> list[int]:
    """Return changes that wait for each other; all that wait do so for one that waits."""
    walked: dict[int, None] = {}
    place = min(waiting)
    while place not in walked:
        walked[place] = None
        place = min(waiting[place])
    path = list(walked)
    return path[path.index(place) :]


def _temporary(change: Change, keys: Sequence[UniqueKey], alone: bool) -> PlannedWrite:
    where = (change.where if isinstance(change, Alteration) else None) or {"_id": change.id}
    return PlannedWrite(UpdateOne(where, given_up(change, keys, alone)), change, room(change, keys))
