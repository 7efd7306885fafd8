"""Which rows of the data are not as one would wish, and how many.

None of them is dropped: every row becomes a flight, and counts as far as what is known of it allows.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from boundwork.cli.flights.data import Row, given


@dataclass
class Oddities:
    """How many rows are odd in which way; one row may be odd in several."""

    cancelled: int = 0
    diverted: int = 0
    without_tail_number: int = 0
    of_unregistered_planes: int = 0
    at_unlisted_airports: int = 0
    unregistered_planes: set[str] = field(default_factory=set[str])
    unlisted_airports: set[str] = field(default_factory=set[str])


def find_odd(rows: Iterable[Row], registered: set[str], listed: set[str]) -> Oddities:
    """Count the odd rows; `registered` are the known tail numbers, `listed` the known airports."""
    odd = Oddities()
    for row in rows:
        if not given(row["dep_time"]):
            odd.cancelled += 1
        elif not given(row["air_time"]):
            odd.diverted += 1
        if not given(row["tailnum"]):
            odd.without_tail_number += 1
        elif row["tailnum"] not in registered:
            odd.of_unregistered_planes += 1
            odd.unregistered_planes.add(row["tailnum"])
        if unlisted := {row["origin"], row["dest"]} - listed:
            odd.at_unlisted_airports += 1
            odd.unlisted_airports |= unlisted
    return odd
