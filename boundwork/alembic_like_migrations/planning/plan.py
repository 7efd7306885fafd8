"""A plan: what would run, what it would lock and visit, about how long it takes, and what to think of before.

It is a value. The numbers are those of the database as it is now; what earlier steps of the same plan change is not
counted.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from boundwork.alembic_like_migrations.engine.ledger import Direction
from boundwork.alembic_like_migrations.revision import Phase
from boundwork.alembic_like_migrations.steps.step import Kind


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """A step of a plan; `documents` is how many it visits, `seconds` about how long it takes, None if nobody can tell."""

    title: str
    kind: Kind
    locks: str
    documents: int | None
    seconds: float | None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PlannedRevision:
    """A revision of a plan; `warnings` are about the whole of it."""

    revision: str
    message: str
    phase: Phase | None
    steps: tuple[PlannedStep, ...]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Adoption:
    """A squash that is noted as applied, since all of what it replaces is, and not run; before or after the revisions."""

    squash: str
    replaces: tuple[str, ...]
    when: Literal["before", "after"]


@dataclass(frozen=True, slots=True)
class Plan:
    """What would run, in order, and which squashes would be noted without running anything."""

    direction: Direction
    revisions: tuple[PlannedRevision, ...]
    adopting: tuple[Adoption, ...] = ()

    @property
    def warnings(self) -> tuple[str, ...]:
        """All warnings, in order."""
        return tuple(
            warning
            for one in self.revisions
            for warning in (*one.warnings, *(warning for step in one.steps for warning in step.warnings))
        )

    @property
    def seconds(self) -> float:
        """About how long all steps take of which that can be told."""
        return sum(step.seconds or 0.0 for one in self.revisions for step in one.steps)

    def as_object(self) -> dict[str, Any]:
        """Return all of it for JSON."""
        revisions: Sequence[dict[str, Any]] = [asdict(one) for one in self.revisions]
        adopting = [asdict(one) for one in self.adopting]
        return {
            "direction": self.direction,
            "seconds": round(self.seconds, 1),
            "revisions": revisions,
            "adopting": adopting,
        }
