"""A session around another one, as far as it is not about documents.

Whoever decides something about commands begins here and writes down each kind of command, so that none passes unseen.
"""

from collections.abc import Callable, Coroutine
from typing import Any

from bson.timestamp import Timestamp

from boundwork.uow.commands import UniqueKey
from boundwork.uow.escapes import EscapedWrite
from boundwork.uow.port import BoundSession


class PassingSession:
    """A session around another one."""

    def __init__(self, inner: BoundSession) -> None:
        """Stand before a session."""
        self._inner = inner

    async def open(self) -> None:
        """Open the session."""
        await self._inner.open()

    async def unique_keys(self, collection: str) -> tuple[UniqueKey, ...]:
        """Return the unique keys."""
        return await self._inner.unique_keys(collection)

    async def create_aside(self, collection: str) -> None:
        """Make a collection outside of the transaction."""
        await self._inner.create_aside(collection)

    async def commit(self) -> None:
        """Commit."""
        await self._inner.commit()

    async def probe(self) -> None:
        """Learn the fate of a commit."""
        await self._inner.probe()

    async def abort(self) -> None:
        """Abort."""
        await self._inner.abort()

    async def overtake(self) -> None:
        """Abort, whatever was interrupted."""
        await self._inner.overtake()

    async def outlast(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Await work that outlasts an interruption."""
        await self._inner.outlast(work)

    async def begin(self) -> None:
        """Begin the next transaction."""
        await self._inner.begin()

    async def bind(self) -> None:
        """Bind the session here."""
        await self._inner.bind()

    async def unbind(self) -> bool:
        """Undo the binding."""
        return await self._inner.unbind()

    async def close(self) -> None:
        """End the session."""
        await self._inner.close()

    async def pause(self, seconds: float) -> None:
        """Wait."""
        await self._inner.pause(seconds)

    @property
    def foreign(self) -> bool:
        """Tell of commands that did not come through here."""
        return self._inner.foreign

    def take_escaped(self) -> EscapedWrite | None:
        """Return a write that left the session."""
        return self._inner.take_escaped()

    def may_repeat(self, error: BaseException | None) -> bool:
        """Tell whether an error of the driver permits another attempt."""
        return self._inner.may_repeat(error)

    @property
    def commands(self) -> int:
        """The number of commands sent so far."""
        return self._inner.commands

    @property
    def operation_time(self) -> Timestamp | None:
        """The server's time of the last command."""
        return self._inner.operation_time

    @property
    def database(self) -> Any:
        """The handle for the program's own calls, which do not come through here."""
        return self._inner.database
