"""Whether a loop reads documents one by one that could be read together, and the warning that says so.

Only reads that are sent count, never those that the unit answers itself. Half of them are only counted; after that the
line of the program that asks is looked at, and the one that asks for the other half is named. The warning comes before
the read is sent, so that nothing is lost where warnings are errors.
"""

import sys
import warnings
from collections import Counter
from types import CodeType
from typing import TYPE_CHECKING

from boundwork.uow.origin import caller

if TYPE_CHECKING:
    from boundwork.uow.workspace import Workspace

SINGLE_READS = 10
NEVER = sys.maxsize
Lines = Counter[tuple[CodeType, int]]
"""How often lines of the program have sent a single read."""


class ManySingleReads(UserWarning):
    """One line of the program reads documents one by one within one unit, and they could be read together."""


def only_counted(limit: int | None) -> int:
    """Return how many single reads of a unit are only counted."""
    return NEVER if limit is None else limit // 2


def look_at_single_read(work: "Workspace", model: str) -> None:
    """Look where a single read comes from; the line that has sent enough of them warns, once a unit."""
    limit, frame = work.unit.settings.single_reads, caller()
    if limit is None or frame is None:
        return
    lines = work.single_reads = Lines() if work.single_reads is None else work.single_reads
    line = (frame.f_code, frame.f_lineno)
    lines[line] += 1
    if lines[line] < limit - limit // 2:
        return
    work.only_counted, work.single_reads = NEVER, None
    name = work.unit.name
    warnings.warn_explicit(
        f"A unit of work {name} has sent {limit} reads of single documents, the last {limit - limit // 2} here, of "
        f"{model}. Read them together: get_many(ids), or include(...) in the query that finds what refers to them. "
        f"Where one by one is meant: {name}(..., single_reads=None).",
        ManySingleReads,
        frame.f_code.co_filename,
        frame.f_lineno,
        module=frame.f_globals.get("__name__"),
        registry=frame.f_globals.setdefault("__warningregistry__", {}),
    )
