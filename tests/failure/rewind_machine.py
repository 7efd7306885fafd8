"""A program drawn at random: units, savepoints, edits of every kind, failures. `Judged` says what must become of it."""

from contextlib import suppress
from contextvars import Context
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from boundwork import BoundworkError, NotInUnit, TransientFailure
from tests.failure.rewind_judge import ADDED, FREE, REMOVED, STORED, Holding, Judged, Level
from tests.failure.rewind_models import EDITS, HOLDS, Bare, Part, Shop, Thing, Wide, change_in_place, new_thing
from tests.failure.rewind_shots import Shot, plain

IDS = 5
SEEDED = 4
MOST_FREE = 2
numbers = st.integers(0, 3)
picks = st.sampled_from([0, 0, 0, 1, 1, 2, 3, 4])
ids = st.integers(0, IDS - 1)
edits = st.lists(st.tuples(picks, st.sampled_from(sorted(EDITS)), numbers), min_size=1, max_size=5)
own_edits = st.lists(st.tuples(st.sampled_from(sorted(EDITS)), numbers), max_size=3)
parts = st.sampled_from(sorted(HOLDS))


class Thrown(Exception):
    """The program's own failure."""


class Rewinding(Judged):
    """The program and its judge."""

    @initialize(number=numbers, replay_seconds=st.sampled_from([0, 30]))
    def seed(self, number: int, replay_seconds: int) -> None:
        self.shop = Shop(self.place.emptied(), replay_seconds=replay_seconds)
        with self.shop as uow:
            for thing_id in range(SEEDED - 2):
                uow.add(new_thing(thing_id, (thing_id + number) % 4))
            uow.add(Wide(id=SEEDED - 2))
            uow.add(Bare(id=SEEDED - 1))
        self.database = self._stored()
        assert set(self.database) == set(range(SEEDED))
        self._enter()

    # Units and savepoints

    def _enter(self) -> None:
        self.manager = self.shop.unit()
        self.uow = self.manager.__enter__()
        self.levels, self.nested, self.doomed = [Level()], [], False
        self.reasons = {"spoiled"} if any(type(held.thing.count) is not int for held in self.holdings) else set()
        self.versions = {thing_id: [content] for thing_id, content in self.database.items()}

    @precondition(lambda self: len(self.levels) < 4 and not self.doomed)
    @rule()
    def open_savepoint(self) -> None:
        shots = {
            place: (Shot(holding.thing), holding.status, holding.base)
            for place, holding in enumerate(self.holdings)
            if holding.status != FREE
        }
        self.levels.append(Level(shots, places=len(self.holdings)))
        self.nested.append(self.shop)
        assert self.shop.__enter__() is self.uow

    @precondition(lambda self: len(self.levels) > 1 and not self.doomed)
    @rule()
    def leave_savepoint_well(self) -> None:
        sent = self.levels.pop().sent
        self.levels[-1].sent |= sent
        self.nested.pop().__exit__(None, None, None)

    @precondition(lambda self: len(self.levels) > 1)
    @rule(look=st.booleans())
    def fail_in_savepoint(self, look: bool) -> None:
        level = self.levels.pop()
        error = Thrown()
        self.nested.pop().__exit__(Thrown, error, None)
        was_doomed, self.doomed = self.doomed, self._is_doomed()
        assert not self.doomed or was_doomed or level.sent, "a savepoint that sent nothing was not undone"
        self._rewound(level)
        self._look(look)

    @precondition(lambda self: len(self.levels) == 1)
    @rule(thrown=st.booleans())
    def leave(self, thrown: bool) -> None:
        self._leave(Thrown() if thrown else None)
        self._enter()

    @precondition(lambda self: len(self.levels) == 1 and not self.doomed)
    @rule()
    def commit(self) -> None:
        if self._try(self.uow.commit, sends=True):
            self._committed()
            self._check_stored()

    @precondition(lambda self: len(self.levels) == 1)
    @rule(look=st.booleans())
    def roll_back(self, look: bool) -> None:
        self.uow.rollback()
        self.doomed = False
        self._rewound(self.levels[0])
        self.levels = [Level({place: shot for place, shot in self.levels[0].shots.items() if shot[1] == STORED})]
        self.versions = {thing_id: [content] for thing_id, content in self.database.items()}
        self._look(look)

    # Documents

    @precondition(lambda self: self._works())
    @rule(thing_id=ids)
    def get(self, thing_id: int) -> None:
        holding = self._with_id(thing_id)
        visible = thing_id in self._visible()
        found: list[Thing | None] = []
        if not self._reading(lambda: found.append(self.uow.things.find_by_id(thing_id))):
            return
        assert (found[0] is not None) == visible
        if holding is not None:
            assert found[0] is holding.thing
        elif found[0] is not None:
            self._track(found[0])

    @precondition(lambda self: self._works())
    @rule()
    def find(self) -> None:
        found: list[Thing] = []
        if not self._reading(lambda: found.extend(self.uow.things.find())):
            return
        assert sorted(thing.id for thing in found) == sorted(self._visible())
        for thing in found:
            holding = self._with_id(thing.id)
            assert holding is None or holding.thing is thing
            if holding is None:
                self._track(thing)

    @precondition(lambda self: self._works())
    @rule(thing_id=ids, number=numbers, changes=own_edits, kept=st.none() | parts)
    def make_and_add(self, thing_id: int, number: int, changes: list[tuple[str, int]], kept: str | None) -> None:
        thing = new_thing(thing_id, number)
        for kind, argument in changes:
            EDITS[kind](thing, argument)
        if kept is not None:
            self.kept.append((kept, HOLDS[kept](thing)))
        holding = Holding(thing, thing_id, FREE)
        self.holdings.append(holding)
        self._add(holding)

    @precondition(lambda self: self._works())
    @rule(pick=picks)
    def add(self, pick: int) -> None:
        holding = self._pick(pick, FREE, REMOVED)
        if holding is not None:
            self._add(holding)

    def _add(self, holding: Holding) -> None:
        taken = self._with_id(holding.key)
        try:
            self.uow.add(holding.thing)
        except NotInUnit:
            assert taken is not None
            return
        assert taken is None, "two objects stand for one document"
        if holding.key in self.database and holding.key not in self._removed_ids():
            self.reasons.add("duplicate")
        if holding.status == FREE:
            self._note(holding, FREE)
        holding.status = STORED if holding.base is not None else ADDED

    @precondition(lambda self: self._works())
    @rule(pick=picks)
    def remove(self, pick: int) -> None:
        holding = self._pick(pick, ADDED, STORED)
        if holding is not None:
            self.uow.remove(holding.thing)
            holding.status = REMOVED

    @rule(changes=edits)
    def edit(self, changes: list[tuple[int, str, int]]) -> None:
        for pick, kind, number in changes:
            holding = self._pick(pick, ADDED, STORED, REMOVED)
            if holding is not None:
                EDITS[kind](holding.thing, number)

    @rule(pick=picks, kind=parts)
    def hold(self, pick: int, kind: str) -> None:
        holding = self._pick(pick, ADDED, STORED, REMOVED)
        if holding is not None:
            self.kept.append((kind, HOLDS[kind](holding.thing)))

    @precondition(lambda self: self.kept)
    @rule(pick=picks, number=numbers)
    def change_what_is_held(self, pick: int, number: int) -> None:
        kind, held = self.kept[-1 - pick % len(self.kept)]
        change_in_place(kind, held, number)

    @rule(giver=picks, taker=picks)
    def share(self, giver: int, taker: int) -> None:
        one, other = (self._pick(pick, FREE, ADDED, STORED) for pick in (giver, taker))
        if one is not None and other is not None:
            other.thing.part = one.thing.part
            other.thing.facts["shared"] = one.thing.tags

    # What the unit sends, and what can go wrong

    @precondition(lambda self: self._works())
    @rule()
    def flush(self) -> None:
        self._reading(self.uow.flush)

    @precondition(lambda self: self._works())
    @rule(pick=picks)
    def refresh(self, pick: int) -> None:
        holding = self._pick(pick, STORED, ADDED)
        if holding is None:
            return
        unchanged = plain(holding.thing) == holding.base
        if self._try(lambda: self.uow.refresh(holding.thing), sends=True) and unchanged:
            holding.base = plain(holding.thing)

    @precondition(lambda self: self._works())
    @rule(pick=picks, new_id=st.booleans())
    def spoil(self, pick: int, new_id: bool) -> None:
        holding = self._pick(pick, STORED)
        if holding is not None and holding.base is not None:
            name, value = ("id", 77) if new_id else ("count", "no number")
            setattr(holding.thing, name, value)
            self.reasons.add("spoiled")

    @rule(pick=picks, number=numbers)
    def rival(self, pick: int, number: int) -> None:
        holding = self._pick(pick, STORED, REMOVED)
        self._let_rival_commit(pick if holding is None else holding.key, number)

    def _let_rival_commit(self, thing_id: int, number: int) -> None:
        """Let another unit commit; one that meets what this unit has written already gives up."""
        if thing_id not in self.database:
            return
        rivals = Shop(self.place.handle, replay_seconds=0)

        def work() -> Any:
            with rivals as uow:
                thing = uow.things.get(thing_id)
                if number != 1:
                    thing.count += 10 + number
                    thing.tags.append("rival")
                if number:
                    thing.parts.append(Part(name="rival"))
            return plain(thing)

        try:
            content = Context().run(work)
        except TransientFailure:
            return
        self.database[thing_id] = content
        self.versions.setdefault(thing_id, []).append(content)
        self.reasons.add("rival")

    @precondition(lambda self: len(self.levels) == 1 and not self.doomed)
    @rule(leaving=st.booleans())
    def fail_the_commit(self, leaving: bool) -> None:
        failing = self.place.failing_commit()
        if failing is None:
            return
        self.reasons.add("commit")
        with failing:
            if leaving:
                self.leave(thrown=False)
            else:
                self.commit()
        self.reasons.discard("commit")

    def teardown(self) -> None:
        manager = self.manager
        try:
            while len(self.levels) > 1:
                self.fail_in_savepoint(look=False)
            if manager is not None:
                self._leave(Thrown())
        finally:
            while manager is not None and self.uow.core.is_open:
                with suppress(BoundworkError):
                    manager.__exit__(Thrown, Thrown(), None)

    # The end of a unit

    def _leave(self, error: BaseException | None) -> None:
        manager, self.manager = self.manager, None
        assert manager is not None
        before = {place: Shot(holding.thing) for place, holding in enumerate(self.holdings)}
        was_doomed = self.doomed
        try:
            manager.__exit__(None if error is None else type(error), error, None)
        except BoundworkError as failure:
            if not was_doomed:
                self._judge(failure)
            error = failure
        if error is None:
            assert not was_doomed
            self._committed()
            for place, shot in before.items():
                assert list(shot.differences(self.holdings[place].thing)) == []
        else:
            self._rewound(self.levels[0])
        self._check_stored()
        self.levels, self.doomed = [], False
        free = [Holding(holding.thing, holding.key, FREE) for holding in self.holdings if holding.status == FREE]
        self.holdings = free[-MOST_FREE:]

    def _look(self, look: bool) -> None:
        """Look for every document, if the program does: what was undone must be found as it is."""
        for thing_id in range(IDS if look else 0):
            if not self.doomed:
                self.get(thing_id)
