"""The domain service: what recording a flight means.

A `Logbook` is a unit of work with three repositories. Its methods are called inside a block and save nothing by
hand: the end of the block writes what changed, or none of it.
"""

from collections.abc import Iterable, Sequence

from boundwork import Repository, UnitOfWork, in_
from boundwork.cli.flights.models import Airport, Flight, Plane


class Planes(Repository[Plane]):
    """The planes, by tail number."""

    def known_as(self, tail_number: str) -> Plane:
        """Return the plane; one that nobody registered gets a record of its own."""
        return self.find_by_id(tail_number) or self.add(Plane(id=tail_number))

    def expect(self, tail_numbers: set[str]) -> None:
        """Read many planes by one query, so that `known_as` need not ask for each."""
        registered = {plane.id for plane in self.find(in_(Plane.id, tail_numbers))}
        self.add_all(Plane(id=tail_number) for tail_number in sorted(tail_numbers - registered))


class Airports(Repository[Airport]):
    """The airports, by FAA code."""

    def known_as(self, code: str) -> Airport:
        """Return the airport; one that is not in the list gets a record of its own."""
        return self.find_by_id(code) or self.add(Airport(id=code))

    def expect(self, codes: set[str]) -> None:
        """Read many airports by one query, so that `known_as` need not ask for each."""
        listed = {airport.id for airport in self.find(in_(Airport.id, codes))}
        self.add_all(Airport(id=code) for code in sorted(codes - listed))


class Logbook(UnitOfWork):
    """Flights, and what they add up to."""

    flights = Repository(Flight)
    planes = Planes()
    airports = Airports()

    def record(self, flight: Flight) -> None:
        """Add the flight and count it for its plane and both its airports."""
        self.flights.add(flight)
        self.airports.known_as(flight.route.origin).see_off(flight)
        self.airports.known_as(flight.route.destination).receive(flight)
        if flight.tail_number is not None:
            self.planes.known_as(flight.tail_number).log(flight)

    def record_all(self, flights: Sequence[Flight]) -> None:
        """Record many flights, with one query for their airports and one for their planes."""
        self.airports.expect({code for flight in flights for code in (flight.route.origin, flight.route.destination)})
        self.planes.expect({flight.tail_number for flight in flights if flight.tail_number is not None})
        for flight in flights:
            self.record(flight)

    def stock(self, planes: Iterable[Plane], airports: Iterable[Airport]) -> None:
        """Add the register of planes and the list of airports."""
        self.planes.add_all(planes)
        self.airports.add_all(airports)
