"""How a write that leaves its unit unseen is noticed: by the command events of PyMongo.

A binding holds in one kind of client and in one context. A write of the same context that goes another way (another
session, another client, a thread that copied the context) succeeds by itself and survives a rollback. PyMongo tells
its listeners of each command in the context of the caller, also on the threads of Motor; so a context variable that
is set and reset together with the binding says whose write it should have been. An abort that fails is seen as well,
since PyMongo swallows its error.
"""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar, Token
from typing import Any

from pymongo.monitoring import CommandFailedEvent, CommandListener, CommandStartedEvent, CommandSucceededEvent

from boundwork.uow.escapes import EscapedWrite
from boundwork.uow.failures import FailureKind, SessionFailure
from boundwork.uow.sessions.writing_commands import MAY_WRITE, write_of

ABORT = "abortTransaction"
ENDED = {20, 251, 256}
"""The server has no transactions, has not this one, or has committed it: nothing can be open."""
STAYS_OPEN = "what it has locked may stay locked until the server's time limit for transactions"


def guard() -> CommandListener:
    """Return a listener that sees writes leave their unit: `MongoClient(..., event_listeners=[boundwork.guard()])`.

    Give it to the client of the units and to those that are used beside it, of either colour and of Motor. The commit
    of a unit in whose block such a client wrote outside of the unit's session raises `WriteEscaped`. Nobody can add a
    listener to a client that exists; `connect()` has done it.
    """
    return Guard()


def is_guarded(client: Any) -> bool:
    """Tell whether a client has the listener."""
    return any(isinstance(listener, Guard) for listener in client.options.event_listeners)


class Watch:
    """The watch over one session of a guarded client, in the contexts that its binding reaches."""

    __slots__ = ("_escaped", "_session", "_token", "failed_abort")

    def __init__(self) -> None:
        """Watch nothing yet."""
        self._escaped: EscapedWrite | None = None
        self._session: Any = None
        self._token: Token[Watch | None] | None = None
        self.failed_abort: SessionFailure | None = None

    def begin(self, session: Any) -> None:
        """Expect the writes of this context in a session of PyMongo."""
        self._session = session
        self._token = _EXPECTED.set(self)
        _OPEN.add(self)

    def suspend(self) -> None:
        """Expect no writes of this context any more; ValueError where `begin` was called in another one."""
        if self._token is not None:
            _EXPECTED.reset(self._token)
            self._token = None

    def end(self) -> None:
        """Expect none anywhere: contexts that were copied from this one outlive the unit."""
        self._session = None
        _OPEN.discard(self)

    def take(self) -> EscapedWrite | None:
        """Return the first write that left the session, and forget it."""
        escaped = self._escaped
        if escaped is not None:
            self._escaped = None
        return escaped

    def raise_failed_abort(self) -> None:
        """Raise the failure of the last abort, once."""
        failure, self.failed_abort = self.failed_abort, None
        if failure is not None:
            raise failure

    def miss(self, command: Mapping[str, Any], database: str) -> None:
        """Note a write, unless it is in the transaction of this unit or of any other one that is open."""
        if self._escaped is not None or self.holds(command):
            return
        # A unit that was handed over is used where another one is bound.
        if not any(watch.holds(command) for watch in tuple(_OPEN)):
            self._escaped = write_of(command, database)

    def holds(self, command: Mapping[str, Any]) -> bool:
        """Tell whether a command is in the session's transaction: a session has but one at a time."""
        # Asked for by its public name, the id of a session that nobody has used yet would be made here.
        used = getattr(self._session, "_server_session", None)
        return command.get("autocommit") is False and command.get("lsid") == getattr(used, "session_id", None)


_EXPECTED: ContextVar[Watch | None] = ContextVar("boundwork_expected_session", default=None)
_OPEN: set[Watch] = set()


@contextmanager
def meant() -> Generator[None]:
    """Expect no writes of this context in a session: one of ours is to stand by itself."""
    token = _EXPECTED.set(None)
    try:
        yield
    finally:
        _EXPECTED.reset(token)


class Guard(CommandListener):
    """Looks at each command before it is sent; where no unit is open, or the command only reads, that is all."""

    def started(self, event: CommandStartedEvent) -> None:
        """Compare a write with the session that it is expected in."""
        watch = _EXPECTED.get()
        if watch is not None and event.command_name in MAY_WRITE:
            watch.miss(event.command, event.database_name)

    def succeeded(self, event: CommandSucceededEvent) -> None:
        """Forget that the same abort failed before."""
        if event.command_name == ABORT and (watch := _EXPECTED.get()) is not None:
            watch.failed_abort = None

    def failed(self, event: CommandFailedEvent) -> None:
        """Note an abort that failed and may have left its transaction open."""
        if event.command_name == ABORT and (watch := _EXPECTED.get()) is not None:
            code = event.failure.get("code")
            kind = FailureKind.NETWORK if code is None else FailureKind.SERVER
            failed = SessionFailure(kind, code=code, detail={"text": STAYS_OPEN})
            watch.failed_abort = None if code in ENDED else failed
