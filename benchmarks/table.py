"""The rows of the table: what was measured, what is allowed, and whether it is met."""

from dataclasses import dataclass

from benchmarks.measuring import Comparison, Spread

HEAD = ("workload", "limit", "measured", "A/A", "client CPU", "raw", "met")


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table, as text."""

    workload: str
    limit: str
    measured: str
    noise: str
    cpu: str
    raw: str
    met: bool

    def cells(self) -> tuple[str, ...]:
        """Return the cells in the order of the head."""
        verdict = "yes" if self.met else "no"
        return (self.workload, self.limit, self.measured, self.noise, self.cpu, self.raw, verdict)


def ratio(workload: str, limit: float, found: Comparison, *, per: int = 1) -> Row:
    """Make a row of a comparison; `per` is how many operations a run is."""
    return Row(
        workload,
        f"{limit:.2f}",
        _spread(found.ratio, ".2f"),
        _spread(found.noise, ".2f"),
        f"{found.cpu.middle:.2f}",
        _duration(found.raw_seconds / per),
        met=found.ratio.middle <= limit,
    )


def weight(workload: str, limit: float, found: Spread, noise: Spread, raw: float) -> Row:
    """Make a row of a comparison of bytes."""
    cells = (f"{limit:.2f}", _spread(found, ".2f"), _spread(noise, ".2f"), "", f"{raw / 2**20:.0f} MB")
    return Row(workload, *cells, met=found.middle <= limit)


def absolute(workload: str, limit: str, spread: Spread, unit: str, commands: int | None, *, met: bool) -> Row:
    """Make a row of times that are compared with nothing, and of the commands that were sent meanwhile."""
    sent = "" if commands is None else f", {commands or 'no'} command{'' if commands == 1 else 's'}"
    return Row(workload, limit, f"{_spread(spread, '.1f', unit)}{sent}", "", "", "", met=met and not commands)


def sizes(workload: str, limit: str, costs: dict[int, Spread], unit: str, *, allowed: float) -> Row:
    """Make a row of the cost at several sizes; `allowed` is how much the largest may exceed the smallest."""
    middles = [spread.middle for spread in costs.values()]
    measured = ", ".join(f"{number:,}: {spread.middle:.0f}" for number, spread in costs.items())
    return Row(workload, limit, f"{measured} {unit}", "", "", "", met=middles[-1] <= allowed * min(middles))


def text(rows: list[Row]) -> str:
    """Return the rows as a table of Markdown."""
    lines = [HEAD, tuple("---" for _ in HEAD), *(row.cells() for row in rows)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _spread(spread: Spread, form: str, unit: str = "") -> str:
    middle = f"{spread.middle:{form}}{' ' + unit if unit else ''}"
    return f"{middle} [{spread.low:{form}} - {spread.high:{form}}]"


def _duration(seconds: float) -> str:
    return f"{seconds * 1e3:.0f} ms" if seconds >= 0.01 else f"{seconds * 1e6:.0f} us"
