import pytest

from boundwork.alembic_like_migrations import (
    DuplicateRevision,
    Graph,
    MissingParent,
    Revision,
    RevisionAmbiguous,
    RevisionCycle,
    RevisionNotApplied,
    RevisionNotFound,
    SeveralHeads,
    StepsImpossible,
    UnknownApplied,
)
from tests.unit.alembic_like_migrations.graphs import DIAMOND, graph_of, ids

LINE = {"aaaa1": (), "aaaa2": ("aaaa1",), "bbbb3": ("aaaa2",)}
FORK = {"a1": (), "b2": ("a1",), "c3": ("a1",)}
NOTHING: frozenset[str] = frozenset()


def test_a_line_runs_from_its_base_to_its_head() -> None:
    graph = graph_of(LINE)
    assert (graph.bases, graph.heads) == (("aaaa1",), ("bbbb3",))
    assert ids(graph.upgrade_path(NOTHING, "head")) == ["aaaa1", "aaaa2", "bbbb3"]
    assert ids(graph.downgrade_path(frozenset(LINE), "base")) == ["bbbb3", "aaaa2", "aaaa1"]


def test_a_diamond_runs_each_revision_once_and_a_merge_after_all_its_parents() -> None:
    graph = graph_of(DIAMOND)
    assert ids(graph.upgrade_path(NOTHING, "head")) == ["a1", "b2", "c3", "d4", "e5"]
    assert graph.ancestors("d4") == {"a1", "b2", "c3"}
    assert graph.descendants("b2") == {"d4", "e5"}


def test_a_branch_runs_whole_before_the_next_one() -> None:
    graph = graph_of({"a": (), "b1": ("a",), "c1": ("a",), "b2": ("b1",), "c2": ("c1",), "d": ("c2", "b2")})
    assert ids(tuple(graph)) == ["a", "b1", "b2", "c1", "c2", "d"]


def test_an_older_branch_that_was_merged_late_is_not_skipped() -> None:
    graph = graph_of({"old0": (), "late1": ("old0",), "new2": ("old0",), "new3": ("new2",), "both4": ("new3", "late1")})
    applied = frozenset({"old0", "new2", "new3"})
    assert ids(graph.upgrade_path(applied, "head")) == ["late1", "both4"]
    assert ids(graph.upgrade_path(applied, "late1")) == ["late1"]


def test_an_upgrade_runs_only_what_its_target_needs() -> None:
    graph = graph_of(DIAMOND)
    assert ids(graph.upgrade_path(NOTHING, "c3")) == ["a1", "c3"]
    assert ids(graph.upgrade_path(frozenset({"a1", "c3"}), "d4")) == ["b2", "d4"]
    assert graph.upgrade_path(frozenset(DIAMOND), "head") == ()
    assert graph.upgrade_path(frozenset(DIAMOND), "b2") == ()


def test_after_a_downgrade_exactly_the_target_and_its_ancestors_stay() -> None:
    graph = graph_of(DIAMOND)
    assert ids(graph.downgrade_path(frozenset(DIAMOND), "b2")) == ["e5", "d4", "c3"]
    assert ids(graph.downgrade_path(frozenset({"a1", "b2", "c3"}), "a1")) == ["c3", "b2"]


def test_two_heads_are_named_where_one_is_needed() -> None:
    graph = graph_of(FORK)
    with pytest.raises(SeveralHeads, match=r"2 heads: b2, c3\. Merge them") as caught:
        graph.upgrade_path(NOTHING, "head")
    assert caught.value.candidates == ("b2", "c3")
    assert ids(graph.upgrade_path(NOTHING, "heads")) == ["a1", "b2", "c3"]
    assert ids(graph.upgrade_path(frozenset({"a1"}), "b2")) == ["b2"]


def test_steps_go_on_from_where_a_database_stands() -> None:
    graph = graph_of(DIAMOND)
    assert ids(graph.upgrade_path(frozenset({"a1"}), "+2")) == ["b2", "c3"]
    assert ids(graph.downgrade_path(frozenset(DIAMOND), "-2")) == ["e5", "d4"]
    with pytest.raises(StepsImpossible, match="4 revisions are pending"):
        graph.upgrade_path(frozenset({"a1"}), "+5")
    with pytest.raises(StepsImpossible, match="1 revisions are applied"):
        graph.downgrade_path(frozenset({"a1"}), "-2")


def test_which_of_two_branches_was_last_is_not_guessed() -> None:
    with pytest.raises(SeveralHeads, match=r"b2, c3 are on different branches.* a downgrade to b2"):
        graph_of(DIAMOND).downgrade_path(frozenset(DIAMOND), "-3")


def test_an_upgrade_takes_no_steps_down_and_a_downgrade_none_up() -> None:
    graph = graph_of(LINE)
    with pytest.raises(StepsImpossible, match="Use a downgrade"):
        graph.upgrade_path(NOTHING, "-1")
    with pytest.raises(StepsImpossible, match="Use an upgrade"):
        graph.downgrade_path(NOTHING, "+1")


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("base", ()),
        ("head", ("bbbb3",)),
        ("heads", ("bbbb3",)),
        ("bbbb", ("bbbb3",)),
        ("aaaa2", ("aaaa2",)),
        ("head-1", ("aaaa2",)),
        ("head-3", ()),
        ("aaaa1+2", ("bbbb3",)),
        ("base+1", ("aaaa1",)),
        ("bbbb-1", ("aaaa2",)),
    ],
)
def test_names_are_words_ids_beginnings_and_steps(name: str, meant: tuple[str, ...]) -> None:
    assert graph_of(LINE).resolve(name) == meant


def test_a_whole_id_goes_before_the_beginning_of_another() -> None:
    assert graph_of({"abcd": (), "abcd1": ("abcd",)}).resolve("abcd") == ("abcd",)


def test_a_beginning_of_two_ids_is_refused_and_both_are_named() -> None:
    with pytest.raises(RevisionAmbiguous, match="2 ids: aaaa1, aaaa2"):
        graph_of(LINE).resolve("aaaa")


@pytest.mark.parametrize("name", ["bbb", "nothing_like_it", "", "+1", "a b", "head~1", "$where"])
def test_a_name_that_means_nothing_is_refused(name: str) -> None:
    with pytest.raises(RevisionNotFound):
        graph_of(LINE).resolve(name)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("a1+1", "2 are after a1: b2, c3"),
        ("d4-1", "2 are before d4: b2, c3"),
        ("head+1", "nothing comes after e5"),
        ("a1-2", "before all revisions"),
    ],
)
def test_steps_that_nobody_can_take_or_that_are_not_clear_say_so(name: str, why: str) -> None:
    with pytest.raises(StepsImpossible, match=why):
        graph_of(DIAMOND).resolve(name)


def test_a_project_without_revisions_has_nothing_to_run() -> None:
    graph = Graph()
    assert (graph.heads, graph.bases, graph.tips(NOTHING)) == ((), (), ())
    assert graph.upgrade_path(NOTHING, "head") == graph.downgrade_path(NOTHING, "base") == ()


def test_an_id_that_two_files_have_is_named() -> None:
    with pytest.raises(DuplicateRevision, match="a1 is taken twice"):
        Graph([Revision("a1"), Revision("b2", ("a1",)), Revision("a1", ("b2",))])


def test_a_parent_without_a_file_is_named() -> None:
    with pytest.raises(MissingParent, match="parent zz of b2 has no file") as caught:
        graph_of({"a1": (), "b2": ("a1", "zz")})
    assert (caught.value.revision, caught.value.parent) == ("b2", "zz")


def test_a_cycle_is_named_from_parent_to_child() -> None:
    with pytest.raises(RevisionCycle) as caught:
        graph_of({"a1": (), "b2": ("a1", "d4"), "c3": ("b2",), "d4": ("c3",), "e5": ("d4",)})
    first, *between, last = caught.value.revisions
    assert first == last
    assert {first, *between} == {"b2", "c3", "d4"}
    steps = list(zip(caught.value.revisions, caught.value.revisions[1:], strict=False))
    assert set(steps) == {("b2", "c3"), ("c3", "d4"), ("d4", "b2")}


def test_a_revision_that_is_its_own_parent_is_a_cycle() -> None:
    with pytest.raises(RevisionCycle, match="a1 -> a1"):
        graph_of({"a1": ("a1",)})


def test_what_a_database_has_and_no_file_has_is_named_before_anything_is_planned() -> None:
    graph = graph_of(LINE)
    with pytest.raises(UnknownApplied, match="without a file here: gone8, gone9"):
        graph.upgrade_path(frozenset({"aaaa1", "gone9", "gone8"}), "head")
    with pytest.raises(UnknownApplied):
        graph.downgrade_path(frozenset({"gone9"}), "base")


def test_one_cannot_go_down_to_what_was_never_applied() -> None:
    with pytest.raises(RevisionNotApplied, match="bbbb3 is not applied"):
        graph_of(LINE).downgrade_path(frozenset({"aaaa1"}), "bbbb3")


def test_a_database_stands_at_the_applied_revisions_that_no_applied_one_comes_after() -> None:
    graph = graph_of(DIAMOND)
    assert graph.tips(frozenset({"a1", "b2", "c3"})) == ("b2", "c3")
    assert graph.tips(frozenset(DIAMOND)) == ("e5",)
    assert graph.tips(NOTHING) == ()


def test_a_stamp_is_a_target_and_its_ancestors() -> None:
    graph = graph_of(DIAMOND)
    assert graph.stamped("d4") == {"a1", "b2", "c3", "d4"}
    assert graph.stamped("base") == NOTHING


def test_ten_thousand_revisions_in_a_line_are_no_problem() -> None:
    names = [f"r{number}" for number in range(10_000)]
    graph = Graph(
        Revision(name, (before,) if before else ()) for name, before in zip(names, ["", *names[:-1]], strict=True)
    )
    assert ids(graph.upgrade_path(NOTHING, "head")) == names
