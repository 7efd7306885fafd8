"""The revision graph as lines of text, the newest revision first: one lane for each open branch.

A lane waits for a revision. A revision stands in the first lane that waits for it; the others end there, which shows a
branch. From a merge one lane goes on to each parent. An empty place under a revision shows that it is a base.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from boundwork.alembic_like_migrations import Graph, Revision

_UP, _DOWN, _LEFT, _RIGHT = 1, 2, 4, 8
_LINES = {
    0: " ",
    _UP | _DOWN: "│",
    _LEFT | _RIGHT: "─",
    _UP | _RIGHT: "╰",
    _UP | _LEFT: "╯",
    _DOWN | _RIGHT: "╭",
    _DOWN | _LEFT: "╮",
    _UP | _DOWN | _RIGHT: "├",
    _UP | _DOWN | _LEFT: "┤",
    _UP | _LEFT | _RIGHT: "┴",
    _DOWN | _LEFT | _RIGHT: "┬",
    _UP | _DOWN | _LEFT | _RIGHT: "┼",
}
_PLAIN = str.maketrans("│─╰╯╭╮├┤┴┬┼●", "|-++++++++|*")


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the drawing; most lines have a revision, those between them only connect."""

    lanes: str
    revision: Revision | None = None


def drawn(graph: Graph, *, plain: bool = False) -> list[Line]:
    """Return the drawing; `plain` uses only ASCII. A line that passes another one crosses it."""
    lanes: list[str | None] = []
    lines: list[Line] = []
    for one in reversed(list(graph)):
        waiting = [column for column, waits_for in enumerate(lanes) if waits_for == one.revision]
        if not waiting:
            waiting = [_free(lanes)]
            lanes[waiting[0]] = one.revision
        here, *others = waiting
        if others:
            lines.append(Line(_joining(lanes, here, ends=others)))
        for column in others:
            lanes[column] = None
        lines.append(Line(_row(lanes, here), one))
        lines.extend(_opened(lanes, here, sorted(set(one.down_revisions), key=one.down_revisions.index)))
        while lanes and lanes[-1] is None:
            lanes.pop()
    if lines and not lines[-1].lanes.strip():
        lines.pop()
    width = max((len(line.lanes) for line in lines), default=0)
    return [Line(_in(line.lanes, plain=plain).ljust(width), line.revision) for line in lines]


def _opened(lanes: list[str | None], here: int, parents: Sequence[str]) -> Iterator[Line]:
    """Let the lanes go on to the parents, and yield the lines that show where they begin, if they do.

    Lines to the left, to the right, and to each lane that is there already are drawn apart: together they would look
    as if some only crossed.
    """
    lanes[here] = parents[0] if parents else None
    begins: list[int] = []
    reaches: list[int] = []
    for parent in parents[1:]:
        if parent in lanes:
            reaches.append(lanes.index(parent))
        else:
            begins.append(_free(lanes))
            lanes[begins[-1]] = parent
    left = [column for column in begins if column < here]
    if left:
        later = [None if column in begins and column > here else waits_for for column, waits_for in enumerate(lanes)]
        yield Line(_joining(later, here, begins=left))
    if right := [column for column in begins if column > here]:
        yield Line(_joining(lanes, here, begins=right))
    for column in reaches:
        yield Line(_joining(lanes, here, reaches=[column]))
    if not parents:
        yield Line(_joining(lanes, here))


def _joining(
    lanes: Sequence[str | None],
    here: int,
    *,
    ends: Sequence[int] = (),
    begins: Sequence[int] = (),
    reaches: Sequence[int] = (),
) -> str:
    """Return a line that connects a lane with others: those that end in it, begin in it, or go on beside it."""
    sides = [0 if waits_for is None else _UP | _DOWN for waits_for in lanes]
    for column in ends:
        sides[column] = _UP
    for column in begins:
        sides[column] = _DOWN
    involved = [here, *ends, *begins, *reaches]
    first, last = min(involved), max(involved)
    pieces: list[str] = []
    for column, vertical in enumerate(sides):
        left, right = first < column <= last, first <= column < last
        pieces.append(_LINES[vertical | left * _LEFT | right * _RIGHT] + ("─" if right else " "))
    return "".join(pieces).rstrip()


def _row(lanes: Sequence[str | None], here: int) -> str:
    marks = ("●" if column == here else " " if waits_for is None else "│" for column, waits_for in enumerate(lanes))
    return " ".join(marks).rstrip()


def _free(lanes: list[str | None]) -> int:
    if None not in lanes:
        lanes.append(None)
    return lanes.index(None)


def _in(lanes: str, *, plain: bool) -> str:
    return lanes.translate(_PLAIN) if plain else lanes
