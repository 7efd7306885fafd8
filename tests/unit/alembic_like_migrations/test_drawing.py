import os

import pytest
from hypothesis import given, settings

from boundwork.alembic_like_migrations import Graph, Revision
from boundwork.cli.migrate.drawing import Line, drawn
from boundwork.cli.migrate.mermaid import flowchart
from tests.unit.alembic_like_migrations.graphs import DIAMOND, Parents, graph_of, parents

EXAMPLES = 3000 if os.environ.get("BOUNDWORK_LONG") else 80


def text_of(parents_of: Parents, *, plain: bool = False) -> str:
    lines = drawn(graph_of(parents_of), plain=plain)
    return "\n".join(f"{line.lanes} {line.revision.revision if line.revision else ''}".rstrip() for line in lines)


def test_a_line_is_one_lane() -> None:
    assert text_of({"a": (), "b": ("a",)}) == "● b\n● a"


def test_a_branch_and_its_merge_are_two_lanes_that_part_and_meet() -> None:
    assert text_of(DIAMOND).splitlines() == ["●   e5", "●   d4", "├─╮", "│ ● c3", "● │ b2", "├─╯", "●   a1"]


def test_three_branches_that_meet_end_their_lanes() -> None:
    three: Parents = {"_": (), "a": ("_",), "b": ("a",), "c": ("a",), "d": ("a",), "e": ("b", "c", "d")}
    drawing = ["●     e", "├─┬─╮", "│ │ ● d", "│ ● │ c", "● │ │ b", "├─┴─╯", "●     a"]
    assert text_of(three).splitlines() == [*drawing, "●     _"]


def test_a_merge_joins_the_lane_that_leads_to_its_parent_already() -> None:
    two: Parents = {"a": (), "b": ("a",), "c": ("a", "b"), "d": ("b", "a")}
    drawing = ["●     d", "├─╮", "│ │ ● c", "├─┼─┤", "● │ │ b", "├─┴─╯", "●     a"]
    assert text_of(two).splitlines() == drawing


def test_two_projects_in_one_do_not_look_connected() -> None:
    assert text_of({"x": (), "y": ()}) == "● y\n\n● x"


def test_a_terminal_without_lines_gets_plain_characters() -> None:
    assert text_of(DIAMOND, plain=True).splitlines() == ["*   e5", "*   d4", "+-+", "| * c3", "* | b2", "+-+", "*   a1"]


def test_there_is_nothing_to_draw_without_revisions() -> None:
    assert drawn(Graph()) == []


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


@pytest.mark.parametrize(
    ("revision", "node"),
    [
        (Revision("end", message="all\nmore"), 'r_end["end all"]'),
        (Revision("a1", phase="contract"), 'r_a1{{"a1"}}'),
        (
            Revision("a1", message='say "hi" <b> #1 `x` [y] \\'),
            'r_a1["a1 say #quot;hi#quot; #lt;b#gt; #35;1 #96;x#96; [y] #92;"]',
        ),
    ],
)
def test_mermaid_cannot_be_broken_by_ids_or_messages(revision: Revision, node: str) -> None:
    assert flowchart(Graph([revision])).splitlines()[1] == f"    {node}"


def test_mermaid_has_a_node_for_each_revision_and_an_arrow_for_each_parent() -> None:
    lines = [line.strip() for line in flowchart(graph_of(DIAMOND)).splitlines()]
    assert lines[0] == "flowchart TD"
    assert {line for line in lines if "-->" in line} == {
        f"r_{parent} --> r_{child}" for child, before in DIAMOND.items() for parent in before
    }
    assert lines[-1] == "style r_e5 stroke-width:4px"
