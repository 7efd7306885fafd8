"""Which revisions a range means, and whether one can replace them: pure.

The range must be closed: it is entered at its first revision alone, and left from its last alone. What is between the
two may branch and merge.
"""

from collections.abc import Sequence

from boundwork.alembic_like_migrations.errors import SquashImpossible, listed
from boundwork.alembic_like_migrations.graph import Graph
from boundwork.alembic_like_migrations.revision import Phase, Revision


def members(graph: Graph, written: str) -> tuple[Revision, ...]:
    """Return the revisions of `first:last`, in order. Raises SquashImpossible, and as `Graph.resolve`."""
    begin, colon, end = written.partition(":")
    if not colon:
        raise SquashImpossible(f"{written!r} is no range. Write first:last, as 3f2a:head or base+1:head.")
    first, last = _one(graph, begin), _one(graph, end)
    inside = (graph.descendants(first) | {first}) & (graph.ancestors(last) | {last})
    if first == last or last not in inside:
        raise SquashImpossible(f"{last} does not come after {first}, so there is nothing between them to squash.")
    for one in sorted(inside):
        _refuse_open(graph, one, inside, first, last)
    found = tuple(graph[one.revision] for one in graph if one.revision in inside)
    _refuse_unsettled(graph, found)
    return found


def phase_of(replaced: Sequence[Revision]) -> Phase | None:
    """Return the phase of what stands for revisions: the strictest of theirs."""
    phases = {one.phase for one in replaced}
    return "contract" if "contract" in phases else "expand" if "expand" in phases else None


def _one(graph: Graph, name: str) -> str:
    found = graph.resolve(name)
    if len(found) != 1:
        raise SquashImpossible(f"{name} means no single revision. The first one of all is base+1.")
    return found[0]


def _refuse_open(graph: Graph, one: str, inside: frozenset[str], first: str, last: str) -> None:
    entered = [] if one == first else [parent for parent in graph.parents(one) if parent not in inside]
    if entered:
        raise SquashImpossible(
            f"{one} comes after {listed(entered)} as well, which is not between {first} and {last}. Begin before the branch."
        )
    left = [] if one == last else [child for child in graph.children(one) if child not in inside]
    if left:
        raise SquashImpossible(
            f"{listed(left)} comes after {one}, which is in the middle of {first} and {last}. End after the merge."
        )


def _refuse_unsettled(graph: Graph, found: Sequence[Revision]) -> None:
    """Refuse a squash in the range that databases may still have to note; that its old files are gone says they have."""
    for one in found:
        left = [old for old in one.replaces if old in graph.everything]
        if left:
            raise SquashImpossible(
                f"{one.revision} is a squash, and {listed(left)} that it replaces still has a file. When all databases "
                "have noted it, delete those files; then it can be squashed with others."
            )
