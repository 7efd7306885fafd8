"""Which revisions a name means: ids, their beginnings, `head`, `heads`, `base`, and steps from there.

A beginning needs four characters, so that a `1` that was meant as a `+1` is not taken for a revision.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol, Self

from boundwork.alembic_like_migrations.errors import (
    RevisionAmbiguous,
    RevisionNotFound,
    SeveralHeads,
    StepsImpossible,
    listed,
)
from boundwork.alembic_like_migrations.revision import Revision

WORDS = ("head", "heads", "base")
SHORTEST = 4
NAME = re.compile(r"(?P<anchor>[A-Za-z0-9_]*)(?P<steps>[+-][0-9]{1,6})?")
ID = re.compile(r"[A-Za-z0-9_]{1,64}")


class Related(Protocol):
    """The part of a graph that names are looked up in."""

    @property
    def heads(self) -> tuple[str, ...]:
        """The ids that nothing comes after."""
        ...

    @property
    def bases(self) -> tuple[str, ...]:
        """The ids that come after nothing."""
        ...

    def __iter__(self) -> Iterator[Revision]: ...

    def __contains__(self, revision: object, /) -> bool: ...

    def parents(self, revision: str) -> tuple[str, ...]:
        """Return the ids that a revision comes after."""
        ...

    def children(self, revision: str) -> tuple[str, ...]:
        """Return the ids that come directly after a revision."""
        ...

    def stands_for(self, revision: str) -> str | None:
        """Return the revision that is the same state as one that is hidden, if there is one."""
        ...


@dataclass(frozen=True, slots=True)
class Name:
    """A name taken apart; an empty anchor means the place where a database stands."""

    text: str
    anchor: str
    steps: int

    @classmethod
    def parsed(cls, text: str) -> Self:
        """Take a name apart. Raises RevisionNotFound for what cannot be one."""
        found = NAME.fullmatch(text)
        if found is None or not text:
            raise RevisionNotFound(
                repr(text), "a name is an id, head, heads, base, or one of these with steps (head-1)."
            )
        return cls(text, found["anchor"], int(found["steps"] or 0))


def wrong_id(revision: str) -> str | None:
    """Say why a text cannot be the id of a revision; None means that it can."""
    if not ID.fullmatch(revision):
        return "an id consists of at most 64 letters, digits and underscores"
    if revision in WORDS:
        return f"{revision} is a word of the command line"
    return None


def find(graph: Related, name: Name) -> tuple[str, ...]:
    """Return the ids that a name means, in the order of the graph. Raises as `Graph.resolve`."""
    if not name.anchor:
        raise RevisionNotFound(name.text, "steps alone are counted from where a database stands; name where to begin.")
    place = _anchored(graph, name)
    if not name.steps:
        return place
    if len(place) > 1:
        raise SeveralHeads(name.text, place)
    for _ in range(abs(name.steps)):
        place = _step(graph, name, place)
    return place


def _anchored(graph: Related, name: Name) -> tuple[str, ...]:
    match name.anchor:
        case "base":
            return ()
        case "heads":
            return graph.heads
        case "head":
            if len(graph.heads) > 1:
                raise SeveralHeads(name.text, graph.heads)
            return graph.heads
        case anchor:
            return (anchor,) if anchor in graph else (graph.stands_for(anchor) or _begun_by(graph, anchor),)


def _begun_by(graph: Related, beginning: str) -> str:
    if len(beginning) < SHORTEST:
        raise RevisionNotFound(beginning, f"there is no such id, and a beginning of one needs {SHORTEST} characters.")
    candidates = sorted(one.revision for one in graph if one.revision.startswith(beginning))
    if not candidates:
        raise RevisionNotFound(
            beginning, "there is no such id here. `boundwork migrate history` shows those there are."
        )
    if len(candidates) > 1:
        text = f"{beginning} is the beginning of {len(candidates)} ids: {listed(candidates)}. Write more of it."
        raise RevisionAmbiguous(beginning, candidates, text)
    return candidates[0]


def _step(graph: Related, name: Name, place: tuple[str, ...]) -> tuple[str, ...]:
    """Go one step up or down; the empty place is that before all revisions."""
    if name.steps > 0:
        beyond, side = (graph.children(place[0]) if place else graph.bases), "after"
    elif place:
        beyond, side = tuple(sorted(set(graph.parents(place[0])))), "before"
    else:
        raise StepsImpossible(f"{name.text} is before all revisions. Use base to mean the state without any.")
    here = place[0] if place else "base"
    if len(beyond) > 1:
        raise StepsImpossible(f"{name.text} is not clear: {len(beyond)} are {side} {here}: {listed(beyond)}. Name one.")
    if not beyond and name.steps > 0:
        raise StepsImpossible(f"{name.text} is beyond the last revision: nothing comes after {here}.")
    return beyond
