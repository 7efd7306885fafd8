"""What of a path runs in a phase, and which revisions a contracting one is too new for: from literals."""

import pytest

from boundwork.alembic_like_migrations import Graph, PhaseBlocked, Revision
from boundwork.alembic_like_migrations.revision import Phase
from boundwork.alembic_like_migrations.rollout.phases import limited, too_old

GRAPH = Graph(
    [
        Revision("users"),
        Revision("add", ("users",), "expand"),
        Revision("index", ("add",)),
        Revision("drop", ("index",), "contract"),
        Revision("later", ("drop",), "expand"),
        Revision("side", ("users",), "expand"),
    ]
)


def ran(applied: set[str], phase: Phase | None) -> list[str]:
    return [one.revision for one in limited(GRAPH, GRAPH.upgrade_path(applied, "heads"), phase)]


def test_without_a_phase_everything_runs() -> None:
    assert ran({"users"}, None) == ["add", "index", "drop", "later", "side"]


def test_expanding_leaves_out_what_contracts_and_what_comes_after_it() -> None:
    assert ran({"users"}, "expand") == ["add", "index", "side"]


def test_contracting_leaves_out_what_expands_later() -> None:
    assert ran({"users", "add"}, "contract") == ["index", "drop"]


def test_contracting_before_expanding_is_refused_and_says_what_is_missing() -> None:
    with pytest.raises(PhaseBlocked, match="drop") as blocked:
        ran({"users"}, "contract")
    assert blocked.value.missing == ("add",)


def test_an_instance_suits_if_its_revision_comes_after_all_parents_of_the_contracting_one() -> None:
    assert set(too_old(GRAPH, GRAPH["drop"])) == {"users", "add", "side"}


def test_a_merge_that_contracts_needs_code_of_both_branches() -> None:
    graph = Graph([Revision("a"), Revision("b"), Revision("both", ("a", "b"), "contract"), Revision("c", ("both",))])
    assert set(too_old(graph, graph["both"])) == {"a", "b"}
