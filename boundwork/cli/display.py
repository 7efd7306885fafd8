"""What the demo shows while it runs and at its end.

On a terminal: a progress bar with rate and time left. Elsewhere: a plain line for each tenth of the work.
"""

from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from time import perf_counter

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn
from rich.table import Table
from rich.text import Text

from boundwork.cli.flights.job import Account
from boundwork.cli.flights.oddities import Oddities
from boundwork.cli.flights.proofs import RollbackProof, TotalsProof
from boundwork.cli.place import Place
from boundwork.cli.result import Result

Advance = Callable[[int], None]
DIFFERENCES_SHOWN = 5
LABEL_WIDTH, NARROW = 31, 72


class Rate(ProgressColumn):
    """Flights in a second, over the whole run so far."""

    def render(self, task: Task) -> Text:
        """Return the rate; nothing before there is one."""
        seconds = task.finished_time or task.elapsed
        return Text(f"{task.completed / seconds:,.0f}/s" if seconds and task.completed else "", style="cyan")


class TimeLeft(ProgressColumn):
    """How long it will take still; at the end, how long it took."""

    def render(self, task: Task) -> Text:
        """Return minutes and seconds."""
        if task.finished_time is not None:
            return Text(f"took {_clock(task.finished_time)}")
        left = task.time_remaining
        return Text("" if left is None else f"{_clock(left)} left")


class Display:
    """The screen of one run."""

    def __init__(self, console: Console) -> None:
        """Show on a console; a quiet one shows nothing."""
        self._console = console

    def begin(self, place: Place, rows: int, batch: int) -> None:
        """Say what will be done, and where."""
        self._console.print(f"[bold]boundwork demo[/bold]  {rows:,} flights from New York in 2013, {batch:,} in a unit")
        self._console.print(f"[dim]on {escape(place.title)}[/dim]\n")

    @contextmanager
    def progress(self, rows: int) -> Generator[Advance]:
        """Follow the work; the number of flights done so far is handed in after each unit."""
        if not self._console.is_terminal:
            yield self._lines(rows)
            return
        columns = (
            *([TextColumn("Recording flights")] if self._console.width >= NARROW else []),
            BarColumn(bar_width=None, complete_style="cyan", finished_style="green"),
            TextColumn("{task.completed:,.0f} of {task.total:,.0f}"),
            Rate(),
            TimeLeft(),
        )
        with Progress(*columns, console=self._console, expand=True, disable=self._console.quiet) as bar:
            task = bar.add_task("", total=rows)
            yield lambda done: bar.update(task, completed=done)

    def waiting(self, what: str) -> AbstractContextManager[object]:
        """Say what takes its time, as long as it takes; only on a terminal."""
        spinner = "dots" if self._console.encoding.startswith("utf") else "line"
        return self._console.status(f"{what} ...", spinner=spinner) if self._console.is_terminal else nullcontext()

    def _lines(self, rows: int) -> Advance:
        began, step, shown = perf_counter(), max(1, rows // 10), 0

        def advance(done: int) -> None:
            nonlocal shown
            if done - shown >= step or done == rows:
                shown = done
                rate = done / (perf_counter() - began)
                self._console.print(f"recorded {done:,} of {rows:,} flights, {rate:,.0f}/s")

        return advance

    def end(self, place: Place, result: Result) -> None:
        """Show what was done, which rows were odd, and the proofs."""
        self._show("What the units did", _summary(result.account))
        self._show("Rows that are not as one would wish", _oddities(result.oddities))
        self._show("Proof: a unit that fails half-way leaves no trace", _rollback(result.rollback))
        self._show("Proof: the totals in the database are those of the files", _totals(result.totals))
        if place.lasting:
            self._console.print(f"\n[dim]The data stays on {escape(place.title)}; the next run replaces it.[/dim]")

    def _show(self, title: str, table: Table) -> None:
        # Aligned with each other where there is room; where there is none, the words are broken and not the numbers.
        table.columns[0].min_width = LABEL_WIDTH if self._console.width >= NARROW else None
        self._console.print(f"\n[bold]{title}[/bold]")
        self._console.print(Padding(table, (0, 0, 0, 2)))


def _table(*headings: str) -> Table:
    table = Table(box=None, show_header=any(headings), header_style="dim", pad_edge=False, padding=(0, 2, 0, 0))
    for number, heading in enumerate(headings):
        table.add_column(heading, justify="right" if number else "left", no_wrap=number > 0)
    table.add_column()
    return table


def _summary(account: Account) -> Table:
    table = _table("", "")
    for what, number in (
        ("units of work", account.units),
        ("documents inserted", account.inserted),
        ("documents updated", account.updated),
        ("round trips", account.round_trips),
        ("conflicts", account.conflicts),
        ("retries", account.retries),
        ("seconds", round(account.seconds, 1)),
        ("documents per second", round(account.documents_per_second)),
    ):
        table.add_row(what, f"{number:,}")
    return table


def _oddities(odd: Oddities) -> Table:
    table = _table("", "")
    table.columns[-1].style = "dim"
    planes, airports = len(odd.unregistered_planes), len(odd.unlisted_airports)
    table.add_row("cancelled", f"{odd.cancelled:,}", "counts at its origin, not for its plane")
    table.add_row("diverted or lost from sight", f"{odd.diverted:,}", "a cycle; miles and time unknown")
    table.add_row("no tail number", f"{odd.without_tail_number:,}", "counts at its airports only")
    table.add_row(
        "plane not in the register", f"{odd.of_unregistered_planes:,}", f"{planes:,} planes got a bare record"
    )
    table.add_row(
        "airport not in the list", f"{odd.at_unlisted_airports:,}", f"{airports:,} airports got a bare record"
    )
    return table


def _rollback(proof: RollbackProof) -> Table:
    table = _table("", "before", "inside", "after")
    for trace in proof.traces:
        table.add_row(trace.of, f"{trace.before:,}", f"{trace.inside:,}", f"{trace.after:,}", _verdict(trace.gone))
    table.add_row("all totals in the database", "", "", "the same", _verdict(not proof.differences))
    table.add_row(f"attributes of {proof.objects:,} objects", "", "", "the same", _verdict(proof.objects_restored))
    return _with_differences(table, proof.differences)


def _totals(proof: TotalsProof) -> Table:
    table = _table("", "")
    table.add_row("numbers compared", f"{proof.compared:,}", "")
    table.add_row("differences", f"{len(proof.differences):,}", _verdict(proof.holds))
    return _with_differences(table, proof.differences)


def _with_differences(table: Table, differences: list[str]) -> Table:
    for difference in differences[:DIFFERENCES_SHOWN]:
        table.add_row(f"[red]{escape(difference)}[/red]")
    return table


def _verdict(holds: bool) -> str:
    return "[green]ok[/green]" if holds else "[bold red]NOT TRUE[/bold red]"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02}"
