import pytest

from boundwork.alembic_like_migrations import IdRefused, NothingToMerge, SeveralHeads
from boundwork.alembic_like_migrations.drafts import checked_id, merge_parents, new_id, next_parents
from boundwork.alembic_like_migrations.names import wrong_id
from tests.unit.alembic_like_migrations.graphs import DIAMOND, graph_of

FORK = {"a1": (), "b2": ("a1",), "c3": ("a1",), "x9": ()}


def test_a_revision_comes_after_the_only_head_or_the_place_that_is_named() -> None:
    graph = graph_of(DIAMOND)
    assert next_parents(graph) == ("e5",)
    assert next_parents(graph, "b2") == ("b2",)
    assert next_parents(graph, "base") == ()
    assert next_parents(graph_of({})) == ()


@pytest.mark.parametrize("after", ["head", "heads"])
def test_with_two_heads_the_place_must_be_named(after: str) -> None:
    with pytest.raises(SeveralHeads, match="There are 3 heads"):
        next_parents(graph_of(FORK), after)


def test_a_merge_comes_after_all_heads_or_after_those_that_are_named() -> None:
    assert set(merge_parents(graph_of(FORK))) == {"b2", "c3", "x9"}
    assert merge_parents(graph_of(FORK), ["c3", "b2"]) == ("b2", "c3")


def test_what_cannot_be_merged_says_why() -> None:
    with pytest.raises(NothingToMerge, match="only e5"):
        merge_parents(graph_of(DIAMOND))
    with pytest.raises(NothingToMerge, match="no revision"):
        merge_parents(graph_of({}))
    with pytest.raises(NothingToMerge, match="a1 comes before another"):
        merge_parents(graph_of(FORK), ["a1", "b2"])


def test_an_id_that_was_chosen_must_be_one_and_be_free() -> None:
    graph = graph_of(DIAMOND)
    assert checked_id(graph, "f6") == "f6"
    for revision in ("a1", "head", "a-1", "", "ä"):
        with pytest.raises(IdRefused):
            checked_id(graph, revision)


def test_a_new_id_can_be_one() -> None:
    first, second = new_id(), new_id()
    assert first != second
    assert wrong_id(first) is None
