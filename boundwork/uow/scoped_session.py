"""The door of a unit with a tenant: every command passes through here, and none without the condition of its tenant.

What the core builds needs no knowledge of tenants, and what it may learn to build is refused until it is taught here:
a kind of command or write that is not listed does not reach the server.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from boundwork.errors import TenantMissing
from boundwork.models.bson_types import MISSING
from boundwork.models.difference import same
from boundwork.models.joined import narrowed
from boundwork.uow.commands import (
    Aggregate,
    BulkResult,
    BulkWrite,
    Count,
    DeleteMany,
    DeleteOne,
    Distinct,
    Find,
    FindAndUpdate,
    InsertOne,
    UpdateMany,
    UpdateOne,
    UpsertOne,
    Write,
)
from boundwork.uow.idempotency import MARKERS
from boundwork.uow.locking import LOCKS
from boundwork.uow.passing_session import PassingSession
from boundwork.uow.port import Batches, BoundSession
from boundwork.uow.scopes import Scopes

QueryT = TypeVar("QueryT", Find, Count, Distinct)
OWN = frozenset({MARKERS, LOCKS})
"""The collections of boundwork itself; their ids hold the tenant."""


class ScopedSession(PassingSession):
    """A session of one tenant, around that of the driver."""

    def __init__(self, inner: BoundSession, scopes: Scopes) -> None:
        """Stand before a session that is not open yet."""
        super().__init__(inner)
        self._scopes = scopes

    def _asked(self, command: QueryT) -> QueryT:
        if command.collection in OWN or command.options.all_tenants:
            return command
        condition = self._scopes.condition(command.collection, collated=command.options.collation is not None)
        return replace(command, filter=joint(condition, command.filter))

    def _written(self, collection: str, write: Write) -> Write:
        """Return a write that reaches documents of the tenant only."""
        collated = isinstance(write, UpdateMany | DeleteMany) and write.options.collation is not None
        condition = self._scopes.condition(collection, collated=collated)
        if isinstance(write, InsertOne) and self._scopes.owns(collection, write.document):
            return write
        if isinstance(write, UpsertOne) and self._scopes.owns(collection, write.document):
            return replace(write, key=joint(condition, write.key))
        if isinstance(write, UpdateOne | UpdateMany) and not any(writes(write.update, name) for name in condition):
            return replace(write, filter=joint(condition, write.filter))
        if isinstance(write, DeleteOne | DeleteMany):
            return replace(write, filter=joint(condition, write.filter))
        raise _refused(write, collection)

    async def find(self, command: Find) -> list[bytes]:
        """Find documents of the tenant."""
        return await self._inner.find(self._asked(command))

    async def count(self, command: Count) -> int:
        """Count documents of the tenant."""
        return await self._inner.count(self._asked(command))

    async def distinct(self, command: Distinct) -> list[bytes]:
        """Return values of the tenant's documents."""
        return await self._inner.distinct(self._asked(command))

    async def aggregate(self, command: Aggregate) -> list[bytes]:
        """Return rows of the tenant's documents, in all collections that the pipeline reads."""
        if command.all_tenants:
            return await self._inner.aggregate(command)
        # What it reads elsewhere is compared by the collation of the collection that it is sent to.
        condition_of = partial(self._scopes.condition, collated=self._scopes.reach(command.collection).collated)
        stages = narrowed(command.collection, [dict(stage) for stage in command.pipeline], condition_of)
        return await self._inner.aggregate(replace(command, pipeline=stages))

    async def stream(self, command: Find, batch_size: int) -> Batches:
        """Return documents of the tenant batch by batch."""
        return await self._inner.stream(self._asked(command), batch_size)

    async def explain(self, command: Find, verbosity: str) -> dict[str, Any]:
        """Explain the query that the tenant would send."""
        return await self._inner.explain(self._asked(command), verbosity)

    async def write(self, bulks: Sequence[BulkWrite]) -> list[BulkResult]:
        """Write documents of the tenant."""
        return await self._inner.write([self._narrowed(bulk) for bulk in bulks])

    async def find_and_update(self, command: FindAndUpdate) -> list[bytes]:
        """Update one document of the tenant."""
        condition = self._scopes.condition(command.collection, collated=command.options.collation is not None)
        if any(writes(command.update, name) for name in condition):
            raise _refused(command, command.collection)
        return await self._inner.find_and_update(replace(command, filter=joint(condition, command.filter)))

    def _narrowed(self, bulk: BulkWrite) -> BulkWrite:
        if bulk.collection in OWN:
            return bulk
        return replace(bulk, writes=tuple(self._written(bulk.collection, write) for write in bulk.writes))

    async def command(self, command: Mapping[str, Any]) -> Mapping[str, Any]:
        """Refuse: nobody knows which documents a command is about."""
        raise TenantMissing(
            f"The command {next(iter(command), '')} was refused in a unit with a tenant: whose documents it is about is "
            "not known. Use a unit without a tenant.",
        )

    async def find_aside(self, command: Find, seconds: float) -> list[bytes]:
        """Find outside of the transaction."""
        return await self._inner.find_aside(self._asked(command), seconds)

    async def insert_aside(self, collection: str, document: dict[str, Any], seconds: float) -> None:
        """Insert outside of the transaction."""
        if collection not in OWN:
            self._written(collection, InsertOne(document))
        await self._inner.insert_aside(collection, document, seconds)


def _refused(write: object, collection: str) -> TenantMissing:
    return TenantMissing(
        f"A write of kind {type(write).__name__} to collection {collection!r} was refused: it would not stay with the "
        "tenant of the unit.",
    )


def joint(condition: Mapping[str, Any], other: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the filter of what meets both; a field that has its value in it already is not named twice."""
    rest = {name: value for name, value in condition.items() if not same(other.get(name, MISSING), value)}
    if rest.keys() & other.keys():
        return {"$and": [rest, dict(other)]}
    return {**rest, **other} if rest else other


def writes(update: Mapping[str, Any], name: str) -> bool:
    """Tell whether update operators write a field, or into it."""
    paths = (path for operand in update.values() for path in operand)
    renamed = (target for target in update.get("$rename", {}).values())
    return any(path.partition(".")[0] == name for path in (*paths, *renamed))
