"""Scenes: several steps of a program that are rarely drawn one after the other, and where most can go wrong together."""

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.failure.rewind_judge import FREE, STORED, Holding
from tests.failure.rewind_machine import Rewinding, edits, ids, numbers, picks
from tests.failure.rewind_models import EDITS, UNSTORED, Part, Thing

some_edits = st.lists(st.tuples(picks, st.sampled_from(sorted(EDITS)), numbers), max_size=2)
unstored = st.lists(st.tuples(st.sampled_from(sorted(UNSTORED)), numbers), max_size=3)
Unseen = list[tuple[str, int]]
Some = list[tuple[int, str, int]]


class Scenes(Rewinding):
    """A program of steps and scenes."""

    @precondition(lambda self: len(self.levels) < 4 and self._works())
    @rule(before=some_edits, inside=edits, flushed=st.booleans(), look=st.booleans())
    def edit_in_a_savepoint_that_fails(self, before: Some, inside: Some, flushed: bool, look: bool) -> None:
        self.edit(before)
        self.open_savepoint()
        self.edit(inside)
        if flushed:
            self.flush()
        self.fail_in_savepoint(look=look)

    @precondition(lambda self: len(self.levels) == 1 and self._works())
    @rule(giver=picks, taker=picks, number=numbers)
    def change_what_is_shared_and_roll_back(self, giver: int, taker: int, number: int) -> None:
        """Change a part through both of the documents that have it."""
        self.share(giver, taker)
        self.edit([(0, "part name", number), (1, "part name", number + 1)])
        self.roll_back(look=False)

    @precondition(lambda self: len(self.levels) == 1 and self._works())
    @rule(pick=picks, rival=st.none() | numbers, unseen=unstored, inside=some_edits, back=st.booleans())
    def come_back_after_a_commit(self, pick: int, rival: int | None, unseen: Unseen, inside: Some, back: bool) -> None:
        self._come_back(pick, rival, unseen, inside)
        if back:
            self.roll_back(look=False)

    @precondition(lambda self: len(self.levels) == 1 and self._works())
    @rule(pick=picks, rival=numbers, unseen=unstored)
    def come_back_to_what_a_rival_changed(self, pick: int, rival: int, unseen: Unseen) -> None:
        self._come_back(pick, rival, unseen, [])
        self.roll_back(look=False)

    @precondition(lambda self: len(self.levels) == 1 and self._works())
    @rule(pick=picks, rival=st.none() | numbers, unseen=unstored, removed=st.booleans(), inside=some_edits)
    def come_back_in_a_savepoint_that_fails(
        self, pick: int, rival: int | None, unseen: Unseen, removed: bool, inside: Some
    ) -> None:
        self._come_back(pick, rival, unseen, inside, nested=True, removed=removed)

    def _come_back(
        self, pick: int, rival: int | None, unseen: Unseen, inside: Some, *, nested: bool = False, removed: bool = False
    ) -> None:
        """Read a document again, or remove it unread; others and the program may have changed something meanwhile."""
        self.commit()
        holding = None if self.doomed else self._pick(pick, STORED)
        if holding is None:
            return
        if rival is not None:
            self._let_rival_commit(holding.key, rival)
        self._change_unseen(holding, unseen)
        title = holding.thing.title
        if nested:
            holding.thing.title = title if removed else "not saved yet"
            self.open_savepoint()
            holding.thing.title = title
            self._change_unseen(holding, unseen)
        if removed:
            self.remove(pick=0)
        else:
            self.get(holding.key)
        self.edit(inside)
        if nested:
            self.fail_in_savepoint(look=False)

    def _change_unseen(self, holding: Holding, changes: Unseen) -> None:
        for kind, number in changes:
            UNSTORED[kind](holding.thing, number)

    @precondition(lambda self: self._works())
    @rule(thing_id=ids, number=numbers)
    def add_around_a_part_that_is_held(self, thing_id: int, number: int) -> None:
        """Hold a part from before its document was made; it is watched from the first flush on."""
        part = Part(name="before", marks=[number])
        holding = Holding(Thing(id=thing_id, part=part), thing_id, FREE)
        self.holdings.append(holding)
        self._add(holding)
        if holding.status != FREE:
            self.flush()
            self.kept.append(("part", part))
