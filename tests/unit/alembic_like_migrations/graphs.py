"""Graphs for the tests, from literals."""

from collections.abc import Sequence

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
