"""What is lost where a loop is left early that drives a generator with a unit or a nested unit in it.

Python ends such a generator at once by GeneratorExit, which rolls its block back, also what the body of the loop has
changed in it, and the program goes on behind the loop. That must not be silent: the error of a whole unit is raised,
which Python prints, since nobody is there to catch it; that of a nested one dooms the unit around it.
"""

from typing import TYPE_CHECKING

from boundwork.errors import NestedUnitOfWork
from boundwork.uow.frames import is_dropped
from boundwork.uow.savepoints import is_untouched

if TYPE_CHECKING:
    from boundwork.uow.levels import Level
    from boundwork.uow.unit import Unit


def lost_work(unit: "Unit", level: "Level", error: BaseException | None) -> NestedUnitOfWork | None:
    """Return the error of a level that is left so, with work in it that is lost; else None."""
    if not isinstance(error, GeneratorExit) or not level.iterated or not is_dropped(level.frame):
        return None
    savepoint = unit.savepoints[-1] if unit.savepoints else None
    if is_untouched(unit.workspace, savepoint) and not unit.session.foreign:
        return None
    return NestedUnitOfWork(
        f"The loop over the generator {level.name} was left early, so the unit of work {unit.name} that the generator "
        "holds was rolled back with all that was changed in it, by the body of the loop as well. Hold the unit around "
        "the loop by unit(), or let the generator come to its end (list).",
    )
