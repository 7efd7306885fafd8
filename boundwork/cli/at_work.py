"""Who is at work in a database: one `boundwork demo` at a time, since each empties the collections and counts in them.

A run puts itself into the demo's mark, and a thread of it says again and again that it is still there; all times are the
server's. A run that was killed says nothing more, so it is in nobody's way for longer than `SILENT_SECONDS`. One that was
only stopped finds another one in the mark, and records nothing more.
"""

import os
import socket
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from threading import Event, Thread
from types import TracebackType

from pydantic import Field

from boundwork import (
    BoundworkError,
    CommitOutcomeUnknown,
    Connection,
    Document,
    Repository,
    ServerUnavailable,
    current_date,
    set_,
)
from boundwork.cli.flights.logbook import Logbook
from boundwork.cli.flights.models import Airport, Flight, Plane

MARK = "boundwork demo"
SILENT_SECONDS = 15
BEAT_SECONDS = 3.0


class AtWork(Exception):
    """Another run of the demo works in the same database."""


class Mark(Document[str], collection="boundwork_demo"):
    """Says that the collections of the demo are the demo's own, and which run is at work in them.

    `alive` is when that run last said so, `asked` when a run last wanted to begin.
    """

    started: datetime = Field(default_factory=lambda: datetime.now(UTC))
    run: str | None = None
    process: str | None = None
    alive: datetime | None = None
    asked: datetime | None = None


class Premises(Logbook):
    """The logbook of one run, and the mark beside it; what is recorded is so only while the run has the mark."""

    marks = Repository(Mark)

    def __init__(self, database: Connection, run_id: str, *, seconds: float) -> None:
        """Define units of a run; `seconds` is how long a lost server is tried again."""
        super().__init__(database, replay_seconds=seconds, commit_seconds=seconds)
        self.run_id = run_id

    def stock(self, planes: Iterable[Plane], airports: Iterable[Airport]) -> None:
        """Add the register of planes and the list of airports. Raises AtWork."""
        self._look()
        super().stock(planes, airports)

    def record_all(self, flights: Sequence[Flight]) -> None:
        """Record many flights. Raises AtWork."""
        self._look()
        super().record_all(flights)

    def _look(self) -> None:
        """Read the mark: whoever has it next empties the collections, which a unit that read the older one does not survive."""
        if not self.marks.exists(Mark.id == MARK, Mark.run == self.run_id):
            raise AtWork(
                "another `boundwork demo` has begun in this database while this one was stopped, or what this one wrote "
                "was removed. Run it again when nobody else works there."
            )


class Presence:
    """The presence of one run in a database that bears the mark: from its making to the end of its block.

    Raises AtWork if another run is there.
    """

    def __init__(self, database: Connection, run_id: str) -> None:
        """Begin to be there, and go on saying so."""
        # What is not said now is said soon again, so nothing of it is repeated.
        self._premises = Premises(database, run_id, seconds=0)
        self._over = Event()
        self._premises.run(_begin)
        self._thread = Thread(target=self._say_again, name="boundwork demo", daemon=True)
        self._thread.start()

    def __enter__(self) -> None:
        """Be there already."""

    def __exit__(self, _: type[BaseException] | None, error: BaseException | None, __: TracebackType | None) -> None:
        self._over.set()
        if not isinstance(error, ServerUnavailable | CommitOutcomeUnknown):
            self._thread.join()
            with suppress(BoundworkError):  # it is known soon by itself
                self._premises.run(_leave)

    def _say_again(self) -> None:
        while not self._over.wait(BEAT_SECONDS):
            with suppress(BoundworkError):
                self._premises.run(_stay)


def _begin(unit: Premises) -> None:
    mark = unit.marks.find_and_update(Mark.id == MARK, current_date(Mark.asked))
    if mark is None or mark.asked is None:
        raise AtWork("the mark of the demo was removed in this moment. Try again.")
    if mark.run not in {None, unit.run_id} and mark.alive is not None:
        silent = mark.asked - mark.alive
        if silent < timedelta(seconds=SILENT_SECONDS):
            raise AtWork(
                f"another `boundwork demo` is at work in this database ({mark.process}). Wait until it has ended, or name "
                f"another database in the URL. If that process is gone, try again in {SILENT_SECONDS} seconds."
            )
    mark.run, mark.process, mark.alive = unit.run_id, f"process {os.getpid()} on {socket.gethostname()}", mark.asked


def _stay(unit: Premises) -> None:
    unit.marks.find(Mark.id == MARK, Mark.run == unit.run_id).update(current_date(Mark.alive))


def _leave(unit: Premises) -> None:
    unit.marks.find(Mark.id == MARK, Mark.run == unit.run_id).update(set_(Mark.run, None))
