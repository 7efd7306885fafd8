"""What is shown while revisions run: a bar with rate and time left on a terminal, plain lines elsewhere.

Plain lines tell the end of each step, and how far a long one is every few seconds.
"""

from collections.abc import Sequence
from time import monotonic
from typing import Any

import typer
from rich.console import Console
from rich.markup import escape

from boundwork.alembic_like_migrations.engine.ledger import Direction, Place, StepRecord
from boundwork.alembic_like_migrations.engine.runner import Watcher
from boundwork.alembic_like_migrations.steps.building import Build

SECONDS = 5.0
ENDED = {"up": "applied", "down": "reverted"}


def watcher(*, quiet: bool) -> "Lines":
    """Return who watches: silent for JSON, a bar on a terminal, else lines."""
    console = Console(highlight=False)
    if quiet:
        return Silent()
    return Bars(console) if console.is_terminal else Lines()


class Lines(Watcher):
    """Says in lines how it goes."""

    counts = True

    def __init__(self) -> None:
        """Begin with nothing shown."""
        self._total: int | None = None
        self._said = self._began = monotonic()
        self._before = 0
        self.squashes: list[str] = []

    def began(self, place: Place, record: StepRecord, total: int | None) -> None:  # noqa: ARG002 - for those below
        """Remember how much there is."""
        self._total, self._before = total, record.seen
        self._said = self._began = monotonic()

    def step(self, place: Place, record: StepRecord) -> None:
        """Say how far a step came, if it is at its end or has been silent for long."""
        if record.state == "done":
            self.say(f"{place.revision}  {record.title}{_numbers(record)}")
        elif monotonic() - self._said > SECONDS:
            self._said = monotonic()
            rate = (record.seen - self._before) / (monotonic() - self._began)
            of = f" of about {self._total:,}" if self._total is not None else ""
            self.say(f"{place.revision}  {record.title}  {record.seen:,}{of}, {rate:,.0f}/s{self._left(record, rate)}")

    def ended(self, revision: str, direction: Direction) -> None:
        """Say that a revision was carried out."""
        self.say(f"{revision}  {ENDED[direction]}")

    def adopted(self, squash: str, replaced: Sequence[str]) -> None:
        """Say that a squash counts as applied, and remember it."""
        self.squashes.append(squash)
        self.say(f"{squash}  adopted: it stands for {', '.join(replaced)}, which are applied")

    def building(self, place: Place, record: StepRecord, build: Build) -> None:
        """Say how far the build of an index is, if it has been silent for long."""
        if monotonic() - self._said > SECONDS:
            self._said = monotonic()
            self.say(f"{place.revision}  {record.title}  {build.part} {build.done:,} of {build.total:,}")

    def say(self, line: str) -> None:
        """Print a line."""
        typer.echo(line)

    def close(self) -> None:
        """Show no more."""

    def _left(self, record: StepRecord, rate: float) -> str:
        if not (self._total and rate):
            return ""
        return f", about {max(self._total - record.seen, 0) / rate:,.0f} s left"


class Silent(Lines):
    """Says nothing."""

    counts = False

    def say(self, line: str) -> None:
        """Print nothing."""


class Bars(Lines):
    """Shows the step under way as a bar, and what is done as lines above it."""

    def __init__(self, console: Console) -> None:
        """Show on a terminal."""
        super().__init__()
        self._console = console
        self._bar: Any = None

    def began(self, place: Place, record: StepRecord, total: int | None) -> None:
        """Show a bar for the step."""
        from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn  # noqa: PLC0415 - on a terminal only

        from boundwork.cli.display import Rate, TimeLeft  # noqa: PLC0415 - as above

        super().began(place, record, total)
        self.close()
        words = TextColumn(escape(f"{place.revision}  {record.title}"))
        numbers = (
            TextColumn("{task.completed:,.0f}")
            if total is None
            else TextColumn("{task.completed:,.0f} of {task.total:,.0f}")
        )
        self._bar = Progress(
            SpinnerColumn(), words, BarColumn(), numbers, Rate(), TimeLeft(), console=self._console, transient=True
        )
        self._bar.add_task("", total=total, completed=record.seen)
        self._bar.start()

    def step(self, place: Place, record: StepRecord) -> None:
        """Move the bar."""
        if record.state == "done":
            self.close()
            super().step(place, record)
        elif self._bar is not None:
            total = None if self._total is None else max(self._total, record.seen)
            self._bar.update(self._bar.task_ids[0], completed=record.seen, total=total)

    def building(self, place: Place, record: StepRecord, build: Build) -> None:  # noqa: ARG002 - the bar names them
        """Move the bar."""
        if (bar := self._bar) is not None:
            bar.update(bar.task_ids[0], completed=build.done, total=build.total)

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None


def _numbers(record: StepRecord) -> str:
    return f"  {record.seen:,} documents, {record.changed:,} changed" if record.kind == "data" else ""
