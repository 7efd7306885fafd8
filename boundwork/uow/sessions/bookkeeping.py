"""Which commands of a driver's session were ours.

A transaction can be repeated only if all its commands are in the unit's log. The program's own calls join the
session without passing through here, and PyMongo has no public word for what a session was used for. It asks the
session to put its marks on each command, though, in the context of the caller: what it asks for outside of a call of
ours is a command of somebody else, also where the two overlap.
"""

from collections.abc import Sequence
from contextvars import ContextVar
from types import TracebackType
from typing import Any, TypeVar

from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.synchronous.client_session import ClientSession

from boundwork.uow.commands import BulkWrite
from boundwork.uow.sessions.pymongo_failures import raise_failure

SessionT = TypeVar("SessionT")
_OURS: ContextVar[bool] = ContextVar("boundwork_command_is_ours", default=False)


class WatchedSession(ClientSession):
    """A session that notes the commands of others."""

    used_by_others = False

    def _apply_to(self, *args: Any, **keywords: Any) -> None:
        if not _OURS.get():
            self.used_by_others = True
        super()._apply_to(*args, **keywords)


class AsyncWatchedSession(AsyncClientSession):
    """The same of the asynchronous driver."""

    used_by_others = False

    def _apply_to(self, *args: Any, **keywords: Any) -> None:
        if not _OURS.get():
            self.used_by_others = True
        super()._apply_to(*args, **keywords)


class Bookkeeping:
    """Counts the commands of a session and watches for foreign ones; `with books.own(1)` goes around each of ours."""

    def __init__(self) -> None:
        """Begin with no command."""
        self.session: Any = None
        self.commands = 0
        self.begun = False

    @property
    def foreign(self) -> bool:
        """Tell whether a command of the present transaction was not ours."""
        return self.session is not None and self.session.used_by_others

    def watch(self, session: SessionT) -> SessionT:
        """Return a session of PyMongo, watched from now on."""
        self.session = session
        self.session.__class__ = WatchedSession if isinstance(session, ClientSession) else AsyncWatchedSession
        return session

    def begin(self) -> None:
        """Note that a new transaction begins."""
        self.begun = False
        self.session.used_by_others = False

    def own(self, commands: int = 1, bulks: Sequence[BulkWrite] = ()) -> "_Own":
        """Return a manager for one call of ours: it counts, and raises what went wrong as `SessionFailure`."""
        self.commands += commands
        self.begun = self.begun or commands > 0
        return _Own(bulks) if bulks else _WITHOUT_BULKS


class _Own:
    __slots__ = ("_bulks",)

    def __init__(self, bulks: Sequence[BulkWrite]) -> None:
        self._bulks = bulks

    def __enter__(self) -> None:
        _OURS.set(True)

    def __exit__(self, _: type[BaseException] | None, error: BaseException | None, __: TracebackType | None) -> None:
        _OURS.set(False)
        if error is not None:
            raise_failure(error, self._bulks)


_WITHOUT_BULKS = _Own(())
