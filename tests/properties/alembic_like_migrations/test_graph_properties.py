import os
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from boundwork.alembic_like_migrations import Graph, Revision
from boundwork.alembic_like_migrations.drafts import merge_parents
from tests.properties.alembic_like_migrations.drawn_graphs import parents
from tests.unit.alembic_like_migrations.graphs import Parents, graph_of, ids

EXAMPLES = 3000 if os.environ.get("BOUNDWORK_LONG") else 40
some = settings(max_examples=EXAMPLES, deadline=None)


@st.composite
def places(draw: st.DrawFn) -> tuple[Graph, str, frozenset[str]]:
    """Draw a graph, a target in it, and what a database may have applied: some revisions and all their ancestors."""
    graph = graph_of(draw(parents()))
    order = ids(tuple(graph))
    tips = draw(st.lists(st.sampled_from(order), max_size=3))
    return graph, draw(st.sampled_from(order)), graph.ancestors(*tips) | frozenset(tips)


@some
@given(parents())
def test_all_run_once_and_parents_before_children(drawn: Parents) -> None:
    path = ids(graph_of(drawn).upgrade_path(frozenset(), "heads"))
    assert sorted(path) == sorted(drawn)
    for revision, before in drawn.items():
        assert all(path.index(parent) < path.index(revision) for parent in before)


@some
@given(parents(), st.data())
def test_the_order_does_not_depend_on_the_order_of_the_files(drawn: Parents, data: st.DataObject) -> None:
    turned = dict(data.draw(st.permutations(list(drawn.items()))))
    assert ids(tuple(graph_of(drawn))) == ids(tuple(graph_of(turned)))


@some
@given(places())
def test_an_upgrade_runs_what_was_missing_and_its_parents_are_there_when_it_runs(
    place: tuple[Graph, str, frozenset[str]],
) -> None:
    graph, target, applied = place
    path = ids(graph.upgrade_path(applied, target))
    now = set(applied)
    for revision in path:
        assert revision not in now
        assert set(graph.parents(revision)) <= now
        now.add(revision)
    assert now == applied | graph.stamped(target)


@some
@given(places())
def test_a_downgrade_never_takes_a_parent_from_under_its_child(place: tuple[Graph, str, frozenset[str]]) -> None:
    graph, target, applied = place
    now = set(applied | graph.stamped(target))
    for revision in ids(graph.downgrade_path(now, target)):
        assert now.isdisjoint(graph.children(revision))
        now.remove(revision)
    assert now == graph.stamped(target)


@some
@given(places(), st.data())
def test_up_and_down_again_is_as_before(place: tuple[Graph, str, frozenset[str]], data: st.DataObject) -> None:
    graph, target, _ = place
    before = data.draw(st.sampled_from(["base", *sorted(graph.stamped(target))]))
    applied = graph.stamped(before)
    up = ids(graph.upgrade_path(applied, target))
    down = ids(graph.downgrade_path(applied | frozenset(up), before))
    assert sorted(up) == sorted(down)


@some
@given(places())
def test_a_stamped_database_has_nothing_to_run_and_stands_there(place: tuple[Graph, str, frozenset[str]]) -> None:
    graph, target, _ = place
    stamped = graph.stamped(target)
    assert graph.upgrade_path(stamped, target) == graph.downgrade_path(stamped, target) == ()
    assert graph.tips(stamped) == (target,)


@some
@given(places())
def test_what_was_stepped_through_one_by_one_is_what_runs_at_once(place: tuple[Graph, str, frozenset[str]]) -> None:
    graph, _, applied = place
    if len(graph.heads) > 1:
        graph = Graph([*graph, Revision("zz", merge_parents(graph))])
    at_once = ids(graph.upgrade_path(applied, "head"))
    now = set(applied)
    stepped: list[str] = []
    while len(now) < len(graph):
        stepped += ids(graph.upgrade_path(now, "+1"))
        now.add(stepped[-1])
    assert stepped == at_once


@some
@given(places())
def test_a_merge_of_all_heads_leaves_one(place: tuple[Graph, str, frozenset[str]]) -> None:
    graph, _, applied = place
    if len(graph.heads) < 2:
        return
    merged = Graph([*graph, Revision("zz", merge_parents(graph))])
    assert merged.heads == ("zz",)
    assert set(ids(merged.upgrade_path(applied, "head"))) == (set(ids(tuple(graph))) | {"zz"}) - applied


@some
@given(parents())
def test_steps_up_and_down_a_line_meet(drawn: Parents) -> None:
    names = sorted(drawn)
    line = graph_of(dict.fromkeys(names[:1], ()) | {after: (before,) for before, after in pairwise(names)})
    for number, name in enumerate(names):
        assert line.resolve(f"base+{number + 1}") == (name,)
        assert line.resolve(f"{name}-{number + 1}") == ()
