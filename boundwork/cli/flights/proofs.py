"""What the demo proves at its end, from the database and from the objects.

First: a unit that fails half-way, after its writes have reached the server, leaves no trace. Second: the totals in
the database are those that plain arithmetic finds in the files.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NoReturn

from boundwork import Document, in_
from boundwork.cli.flights import data, records
from boundwork.cli.flights.logbook import Logbook
from boundwork.cli.flights.models import Airport, Flight, Outcome, Plane
from boundwork.cli.flights.totals import Totals

FLIGHTS_OF_THE_FAILING_UNIT = 100
State = tuple[dict[str, Any], set[str]]


@dataclass(eq=False)
class OnPurpose(Exception):
    """Ends the unit that is to fail, and carries what was seen in it: numbers, objects, and how the objects were."""

    before: dict[str, int]
    inside: dict[str, int]
    objects: Sequence[Document[str]]
    states: list[State]


@dataclass(frozen=True, slots=True)
class Trace:
    """One number before the failing unit, inside it, and after it."""

    of: str
    before: int
    inside: int
    after: int

    @property
    def gone(self) -> bool:
        """Tell whether the unit changed the number, and nothing is left of it."""
        return self.before == self.after != self.inside


@dataclass(frozen=True, slots=True)
class RollbackProof:
    """What a failed unit left behind: `differences` in the database, and whether the objects are as they were."""

    traces: tuple[Trace, ...]
    differences: list[str]
    objects: int
    objects_restored: bool

    @property
    def holds(self) -> bool:
        """Tell whether nothing at all was left behind."""
        return all(trace.gone for trace in self.traces) and not self.differences and self.objects_restored


@dataclass(frozen=True, slots=True)
class TotalsProof:
    """How many numbers were compared, and which differ."""

    compared: int
    differences: list[str]

    @property
    def holds(self) -> bool:
        """Tell whether all numbers agree."""
        return self.compared > 0 and not self.differences


def read_totals(logbook: Logbook) -> Totals:
    """Read from the database what the recorded flights add up to."""
    totals = Totals()
    with logbook as unit:
        for outcome in Outcome:
            totals.add("flights", outcome.value, documents=unit.flights.count(Flight.outcome == outcome))
        for plane in unit.planes.find():
            minutes = plane.hours.airborne // timedelta(minutes=1)
            totals.add("plane", plane.id, cycles=plane.hours.cycles, miles=plane.hours.miles, minutes=minutes)
        for airport in unit.airports.find():
            totals.add("airport", airport.id, **airport.traffic.model_dump())
        totals.add("all", "planes", documents=unit.planes.count())
        totals.add("all", "airports", documents=unit.airports.count())
    return totals


def prove_totals(computed: Totals, stored: Totals) -> TotalsProof:
    """Compare what plain arithmetic found in the files with what is in the database."""
    return TotalsProof(len(computed), computed.differences(stored))


def prove_rollback(logbook: Logbook, before: Totals) -> RollbackProof:
    """Let a unit fail half-way and look for what it left behind; `before` is what the database held."""
    flights = _flights_of_another_year()
    try:
        _fail_half_way(logbook, flights)
    except OnPurpose as failure:
        with logbook as unit:
            after = _look(unit, failure.objects)
        return RollbackProof(
            tuple(Trace(of, failure.before[of], failure.inside[of], after[of]) for of in after),
            before.differences(read_totals(logbook)),
            len(failure.objects),
            [_state(each) for each in failure.objects] == failure.states,
        )


def _fail_half_way(logbook: Logbook, flights: Sequence[Flight]) -> NoReturn:
    with logbook as unit:
        planes = unit.planes.find(in_(Plane.id, {flight.tail_number for flight in flights if flight.tail_number}))
        airports = unit.airports.find(in_(Airport.id, {flight.route.origin for flight in flights}))
        objects = [*planes, *airports, *flights]
        states = [_state(each) for each in objects]
        before = _look(unit, objects)
        unit.record_all(flights[: len(flights) // 2])
        # Looking asks the database, so that all changes are sent first: they are on the server when the unit fails.
        raise OnPurpose(before, _look(unit, objects), objects, states)


def _look(unit: Logbook, objects: Sequence[Document[str]]) -> dict[str, int]:
    planes = [each for each in objects if isinstance(each, Plane)]
    airports = [each for each in objects if isinstance(each, Airport)]
    return {
        "flights in the database": unit.flights.count(),
        "planes in the database": unit.planes.count(),
        f"cycles of {len(planes)} plane objects": sum(plane.hours.cycles for plane in planes),
        f"departures of {len(airports)} airport objects": sum(airport.traffic.departures for airport in airports),
    }


def _flights_of_another_year() -> list[Flight]:
    """Make flights that are not in the database from the first rows, one of them by a plane that nobody knows."""
    rows = [{**row, "year": "2014"} for row in data.flights(FLIGHTS_OF_THE_FAILING_UNIT)]
    rows[1]["tailnum"] = "N0BODY"
    return [records.flight(row) for row in rows]


def _state(document: Document[str]) -> State:
    return document.model_dump(), document.model_fields_set.copy()
