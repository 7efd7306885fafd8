"""What `add_all` of many documents costs in a process of its own: `python -m benchmarks.add_all [number] [URI]`.

Memory is resident, in MB; seconds are those of the client's processor, and of the clock in brackets.
"""

import sys
import time
from itertools import pairwise
from pathlib import Path

from pymongo import MongoClient

from benchmarks.place import PREFIX, server
from boundwork import Document, Embedded, Repository, UnitOfWork

STATUS = Path("/proc/self/status")
NUMBER = 100_000


class Line(Embedded):
    """A part of a document."""

    sku: str
    quantity: int = 1


class Row(Document[int], collection="rows"):
    """A document of 175 bytes."""

    number: str
    lines: list[Line]
    note: str = ""


class Shop(UnitOfWork):
    """Units of the benchmark."""

    rows = Repository(Row)


def new(number: int) -> Row:
    """Return a document."""
    return Row(id=number, number=f"number {number}", lines=[Line(sku="x"), Line(sku="y", quantity=2)], note="n" * 50)


def megabytes(word: str) -> int:
    """Return what the system says of this process."""
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith(word))
    return int(line.split()[1]) // 1024


def main(number: int = NUMBER, uri: str | None = None) -> None:
    with server(uri) as address, MongoClient[dict[str, object]](address) as client:
        database = client[f"{PREFIX}add_all"]
        client.drop_database(database.name)
        database.create_collection("rows")
        marks = [_mark("start")]
        with Shop(database) as uow:
            rows = [new(each) for each in range(number)]
            marks.append(_mark("objects"))
            uow.rows.add_all(rows)
            marks.append(_mark("add_all"))
            uow.flush()
            marks.append(_mark("flush"))
        marks.append(_mark("commit"))
        stored = database["rows"].count_documents({})
        client.drop_database(database.name)
    for (_, memory, cpu, clock), (name, after, cpu_after, clock_after) in pairwise(marks):
        print(f"{name:8} {after - memory:+5} MB {cpu_after - cpu:6.2f} s ({clock_after - clock:.2f} s)")
    print(f"peak     {megabytes('VmHWM'):5} MB, {stored:,} stored, {uow.receipt.commands} commands")


def _mark(name: str) -> tuple[str, int, float, float]:
    return name, megabytes("VmRSS"), time.process_time(), time.perf_counter()


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else NUMBER, sys.argv[2] if sys.argv[2:] else None)
