"""Which revision comes next: its id and its parents, found in the graph before anything is written.

A revision comes after the only head unless another place is named; a merge comes after all heads unless some are named.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from boundwork.alembic_like_migrations.errors import IdRefused, NothingToMerge, SeveralHeads, listed
from boundwork.alembic_like_migrations.graph import Graph
from boundwork.alembic_like_migrations.names import wrong_id
from boundwork.alembic_like_migrations.revision import Phase

ID_BYTES = 6


@dataclass(frozen=True, slots=True)
class Body:
    """What stands in a revision file: lines of imports, and lines of `up()` and `down()` that are not indented.

    `before` are lines of functions that these two call.
    """

    imports: tuple[str, ...] = ()
    up: tuple[str, ...] = ()
    down: tuple[str, ...] = ()
    before: tuple[str, ...] = ()


NO_BODY = Body()


@dataclass(frozen=True, slots=True)
class Draft:
    """A revision that has no file yet; `made` is the time of its making, in UTC."""

    revision: str
    down_revisions: tuple[str, ...]
    message: str
    made: datetime
    phase: Phase | None = None
    body: Body = NO_BODY
    replaces: tuple[str, ...] = ()


def new_id() -> str:
    """Return an id that nobody else has chosen: twelve hexadecimal digits by chance."""
    return secrets.token_hex(ID_BYTES)


def next_parents(graph: Graph, after: str = "head") -> tuple[str, ...]:
    """Return what a new revision comes after: one id, or none for `base`. Raises as `Graph.resolve`."""
    parents = graph.resolve(after)
    if len(parents) > 1:
        raise SeveralHeads(after, parents)
    return parents


def merge_parents(graph: Graph, names: Sequence[str] = ()) -> tuple[str, ...]:
    """Return what a merge comes after: the named revisions, or all heads, in the order of the graph.

    Raises NothingToMerge where they are fewer than two, or one is an ancestor of another; and as `Graph.resolve`.
    """
    named = {revision for name in names or ("heads",) for revision in graph.resolve(name)}
    if len(named) < 2:  # noqa: PLR2004 - a merge of one is none
        there = f"only {listed(named)}" if named else "no revision"
        raise NothingToMerge(f"A merge needs two revisions, and there is {there}.")
    inner = sorted(named & graph.ancestors(*named))
    if inner:
        raise NothingToMerge(f"{listed(inner)} comes before another of the revisions to merge already. Leave it out.")
    return tuple(one.revision for one in graph if one.revision in named)


def checked_id(graph: Graph, revision: str) -> str:
    """Return an id that a user has chosen, if it can be one and is free. Raises IdRefused."""
    problem = wrong_id(revision) or ("there is such a revision already" if revision in graph.names else None)
    if problem:
        raise IdRefused(f"{revision!r} cannot be the id: {problem}. Choose another, or leave it out.")
    return revision
