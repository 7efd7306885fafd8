"""The main job: record the flights in units of many, and keep account of what the units did.

A unit that met a rival's write is run again with fresh objects; what it did is counted once, what it sent each time.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice

from boundwork import StaleDocument, TransientFailure
from boundwork.cli.flights import data, records
from boundwork.cli.flights.data import Row
from boundwork.cli.flights.logbook import Logbook

WRITE_CONFLICT = 112


@dataclass
class Account:
    """What all units together did: `round_trips` are the commands they sent, `seconds` the time spent in them.

    `conflicts` are runs of a unit that met a rival's write, `retries` all runs after the first.
    """

    flights: int = 0
    units: int = 0
    inserted: int = 0
    updated: int = 0
    round_trips: int = 0
    conflicts: int = 0
    retries: int = 0
    seconds: float = 0.0

    @property
    def documents_per_second(self) -> float:
        """Return how many documents were inserted or updated in a second."""
        return (self.inserted + self.updated) / self.seconds if self.seconds else 0.0

    def enter(self, runs: list[Logbook]) -> None:
        """Enter one unit: all its runs, of which only the last was committed."""
        self.units += 1
        self.retries += len(runs) - 1
        self.round_trips += sum(run.receipt.commands for run in runs)
        self.seconds += sum(run.receipt.seconds for run in runs)
        self.inserted += runs[-1].receipt.inserted
        self.updated += runs[-1].receipt.updated


def stock(logbook: Logbook, account: Account) -> None:
    """Add all planes and airports of the data, in one unit."""
    in_one_unit(logbook, _stock, account)


def record_flights(logbook: Logbook, rows: Iterable[Row], batch: int, account: Account) -> Iterator[int]:
    """Record the rows in units of `batch` flights; yield the number of flights so far after each unit."""
    remaining = iter(rows)
    while group := list(islice(remaining, batch)):
        in_one_unit(logbook, partial(_record, group), account)
        account.flights += len(group)
        yield account.flights


def _record(rows: Iterable[Row], unit: Logbook) -> None:
    unit.record_all([records.flight(row) for row in rows])


def _stock(unit: Logbook) -> None:
    unit.stock(map(records.plane, data.planes()), map(records.airport, data.airports()))


def in_one_unit(logbook: Logbook, work: Callable[[Logbook], None], account: Account) -> None:
    """Do the work in one unit, again after each transient failure, and enter what it did."""
    runs: list[Logbook] = []
    for attempt in logbook.attempts():
        with attempt as unit:
            runs.append(unit)
            try:
                work(unit)
                # Sent here, because it is a write that meets a rival, and not the commit.
                unit.flush()
            except TransientFailure as failure:
                account.conflicts += isinstance(failure, StaleDocument) or failure.code == WRITE_CONFLICT
                raise
    account.enter(runs)
