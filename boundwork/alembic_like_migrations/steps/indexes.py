"""Steps that build, drop and change indexes.

A build begins and ends with an exclusive lock on the collection, and waits for open transactions each time; whatever
comes after it waits as well. `maxTimeMS` is no bound for that: it throws the whole build away when it runs out. So the
lock is tried first, by a `collMod` that changes nothing and gives up quickly. What is left is the lock at the end of
the build, which waits at most as long as the server lets a transaction live. A build goes on without its client, and
the server lets a second request for the same index wait for the first, so sending it again after a crash is enough.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any

from boundwork.alembic_like_migrations.engine.passing import passes
from boundwork.alembic_like_migrations.engine.server import PATIENCE_SECONDS, Server
from boundwork.alembic_like_migrations.steps.building import wait_until_ready
from boundwork.alembic_like_migrations.steps.duplicates import find_duplicates
from boundwork.alembic_like_migrations.steps.errors import DuplicatesFound, StepWrong, StructureRefused
from boundwork.alembic_like_migrations.steps.step import AnyStep, Irreversible, StructureStep
from boundwork.alembic_like_migrations.steps.structure import (
    INDEX_NOT_FOUND,
    NAMESPACE_NOT_FOUND,
    change,
    refusal,
)
from boundwork.models.kinds import is_mapping
from boundwork.uow.failures import FailureKind, SessionFailure

Specification = Mapping[str, Any]
CHANGED_IN_PLACE = frozenset({"hidden", "expireAfterSeconds"})
SAME_NAME = 86
SAME_KEYS = 85
SECOND_TEXT_INDEX = 67


def specified(collection: str, specification: Specification) -> dict[str, Any]:
    """Return a specification for `createIndexes`, with the name that the server's tools would give. Raises StepWrong."""
    keys = specification.get("key")
    if not keys:
        raise StepWrong(f"The index on {collection!r} has no keys. Give them as a mapping: {{'email': 1}}.")
    pairs: list[tuple[str, Any]] = list(keys.items() if is_mapping(keys) else keys)
    name = specification.get("name") or "_".join(f"{path}_{kind}" for path, kind in pairs)
    rest = {word: value for word, value in specification.items() if word not in {"key", "name", "v", "ns"}}
    return {"key": dict(pairs), "name": name, **rest}


@dataclass(frozen=True, slots=True)
class CreateIndex(StructureStep):
    """Build an index; before a unique one, the documents that it would refuse are looked for."""

    collection: str
    specification: Specification

    @property
    def name(self) -> str:
        """The index's name."""
        return str(self.specification["name"])

    @property
    def title(self) -> str:
        """One line for people."""
        kind = "unique index" if self.specification.get("unique") else "index"
        return f"create {kind} {self.name} on {self.collection}"

    @property
    def makes(self) -> Sequence[str]:
        """The collection that comes into being by the index."""
        return (self.collection,)

    def inverse(self) -> AnyStep:
        """Return the dropping."""
        return DropIndex(self.collection, self.name, self.specification)

    async def apply(self, server: Server) -> None:
        """Build it; one that is there is left, one that is being built is waited for."""
        deadline = monotonic() + PATIENCE_SECONDS
        while True:
            try:
                return await self._build(server)
            except SessionFailure as failure:
                if not passes(failure) or monotonic() >= deadline:
                    raise
                await server.sessions().pause(server.lock_seconds)

    async def _build(self, server: Server) -> None:
        what = f"build the index {self.name!r} on {self.collection!r}"
        if self.name not in await index_names(server, self.collection):
            if self.specification.get("unique"):
                await self._refuse_duplicates(server)
            # tries the lock, as the module says
            await change(server, what, {"collMod": self.collection}, {NAMESPACE_NOT_FOUND})
        try:
            await server.command({"createIndexes": self.collection, "indexes": [dict(self.specification)]})
        except SessionFailure as failure:
            if failure.kind is FailureKind.DUPLICATE_KEY:
                await self._refuse_duplicates(server)
            if failure.code in {SAME_NAME, SAME_KEYS}:
                why = "there is one of this name, or with these keys, that is another. Change or drop that one"
                raise StructureRefused(what, failure.code, f"{why} (code {failure.code}).") from failure.__cause__
            raise await refusal(server, what, failure) from failure.__cause__
        await wait_until_ready(server, self.collection, self.name)

    async def _refuse_duplicates(self, server: Server) -> None:
        pairs = await find_duplicates(server, self.collection, self.specification)
        if pairs:
            raise DuplicatesFound(self.collection, list(self.specification["key"]), pairs)


@dataclass(frozen=True, slots=True)
class DropIndex(StructureStep):
    """Drop an index; `was` is its specification, for the way back."""

    collection: str
    name: str
    was: Specification | None = None

    @property
    def title(self) -> str:
        """One line for people."""
        return f"drop index {self.name} of {self.collection}"

    def inverse(self) -> AnyStep:
        """Return the build. Raises Irreversible if nobody said what it was."""
        if self.was is None:
            raise Irreversible(self.title, "nobody said what the index was (was=...)")
        return CreateIndex(self.collection, self.was)

    async def apply(self, server: Server) -> None:
        """Drop it, if it is there."""
        await drop_index(server, self.collection, self.name)


@dataclass(frozen=True, slots=True)
class ChangeIndex(StructureStep):
    """Let another index take the place of one, in an order that leaves queries with one of the two.

    What `collMod` can change is changed in place. Else the new one is built beside the old one, which is dropped last;
    only where the server does not let both be there is the old one dropped first.
    """

    collection: str
    name: str
    to: Specification
    was: Specification

    @property
    def title(self) -> str:
        """One line for people."""
        renamed = "" if self.to["name"] == self.name else f" to {self.to['name']}"
        return f"change index {self.name} of {self.collection}{renamed}: {', '.join(sorted(self._parts()))}"

    def inverse(self) -> AnyStep:
        """Return the change back."""
        return ChangeIndex(self.collection, str(self.to["name"]), {**self.was, "name": self.name}, self.to)

    async def apply(self, server: Server) -> None:
        """Change it, from wherever an earlier attempt stopped."""
        if self.to["name"] == self.name and self.in_place:
            await self._change_in_place(server)
        elif self.to["name"] == self.name or self._excludes_the_old():
            await self._build_in_its_place(server)
        else:
            await CreateIndex(self.collection, self.to).apply(server)
            await drop_index(server, self.collection, self.name)

    def _parts(self) -> set[str]:
        words = (self.to.keys() | self.was.keys()) - {"name"}
        return {word for word in words if self.to.get(word) != self.was.get(word)}

    @property
    def in_place(self) -> bool:
        """Tell whether the server changes it in place."""
        parts = self._parts()
        return parts <= CHANGED_IN_PLACE and all(word in self.to or word == "hidden" for word in parts)

    async def _change_in_place(self, server: Server) -> None:
        what = f"change the index {self.name!r} of {self.collection!r}"
        for part in sorted(self._parts()):
            wanted = {"name": self.name, part: self.to.get(part, False)}
            await change(server, what, {"collMod": self.collection, "index": wanted})

    async def _build_in_its_place(self, server: Server) -> None:
        """Drop the old one first, unless that was done before."""
        build = CreateIndex(self.collection, self.to)
        try:
            await build.apply(server)
        except StructureRefused as refused:
            if refused.code not in {SAME_NAME, SAME_KEYS, SECOND_TEXT_INDEX}:
                raise
            await drop_index(server, self.collection, self.name)
            await build.apply(server)

    def _excludes_the_old(self) -> bool:
        """Tell whether the server takes both for the same index: only these words tell two indexes apart."""
        if "text" in self.to["key"].values() and "text" in self.was["key"].values():
            return True
        if list(self.to["key"].items()) != list(self.was["key"].items()):
            return False
        apart = {"unique", "sparse", "collation", "partialFilterExpression", "wildcardProjection"}
        return not (self._parts() & apart)


async def index_names(server: Server, collection: str) -> set[str]:
    """Return the names of a collection's indexes, those being built as well; none if there is no collection."""
    try:
        return {index["name"] for index in await server.all({"listIndexes": collection})}
    except SessionFailure as failure:
        if failure.code == NAMESPACE_NOT_FOUND:
            return set()
        raise


async def drop_index(server: Server, collection: str, name: str) -> None:
    """Drop an index, if it is there."""
    command = {"dropIndexes": collection, "index": name}
    await change(server, f"drop the index {name!r} of {collection!r}", command, {INDEX_NOT_FOUND, NAMESPACE_NOT_FOUND})
