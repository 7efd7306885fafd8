"""How a row of the data becomes a document.

The decisions a person would take: no departure time is a cancelled flight; a departure without time in the air is
a flight that was diverted or never arrived; a missing tail number stays missing.
"""

from datetime import datetime, timedelta

from boundwork.cli.flights.data import Row, given
from boundwork.cli.flights.models import Airport, Flight, Location, Outcome, Plane, Route


def flight(row: Row) -> Flight:
    """Build a flight; `time_hour` is the full hour of the schedule in UTC, the minutes are a column of their own."""
    day = f"{row['year']}-{int(row['month']):02}-{int(row['day']):02}"
    return Flight(
        id=f"{day} {row['carrier']}{row['flight']} {row['origin']}",
        carrier=row["carrier"],
        number=int(row["flight"]),
        route=Route(origin=row["origin"], destination=row["dest"], miles=int(row["distance"])),
        scheduled=datetime.fromisoformat(row["time_hour"]) + timedelta(minutes=int(row["minute"])),
        outcome=_outcome(row),
        tail_number=_text(row["tailnum"]),
        delay=_minutes(row["dep_delay"]),
        airborne=_minutes(row["air_time"]),
    )


def plane(row: Row) -> Plane:
    """Build a registered plane that has not flown yet."""
    return Plane(
        id=row["tailnum"],
        manufacturer=_text(row["manufacturer"]),
        type_name=_text(row["model"]),
        built=_number(row["year"]),
        seats=_number(row["seats"]),
    )


def airport(row: Row) -> Airport:
    """Build a listed airport that has seen no flight yet."""
    location = Location(latitude=float(row["lat"]), longitude=float(row["lon"]), altitude=int(row["alt"]))
    return Airport(id=row["faa"], name=_text(row["name"]), location=location)


def _outcome(row: Row) -> Outcome:
    if not given(row["dep_time"]):
        return Outcome.CANCELLED
    return Outcome.FLOWN if given(row["air_time"]) else Outcome.DIVERTED


def _text(value: str) -> str | None:
    return value if given(value) else None


def _number(value: str) -> int | None:
    return int(value) if given(value) else None


def _minutes(value: str) -> timedelta | None:
    return timedelta(minutes=int(value)) if given(value) else None
