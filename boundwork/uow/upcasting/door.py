"""The door of a unit that works with models of several schema versions: behind it are documents of all of them.

In front of it all are of the present version: identity map, log and replay know no other, so a replay compares what
documents are, not in which version they happen to be stored. Reads ask for all versions and upcast what comes; the
first write of an old document makes the stored one new as well. What cannot be asked of old documents is answered if
there are none left, as the transaction sees it, and refused otherwise.
"""

import threading
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from boundwork.errors import MigrationUnfinished
from boundwork.models.bson_types import MISSING
from boundwork.models.data import data
from boundwork.models.identity import identity_key
from boundwork.models.joined import joined
from boundwork.models.mapper import Mapper
from boundwork.models.upcasts.lineage import LINEAGES, Lineage
from boundwork.models.upcasts.upcast import SCHEMA_VERSION
from boundwork.uow.batches import cut
from boundwork.uow.commands import (
    Aggregate,
    BulkResult,
    BulkWrite,
    Count,
    DeleteMany,
    Distinct,
    Find,
    FindAndUpdate,
    SetBased,
    UpdateMany,
    Write,
)
from boundwork.uow.passing_session import PassingSession
from boundwork.uow.port import Batches, BoundSession
from boundwork.uow.sessions.memory.encoding import decode
from boundwork.uow.upcasting.documents import Opened, encoded, stripped
from boundwork.uow.upcasting.places import Untranslatable
from boundwork.uow.upcasting.portions import both
from boundwork.uow.upcasting.reading import (
    arranged,
    closed,
    counted,
    distincts,
    finds,
    listed,
    matching,
    needs_whole,
    read,
    single,
)
from boundwork.uow.upcasting.writing import MOST, Writer, commutes, renewing

if TYPE_CHECKING:
    from boundwork.uow.unit import Unit

_one_door = threading.Lock()


@data(frozen=True, slots=True)
class Known:
    """What is known of a collection: its versions, and whether it compares texts by the rules of a language."""

    lineage: Lineage
    collated: bool = False


class UpcastingSession(PassingSession):
    """A session behind which documents of several versions are stored."""

    def __init__(self, inner: BoundSession) -> None:
        """Stand before a session."""
        super().__init__(inner)
        self._known: dict[str, Known] = {}
        self._finished: set[str] = set()
        self._old: dict[tuple[str, Hashable], Opened] = {}

    def knows(self, collection: str) -> bool:
        """Tell whether the versions of a collection were learned."""
        return collection in self._known

    def learn(self, collection: str, known: Known) -> None:
        """Take note of the versions of a collection."""
        self._known[collection] = known

    async def begin(self) -> None:
        """Begin the next transaction, which may see other documents."""
        self._finished.clear()
        self._old.clear()
        await self._inner.begin()

    async def find(self, command: Find) -> list[bytes]:
        """Find documents of all versions."""
        known = self._known.get(command.collection)
        if known is None:
            return await self._inner.find(command)
        if not known.lineage.upcasts and command.projection is None:
            found_now = cut(await self._inner.find(command))
            return [b"".join(stripped(command.collection, known.lineage, one) for one in found_now)]
        try:
            asked = finds(command, known.lineage, collated=known.collated)
        except Untranslatable as why:
            await self._none_left(command.collection, known, why)
            asked = [replace(command, projection=None if needs_whole(command, known.lineage) else command.projection)]
        if command.projection and asked[0].projection:
            return await self._inner.find(asked[0])
        found: list[Opened] = []
        for one in asked:
            found += self.keep(await self._inner.find(one), command.collection, known)
        return closed(command, [one.fields for one in found]) if len(asked) == 1 else arranged(command, found)

    async def count(self, command: Count) -> int:
        """Count documents of all versions."""
        known = self._known.get(command.collection)
        if known is not None:
            try:
                command = counted(command, known.lineage, collated=known.collated)
            except Untranslatable as why:
                await self._none_left(command.collection, known, why)
        return await self._inner.count(command)

    async def distinct(self, command: Distinct) -> list[bytes]:
        """Return the values that documents of all versions have."""
        known = self._known.get(command.collection)
        if known is None:
            return await self._inner.distinct(command)
        try:
            asked = distincts(command, known.lineage, collated=known.collated)
        except Untranslatable as why:
            await self._none_left(command.collection, known, why)
            return await self._inner.distinct(command)
        if len(asked) == 1:
            return await self._inner.distinct(asked[0][1])
        values: list[Any] = []
        for place, one in asked:
            if place.path is not None:
                found = [decode(value)["v"] for value in await self._inner.distinct(one)]
            else:
                some = await self._inner.count(Count(one.collection, one.filter, limit=1))
                found = list(place.values) if some else []
            for conversion in place.conversions:
                found = [conversion.up(value) if conversion.takes(value) else value for value in found]
            values += [value for value in found if value is not MISSING]
        return listed(values)

    async def aggregate(self, command: Aggregate) -> list[bytes]:
        """Return the rows of a pipeline, if no collection that it reads has old documents."""
        read_from = {command.collection, *joined_by(command)}
        for collection in read_from & self._known.keys():
            why = Untranslatable("the stages of an aggregation look at documents as they are stored")
            await self._none_left(collection, self._known[collection], why)
        known = self._known.get(command.collection)
        if known is not None and known.lineage.version > 1:
            command = replace(command, pipeline=(*command.pipeline, {"$unset": SCHEMA_VERSION}))
        return await self._inner.aggregate(command)

    async def stream(self, command: Find, batch_size: int) -> Batches:
        """Return documents of all versions batch by batch."""
        known = self._known.get(command.collection)
        if known is None:
            return await self._inner.stream(command, batch_size)
        try:
            asked = [single(finds(command, known.lineage, collated=known.collated))]
        except Untranslatable as why:
            await self._none_left(command.collection, known, why)
            asked = [replace(command, projection=None if needs_whole(command, known.lineage) else command.projection)]
        if command.projection and asked[0].projection:
            return await self._inner.stream(asked[0], batch_size)
        return UpcastBatches(self, command, known, await self._inner.stream(asked[0], batch_size))

    async def explain(self, command: Find, verbosity: str) -> dict[str, Any]:
        """Explain the query for documents of all versions; where it becomes several, that for the present version."""
        known = self._known.get(command.collection)
        if known is not None:
            try:
                command = finds(command, known.lineage, collated=known.collated)[0]
            except Untranslatable as why:
                raise MigrationUnfinished(command.collection, str(why)) from None
        return await self._inner.explain(command, verbosity)

    async def write(self, bulks: Sequence[BulkWrite]) -> list[BulkResult]:
        """Write documents of the present version."""
        if not any(bulk.collection in self._known for bulk in bulks):
            return await self._inner.write(bulks)
        writer = Writer(self._old)
        results = await self._inner.write([await self._written(writer, bulk) for bulk in bulks])
        for key in writer.renewed:
            self._old.pop(key, None)
        return results

    async def find_and_update(self, command: FindAndUpdate) -> list[bytes]:
        """Update the first document of all versions that matches; an old one is renewed before."""
        known = self._known.get(command.collection)
        if known is None:
            return await self._inner.find_and_update(command)
        if known.lineage.upcasts:
            asked = Find(command.collection, command.filter, command.sort, limit=1, options=command.options)
            first = b"".join(await self.find(asked))
            if not first:
                return []
            key = decode(first)["_id"]
            await self._renew(command.collection, [self._old.get((command.collection, identity_key(key)))], known)
            named = {"$and": [{"_id": key}, command.filter]} if command.filter else {"_id": key}
            command = replace(command, filter=named, sort=(), options=replace(command.options, hint=None))
        found = read(await self._inner.find_and_update(command), command.collection, known.lineage)
        return [encoded(one.fields) for one in found]

    async def command(self, command: Mapping[str, Any]) -> Mapping[str, Any]:
        """Send a command as it is: who builds commands knows what is stored."""
        return await self._inner.command(command)

    async def find_aside(self, command: Find, seconds: float) -> list[bytes]:
        """Find outside of the transaction, which only collections of boundwork itself are for."""
        return await self._inner.find_aside(command, seconds)

    async def insert_aside(self, collection: str, document: dict[str, Any], seconds: float) -> None:
        """Insert outside of the transaction, as `find_aside`."""
        await self._inner.insert_aside(collection, document, seconds)

    def keep(self, batches: Sequence[bytes], collection: str, known: Known) -> list[Opened]:
        """Return stored documents as those of the present version, and remember which are stored in an old one."""
        found = read(batches, collection, known.lineage)
        for one in found:
            key = (collection, identity_key(one.fields["_id"]))
            if one.was is None:
                self._old.pop(key, None)
            else:
                self._old[key] = one
        return found

    async def _written(self, writer: Writer, bulk: BulkWrite) -> BulkWrite:
        known = self._known.get(bulk.collection)
        if known is None:
            return bulk
        writes: list[Write] = []
        for write in bulk.writes:
            if isinstance(write, UpdateMany | DeleteMany):
                writes.append(await self._set_based(bulk.collection, write, known))
            else:
                writes.append(writer.one(bulk.collection, write, known.lineage))
        return replace(bulk, writes=tuple(writes))

    async def _set_based(self, collection: str, write: SetBased, known: Known) -> SetBased:
        """Return a change of all that match; where it meets what an upcast changes, old documents are renewed before."""
        lineage = known.lineage
        try:
            condition = matching(write.filter, write.options, lineage, collated=known.collated)
        except Untranslatable as why:
            await self._none_left(collection, known, why)
            return write
        if isinstance(write, DeleteMany) or commutes(write, lineage):
            return replace(write, filter=condition)
        asked = Find(collection, both(lineage.left, condition), limit=MOST + 1)
        old = read(await self._inner.find(asked), collection, lineage)
        if len(old) > MOST:
            raise MigrationUnfinished(collection, f"more than {MOST} of them would have to be changed at once")
        await self._renew(collection, old, known)
        return replace(write, filter=both(write.filter, lineage.current))

    async def _renew(self, collection: str, documents: Sequence[Opened | None], known: Known) -> None:
        old = [one for one in documents if one is not None and one.was is not None]
        if old:
            await self._inner.write([BulkWrite(collection, tuple(renewing(one, known.lineage) for one in old))])
        for one in old:
            self._old.pop((collection, identity_key(one.fields["_id"])), None)

    async def _none_left(self, collection: str, known: Known, why: Untranslatable) -> None:
        """Raise MigrationUnfinished unless the transaction sees no old document."""
        if collection in self._finished or not known.lineage.upcasts:
            return
        probe = Find(collection, known.lineage.left, limit=1, projection={"_id": 1})
        if b"".join(await self._inner.find(probe)):
            raise MigrationUnfinished(collection, str(why)) from None
        self._finished.add(collection)


class UpcastBatches:
    """A stream of documents of all versions."""

    def __init__(self, door: UpcastingSession, command: Find, known: Known, inner: Batches) -> None:
        """Stand before a stream of stored documents."""
        self._door = door
        self._command = command
        self._lineage = known
        self._inner = inner

    async def next(self) -> bytes | None:
        """Return the next batch, None at the end."""
        batch = await self._inner.next()
        if not batch:
            return batch
        found = self._door.keep([batch], self._command.collection, self._lineage)
        return b"".join(closed(self._command, [one.fields for one in found]))

    async def close(self) -> None:
        """Give up what was not fetched."""
        await self._inner.close()


def learn(unit: "Unit", mapper: Mapper[Any]) -> None:
    """Let a unit know the versions of a model's collection."""
    lineage, session = mapper.lineage, unit.session
    if lineage is None or (isinstance(session, UpcastingSession) and session.knows(mapper.collection)):
        return
    options = mapper.model.__boundwork_options__
    _door(unit).learn(mapper.collection, Known(lineage, options is not None and options.collation is not None))


def learn_joined(unit: "Unit", command: Aggregate) -> None:
    """Let a unit know the versions of the other collections that a pipeline reads."""
    found = joined_by(command)
    for collection in found & LINEAGES.keys():
        door = _door(unit)
        if not door.knows(collection):
            door.learn(collection, Known(LINEAGES[collection]))


def joined_by(command: Aggregate) -> set[str]:
    """Return the other collections that a pipeline reads."""
    found: set[str] = set()

    def note(collection: str) -> Mapping[str, Any]:
        found.add(collection)
        return {}

    joined([dict(stage) for stage in command.pipeline], note, strict=False)
    return found


def _door(unit: "Unit") -> UpcastingSession:
    with _one_door:  # threads that share a unit must not put one door before another
        if not isinstance(unit.session, UpcastingSession):
            unit.session = UpcastingSession(unit.session)
        return unit.session
