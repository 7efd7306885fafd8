import pytest

from boundwork.alembic_like_migrations import Graph, Revision
from boundwork.cli.migrate.drawing import drawn
from boundwork.cli.migrate.mermaid import flowchart
from tests.unit.alembic_like_migrations.graphs import DIAMOND, Parents, graph_of


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
