"""What a definition lets its user choose, and what a unit may rely on."""

from dataclasses import dataclass, field
from typing import Literal, get_args

from boundwork.uow.unique_key_cache import UniqueKeyCache

Isolation = Literal["snapshot", "locked_reads"]


@dataclass(frozen=True, slots=True)
class Settings:
    """The choices of one definition, shared by all its units.

    `autoflush` sends pending changes before each query; `commit_seconds` is how long a commit of unknown outcome
    is resent, `replay_seconds` how long a unit repeats its transaction after a transient failure. With the isolation
    `locked_reads` each document that a unit reads is locked. Of the units with an `idempotency_key` at most one commits.
    """

    autoflush: bool = True
    commit_seconds: float = 30.0
    replay_seconds: float = 30.0
    isolation: Isolation = "snapshot"
    idempotency_key: str | None = None
    unique_keys: UniqueKeyCache = field(default_factory=UniqueKeyCache)

    def __post_init__(self) -> None:
        """Refuse an isolation that there is not."""
        if self.isolation not in get_args(Isolation):
            known = " or ".join(map(repr, get_args(Isolation)))
            raise ValueError(f"There is no isolation {self.isolation!r}. Write {known}.")

    @property
    def locks_reads(self) -> bool:
        """Tell whether each document that a unit reads is locked."""
        return self.isolation == "locked_reads"
