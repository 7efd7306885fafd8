"""A drawing of any graph leads from each revision to its parents and to no other."""

import os

from hypothesis import given, settings

from boundwork.cli.migrate.drawing import Line, drawn
from tests.properties.alembic_like_migrations.drawn_graphs import parents
from tests.unit.alembic_like_migrations.graphs import Parents, graph_of

EXAMPLES = 3000 if os.environ.get("BOUNDWORK_LONG") else 80


@settings(max_examples=EXAMPLES, deadline=None)
@given(parents())
def test_one_who_follows_the_lines_finds_exactly_the_parents(drawn_by_chance: Parents) -> None:
    lines = drawn(graph_of(drawn_by_chance))
    assert [line.revision.revision for line in lines if line.revision] == [
        one.revision for one in reversed(list(graph_of(drawn_by_chance)))
    ]
    for number, line in enumerate(lines):
        if line.revision:
            assert followed(lines, number) == set(line.revision.down_revisions)


def followed(lines: list[Line], start: int) -> set[str]:
    """Return the revisions that one comes to who goes down from a revision, as an eye would."""
    here = lines[start].lanes.index("●")
    found: set[str] = set()
    ahead = [(start + 1, here)]
    while ahead:
        row, column = ahead.pop()
        if row == len(lines):
            continue
        cell = lines[row].lanes[column]
        revision = lines[row].revision if cell == "●" else None
        if revision is not None:
            found.add(revision.revision)
        if cell in "│├┤┼╮╭┬":
            ahead.append((row + 1, column))
        # A line that ends lanes has a corner at its end; one that begins them stands right under its revision.
        under = all(line.revision is None and "╯" not in line.lanes for line in lines[start + 1 : row + 1])
        if cell in "╯┴" or (under and column == here):
            ahead += [(row + 1, other) for other in beside(lines[row].lanes, column)]
    return found


def beside(lanes: str, column: int) -> set[int]:
    """Return the columns that the horizontal lines of a lane lead down from, except where they only cross."""
    found: set[int] = set()
    for step in (-1, 1):
        at = column + step
        while 0 <= at < len(lanes) and lanes[at] in "─┼┬┴":
            found |= {at} if lanes[at] == "┬" else set()
            at += step
        if at != column + step and lanes[at] in "├┤╮╭":
            found.add(at)
    return found
