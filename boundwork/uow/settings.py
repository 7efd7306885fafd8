"""What a definition lets its user choose, and what a unit may rely on."""

from dataclasses import field
from typing import Literal, get_args

from boundwork.models.data import data
from boundwork.models.scope import TenantChoice, tenant_now
from boundwork.uow.single_reads import SINGLE_READS
from boundwork.uow.unique_key_cache import UniqueKeyCache

Isolation = Literal["snapshot", "locked_reads"]
Concurrency = Literal["exclusive", "serialize"]


@data(frozen=True, slots=True)
class Settings:
    """The choices of one definition, shared by all its units.

    `autoflush` sends pending changes before each query; `commit_seconds` is how long a commit of unknown outcome
    is resent, `replay_seconds` how long a unit repeats its transaction after a transient failure. With the isolation
    `locked_reads` each document that a unit reads is locked. Of the units with an `idempotency_key` at most one commits.
    With the concurrency `serialize` the children of a unit's owner wait for their turn in it. After `single_reads` of
    one document each, sent by one place of the program, a unit warns; None is for never. A unit works with the documents
    of its `tenant`.
    """

    autoflush: bool = True
    commit_seconds: float = 30.0
    replay_seconds: float = 30.0
    isolation: Isolation = "snapshot"
    idempotency_key: str | None = None
    concurrency: Concurrency = "exclusive"
    single_reads: int | None = SINGLE_READS
    tenant: TenantChoice = None
    unique_keys: UniqueKeyCache = field(default_factory=UniqueKeyCache)
    collections_made: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Refuse an isolation or a concurrency that there is not, times that cannot be, and what cannot be a tenant."""
        if not callable(self.tenant):
            tenant_now(self.tenant)
        for word, chosen, choices in (
            ("isolation", self.isolation, get_args(Isolation)),
            ("concurrency", self.concurrency, get_args(Concurrency)),
        ):
            if chosen not in choices:
                known = " or ".join(map(repr, choices))
                raise ValueError(f"There is no {word} {chosen!r}. Write {known}.")
        for word, seconds in (("commit_seconds", self.commit_seconds), ("replay_seconds", self.replay_seconds)):
            if not seconds >= 0:  # also for what is no number
                raise ValueError(f"{word} takes a number of seconds, 0 or more, and not {seconds}.")
        if self.single_reads is not None and self.single_reads < 2:  # noqa: PLR2004 - one read is no loop
            raise ValueError(f"single_reads takes a number of reads, 2 or more, or None, and not {self.single_reads}.")

    @property
    def locks_reads(self) -> bool:
        """Tell whether each document that a unit reads is locked."""
        return self.isolation == "locked_reads"
