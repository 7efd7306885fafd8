"""What `boundwork demo` does, from the first row to the last proof.

The order matters: first the data and the place, so that what is missing is said at once.
"""

import json
import sys
from contextlib import ExitStack
from time import perf_counter

from rich.console import Console

from boundwork.cli.display import Display
from boundwork.cli.flights import data
from boundwork.cli.flights.job import Account, record_flights, stock
from boundwork.cli.flights.logbook import Logbook
from boundwork.cli.flights.oddities import find_odd
from boundwork.cli.flights.proofs import prove_rollback, prove_totals, read_totals
from boundwork.cli.flights.totals import add_up
from boundwork.cli.interruption import Interruption
from boundwork.cli.place import place_at
from boundwork.cli.result import Result

DEFAULT_ROWS = 10_000
DEFAULT_BATCH = 1_000


def demo_in_words(url: str | None, *, rows: int, batch: int, as_json: bool) -> bool:
    """Run the demo and print what it found, as tables or as JSON; return whether both proofs hold."""
    data.require()
    display = Display(Console(quiet=as_json, highlight=False))
    with ExitStack() as opened:
        with display.waiting("Opening the database"):
            place = opened.enter_context(place_at(url))
        display.begin(place, rows, batch)
        result = run(place.logbook, rows, batch, display)
        if as_json:
            request = {"server": place.title, "rows": rows, "batch": batch}
            sys.stdout.write(json.dumps({**request, **result.as_object()}, indent=2) + "\n")
        display.end(place, result)
    return result.holds


def run(logbook: Logbook, rows: int, batch: int, display: Display) -> Result:
    """Record the flights in an empty database, and prove what a unit promises."""
    began, account = perf_counter(), Account()
    with Interruption() as interruption:
        with display.waiting("Adding all planes and airports"):
            stock(logbook, account)
        with display.progress(rows) as advance:
            for done in record_flights(logbook, data.flights(rows), batch, account):
                interruption.check()
                advance(done)
        with display.waiting("Reading everything back and doing the sums again"):
            registered = {row["tailnum"] for row in data.planes()}
            listed = {row["faa"] for row in data.airports()}
            oddities = find_odd(data.flights(rows), registered, listed)
            stored = read_totals(logbook)
            rollback = prove_rollback(logbook, stored)
            totals = prove_totals(add_up(data.flights(rows), registered, listed), stored)
        interruption.check()
    return Result(account, oddities, rollback, totals, perf_counter() - began)
