"""A checker of list-append histories: it names the anomalies that the reads of committed units prove.

Every append has a value of its own, so a read of a list tells who wrote before whom. From that come the edges of Adya's
graph: ww (its next writer), wr (who read it), rw (who overwrote what was read). Cycles of ww alone are G0, with wr G1c,
with exactly one rw G-single. Cycles with more rw are write skew, which snapshot isolation allows.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from tests.failure.components import components, reaches


@dataclass
class Attempt:
    """What one unit did, in order, and how it ended: committed True, False, or None if nobody can say.

    `reads` are (register, list as read, own appends to it before the read); `appends` are (register, value).
    """

    committed: bool | None = False
    reads: list[tuple[int, tuple[int, ...], tuple[int, ...]]] = field(
        default_factory=list[tuple[int, tuple[int, ...], tuple[int, ...]]],
    )
    appends: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])


Edges = dict[int, set[int]]


class History:
    """Attempts and the lists that were there in the end."""

    def __init__(self, attempts: Iterable[Attempt], final: Mapping[int, tuple[int, ...]]) -> None:
        """Find out who wrote what."""
        self._attempts = list(attempts)
        self._final = final
        self._writer = {value: number for number, attempt in enumerate(self._attempts) for _, value in attempt.appends}
        written = [value for values in final.values() for value in values]
        self._stored = set(written)
        self._doubled = sum(count - 1 for count in Counter(written).values())
        # A unit of unknown outcome was committed if what it wrote is there.
        self._seen = {
            number: attempt
            for number, attempt in enumerate(self._attempts)
            if attempt.committed or (attempt.committed is None and any(v in self._stored for _, v in attempt.appends))
        }

    def anomalies(self) -> Counter[str]:
        """Return how many there are of each kind, only the kinds that there are."""
        found = Counter[str]()
        found["lost append"] = sum(value not in self._stored for _, _, value in self._appends())
        found["duplicate append"] = self._doubled
        for number, register, values, own in self._reads():
            found["internal"] += own != values[len(values) - len(own) :]
            others = values[: len(values) - len(own)]
            found["incompatible order"] += self._final.get(register, ())[: len(values)] != values
            found["G1a"] += any(self._writer.get(value) not in self._seen for value in others)
            found["G1b"] += bool(others) and self._is_intermediate(register, others[-1], number)
        found["lost update"] = self._lost_updates()
        found += self._cycles()
        return +found

    def _appends(self) -> Iterator[tuple[int, int, int]]:
        for number, attempt in self._seen.items():
            for register, value in attempt.appends:
                yield number, register, value

    def _reads(self) -> Iterator[tuple[int, int, tuple[int, ...], tuple[int, ...]]]:
        for number, attempt in self._seen.items():
            for register, values, own in attempt.reads:
                yield number, register, values, own

    def _is_intermediate(self, register: int, value: int, reader: int) -> bool:
        writer = self._writer.get(value, reader)
        own = [appended for place, appended in self._attempts[writer].appends if place == register]
        return writer != reader and bool(own) and own[-1] != value

    def _lost_updates(self) -> int:
        """Count the units that appended to a list although another one had, after it was read."""
        based: dict[tuple[int, tuple[int, ...]], set[int]] = defaultdict(set)
        for number, register, values, own in self._reads():
            if any(place == register for place, _ in self._attempts[number].appends):
                based[register, values[: len(values) - len(own)]].add(number)
        return sum(len(units) - 1 for units in based.values())

    def _cycles(self) -> Counter[str]:
        ww, wr, rw = self._edges()
        found = Counter({"G0": len(components(ww))})
        depends = {unit: ww.get(unit, set()) | wr.get(unit, set()) for unit in ww.keys() | wr.keys()}
        for component in components(depends):
            found["G1c"] += any(wr.get(unit, set()) & component for unit in component)
        together = {unit: depends.get(unit, set()) | rw.get(unit, set()) for unit in depends.keys() | rw.keys()}
        for component in components(together):
            inside = {unit: depends.get(unit, set()) & component for unit in component}
            anti = [(reader, later) for reader in component for later in rw.get(reader, set()) & component]
            found["G-single"] += sum(reaches(inside, later, reader) for reader, later in anti)
        return found

    def _edges(self) -> tuple[Edges, Edges, Edges]:
        ww: Edges = defaultdict(set)
        wr: Edges = defaultdict(set)
        rw: Edges = defaultdict(set)
        after: dict[tuple[int, int | None], int] = {}
        for register, values in self._final.items():
            writers = [self._writer.get(value, -1) for value in values]
            after |= {(register, value): writer for value, writer in zip((None, *values), writers, strict=False)}
            for earlier, later in pairwise(writers):
                _join(ww, earlier, later)
        for number, register, values, own in self._reads():
            others = values[: len(values) - len(own)]
            if others:
                _join(wr, self._writer.get(others[-1], -1), number)
            _join(rw, number, after.get((register, others[-1] if others else None), -1))
        return ww, wr, rw


def _join(edges: Edges, earlier: int, later: int) -> None:
    if earlier != later and earlier >= 0 <= later:
        edges[earlier].add(later)
