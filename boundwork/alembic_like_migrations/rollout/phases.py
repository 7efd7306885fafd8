"""What of a path runs in a phase of a rolling deploy, and which revisions a contracting one is too new for: pure.

A revision without a phase suits old and new code, so it runs in either. An instance suits a contracting revision if its
own revision comes after all parents of that one: its code was written when what is now taken away was replaced already.
"""

from collections.abc import Sequence

from boundwork.alembic_like_migrations.graph import Graph
from boundwork.alembic_like_migrations.revision import Phase, Revision
from boundwork.alembic_like_migrations.rollout.errors import PhaseBlocked


def limited(graph: Graph, path: Sequence[Revision], phase: Phase | None) -> tuple[Revision, ...]:
    """Return what of a path may run in a phase: without the revisions of the other one, and what comes after them.

    Raises PhaseBlocked if a contracting revision waits for an expanding one.
    """
    if phase is None:
        return tuple(path)
    others = [one.revision for one in path if one.phase not in {None, phase}]
    left_out = graph.descendants(*others) | frozenset(others)
    if phase == "contract":
        for one in path:
            if one.phase == "contract" and one.revision in left_out:
                before = graph.ancestors(one.revision)
                raise PhaseBlocked(one.revision, [other for other in others if other in before])
    return tuple(one for one in path if one.revision not in left_out)


def too_old(graph: Graph, contracting: Revision) -> tuple[str, ...]:
    """Return the revisions whose code a contracting revision breaks, in order; those that were replaced come last."""
    needed = frozenset(graph.parents(contracting.revision))

    def broken(name: str) -> bool:
        same = graph.view.same(name)
        here = graph.view.place(name)
        return not needed <= graph.ancestors(here) | frozenset({here} if same is not None else ())

    names = [one.revision for one in graph]
    return tuple(name for name in (*names, *sorted(graph.view.hidden)) if broken(name))
