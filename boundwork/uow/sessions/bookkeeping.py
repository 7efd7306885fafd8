"""Which commands of a driver's session were ours.

A transaction can be repeated only if all its commands are in the unit's log. The program's own calls join the
session without passing through here, and PyMongo has no public word for how often a session was used. Its server
session notes the time of its last use, though: where that moved without us, somebody else sent a command.
"""

from collections.abc import Sequence
from types import TracebackType
from typing import Any

from boundwork.uow.commands import BulkWrite
from boundwork.uow.sessions.pymongo_failures import raise_failure


class Bookkeeping:
    """Counts the commands of a session and watches for foreign ones; `with books.own(1)` goes around each of ours."""

    def __init__(self) -> None:
        """Begin with no command."""
        self.session: Any = None
        self.commands = 0
        self.begun = False
        self._foreign = False
        self._last_use: float | None = None

    @property
    def foreign(self) -> bool:
        """Tell whether a command of the present transaction was not ours."""
        return self._foreign or _last_use(self.session) != self._last_use

    def begin(self) -> None:
        """Note that a new transaction begins."""
        self.begun = False
        self._foreign = False
        self._last_use = _last_use(self.session)

    def own(self, commands: int = 1, bulks: Sequence[BulkWrite] = ()) -> "_Own":
        """Return a manager for one call of ours: it counts, and raises what went wrong as `SessionFailure`."""
        self._foreign = self.foreign
        self.commands += commands
        self.begun = self.begun or commands > 0
        return _Own(self, bulks)

    def noted(self) -> None:
        """Note that the session was used by us just now."""
        self._last_use = _last_use(self.session)


class _Own:
    __slots__ = ("_books", "_bulks")

    def __init__(self, books: Bookkeeping, bulks: Sequence[BulkWrite]) -> None:
        self._books = books
        self._bulks = bulks

    def __enter__(self) -> None:
        pass

    def __exit__(self, _: type[BaseException] | None, error: BaseException | None, __: TracebackType | None) -> None:
        self._books.noted()
        raise_failure(error, self._bulks)


def _last_use(session: Any) -> float | None:
    return getattr(getattr(session, "_server_session", None), "last_use", None)
