"""Steps that make, drop and rename collections, and change the options that can be changed.

What is dropped comes back without its documents; the words say so, and the plan counts them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from boundwork.alembic_like_migrations.engine.server import Server
from boundwork.alembic_like_migrations.steps.errors import StructureDiffers, StructureRefused
from boundwork.alembic_like_migrations.steps.indexes import CreateIndex
from boundwork.alembic_like_migrations.steps.step import EVERYTHING, AnyStep, Irreversible, StructureStep
from boundwork.alembic_like_migrations.steps.structure import NAMESPACE_EXISTS, NAMESPACE_NOT_FOUND, change
from boundwork.models.structure.comparison import compare
from boundwork.models.structure.declared import DeclaredCollection
from boundwork.models.structure.found import found_collection

Options = Mapping[str, Any]
CAPPED_UNIT = 256
"""The server rounds the size of a capped collection up to a multiple of so many bytes."""


@dataclass(frozen=True, slots=True)
class CreateCollection(StructureStep):
    """Make a collection with the options of the server's `create`, and indexes as `listIndexes` shows them."""

    name: str
    options: Options = field(default_factory=lambda: EVERYTHING)
    indexes: Sequence[Mapping[str, Any]] = ()

    @property
    def title(self) -> str:
        """One line for people."""
        options = f" ({', '.join(self.options)})" if self.options else ""
        return f"create collection {self.name}{options}"

    def inverse(self) -> AnyStep:
        """Return the dropping."""
        return DropCollection(self.name, {**self.options, "indexes": list(self.indexes)})

    async def apply(self, server: Server) -> None:
        """Make it; one that is there must have these options."""
        command = {"create": self.name, **self.options}
        if not await change(server, f"create the collection {self.name!r}", command, {NAMESPACE_EXISTS}):
            await self._require_same(server)
        for index in self.indexes:
            await CreateIndex(self.name, index).apply(server)

    async def _require_same(self, server: Server) -> None:
        (there,) = await server.all({"listCollections": 1, "filter": {"name": self.name}})
        wanted = dict(self.options)
        if "size" in wanted:
            wanted["size"] = -(-wanted["size"] // CAPPED_UNIT) * CAPPED_UNIT
        if "timeseries" in wanted:
            wanted["timeseries"] = {"granularity": "seconds", **wanted["timeseries"]}
        kind = "timeseries" if "timeseries" in wanted else "collection"
        asked = found_collection({"name": self.name, "type": kind, "options": wanted}, [])
        declared = DeclaredCollection(name=self.name, options=asked.options)
        differing = compare(declared, found_collection(there, [])).differing
        if differing:
            raise StructureDiffers("collection", self.name, [one.path for one in differing])


@dataclass(frozen=True, slots=True)
class DropCollection(StructureStep):
    """Drop a collection with its documents; `was` are its options and, under `indexes`, its indexes."""

    name: str
    was: Mapping[str, Any] | None = None

    @property
    def title(self) -> str:
        """One line for people."""
        return f"drop collection {self.name} with its documents"

    def inverse(self) -> AnyStep:
        """Return the making of an empty one. Raises Irreversible if nobody said what it was."""
        if self.was is None:
            raise Irreversible(self.title, "nobody said what the collection was (was=...)")
        options = {name: value for name, value in self.was.items() if name != "indexes"}
        return CreateCollection(self.name, options, tuple(self.was.get("indexes", ())))

    async def apply(self, server: Server) -> None:
        """Drop it, if it is there."""
        await change(server, f"drop the collection {self.name!r}", {"drop": self.name}, {NAMESPACE_NOT_FOUND})


@dataclass(frozen=True, slots=True)
class RenameCollection(StructureStep):
    """Give a collection another name; its documents and indexes stay."""

    old: str
    new: str

    @property
    def title(self) -> str:
        """One line for people."""
        return f"rename collection {self.old} to {self.new}"

    def inverse(self) -> AnyStep:
        """Return the renaming back."""
        return RenameCollection(self.new, self.old)

    async def apply(self, server: Server) -> None:
        """Rename it; where only the new name is there it was renamed before."""
        what = f"rename the collection {self.old!r} to {self.new!r}"
        command = {"renameCollection": self.old, "to": self.new}
        if not await change(server, what, command, {NAMESPACE_NOT_FOUND}):
            found = await server.all({"listCollections": 1, "filter": {"name": self.new}, "nameOnly": True})
            if not found:
                raise StructureRefused(what, NAMESPACE_NOT_FOUND, "there is no collection of either name.")


@dataclass(frozen=True, slots=True)
class ChangeOptions(StructureStep):
    """Change options of a collection that `collMod` takes; `was` are those options before."""

    name: str
    to: Options
    was: Options | None = None

    @property
    def title(self) -> str:
        """One line for people."""
        return f"change options of {self.name}: {', '.join(self.to)}"

    def inverse(self) -> AnyStep:
        """Return the change back. Raises Irreversible if nobody said what they were."""
        if self.was is None:
            raise Irreversible(self.title, "nobody said what the options were (was=...)")
        return ChangeOptions(self.name, self.was, self.to)

    async def apply(self, server: Server) -> None:
        """Change them."""
        await change(server, f"change options of {self.name!r}", {"collMod": self.name, **self.to})
