"""Data steps of one transaction each: a function of the program, documents of a seed, and small steps put together.

The engine goes through documents; here it goes through one, the fence, so the work is done once, in the transaction that
notes that it is done. A transaction must end within the time that the server lets one live, a minute by default.
"""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bson.raw_bson import RawBSONDocument

from boundwork.alembic_like_migrations.engine.program import Mark
from boundwork.alembic_like_migrations.engine.server import FENCE, LEDGER, Server
from boundwork.alembic_like_migrations.steps.documents import EXACT, raw, read_in_order, send, split
from boundwork.alembic_like_migrations.steps.errors import FunctionFailed, StepWrong
from boundwork.alembic_like_migrations.steps.step import (
    AnyStep,
    Batch,
    DataStep,
    Irreversible,
    StructureStep,
    Worked,
)
from boundwork.alembic_like_migrations.steps.undo_log import UNDO, forget, key_bytes, keys_of, remember
from boundwork.uow.commands import Find
from boundwork.uow.failures import FailureKind, SessionFailure

MOST = 10_000
"""How many documents a step of `op.transaction()` may change: with more, it would not end in time everywhere."""
TRANSIENT = frozenset({"TransientTransactionError"})


class OnceStep(DataStep):
    """A data step that is done in one transaction."""

    @property
    def collection(self) -> str:
        """The ledger, of which one document is visited."""
        return LEDGER

    @property
    def where(self) -> Mapping[str, Any]:
        """The filter of that document."""
        return {"_id": FENCE}


@dataclass(frozen=True, slots=True)
class Execute(OnceStep):
    """Call a function with the database; what it does there joins the transaction."""

    function: Callable[[Any], Any]
    name: str

    @property
    def title(self) -> str:
        """One line for people."""
        return f"execute {self.name} in one transaction"

    def inverse(self) -> AnyStep:
        """Raise Irreversible: nobody knows what a function does."""
        raise Irreversible(self.title, "nobody knows what a function does")

    async def work(self, batch: Batch) -> Worked:
        """Call it."""
        try:
            await _call(self.function, batch.session.database)
        except Exception as error:
            if batch.session.may_repeat(error):
                raise SessionFailure(FailureKind.SERVER, labels=TRANSIENT) from error
            raise FunctionFailed(self.name, error) from error
        return Worked(0)


@dataclass(frozen=True, slots=True)
class ExecuteOutside(StructureStep):
    """Call a function with the database, outside of transactions: once, and again if a crash comes before the record."""

    function: Callable[[Any], Any]
    name: str

    @property
    def title(self) -> str:
        """One line for people."""
        return f"execute {self.name} at least once"

    def inverse(self) -> AnyStep:
        """Raise Irreversible: nobody knows what a function does."""
        raise Irreversible(self.title, "nobody knows what a function does")

    async def apply(self, server: Server) -> None:
        """Call it."""
        try:
            await _call(self.function, server.sessions().database)
        except Exception as error:
            raise FunctionFailed(self.name, error) from error


async def _call(function: Callable[[Any], Any], database: Any) -> None:
    result = function(database)
    if inspect.isawaitable(result):
        await result


@dataclass(frozen=True, slots=True)
class Seed(OnceStep):
    """Insert documents whose ids are not there yet, and remember which those were."""

    target: str
    documents: Sequence[RawBSONDocument]
    mark: Mark

    @property
    def title(self) -> str:
        """One line for people."""
        return f"seed {self.target}: {len(self.documents)} documents"

    @property
    def collections(self) -> Sequence[str]:
        """All collections whose documents are read or written."""
        return (self.target,)

    @property
    def makes(self) -> Sequence[str]:
        """The collection that comes into being by the documents."""
        return (self.target,)

    def inverse(self) -> AnyStep:
        """Return the taking away."""
        return Unseed(self.target, self.documents, self.mark)

    async def work(self, batch: Batch) -> Worked:
        """Insert them."""
        ids = [one["_id"] for one in self.documents]
        there = {_key(one) for one in await read_in_order(batch.session, self.target, ids)}
        missing = [one for one in self.documents if key_bytes(one["_id"]) not in there]
        await remember(batch.session, self.mark, [one["_id"] for one in missing])
        return Worked(await send(batch.session, "insert", self.target, missing))


@dataclass(frozen=True, slots=True)
class Unseed(OnceStep):
    """Delete the documents that a seed inserted; those that were changed since stay."""

    target: str
    documents: Sequence[RawBSONDocument]
    mark: Mark

    @property
    def title(self) -> str:
        """One line for people."""
        return f"take the seed out of {self.target} where it is unchanged"

    @property
    def collections(self) -> Sequence[str]:
        """All collections whose documents are read or written."""
        return (self.target,)

    def inverse(self) -> AnyStep:
        """Return the seed."""
        return Seed(self.target, self.documents, self.mark)

    async def work(self, batch: Batch) -> Worked:
        """Delete them."""
        ids = [one["_id"] for one in self.documents]
        keys = await read_in_order(batch.session, UNDO, keys_of(self.mark, ids))
        mine = {key_bytes(RawBSONDocument(one, EXACT)["_id"]["of"]) for one in keys}
        present = {_key(one): one for one in await read_in_order(batch.session, self.target, ids)}
        seeded = [one for one in self.documents if key_bytes(one["_id"]) in mine]
        same = [one["_id"] for one in seeded if present.get(key_bytes(one["_id"])) == one.raw]
        await forget(batch.session, self.mark, ids)
        return Worked(
            await send(batch.session, "delete", self.target, [{"q": {"_id": one}, "limit": 1} for one in same])
        )


@dataclass(frozen=True, slots=True)
class Together(OnceStep):
    """Several data steps in one transaction: all of them are done, or none is."""

    steps: tuple[DataStep, ...]

    @property
    def title(self) -> str:
        """One line for people."""
        return f"in one transaction: {'; '.join(step.title for step in self.steps)}"

    @property
    def collections(self) -> Sequence[str]:
        """All collections whose documents are read or written."""
        return [name for step in self.steps for name in step.collections]

    @property
    def makes(self) -> Sequence[str]:
        """The collections that come into being."""
        return [name for step in self.steps for name in step.makes]

    def inverse(self) -> AnyStep:
        """Return the inverses together, last one first."""
        return together([step.inverse() for step in reversed(self.steps)])

    async def work(self, batch: Batch) -> Worked:
        """Carry out each step on all its documents."""
        changed = 0
        for step in self.steps:
            changed += (await step.work(await self._whole(batch, step))).changed
        return Worked(changed)

    async def _whole(self, batch: Batch, step: DataStep) -> Batch:
        projection = None if step.needs_documents else {"_id": 1}
        asked = Find(step.collection, step.where, (("_id", 1),), limit=MOST + 1, projection=projection)
        found = [RawBSONDocument(one, EXACT) for part in await batch.session.find(asked) for one in split(part)]
        if len(found) > MOST:
            raise StepWrong(
                f"{step.title!r} has more than {MOST} documents, too many for one transaction. Take it out of "
                "op.transaction(): it is done exactly once there as well, by batches."
            )
        return Batch(batch.session, [one["_id"] for one in found], found)


def together(steps: Sequence[AnyStep]) -> Together:
    """Put steps together. Raises StepWrong if one changes the structure: the server forbids that in a transaction."""
    kept: list[DataStep] = []
    for step in steps:
        if not isinstance(step, DataStep):
            raise StepWrong(
                f"{step.title!r} cannot be in op.transaction(): the server changes no structure in a transaction. "
                "Declare it before or after the block."
            )
        kept.append(step)
    return Together(tuple(kept))


def seeded(collection: str, documents: Sequence[Mapping[str, Any]], mark: Mark) -> Seed:
    """Return the seed of documents that have different ids. Raises StepWrong."""
    kept = [raw(one) for one in documents]
    if any("_id" not in one for one in kept):
        raise StepWrong(f"A document for {collection!r} has no _id. A seed needs ids, to be planted once.")
    if len({key_bytes(one["_id"]) for one in kept}) < len(kept):
        raise StepWrong(f"Two documents for {collection!r} have the same _id.")
    first = [raw({"_id": one["_id"], **{name: one[name] for name in one if name != "_id"}}) for one in kept]
    return Seed(collection, tuple(first), mark)


def _key(document: bytes) -> bytes:
    return key_bytes(RawBSONDocument(document, EXACT)["_id"])
