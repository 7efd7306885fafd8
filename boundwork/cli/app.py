"""The command `boundwork` and its options.

A wrong option exits with 2, what goes wrong later is one line on stderr and exits with 1, Ctrl-C with 130.
"""

from importlib.metadata import PackageNotFoundError, version
from typing import Annotated

import typer

from boundwork.cli.demo import DEFAULT_BATCH, DEFAULT_ROWS, demo_in_words
from boundwork.cli.failure import reported
from boundwork.cli.flights.data import FLIGHTS
from boundwork.cli.migrate.finishing import finish
from boundwork.cli.migrate.group import migrate
from boundwork.cli.migrate.pruning import prune
from boundwork.cli.migrate.running import add_running

ABOUT = "A unit of work for MongoDB: one session, one transaction, all or nothing."

ABOUT_DEMO = """Record real flights through units of work, and prove what a unit promises.

The flights that left New York in 2013 are recorded in units of many; each adds the flight and counts it for its \
plane and both its airports.

Then a unit fails half-way on purpose and must leave no trace, and the totals in the database must be those that \
plain arithmetic finds in the files. The exit code is 0 only if both hold.
"""
LARGEST_BATCH = 10_000

app = typer.Typer(
    name="boundwork",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    # The default of older releases, which would print the URL and its password.
    pretty_exceptions_show_locals=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
add_running(migrate)
migrate.command()(finish)
migrate.command()(prune)
app.add_typer(migrate)


def _print_version(wanted: bool) -> None:
    if not wanted:
        return
    try:
        number = version("boundwork")
    except PackageNotFoundError:
        number = "(not installed)"
    typer.echo(f"boundwork {number}")
    raise typer.Exit


@app.callback(help=ABOUT)
def boundwork(
    *,
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit."),
    ] = False,
) -> None:
    """Stand above the commands."""


@app.command(help=ABOUT_DEMO)
def demo(
    *,
    rows: Annotated[
        int,
        typer.Option(min=1, max=FLIGHTS, metavar="N", help="How many flights to record."),
    ] = DEFAULT_ROWS,
    batch: Annotated[
        int,
        typer.Option(min=1, max=LARGEST_BATCH, metavar="N", help="How many flights to record in one unit."),
    ] = DEFAULT_BATCH,
    url: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="A server and a database: [bold]mongodb://host/database[/bold]. The demo writes only to its own "
            "collections there: boundwork_demo and those whose names begin with boundwork_demo_.",
            show_default="a server of its own in a temporary folder",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """Run the demo; exit with 0 only if both proofs hold."""
    with reported(as_json=as_json):
        holds = demo_in_words(url, rows=rows, batch=batch, as_json=as_json)
    raise typer.Exit(0 if holds else 1)
