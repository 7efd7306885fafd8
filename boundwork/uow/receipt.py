"""What a unit did, in numbers, to be read after its end."""

from dataclasses import dataclass

from bson.timestamp import Timestamp

from boundwork.uow.changes import Alteration, Insertion
from boundwork.uow.flush_plan import PlannedBulk


@dataclass(frozen=True, slots=True)
class FailedHook:
    """A hook that did not run to its end, by the name of its function, and what it raised or was interrupted by."""

    name: str
    error: BaseException


@dataclass(slots=True)
class Receipt:
    """What a unit did: documents whose writes were committed, commands (round trips), and seconds from enter to leave.

    A document counts once as updated, however many flushes it took. `commits` counts the commits that were sent.
    `attempts` is how many units it took, where the unit is one of a series (`run`, `attempts`); `replays` is how
    often the unit repeated its transaction by itself. `operation_time` is the server's time of the last commit, None
    if nothing was sent or the database is in memory. `failed_hooks` are hooks that ran after the outcome and failed.
    """

    inserted: int = 0
    updated: int = 0
    removed: int = 0
    commands: int = 0
    commits: int = 0
    attempts: int = 1
    replays: int = 0
    seconds: float = 0.0
    operation_time: Timestamp | None = None
    failed_hooks: tuple[FailedHook, ...] = ()

    def count(self, bulk: PlannedBulk, altered: set[int]) -> None:
        """Add the writes of a bulk, an exchange of unique values once; `altered` are documents updated before."""
        for planned in bulk.writes:
            if planned.unset:
                continue
            if isinstance(planned.change, Insertion):
                self.inserted += 1
            elif isinstance(planned.change, Alteration):
                self.updated += id(planned.change.document) not in altered
                altered.add(id(planned.change.document))
            else:
                self.removed += 1

    def add(self, staged: "Receipt", *, committed: bool) -> None:
        """Add the documents of a transaction; `committed` says that there was one on the server."""
        self.inserted += staged.inserted
        self.updated += staged.updated
        self.removed += staged.removed
        self.commits += committed
