"""How revisions hang together, and in which order they run: pure, from values alone.

The order is one for all: parents before children, a branch whole before the next, the same for the same revisions
however they came in. An upgrade runs each ancestor of its target that is not applied, so a branch that was merged
late is run as well. After a downgrade exactly the target and its ancestors are applied. A graph is what one database
sees: of a squash and what it replaces only one is in it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from graphlib import CycleError, TopologicalSorter

from boundwork.alembic_like_migrations.errors import (
    DuplicateRevision,
    MissingParent,
    RevisionCycle,
    RevisionNotApplied,
    RevisionNotFound,
    SeveralHeads,
    StepsImpossible,
    UnknownApplied,
    listed,
)
from boundwork.alembic_like_migrations.names import Name, find
from boundwork.alembic_like_migrations.replacing import view
from boundwork.alembic_like_migrations.revision import Revision


class Graph:
    """The revisions of a project; iterating gives them in the order in which they run.

    `applied` and `begun` are what a database has of them, nothing for an empty one; with squashes it decides which are
    seen. Raises DuplicateRevision, MissingParent, RevisionCycle, ReplacesWrong and PartlyReplaced.
    """

    def __init__(
        self,
        revisions: Iterable[Revision] = (),
        applied: AbstractSet[str] = frozenset(),
        begun: AbstractSet[str] = frozenset(),
    ) -> None:
        self.everything: Mapping[str, Revision] = _by_id(revisions)
        self.view = view(self.everything, applied, begun)
        self._revisions = self.view.revisions
        self._children = _children(self._revisions)
        self._refuse_cycles()
        self._order = tuple(self._ordered())

    def __iter__(self) -> Iterator[Revision]:
        return (self._revisions[revision] for revision in self._order)

    def __len__(self) -> int:
        return len(self._order)

    def __contains__(self, revision: object) -> bool:
        return revision in self._revisions

    def __getitem__(self, revision: str) -> Revision:
        return self._revisions[revision]

    def seen_by(self, applied: AbstractSet[str], begun: AbstractSet[str] = frozenset()) -> "Graph":
        """Return the graph as a database sees it that has these revisions. Raises PartlyReplaced."""
        return Graph(self.everything.values(), applied, begun)

    def naming(self, target: str) -> "Graph":
        """Return the graph in which a target can be named: with the old files, if it is one that a squash replaces."""
        anchor = Name.parsed(target).anchor
        return self.seen_by(frozenset({anchor})) if anchor in self.view.inside & self.everything.keys() else self

    @property
    def applied(self) -> frozenset[str]:
        """What the database that sees this graph has of it; what was replaced counts as its squash."""
        return frozenset(self.view.applied)

    @property
    def replaced(self) -> tuple[Revision, ...]:
        """The revisions that a squash stands for here and that still have files, in order of their ids."""
        hidden = sorted(self.view.hidden.keys() - self.view.waiting.keys())
        return tuple(self.everything[revision] for revision in hidden if revision in self.everything)

    @property
    def names(self) -> frozenset[str]:
        """All ids that are taken: those of files, and those that squashes replace."""
        return frozenset(self.everything) | self.view.hidden.keys()

    def stands_for(self, revision: str) -> str | None:
        """Return the revision here that is the same state as one that is hidden; None for an id that nobody knows.

        Raises RevisionNotFound for one in the middle of what a squash replaces.
        """
        if revision not in self.view.hidden:
            return None
        same = self.view.same(revision)
        if same is None:
            squash = self.view.hidden[revision]
            raise RevisionNotFound(revision, f"{squash} stands for it and others together. Name {squash}.")
        return same

    def parents(self, revision: str) -> tuple[str, ...]:
        """Return the ids that a revision comes after, as its file names them or what stands for those."""
        return self._revisions[revision].down_revisions

    def children(self, revision: str) -> tuple[str, ...]:
        """Return the ids that come directly after a revision, sorted."""
        return self._children[revision]

    @property
    def heads(self) -> tuple[str, ...]:
        """The ids that nothing comes after, in order."""
        return tuple(revision for revision in self._order if not self._children[revision])

    @property
    def bases(self) -> tuple[str, ...]:
        """The ids that come after nothing, in order."""
        return tuple(revision for revision in self._order if not self.parents(revision))

    def ancestors(self, *revisions: str) -> frozenset[str]:
        """Return the ids that must be applied before the given ones, without these unless one is before another."""
        return _reached(revisions, self.parents)

    def descendants(self, *revisions: str) -> frozenset[str]:
        """Return the ids that can only be applied after one of the given ones."""
        return _reached(revisions, self.children)

    def tips(self, applied: AbstractSet[str]) -> tuple[str, ...]:
        """Return the applied ids that are ancestors of no other applied one, in order: where a database stands."""
        known = self._known(applied)
        below = self.ancestors(*known)
        return tuple(revision for revision in self._order if revision in known and revision not in below)

    def resolve(self, name: str) -> tuple[str, ...]:
        """Return the ids that a name means, in order: none for `base`, perhaps several for `heads`, else one.

        A name is a full id, a beginning of one with at least four characters, `head`, `heads`, `base`, or one of
        these and a number of steps, as in `head-2` and `3f2a+1`. Raises RevisionNotFound, RevisionAmbiguous,
        SeveralHeads, and StepsImpossible for steps that nobody can take or that are not clear.
        """
        return find(self, Name.parsed(name))

    def stamped(self, target: str) -> frozenset[str]:
        """Return what is applied in a database that stands at a target: it and its ancestors."""
        return self._closed(self.resolve(target))

    def upgrade_path(self, applied: AbstractSet[str], target: str) -> tuple[Revision, ...]:
        """Return what must run to bring a database to a target, in the order of running.

        `+2` means the first two of what `head` would run. Raises as `resolve`, and UnknownApplied.
        """
        known, name = self._known(applied), Name.parsed(target)
        if name.anchor:
            wanted = self._closed(find(self, name))
            return self._among(wanted - known)
        if name.steps < 0:
            raise StepsImpossible(f"An upgrade cannot take {name.text}. Use a downgrade.")
        pending = self._among(self.stamped("head") - known)
        if len(pending) < name.steps:
            raise StepsImpossible(f"{name.text} was asked for, and {len(pending)} revisions are pending. Use head.")
        return pending[: name.steps]

    def downgrade_path(self, applied: AbstractSet[str], target: str) -> tuple[Revision, ...]:
        """Return what must be reverted so that exactly a target and its ancestors stay, in the order of reverting.

        What is on other branches than the target is reverted as well. `-2` means the last two. Raises as `resolve`,
        UnknownApplied, RevisionNotApplied, and SeveralHeads where it is not clear which was the last.
        """
        known, name = self._known(applied), Name.parsed(target)
        if not name.anchor:
            return self._last(known, name)
        kept = find(self, name)
        for revision in kept:
            if revision not in known:
                raise RevisionNotApplied(revision)
        return self._among(known - self._closed(kept))[::-1]

    def _last(self, applied: frozenset[str], name: Name) -> tuple[Revision, ...]:
        if name.steps > 0:
            raise StepsImpossible(f"A downgrade cannot take {name.text}. Use an upgrade.")
        reverted: list[Revision] = []
        left = set(applied)
        for _ in range(-name.steps):
            tips = self.tips(left)
            if len(tips) > 1:
                raise SeveralHeads(
                    name.text,
                    tips,
                    f"{name.text} is not clear: {listed(tips)} are on different branches. Name the one that is to stay: a "
                    f"downgrade to {tips[0]} reverts all that it does not come after.",
                )
            if not tips:
                raise StepsImpossible(
                    f"{name.text} was asked for, and {len(applied)} revisions are applied. Use base to revert all."
                )
            reverted.append(self._revisions[tips[0]])
            left.discard(tips[0])
        return tuple(reverted)

    def _closed(self, revisions: Iterable[str]) -> frozenset[str]:
        named = tuple(revisions)
        return self.ancestors(*named) | frozenset(named)

    def _among(self, revisions: AbstractSet[str]) -> tuple[Revision, ...]:
        return tuple(self._revisions[revision] for revision in self._order if revision in revisions)

    def _known(self, applied: AbstractSet[str]) -> frozenset[str]:
        unknown = sorted(revision for revision in applied if revision not in self._revisions)
        if unknown:
            raise UnknownApplied(unknown)
        return frozenset(applied)

    def _refuse_cycles(self) -> None:
        parents = {revision: sorted(set(self.parents(revision))) for revision in sorted(self._revisions)}
        try:
            TopologicalSorter(parents).prepare()
        except CycleError as error:
            raise RevisionCycle(error.args[1]) from None

    def _ordered(self) -> Iterator[str]:
        """Yield parents before children; what became ready last comes first, so that a branch is followed to its end."""
        missing = {revision: len(set(self.parents(revision))) for revision in self._revisions}
        ready = sorted((revision for revision, count in missing.items() if not count), reverse=True)
        while ready:
            revision = ready.pop()
            yield revision
            for child in reversed(self._children[revision]):
                missing[child] -= 1
                if not missing[child]:
                    ready.append(child)


def _by_id(revisions: Iterable[Revision]) -> dict[str, Revision]:
    found: dict[str, Revision] = {}
    for one in revisions:
        if one.revision in found:
            raise DuplicateRevision(one.revision, (found[one.revision].path, one.path))
        found[one.revision] = one
    return found


def _children(revisions: Mapping[str, Revision]) -> dict[str, tuple[str, ...]]:
    found: dict[str, set[str]] = {revision: set() for revision in revisions}
    for revision in sorted(revisions):
        for parent in revisions[revision].down_revisions:
            if parent not in found:
                raise MissingParent(revision, parent, revisions[revision].path)
            found[parent].add(revision)
    return {revision: tuple(sorted(children)) for revision, children in found.items()}


def _reached(starts: Iterable[str], onward: Callable[[str], tuple[str, ...]]) -> frozenset[str]:
    reached: set[str] = set()
    ahead = [after for start in starts for after in onward(start)]
    while ahead:
        revision = ahead.pop()
        if revision not in reached:
            reached.add(revision)
            ahead.extend(onward(revision))
    return frozenset(reached)
