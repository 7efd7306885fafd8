"""What is known of a revision without running it: a value.

The two phases are those of a rolling deploy: `expand` suits old code as well, `contract` only new code.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

Phase = Literal["expand", "contract"]
PHASES: tuple[Phase, ...] = get_args(Phase)


@dataclass(frozen=True, slots=True)
class Revision:
    """One step of a database; `down_revisions` are its parents: none for a base, several for a merge.

    A squash `replaces` others, in their order: it stands for them where they are all applied, or none of them is.
    """

    revision: str
    down_revisions: tuple[str, ...] = ()
    phase: Phase | None = None
    message: str = ""
    checksum: str = ""
    path: Path | None = None
    replaces: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """The first line of the message."""
        return self.message.partition("\n")[0]
