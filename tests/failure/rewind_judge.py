"""The model that judges a program of the rewind tests: what every object and the database must be.

It knows what every object was at the entry of the unit, at each savepoint and at the last commit, and what the database
must hold. Errors are judged too: each needs a reason that the program gave.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from contextvars import Context
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

from hypothesis.stateful import RuleBasedStateMachine

from boundwork import BoundworkError, DuplicateKey, InvalidDocument, StaleDocument, TransientFailure
from boundwork.uow.states import State
from tests.failure.rewind_models import Shop, Thing
from tests.failure.rewind_shots import PRIVATE, Shot, plain

FREE, ADDED, STORED, REMOVED = "free", "added", "stored", "removed"
EXCUSES: dict[type[BoundworkError], set[str]] = {
    DuplicateKey: {"duplicate"},
    StaleDocument: {"rival"},
    TransientFailure: {"rival", "commit"},
    InvalidDocument: {"spoiled"},
}


class Place(Protocol):
    """Where a program runs; `handle` is the database of the present program."""

    handle: Any

    def emptied(self) -> Any:
        """Return the handle of a database without things."""

    def failing_commit(self) -> AbstractContextManager[None] | None:
        """Return what lets the next commit fail, None where nothing can."""


@dataclass(slots=True)
class Holding:
    """One object of the program: its id, how it stands, and what of it the database had when it was read."""

    thing: Thing
    key: int
    status: str
    base: Any = None
    chosen: int = 0


@dataclass(slots=True)
class Level:
    """What all objects of the unit were at its entry, or at that of a savepoint; so many `places` were taken then."""

    shots: dict[int, tuple[Shot, str, Any]] = field(default_factory=dict[int, tuple[Shot, str, Any]])
    places: int = 0
    sent: bool = False


class Judged(RuleBasedStateMachine):
    """The objects of a program, and what they must be."""

    place: ClassVar[Place]

    def __init__(self) -> None:
        super().__init__()
        self.holdings: list[Holding] = []
        self.levels: list[Level] = []
        self.nested: list[AbstractContextManager[Shop]] = []
        self.kept: list[tuple[str, Any]] = []
        self.choices = 0
        self.reasons: set[str] = set()
        self.database: dict[int, Any] = {}
        self.versions: dict[int, list[Any]] = {}
        self.manager: AbstractContextManager[Shop] | None = None
        self.doomed = False
        self.uow: Shop

    def _committed(self) -> None:
        for holding in self.holdings:
            if holding.status == REMOVED and holding.base is not None:
                self.database.pop(holding.key, None)
        for holding in self.holdings:
            content = plain(holding.thing)
            if holding.status == ADDED or (holding.status == STORED and content != holding.base):
                self.database[holding.key] = content
            holding.status = STORED if holding.status in {ADDED, STORED} else FREE
            holding.key = holding.thing.id
            holding.base = content if holding.status == STORED else None
        shots = {
            place: (Shot(holding.thing), STORED, holding.base)
            for place, holding in enumerate(self.holdings)
            if holding.status == STORED
        }
        self.levels = [Level(shots)]
        self.versions = {thing_id: [content] for thing_id, content in self.database.items()}
        self.reasons.discard("duplicate")

    def _rewound(self, level: Level) -> None:
        """Compare with what everything was; of what several objects hold, what it was first."""
        first: dict[int, Shot] = {}
        for shot, _, _ in level.shots.values():
            for identity, inner in shot.containers():
                first.setdefault(identity, inner)
        for place, (shot, status, base) in list(level.shots.items()):
            holding = self.holdings[place]
            differences = list(shot.differences(holding.thing, first=first))
            assert differences == [], f"{holding.key} ({holding.status}): {differences}"
            holding.status, holding.base = status, base
            if status == FREE:
                self._forget(place)
        self._let_go(level)

    def _note_sent(self) -> None:
        """Note whose work a flush sends: that of the innermost level that has changed anything, and of those inside."""
        for level in reversed(self.levels):
            level.sent = True
            if self._differs(level):
                return

    def _differs(self, level: Level) -> bool:
        """Tell whether an object is not what it was when a level began."""
        return any(
            self.holdings[place].status != status or any(shot.differences(self.holdings[place].thing))
            for place, (shot, status, _) in level.shots.items()
        )

    def _let_go(self, level: Level) -> None:
        """Take out what was first seen in a savepoint that failed, and whose id an object from before stands for again."""
        before = {holding.key for holding in self.holdings[: level.places] if holding.status in {ADDED, STORED}}
        for place, holding in enumerate(self.holdings[level.places :], level.places):
            if holding.status == STORED and holding.key in before:
                holding.status, holding.base = FREE, None
                self._forget(place)

    def _forget(self, place: int) -> None:
        for outer in self.levels:
            outer.shots.pop(place, None)

    def _reading(self, operation: Callable[[], object]) -> bool:
        """Do something that sends what is pending and changes no object, but for those that it reads again."""
        before = {place: Shot(holding.thing) for place, holding in enumerate(self.holdings)}
        done = self._try(operation, sends=True)
        for place, shot in before.items():
            holding = self.holdings[place]
            differences = list(shot.differences(holding.thing))
            if not differences:
                continue
            assert done, differences
            assert not [difference for difference in differences if difference.startswith(f".{PRIVATE}")]
            assert list(shot.cut_off(holding.thing, {id(held) for _, held in self.kept})) == []
            assert holding.status == STORED
            holding.base = plain(holding.thing)
            assert holding.base in self.versions[holding.key]
            for level in self.levels:
                if place in level.shots:
                    then, status, _ = level.shots[place]
                    level.shots[place] = (then.reread(shot, holding.thing), status, holding.base)
        return done

    def _try(self, operation: Callable[[], object], *, sends: bool) -> bool:
        if sends:
            self._note_sent()
        try:
            operation()
        except BoundworkError as failure:
            self._judge(failure)
            self.doomed = self._is_doomed()
            return False
        return True

    def _judge(self, failure: BoundworkError) -> None:
        """Take a failure only if the program has given a reason for it."""
        if not EXCUSES.get(type(failure), set()) & self.reasons:
            raise AssertionError(f"without a reason: {failure}") from failure

    def _track(self, thing: Thing) -> None:
        content = plain(thing)
        assert content in self.versions[thing.id]
        holding = Holding(thing, thing.id, STORED, content)
        self.holdings.append(holding)
        self._note(holding, STORED)

    def _note(self, holding: Holding, status: str) -> None:
        place = next(place for place, other in enumerate(self.holdings) if other is holding)
        for level in self.levels:
            level.shots.setdefault(place, (Shot(holding.thing), status, holding.base))

    def _works(self) -> bool:
        return self.manager is not None and not self.doomed

    def _is_doomed(self) -> bool:
        return self.uow.core.state is State.DOOMED

    def _pick(self, pick: int, *statuses: str) -> Holding | None:
        """Choose an object; 0 is the one that was chosen last, so that a program comes back to it."""
        fitting = [holding for holding in self.holdings if holding.status in statuses]
        if not fitting:
            return None
        fitting.sort(key=lambda holding: -holding.chosen)
        chosen = fitting[pick % len(fitting)]
        self.choices += 1
        chosen.chosen = self.choices
        return chosen

    def _present(self) -> Iterator[Holding]:
        return (holding for holding in self.holdings if holding.status in {ADDED, STORED})

    def _with_id(self, thing_id: int) -> Holding | None:
        return next((holding for holding in self._present() if holding.key == thing_id), None)

    def _removed_ids(self) -> set[int]:
        return {holding.key for holding in self.holdings if holding.status == REMOVED and holding.base is not None}

    def _visible(self) -> set[int]:
        return (set(self.database) - self._removed_ids()) | {holding.key for holding in self._present()}

    def _check_stored(self) -> None:
        stored = self._stored()
        assert sorted(stored) == sorted(self.database)
        for key, content in stored.items():
            assert content == self.database[key], key

    def _stored(self) -> dict[int, Any]:
        """Return what a unit that knows nothing of this one finds in the database."""

        def read() -> dict[int, Any]:
            with Shop(self.place.handle) as uow:
                return {thing.id: plain(thing) for thing in uow.things.find()}

        return Context().run(read)
