"""Which `with` statement entered which level of which unit, so that an exit leaves its own level and no other.

A unit and each savepoint in it are levels. While a block is open its frame is alive, so the frame and what was
entered identify the level in whatever task, thread or context the block is left. Managers such as `ExitStack` enter
and leave by calls from frames of their own: for those the innermost level here that was entered so is meant. No
frame is kept, only its identity.
"""

from collections.abc import Sequence
from functools import partial
from types import FrameType
from typing import TYPE_CHECKING
from weakref import ref

from boundwork.errors import NestedUnitOfWork
from boundwork.uow.frames import GENERATOR, enters_block, is_iterated, is_running

if TYPE_CHECKING:
    from boundwork.uow.open_units import OpenUnit
    from boundwork.uow.unit import Unit

_OF_BLOCKS: "dict[int, Level]" = {}
_BY_HAND: "dict[int, ref[OpenUnit]]" = {}


class Level:
    """One unit or savepoint: the frame that entered it, and how."""

    __slots__ = ("around", "by_hand", "entered", "frame", "iterated", "opened", "place")

    def __init__(self, frame: FrameType, entered: object | None = None) -> None:
        """Note who is entering; `entered` is what will be left, None where a manager holds the unit itself."""
        code = frame.f_code
        self.place = code
        self.frame = id(frame)
        self.entered = 0 if entered is None else id(entered)
        self.iterated = code.co_flags & GENERATOR != 0 and is_iterated(frame)
        self.by_hand = entered is not None and not enters_block(code.co_code, frame.f_lasti)
        self.opened: ref[OpenUnit]
        self.around: Level | None

    @property
    def name(self) -> str:
        """The function of the block, for the texts of errors."""
        return f"{self.place.co_qualname}()"

    def stand_in(self, opened: "OpenUnit") -> None:
        """Become the innermost level of a unit."""
        self.opened = ref(opened)
        opened.unit.levels.append(self)
        if self.by_hand:
            number = id(opened)
            _BY_HAND[number] = ref(opened, partial(_forget, number))
        elif self.entered:
            self.around = _OF_BLOCKS.get(self.frame)
            _OF_BLOCKS[self.frame] = self


def _forget(number: int, _: "ref[OpenUnit]") -> None:
    _BY_HAND.pop(number, None)


def level_of_block(frame: FrameType, entered: object) -> Level | None:
    """Return the level that the `with` of a frame entered, and forget the block; None if it was not entered by one."""
    level = _OF_BLOCKS.pop(id(frame), None)
    if level is None:
        return None
    if level.entered != id(entered) or level.place is not frame.f_code:
        _OF_BLOCKS[id(frame)] = level
        return None
    if level.around is not None:
        _OF_BLOCKS[id(frame)] = level.around
    return level


def level_by_hand(here: Sequence["OpenUnit"], definition: object | None) -> Level | None:
    """Return the level that an exit by hand means: the innermost that was entered by hand, here or else elsewhere.

    Elsewhere it must be in the only such unit of the definition, if there is one. Otherwise it is the innermost here.
    """
    innermost = next((level for opened in reversed(here) for level in reversed(opened.unit.levels)), None)
    return _innermost_by_hand(here) or _elsewhere(definition) or innermost


def refuse_suspended(unit: "Unit") -> None:
    """Raise NestedUnitOfWork if a generator has entered the unit, is driven by a loop, and is suspended just now.

    What is done in the body of the loop would be part of the generator's block, and gone if the loop is left early.
    """
    for level in unit.levels:
        if level.iterated and not is_running(level.frame):
            raise NestedUnitOfWork(
                f"The unit of work {unit.name} that is open here belongs to the generator {level.name}, which is "
                "suspended: what is done in its loop would be lost if the loop is left early. Hold the unit around the "
                "loop by unit(), leave the generator first, or open a separate unit by independent().",
            )


def _innermost_by_hand(units: Sequence["OpenUnit"]) -> Level | None:
    levels = (level for opened in reversed(units) for level in reversed(opened.unit.levels))
    return next((level for level in levels if level.by_hand), None)


def _elsewhere(definition: object) -> Level | None:
    candidates = [opened for known in list(_BY_HAND.values()) if (opened := known()) is not None]
    units = [opened for opened in candidates if opened.definition is definition and opened.unit.is_open]
    return _innermost_by_hand(units) if len(units) == 1 else None
