"""What can go wrong between a rolling deploy and its applications.

    MigrationError
    +-- GateRefused          a contracting revision would break an instance that lives
    +-- PhaseBlocked         a contracting revision comes after an expanding one that is not applied
    +-- InstanceTooOld       an application starts whose revision was contracted away

The facts are attributes. Every text says what to do next.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from boundwork.alembic_like_migrations.errors import MigrationError, listed


@dataclass(frozen=True, slots=True)
class LivingInstance:
    """An instance that is registered; `seconds` is how long its lease lasts from now."""

    application: str
    revision: str
    process: str
    seconds: float

    def __str__(self) -> str:
        return f"{self.application} at {self.revision} ({self.process})"


class GateRefused(MigrationError):
    """A contracting revision would break instances that live; nothing was run."""

    def __init__(self, revision: str, instances: Sequence[LivingInstance]) -> None:
        """Name the revision and the instances."""
        super().__init__(
            f"Revision {revision} contracts, and older instances live: {', '.join(map(str, instances))}. Nothing was "
            "run. Replace them first (one that was killed is forgotten when its lease ends), or run with --phase expand."
        )
        self.revision = revision
        self.instances = tuple(instances)


class PhaseBlocked(MigrationError):
    """A contracting revision comes after an expanding one that is not applied; nothing was run."""

    def __init__(self, revision: str, missing: Sequence[str]) -> None:
        """Name the revision and what must be applied before it."""
        super().__init__(
            f"Revision {revision} contracts, and {listed(missing)} must be applied before it. Nothing was run. Run with "
            "--phase expand, replace the old instances, and then contract."
        )
        self.revision = revision
        self.missing = tuple(missing)


class InstanceTooOld(MigrationError):
    """An application was written for a revision that a contracting one has made impossible."""

    def __init__(self, application: str, revision: str, contracted: str) -> None:
        """Say which application, and what happened to its revision."""
        super().__init__(
            f"{application} was written for revision {revision}, and the database was contracted by {contracted} since. "
            "Deploy a newer version of it, or downgrade the database."
        )
        self.application = application
        self.revision = revision
        self.contracted = contracted
