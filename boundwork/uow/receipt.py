"""What a unit did, in numbers, to be read after its end."""

from dataclasses import dataclass

from boundwork.uow.changes import Alteration, Insertion
from boundwork.uow.flush_plan import PlannedBulk


@dataclass(slots=True)
class Receipt:
    """Documents whose writes were committed, commands sent (round trips), commits, and seconds from enter to leave.

    `attempts` is how many units it took, where the unit is one of a series (`run`, `attempts`); `replays` is how
    often the unit repeated its transaction by itself.
    """

    inserted: int = 0
    updated: int = 0
    removed: int = 0
    commands: int = 0
    commits: int = 0
    attempts: int = 1
    replays: int = 0
    seconds: float = 0.0

    def count(self, bulk: PlannedBulk) -> None:
        """Add the writes of a bulk, an exchange of unique values once."""
        for planned in bulk.writes:
            if planned.temporary:
                continue
            if isinstance(planned.change, Insertion):
                self.inserted += 1
            elif isinstance(planned.change, Alteration):
                self.updated += 1
            else:
                self.removed += 1

    def add(self, staged: "Receipt", *, committed: bool) -> None:
        """Add the documents of a transaction; `committed` says that there was one on the server."""
        self.inserted += staged.inserted
        self.updated += staged.updated
        self.removed += staged.removed
        self.commits += committed
