"""Whether a squash or what it replaces counts for a database: pure, from the ids that the database has.

All of the replaced ones applied, or none: the squash stands for them, their files are not looked at, and whoever names
one as a parent means the squash. Some of them applied, or one begun: the squash waits, the old files count, and whoever
names the squash means the last of them. This is what Django does, and it makes deleting the old files safe: a
database that still needs them is told so.
"""

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from graphlib import CycleError, TopologicalSorter
from typing import Literal

from boundwork.alembic_like_migrations.errors import PartlyReplaced, ReplacesWrong
from boundwork.alembic_like_migrations.revision import Revision

State = Literal["all", "some", "none"]


@dataclass(slots=True)
class View:
    """The revisions as a database sees them.

    `adopting` are squashes that it can note as applied, inner ones first, `waiting` those that it has a part of, with
    what is missing. `hidden` says what stands in the place of a revision that is not seen, and `inside` are those of
    them that are no state of their own any more.
    """

    revisions: Mapping[str, Revision]
    applied: set[str]
    adopting: list[str] = field(default_factory=list[str])
    waiting: dict[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    hidden: dict[str, str] = field(default_factory=dict[str, str])
    inside: set[str] = field(default_factory=set[str])

    def place(self, revision: str) -> str:
        """Return what stands in the place of a revision: itself, if it is seen."""
        while revision in self.hidden:
            revision = self.hidden[revision]
        return revision

    def same(self, revision: str) -> str | None:
        """Return the revision that is seen and makes the same of a database as one that is hidden, if there is one."""
        while revision in self.hidden:
            if revision in self.inside:
                return None
            revision = self.hidden[revision]
        return revision


def view(everything: Mapping[str, Revision], applied: AbstractSet[str], begun: AbstractSet[str]) -> View:
    """Return what a database sees that has some revisions, of which or beside which some were begun and not ended.

    Raises ReplacesWrong, and PartlyReplaced where the old files are needed and gone.
    """
    seen = View(everything, set(applied))
    for squash in _inner_first(everything):
        _decide(seen, everything[squash], applied, begun)
    seen.revisions = {
        name: _with_parents(one, seen) if seen.hidden else one
        for name, one in everything.items()
        if name not in seen.hidden
    }
    return seen


def _decide(seen: View, squash: Revision, applied: AbstractSet[str], begun: AbstractSet[str]) -> None:
    own, replaced = squash.revision, squash.replaces
    states = {_state(seen, one, begun) for one in replaced}
    if own in applied or own in begun or states == {"none"}:
        pass
    elif states == {"all"}:
        seen.adopting.append(own)
        seen.applied.add(own)
    else:
        missing = tuple(one for one in replaced if _state(seen, one, begun) != "all")
        gone = [one for one in replaced if one not in seen.revisions]
        if gone:
            raise PartlyReplaced(own, missing, gone)
        seen.waiting[own] = missing
        seen.hidden[own] = replaced[-1]
        return
    seen.applied.difference_update(replaced)
    seen.hidden.update(dict.fromkeys(replaced, own))
    seen.inside.update(replaced[:-1])


def _state(seen: View, revision: str, begun: AbstractSet[str]) -> State:
    if revision in begun or revision in seen.waiting:
        return "some"
    return "all" if revision in seen.applied else "none"


def _with_parents(one: Revision, seen: View) -> Revision:
    parents = tuple(dict.fromkeys(seen.place(parent) for parent in one.down_revisions))
    return one if parents == one.down_revisions else replace(one, down_revisions=parents)


def _inner_first(everything: Mapping[str, Revision]) -> Iterator[str]:
    """Yield the squashes, each after those that it replaces."""
    squashes = {name: one.replaces for name, one in sorted(everything.items()) if one.replaces}
    by: dict[str, str] = {}
    for name, replaced in squashes.items():
        for one in replaced:
            if one in by:
                raise ReplacesWrong((by[one], name), f"both replace {one}")
            by[one] = name
    try:
        order = list(TopologicalSorter(squashes).static_order())
    except CycleError as error:
        raise ReplacesWrong(sorted(set(error.args[1])), "replace each other, or themselves") from None
    return (name for name in order if name in squashes)
