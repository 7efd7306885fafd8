"""The rows of the demo: what the files hold, and how odd rows become documents."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from boundwork.cli.flights import data, records
from boundwork.cli.flights.models import Outcome
from boundwork.cli.flights.oddities import find_odd
from boundwork.cli.flights.totals import Totals, add_up

ROW = {
    "year": "2013",
    "month": "1",
    "day": "7",
    "dep_time": "517",
    "sched_dep_time": "515",
    "dep_delay": "-2",
    "arr_time": "830",
    "sched_arr_time": "819",
    "arr_delay": "11",
    "carrier": "UA",
    "flight": "1545",
    "tailnum": "N14228",
    "origin": "EWR",
    "dest": "IAH",
    "air_time": "227",
    "distance": "1400",
    "hour": "5",
    "minute": "15",
    "time_hour": "2013-01-07T10:00:00Z",
}
CANCELLED = {**ROW, "dep_time": "NA", "dep_delay": "NA", "air_time": "NA", "tailnum": "NA"}
DIVERTED = {**ROW, "air_time": "NA", "arr_time": "NA"}


def test_the_files_hold_each_flight_of_the_year_once_and_the_odd_ones_are_counted() -> None:
    registered = {row["tailnum"] for row in data.planes()}
    listed = {row["faa"] for row in data.airports()}
    ids: set[tuple[str, ...]] = set()

    def noted() -> Iterator[data.Row]:
        for row in data.flights():
            ids.add((row["year"], row["month"], row["day"], row["carrier"], row["flight"], row["origin"]))
            yield row

    odd = find_odd(noted(), registered, listed)

    assert (len(ids), len(registered), len(listed)) == (data.FLIGHTS, 3_322, 1_458)
    assert (odd.cancelled, odd.diverted, odd.without_tail_number) == (8_255, 1_175, 2_512)
    assert (odd.of_unregistered_planes, len(odd.unregistered_planes)) == (50_094, 721)
    assert odd.at_unlisted_airports == 7_602
    assert odd.unlisted_airports == {"BQN", "SJU", "STT", "PSE"}


def test_only_as_many_rows_are_read_as_are_asked_for() -> None:
    assert len(list(data.flights(3))) == 3


def test_a_missing_package_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data, "PACKAGE", "boundwork-no-such-package")

    with pytest.raises(data.DataMissing, match="not installed"):
        list(data.planes())


def test_a_row_becomes_a_flight_with_its_schedule_in_utc() -> None:
    flight = records.flight(ROW)

    assert flight.id == "2013-01-07 UA1545 EWR"
    assert flight.scheduled == datetime(2013, 1, 7, 10, 15, tzinfo=UTC)
    assert flight.delay == timedelta(minutes=-2)
    assert (flight.outcome, flight.airborne) == (Outcome.FLOWN, timedelta(minutes=227))


def test_a_flight_without_departure_is_cancelled_and_may_lack_a_tail_number() -> None:
    flight = records.flight(CANCELLED)

    assert (flight.outcome, flight.tail_number, flight.airborne) == (Outcome.CANCELLED, None, None)


def test_a_flight_that_left_and_has_no_time_in_the_air_was_diverted() -> None:
    assert records.flight(DIVERTED).outcome is Outcome.DIVERTED


def test_every_row_of_the_register_and_the_list_becomes_a_document() -> None:
    planes = [records.plane(row) for row in data.planes()]
    airports = [records.airport(row) for row in data.airports()]

    assert sum(plane.built is None for plane in planes) == 70
    assert all(plane.hours.cycles == 0 for plane in planes)
    assert all(airport.location is not None for airport in airports)


def test_totals_count_a_take_off_for_the_plane_and_miles_only_for_a_landing() -> None:
    totals = add_up([ROW, DIVERTED, CANCELLED], {"N14228"}, {"EWR", "IAH", "JFK"})

    assert dict(totals.numbers) == {
        ("flights", "flown", "documents"): 1,
        ("flights", "diverted", "documents"): 1,
        ("flights", "cancelled", "documents"): 1,
        ("plane", "N14228", "cycles"): 2,
        ("plane", "N14228", "miles"): 1400,
        ("plane", "N14228", "minutes"): 227,
        ("airport", "EWR", "departures"): 2,
        ("airport", "EWR", "cancellations"): 1,
        ("airport", "IAH", "arrivals"): 1,
        ("airport", "IAH", "diversions"): 1,
        ("all", "planes", "documents"): 1,
        ("all", "airports", "documents"): 3,
    }


def test_totals_name_what_differs_and_take_what_is_not_counted_as_zero() -> None:
    mine, theirs = Totals(), Totals()
    mine.add("plane", "N1", cycles=1, miles=0)
    theirs.add("plane", "N1", cycles=2)

    assert mine.differences(theirs) == ["plane N1 cycles: 1 and 2"]
    assert len(mine) == 1
