"""Which of a squash and what it replaces counts, from values."""

from pathlib import Path

import pytest

from boundwork.alembic_like_migrations import (
    Graph,
    PartlyReplaced,
    ReplacesWrong,
    Revision,
    RevisionNotFound,
    RevisionUnreadable,
    SquashImpossible,
    UnknownApplied,
)
from boundwork.alembic_like_migrations.files import read_source
from boundwork.alembic_like_migrations.rollout.phases import too_old
from boundwork.alembic_like_migrations.squashing.ranges import members, phase_of

OLD = [Revision("a"), Revision("b", ("a",)), Revision("c", ("b",))]
SQUASH = Revision("s", ("a",), replaces=("b", "c"))
LATER = Revision("d", ("c",))
BOTH = [*OLD, SQUASH, LATER]
DELETED = [OLD[0], SQUASH, LATER]


def seen(revisions: list[Revision], *applied: str, begun: frozenset[str] = frozenset()) -> tuple[list[str], list[str]]:
    """Return what a database sees, and what an upgrade would run."""
    graph = Graph(revisions, frozenset(applied), begun)
    path = graph.upgrade_path(graph.applied, "head")
    return [one.revision for one in graph], [one.revision for one in path]


@pytest.mark.parametrize("files", [BOTH, DELETED])
def test_a_database_with_none_or_all_of_the_replaced_revisions_sees_the_squash(files: list[Revision]) -> None:
    assert seen(files) == (["a", "s", "d"], ["a", "s", "d"])
    assert seen(files, "a") == (["a", "s", "d"], ["s", "d"])
    assert seen(files, "a", "b", "c") == (["a", "s", "d"], ["d"])
    assert seen(files, "a", "b", "c", "d") == (["a", "s", "d"], [])
    assert seen(files, "a", "s") == (["a", "s", "d"], ["d"])


def test_a_database_with_some_of_them_sees_the_old_files() -> None:
    assert seen(BOTH, "a", "b") == (["a", "b", "c", "d"], ["c", "d"])
    assert Graph(BOTH, {"a", "b"}).view.waiting == {"s": ("c",)}
    assert Graph(BOTH, {"a", "b"}).resolve("s") == ("c",)


def test_a_database_where_one_of_them_is_half_done_sees_the_old_files() -> None:
    assert seen(BOTH, "a", "b", "c", begun=frozenset("c"))[0] == ["a", "b", "c", "d"]
    assert seen(BOTH, "a", begun=frozenset("b"))[0] == ["a", "b", "c", "d"]


def test_a_database_where_the_squash_is_half_done_sees_the_squash() -> None:
    assert seen(BOTH, "a", begun=frozenset("s"))[0] == ["a", "s", "d"]


def test_a_database_with_some_of_them_whose_files_are_gone_is_told_which() -> None:
    with pytest.raises(PartlyReplaced, match=r"what s replaces: c is missing.*Bring back those of b, c") as caught:
        Graph(DELETED, {"a", "b"})
    assert (caught.value.missing, caught.value.gone) == (("c",), ("b", "c"))


def test_what_was_applied_and_has_neither_file_nor_squash_is_still_refused() -> None:
    graph = Graph(DELETED, {"a", "x"})
    with pytest.raises(UnknownApplied, match="x"):
        graph.upgrade_path(graph.applied, "head")


def test_the_last_replaced_id_names_the_squash_and_an_inner_one_names_nothing() -> None:
    graph = Graph(DELETED)
    assert graph.resolve("c") == ("s",)
    with pytest.raises(RevisionNotFound, match="s stands for it and others together"):
        graph.resolve("b")
    assert graph.naming("b") is graph
    assert Graph(BOTH).naming("b").stamped("b") == {"a", "b"}


def test_a_branch_that_began_in_the_middle_comes_after_the_squash() -> None:
    branch = Revision("e", ("b",))
    assert Graph([*BOTH, branch]).parents("e") == ("s",)
    assert Graph([*BOTH, branch], {"a", "b"}).parents("e") == ("b",)


def test_a_squash_of_a_squash_stands_for_both() -> None:
    outer = Revision("t", ("a",), replaces=("s", "d"))
    assert seen([*BOTH, outer], "a") == (["a", "t"], ["t"])
    assert Graph([*DELETED, outer], {"a", "b", "c", "d"}).view.adopting == ["s", "t"]
    assert seen([*BOTH, outer], "a", "b") == (["a", "b", "c", "d"], ["c", "d"])
    assert seen([*BOTH, outer], "a", "b", "c") == (["a", "s", "d"], ["d"])


def test_squashes_that_replace_the_same_or_each_other_are_refused() -> None:
    with pytest.raises(ReplacesWrong, match="s, t both replace c"):
        Graph([*BOTH, Revision("t", ("b",), replaces=("c", "d"))])
    with pytest.raises(ReplacesWrong, match="replace each other"):
        Graph([Revision("s", replaces=("t",)), Revision("t", replaces=("s",))])


def test_code_for_what_is_replaced_is_as_old_as_its_place() -> None:
    contracting = Revision("x", ("d",), "contract")
    assert too_old(Graph([*BOTH, contracting]), contracting) == ("a", "s", "b", "c")
    after = Revision("y", ("c",), "contract")
    graph = Graph([OLD[0], SQUASH, after])
    assert too_old(graph, after) == ("a", "b")


def test_replaces_is_read_from_the_syntax() -> None:
    head = "revision, down_revision = 's', 'a'\n"
    assert read_source(f"{head}replaces = ('b', 'c')", Path("s.py")).replaces == ("b", "c")
    for wrong in ("['b']", "()", "('b', 'b')", "('b', 1)", "find()"):
        with pytest.raises(RevisionUnreadable, match="replaces"):
            read_source(f"{head}replaces = {wrong}", Path("s.py"))


DIAMOND = [
    Revision("a"),
    Revision("b", ("a",), "expand"),
    Revision("l", ("b",)),
    Revision("r", ("b",)),
    Revision("m", ("l", "r")),
    Revision("z", ("m",), "contract"),
]


def names(written: str, *more: Revision) -> list[str]:
    return [one.revision for one in members(Graph([*DIAMOND, *more]), written)]


def test_a_range_with_one_entry_and_one_exit_is_taken_whole() -> None:
    assert names("b:m") == ["b", "l", "r", "m"]
    assert names("base+1:head") == ["a", "b", "l", "r", "m", "z"]
    assert (phase_of(DIAMOND), phase_of(DIAMOND[:3]), phase_of(DIAMOND[:1])) == ("contract", "expand", None)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("b:l", "r comes after b, which is in the middle"),
        ("l:m", "m comes after r as well"),
        ("m:b", "b does not come after m"),
        ("b:b", "b does not come after b"),
        ("base:m", "The first one of all is base"),
        ("b", "'b' is no range"),
    ],
)
def test_a_range_that_is_open_or_none_is_named(written: str, said: str) -> None:
    with pytest.raises(SquashImpossible, match=said):
        names(written)


def test_a_squash_whose_old_files_are_there_cannot_be_squashed_again() -> None:
    with pytest.raises(SquashImpossible, match="b, c that it replaces still has a file"):
        members(Graph(BOTH), "s:d")
    assert [one.revision for one in members(Graph(DELETED), "s:d")] == ["s", "d"]
