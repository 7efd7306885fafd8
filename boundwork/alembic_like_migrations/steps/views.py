"""Steps that make, drop and change views: a view is its source and its pipeline, so each step knows its inverse."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from boundwork.alembic_like_migrations.engine.server import Server
from boundwork.alembic_like_migrations.steps.errors import StructureDiffers
from boundwork.alembic_like_migrations.steps.step import AnyStep, Irreversible, StructureStep
from boundwork.alembic_like_migrations.steps.structure import NAMESPACE_EXISTS, NAMESPACE_NOT_FOUND, change
from boundwork.models.difference import same


@dataclass(frozen=True, slots=True)
class View:
    """What a view shows: the collection or view under it, and a pipeline."""

    on: str
    pipeline: Sequence[Mapping[str, Any]]

    def command(self, word: str, name: str) -> dict[str, Any]:
        """Return a command about the view."""
        return {word: name, "viewOn": self.on, "pipeline": list(self.pipeline)}


@dataclass(frozen=True, slots=True)
class CreateView(StructureStep):
    """Make a view."""

    name: str
    view: View

    @property
    def title(self) -> str:
        """One line for people."""
        return f"create view {self.name} on {self.view.on}"

    def inverse(self) -> AnyStep:
        """Return the dropping."""
        return DropView(self.name, self.view)

    async def apply(self, server: Server) -> None:
        """Make it; what has its name must be this view."""
        command = self.view.command("create", self.name)
        if not await change(server, f"create the view {self.name!r}", command, {NAMESPACE_EXISTS}):
            (there,) = await server.all({"listCollections": 1, "filter": {"name": self.name}})
            options = {part: there["options"].get(part) for part in ("viewOn", "pipeline")}
            if not same(options, {"viewOn": self.view.on, "pipeline": list(self.view.pipeline)}):
                raise StructureDiffers(there.get("type", "collection"), self.name, [])


@dataclass(frozen=True, slots=True)
class DropView(StructureStep):
    """Drop a view; no document goes with it."""

    name: str
    was: View | None = None

    @property
    def title(self) -> str:
        """One line for people."""
        return f"drop view {self.name}"

    def inverse(self) -> AnyStep:
        """Return the making. Raises Irreversible if nobody said what it was."""
        if self.was is None:
            raise Irreversible(self.title, "nobody said what the view was (was=...)")
        return CreateView(self.name, self.was)

    async def apply(self, server: Server) -> None:
        """Drop it, if it is there and is a view."""
        found = await server.all({"listCollections": 1, "filter": {"name": self.name}, "nameOnly": True})
        if found and found[0].get("type") != "view":
            raise StructureDiffers(found[0].get("type", "collection"), self.name, [])
        await change(server, f"drop the view {self.name!r}", {"drop": self.name}, {NAMESPACE_NOT_FOUND})


@dataclass(frozen=True, slots=True)
class ChangeView(StructureStep):
    """Let a view show something else, in one step: nobody meets the database without it."""

    name: str
    to: View
    was: View | None = None

    @property
    def title(self) -> str:
        """One line for people."""
        return f"change view {self.name}"

    def inverse(self) -> AnyStep:
        """Return the change back. Raises Irreversible if nobody said what it was."""
        if self.was is None:
            raise Irreversible(self.title, "nobody said what the view was (was=...)")
        return ChangeView(self.name, self.was, self.to)

    async def apply(self, server: Server) -> None:
        """Change it."""
        await change(server, f"change the view {self.name!r}", self.to.command("collMod", self.name))
