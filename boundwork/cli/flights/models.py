"""What a flight, a plane and an airport are, and how a flight changes the other two.

Plain pydantic models: nothing here reads, writes or knows a database.
"""

from datetime import datetime, timedelta
from enum import Enum

from boundwork import Document, Embedded


class Outcome(Enum):
    """How a scheduled flight ended."""

    FLOWN = "flown"
    DIVERTED = "diverted"
    CANCELLED = "cancelled"


class Route(Embedded):
    """From where to where, and how far; airports by their FAA code."""

    origin: str
    destination: str
    miles: int


class Flight(Document[str], collection="boundwork_demo_flights"):
    """One scheduled flight; its id is day, flight number and origin: `2013-01-01 UA1545 EWR`.

    `tail_number` is None where nobody wrote it down, `airborne` where the flight did not land at its destination.
    """

    carrier: str
    number: int
    route: Route
    scheduled: datetime
    outcome: Outcome
    tail_number: str | None = None
    delay: timedelta | None = None
    airborne: timedelta | None = None


class Hours(Embedded):
    """What a plane has flown: take-offs, and the miles and time of the flights that reached their destination."""

    cycles: int = 0
    miles: int = 0
    airborne: timedelta = timedelta()


class Plane(Document[str], collection="boundwork_demo_planes"):
    """One plane; its id is the tail number. A plane that is missing in the register has nothing but its hours."""

    manufacturer: str | None = None
    type_name: str | None = None
    built: int | None = None
    seats: int | None = None
    hours: Hours = Hours()

    def log(self, flight: Flight) -> None:
        """Count a flight: every take-off is a cycle, but only a landing at the destination has known miles and time."""
        if flight.outcome is Outcome.CANCELLED:
            return
        self.hours.cycles += 1
        if flight.airborne is not None:
            self.hours.miles += flight.route.miles
            self.hours.airborne += flight.airborne


class Traffic(Embedded):
    """What an airport has seen; diversions are flights that were expected here and landed elsewhere, or never."""

    departures: int = 0
    cancellations: int = 0
    arrivals: int = 0
    diversions: int = 0


class Location(Embedded):
    """Where an airport is: degrees, and feet above the sea."""

    latitude: float
    longitude: float
    altitude: int


class Airport(Document[str], collection="boundwork_demo_airports"):
    """One airport; its id is the FAA code. An airport that is missing in the list has nothing but its traffic."""

    name: str | None = None
    location: Location | None = None
    traffic: Traffic = Traffic()

    def see_off(self, flight: Flight) -> None:
        """Count a flight that was to leave from here."""
        if flight.outcome is Outcome.CANCELLED:
            self.traffic.cancellations += 1
        else:
            self.traffic.departures += 1

    def receive(self, flight: Flight) -> None:
        """Count a flight that was to land here; one that never left is not expected."""
        if flight.outcome is Outcome.FLOWN:
            self.traffic.arrivals += 1
        elif flight.outcome is Outcome.DIVERTED:
            self.traffic.diversions += 1
