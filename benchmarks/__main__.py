"""The command: `python -m benchmarks [--quick] [--only NAME] [--url URI] [--write]`."""

import argparse
import platform
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from benchmarks import concurrent, growth, guarding, memory, reading, writing
from benchmarks.effort import FULL, QUICK, Effort
from benchmarks.place import Place, server
from benchmarks.table import Row, text
from boundwork import BoundworkError

README = Path(__file__).with_name("README.md")
BEGIN, END = "<!-- table: begin -->", "<!-- table: end -->"

WORKLOADS: dict[str, Callable[[Place, Effort], list[Row]]] = {
    "load": reading.load,
    "get": reading.get,
    "insert": writing.insert,
    "change_few": writing.change_few,
    "flush_client": growth.flush_client,
    "change_all": writing.change_all,
    "nothing_changed": growth.nothing_changed,
    "insert_one": writing.insert_one,
    "transfer": writing.transfer,
    "guarded": guarding.guarded,
    "concurrent_get": concurrent.concurrent_get,
    "concurrent_transfer": concurrent.concurrent_transfer,
    "memory": memory.memory,
    "empty": reading.empty,
    "linear": growth.linear,
}


def main() -> None:
    """Run the chosen workloads, print the table, and write it where that is asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="boundwork beside PyMongo with dicts")
    parser.add_argument("--quick", action="store_true", help="smaller sizes and fewer rounds, to see that it works")
    parser.add_argument("--only", action="append", choices=WORKLOADS, help="one workload; may be repeated")
    parser.add_argument("--url", help="a replica set; else MONGODB_URI, else a mongod that is started for the run")
    parser.add_argument("--write", action="store_true", help="put the table into benchmarks/README.md")
    chosen = parser.parse_args()
    names: list[str] = chosen.only or list(WORKLOADS)
    rows: list[Row] = []
    with server(chosen.url) as uri:
        place = Place(uri)
        try:
            for name in names:
                for row in _rows(name, place, QUICK if chosen.quick else FULL):
                    rows.append(row)
                    print("  ".join(filter(None, row.cells())), flush=True)
            report = f"{_circumstances(place)}\n\n{text(rows)}"
        finally:
            place.close()
    if chosen.write:
        _write(report)
    else:
        print(f"\n{report}")


def _rows(name: str, place: Place, effort: Effort) -> list[Row]:
    """Run a workload; what the server refuses is a row too."""
    try:
        return WORKLOADS[name](place, effort)
    except BoundworkError as error:
        return [Row(name, "", f"{type(error).__name__}: {error}", "", "", "", met=False)]


def _circumstances(place: Place) -> str:
    parts = [
        f"{platform.python_implementation()} {platform.python_version()}",
        *(f"{name} {version(name)}" for name in ("pymongo", "pydantic")),
        f"MongoDB {place.server_version}",
        f"{datetime.now(UTC):%Y-%m-%d}",
    ]
    return ", ".join(parts)


def _write(report: str) -> None:
    before, _, rest = README.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    README.write_text(f"{before}{BEGIN}\n{report}\n{END}{after}")


if __name__ == "__main__":
    main()
