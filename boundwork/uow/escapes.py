"""What becomes of a unit that a write has left unseen: its commit is refused.

The unit cannot take that write back, and does not know what else hangs on it. It can keep the rest from being half of
a whole that nobody meant, and say so. Where the unit ends without a commit the log says it.
"""

import logging
from typing import TYPE_CHECKING

from boundwork.errors import WriteEscaped
from boundwork.models.data import data

if TYPE_CHECKING:
    from boundwork.uow.unit import Unit

logger = logging.getLogger("boundwork.unit")


@data(frozen=True, slots=True)
class EscapedWrite:
    """A write that was sent past the session of a unit; `collection` is None where it names none."""

    command: str
    database: str
    collection: str | None


def refuse_escaped(unit: "Unit") -> None:
    """Doom a unit and raise WriteEscaped if a write has left its session."""
    escaped = unit.session.take_escaped()
    if escaped is not None:
        error = WriteEscaped(unit.name, escaped.command, escaped.database, escaped.collection)
        unit.doom(error)
        raise error


def report_escaped(unit: "Unit") -> None:
    """Log a write that has left the session of a unit, where no commit was there to be refused."""
    escaped = unit.session.take_escaped()
    if escaped is not None:
        place = f"{escaped.database}.{escaped.collection or '*'}"
        logger.warning("unit %s: %s on %s left its session; what it did stays", unit.name, escaped.command, place)
