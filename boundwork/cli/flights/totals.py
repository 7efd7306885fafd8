"""The same sums a second time, straight from the rows: no models, no units, no database.

The names of the counts (`cycles`, `departures`, ...) are those of the models, so that the two can be compared.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from boundwork.cli.flights.data import Row, given

Key = tuple[str, str, str]


@dataclass
class Totals:
    """What a set of flights adds up to: a number for each (`flights` or `plane` or `airport`, which one, count)."""

    numbers: Counter[Key] = field(default_factory=Counter[Key])

    def add(self, kind: str, name: str, **counts: int) -> None:
        """Add to the counts of one thing."""
        for count, number in counts.items():
            self.numbers[kind, name, count] += number

    def differences(self, other: "Totals") -> list[str]:
        """Name every number that is not the same in both; what is not counted is zero."""
        return [
            f"{' '.join(key)}: {self.numbers[key]} and {other.numbers[key]}"
            for key in sorted(self.numbers.keys() | other.numbers.keys())
            if self.numbers[key] != other.numbers[key]
        ]

    def __len__(self) -> int:
        """Count the numbers that are not zero."""
        return sum(1 for number in self.numbers.values() if number)


def add_up(rows: Iterable[Row], registered: set[str], listed: set[str]) -> Totals:
    """Add up the flights of the rows; `registered` are the known tail numbers, `listed` the known airports."""
    totals = Totals()
    planes, airports = set(registered), set(listed)
    for row in rows:
        _count(row, totals)
        airports |= {row["origin"], row["dest"]}
        if given(row["tailnum"]):
            planes.add(row["tailnum"])
    totals.add("all", "planes", documents=len(planes))
    totals.add("all", "airports", documents=len(airports))
    return totals


def _count(row: Row, totals: Totals) -> None:
    if not given(row["dep_time"]):
        totals.add("flights", "cancelled", documents=1)
        totals.add("airport", row["origin"], cancellations=1)
        return
    totals.add("airport", row["origin"], departures=1)
    if given(row["tailnum"]):
        totals.add("plane", row["tailnum"], cycles=1)
    if not given(row["air_time"]):
        totals.add("flights", "diverted", documents=1)
        totals.add("airport", row["dest"], diversions=1)
        return
    totals.add("flights", "flown", documents=1)
    totals.add("airport", row["dest"], arrivals=1)
    if given(row["tailnum"]):
        totals.add("plane", row["tailnum"], miles=int(row["distance"]), minutes=int(row["air_time"]))
