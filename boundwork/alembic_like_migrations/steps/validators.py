"""The step that sets, changes or removes the validator of a collection, and how many documents it would find wrong.

Validators are for documents written from now on; what is stored stays. So how a change is classified, and how many
stored documents do not conform, is for the plan to say before anything is changed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from boundwork.alembic_like_migrations.engine.server import Server
from boundwork.alembic_like_migrations.steps.step import EVERYTHING, AnyStep, Irreversible, StructureStep
from boundwork.alembic_like_migrations.steps.structure import change
from boundwork.alembic_like_migrations.steps.tightening import Strictness, Tendency, tendency

Level = Literal["off", "moderate", "strict"]
Action = Literal["warn", "error"]


@dataclass(frozen=True, slots=True)
class Validation:
    """What a collection asks of documents: a filter such as `{"$jsonSchema": ...}`, {} for nothing."""

    validator: Mapping[str, Any] = field(default_factory=lambda: EVERYTHING)
    level: Level = "strict"
    action: Action = "error"

    def options(self) -> dict[str, Any]:
        """Return what `collMod` and `create` take."""
        return {"validator": self.validator, "validationLevel": self.level, "validationAction": self.action}

    def strictness(self) -> Strictness:
        """Return what decides how strict it is."""
        return Strictness(self.validator, self.level, self.action)


@dataclass(frozen=True, slots=True)
class SetValidator(StructureStep):
    """Set the validator of a collection; `was` is what it asked before."""

    collection: str
    to: Validation
    was: Validation | None = None

    @property
    def title(self) -> str:
        """One line for people."""
        if not self.to.validator:
            return f"remove validator of {self.collection}"
        return f"set validator of {self.collection} ({self.to.level}, {self.to.action})"

    @property
    def tendency(self) -> Tendency:
        """Tell whether it loosens or tightens what is asked; a validator of which nobody said what was before tightens."""
        return tendency((self.was or Validation()).strictness(), self.to.strictness())

    def inverse(self) -> AnyStep:
        """Return the change back. Raises Irreversible if nobody said what was before."""
        if self.was is None:
            raise Irreversible(self.title, "nobody said what the validator was (was=..., {} for none)")
        return SetValidator(self.collection, self.was, self.to)

    async def apply(self, server: Server) -> None:
        """Set it."""
        what = f"set the validator of {self.collection!r}"
        await change(server, what, {"collMod": self.collection, **self.to.options()})


async def non_conforming(server: Server, collection: str, validator: Mapping[str, Any]) -> int:
    """Return how many stored documents a validator would refuse, counted by a scan of the collection."""
    if not validator:
        return 0
    stages: list[dict[str, Any]] = [{"$match": {"$nor": [dict(validator)]}}, {"$count": "number"}]
    rows = await server.all({"aggregate": collection, "pipeline": stages, "cursor": {}})
    return int(rows[0]["number"]) if rows else 0
