"""What a definition lets its user choose, and what a unit may rely on."""

from dataclasses import dataclass, field

from boundwork.uow.unique_key_cache import UniqueKeyCache


@dataclass(frozen=True, slots=True)
class Settings:
    """The choices of one definition, shared by all its units.

    `autoflush` sends pending changes before each query; `commit_seconds` is how long a commit of unknown outcome
    is resent, `replay_seconds` how long a unit repeats its transaction after a transient failure.
    """

    autoflush: bool = True
    commit_seconds: float = 30.0
    replay_seconds: float = 30.0
    unique_keys: UniqueKeyCache = field(default_factory=UniqueKeyCache)
