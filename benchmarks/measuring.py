"""How two ways of doing the same are compared on a machine that is not quiet.

Both run in one process, in turn, and each round gives one ratio; the median over the rounds counts. Each round runs
the raw side twice: the ratio of these two (A/A) would be 1.00 on a quiet machine, and its spread is the noise.
"""

import gc
from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from statistics import median, quantiles
from time import perf_counter, thread_time

Action = Callable[[], object]
Side = Callable[[], AbstractContextManager[Action]]
"""Prepares one run (not timed), gives what is timed, and cleans up after it (not timed)."""


@dataclass(frozen=True, slots=True)
class Spread:
    """The median of a sample, and its quartiles."""

    low: float
    middle: float
    high: float

    @classmethod
    def of(cls, sample: Sequence[float]) -> "Spread":
        """Summarize a sample."""
        if len(sample) == 1:
            return cls(sample[0], sample[0], sample[0])
        low, _, high = quantiles(sample, n=4, method="inclusive")
        return cls(low, median(sample), high)


@dataclass(frozen=True, slots=True)
class Timed:
    """Seconds of one run: on the clock, and of this thread's processor time."""

    wall: float
    cpu: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """What paired rounds gave: ratios of boundwork to raw, of raw to raw, and the raw seconds."""

    ratio: Spread
    noise: Spread
    cpu: Spread
    raw_seconds: float
    rounds: int


def plainly(action: Action) -> Side:
    """Make a side of an action that needs no preparation."""

    @contextmanager
    def side() -> Generator[Action]:
        yield action

    return side


def timed(side: Side) -> Timed:
    """Run one side once; the garbage collector is as Python sets it, and starts with nothing to do."""
    with side() as action:
        gc.collect()
        wall, cpu = perf_counter(), thread_time()
        kept = action()
        result = Timed(perf_counter() - wall, thread_time() - cpu)
        del kept
    return result


def compare(raw: Side, ours: Side, rounds: int) -> Comparison:
    """Run raw, boundwork and raw again in turn, each round in another order, after one round to warm up."""
    sides = {"raw": raw, "ours": ours, "again": raw}
    names = list(sides)
    runs: list[dict[str, Timed]] = []
    for number in range(rounds + 1):
        order = names[number % 3 :] + names[: number % 3]
        runs.append({name: timed(sides[name]) for name in order})
    runs = runs[1:]
    return Comparison(
        ratio=Spread.of([2 * run["ours"].wall / (run["raw"].wall + run["again"].wall) for run in runs]),
        noise=Spread.of([run["again"].wall / run["raw"].wall for run in runs]),
        cpu=Spread.of([2 * run["ours"].cpu / (run["raw"].cpu + run["again"].cpu) for run in runs]),
        raw_seconds=median(run["raw"].wall for run in runs),
        rounds=rounds,
    )
