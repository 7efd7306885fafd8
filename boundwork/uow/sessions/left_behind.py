"""What becomes of a session that was bound in one context and ended in another.

Only the context that bound it can undo that. PyMongo asks a bound session for its truth before it takes it, in the
context of the call: there the binding is undone as soon as that is possible, and the call goes its own way. In a
context that was copied from that one, as child tasks have, the call is refused by PyMongo as before.
"""

from collections.abc import Callable, Coroutine
from typing import Any

from pymongo.synchronous.client_session import ClientSession

from boundwork.uow.run_sync import run_sync
from boundwork.uow.sessions.bookkeeping import AsyncWatchedSession, WatchedSession


class _LeftBehind(WatchedSession):
    """A session that can say whether it is bound where it is asked."""

    def __bool__(self) -> bool:
        return _stays(self)


class _AsyncLeftBehind(AsyncWatchedSession):
    """The same of the asynchronous driver."""

    def __bool__(self) -> bool:
        return _stays(self)


def leave_behind(session: Any, unbind: Callable[[], Coroutine[Any, Any, bool]]) -> None:
    """Let a session be unbound later, by the next call of the driver in the context that bound it."""
    kind: type[Any] = _LeftBehind if isinstance(session, ClientSession) else _AsyncLeftBehind
    changed: Any = session
    changed.unbind = unbind
    changed.__class__ = kind


def _stays(session: Any) -> bool:
    """Undo the binding of a session that has ended, if it was made here; True if there is nothing to undo."""
    return not (session.has_ended and run_sync(session.unbind()))
