"""What stands in the place of a unit's workspace after its end, so that nothing of the unit refers to itself.

Objects that refer to each other in a circle wait for Python's collector, which then runs in the middle of other units;
without a circle all that a unit held is freed when its last user lets it go.
"""

from typing import TYPE_CHECKING, Any
from weakref import ref

if TYPE_CHECKING:
    from boundwork.uow.unit import Unit


class EndedWorkspace:
    """The workspace of a unit that has ended: who asks for anything is told so."""

    __slots__ = ("_unit",)

    def __init__(self, unit: "Unit") -> None:
        """Stand in for the workspace of a unit."""
        self._unit = ref(unit)

    def __getattr__(self, name: str) -> Any:
        """Raise UnitClosed."""
        unit = self._unit()
        if unit is not None:
            unit.check()
        raise AttributeError(name)

    def close(self) -> None:
        """Do nothing: all documents were let go of before."""
