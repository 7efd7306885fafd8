"""Graphs for the tests, from literals and by chance."""

from collections.abc import Sequence

from hypothesis import strategies as st

from boundwork.alembic_like_migrations import Graph, Revision

Parents = dict[str, tuple[str, ...]]


def graph_of(parents: Parents) -> Graph:
    return Graph(Revision(revision, before) for revision, before in parents.items())


def ids(revisions: Sequence[Revision]) -> list[str]:
    return [one.revision for one in revisions]


#        b2
#       /  \
# a1 --      d4 -- e5
#       \  /
#        c3
DIAMOND: Parents = {"a1": (), "b2": ("a1",), "c3": ("a1",), "d4": ("b2", "c3"), "e5": ("d4",)}


@st.composite
def parents(draw: st.DrawFn, most: int = 10) -> Parents:
    """Draw a graph without cycles: each revision comes after some of those before it, whatever their names are."""
    names = [f"r{number:02}" for number in draw(st.permutations(range(draw(st.integers(1, most)))))]
    found: Parents = {}
    for name in names:
        chosen = draw(st.integers(0, (1 << len(found)) - 1))
        found[name] = tuple(before for bit, before in enumerate(found) if chosen >> bit & 1)
    return found
