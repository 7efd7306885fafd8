"""The job of the demo on the memory server: what it records, and that its proofs can fail."""

import os
import signal
from collections.abc import Iterator
from functools import partial
from threading import Thread

import pytest
from rich.console import Console

from boundwork import Connection, connect
from boundwork.cli.demo import run
from boundwork.cli.display import Display
from boundwork.cli.flights import data
from boundwork.cli.flights.job import Account, in_one_unit, record_flights, stock
from boundwork.cli.flights.logbook import Logbook
from boundwork.cli.flights.models import Flight, Outcome
from boundwork.cli.flights.proofs import Trace, prove_rollback, prove_totals, read_totals
from boundwork.cli.flights.totals import add_up


@pytest.fixture
def database() -> Iterator[Connection]:
    with connect("memory://flights") as database:
        yield database


def test_two_thousand_flights_are_recorded_and_both_proofs_hold(database: Connection) -> None:
    result = run(Logbook(database), 2_000, 500, Display(Console(quiet=True)))

    assert result.rollback.differences == []
    assert result.totals.differences == []
    assert result.holds
    made_up = len(result.oddities.unregistered_planes) + len(result.oddities.unlisted_airports)
    assert result.account.units == 1 + 4
    assert result.account.inserted == 2_000 + 3_322 + 1_458 + made_up
    assert result.account.updated > 0
    assert (result.oddities.cancelled, result.oddities.diverted, result.oddities.without_tail_number) == (12, 14, 2)


class Collected:
    """Is interrupted in the moment in which it is collected, as sessions of the driver may be."""

    def __del__(self) -> None:
        os.kill(os.getpid(), signal.SIGINT)


def test_a_ctrl_c_that_comes_while_garbage_is_collected_is_not_lost(
    database: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    every, account = data.flights, list[int]()

    def interrupted(rows: int) -> Iterator[data.Row]:
        for number, row in enumerate(every(rows)):
            account.append(number)
            if number == 100:
                Collected()
            yield row

    monkeypatch.setattr(data, "flights", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(Logbook(database), 1_000, 100, Display(Console(quiet=True)))
    assert account[-1] < 200
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_flight_is_counted_for_its_plane_and_both_airports(database: Connection) -> None:
    logbook = Logbook(database)
    (first,) = data.flights(1)

    list(record_flights(logbook, [first], 1, Account()))

    with logbook as unit:
        flight = unit.flights.get("2013-01-01 UA1545 EWR")
        plane = unit.planes.get("N14228")
        assert flight.outcome is Outcome.FLOWN
        assert (plane.hours.cycles, plane.hours.miles, plane.hours.airborne) == (1, 1_400, flight.airborne)
        assert unit.airports.get("EWR").traffic.departures == 1
        assert unit.airports.get("IAH").traffic.arrivals == 1


def test_a_batch_is_two_queries_one_write_for_each_collection_and_the_commit(database: Connection) -> None:
    logbook, account = Logbook(database), Account()
    stock(logbook, account)
    *_, before = (account.round_trips for _ in record_flights(logbook, data.flights(200), 100, account))

    list(record_flights(logbook, list(data.flights(300))[200:], 100, account))

    assert account.round_trips - before == 2 + 3 + 1


def test_the_same_flight_twice_is_refused_and_nothing_of_the_second_unit_remains(database: Connection) -> None:
    logbook = Logbook(database)
    rows = list(data.flights(10))
    list(record_flights(logbook, rows, 10, Account()))
    before = read_totals(logbook)

    with pytest.raises(Exception, match="is taken"):
        list(record_flights(logbook, rows[5:], 10, Account()))

    assert before.differences(read_totals(logbook)) == []


def test_a_unit_that_met_a_rival_is_run_again_and_counted_once(database: Connection) -> None:
    logbook, account = Logbook(database), Account()
    stock(logbook, account)

    def meet(rivals: list[Thread], unit: Logbook) -> None:
        plane = unit.planes.get("N14228")
        if rivals:
            rivals[0].start()
            rivals.pop().join()
        plane.hours.cycles += 1

    in_one_unit(logbook, partial(meet, [Thread(target=logbook.run, args=(partial(meet, []),))]), account)

    with logbook as unit:
        assert unit.planes.get("N14228").hours.cycles == 2
    assert (account.units, account.conflicts, account.retries) == (2, 1, 1)


def test_the_proof_of_the_totals_fails_where_a_number_is_wrong(database: Connection) -> None:
    logbook = Logbook(database)
    list(record_flights(logbook, data.flights(50), 50, Account()))
    with logbook as unit:
        unit.planes.get("N14228").hours.cycles += 1

    proof = prove_totals(add_up(data.flights(50), set(), set()), read_totals(logbook))

    assert not proof.holds
    assert proof.differences == ["plane N14228 cycles: 1 and 2"]


def test_the_proof_of_the_rollback_fails_where_the_database_is_not_what_it_was(database: Connection) -> None:
    logbook = Logbook(database)
    list(record_flights(logbook, data.flights(50), 50, Account()))
    before = read_totals(logbook)
    with logbook as unit:
        for flight in unit.flights.find(Flight.carrier == "UA").limit(1):
            unit.flights.remove(flight)

    proof = prove_rollback(logbook, before)

    assert not proof.holds
    assert proof.differences == ["flights flown documents: 50 and 49"]


@pytest.mark.parametrize(("before", "inside", "after", "gone"), [(1, 2, 1, True), (1, 2, 2, False), (1, 1, 1, False)])
def test_a_trace_is_gone_if_the_number_was_changed_and_is_back(
    before: int, inside: int, after: int, gone: bool
) -> None:
    assert Trace("flights", before, inside, after).gone is gone
