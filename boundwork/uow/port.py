"""The one door between a unit of work and a server.

The core awaits nothing but the methods of `BoundSession`. A synchronous session writes them as coroutines that
never suspend, an asynchronous one as coroutines that do; the core cannot tell.
"""

from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, Protocol

from bson.timestamp import Timestamp

from boundwork.uow.commands import Aggregate, BulkResult, BulkWrite, Count, Distinct, Find, FindAndUpdate, UniqueKey
from boundwork.uow.escapes import EscapedWrite


class Batches(Protocol):
    """A result that is fetched batch by batch, in the transaction that it was begun in; raises only `SessionFailure`."""

    async def next(self) -> bytes | None:
        """Return the next batch of concatenated BSON, None at the end."""

    async def close(self) -> None:
        """Give up what was not fetched."""


class BoundSession(Protocol):
    """One session of one client, bound to the scope of one unit; raises only `SessionFailure`."""

    async def open(self) -> None:
        """Start the session, bind it where the driver can, and put it in a transaction; sends nothing."""

    async def find(self, command: Find) -> list[bytes]:
        """Return the matching documents as batches of concatenated BSON."""
        ...

    async def count(self, command: Count) -> int:
        """Return the number of matching documents."""
        ...

    async def distinct(self, command: Distinct) -> list[bytes]:
        """Return the values, each as the BSON of a document with the one field `v`."""
        ...

    async def aggregate(self, command: Aggregate) -> list[bytes]:
        """Return the rows of a pipeline as batches of concatenated BSON."""
        ...

    async def stream(self, command: Find, batch_size: int) -> Batches:
        """Return the matching documents to be fetched batch by batch; sends nothing."""
        ...

    async def explain(self, command: Find, verbosity: str) -> dict[str, Any]:
        """Return the server's plan for a query; asked outside the transaction, where alone servers answer."""
        ...

    async def write(self, bulks: Sequence[BulkWrite]) -> list[BulkResult]:
        """Carry out the bulks in order and return a result for each command: one a bulk, or one for all."""
        ...

    async def command(self, command: Mapping[str, Any]) -> Mapping[str, Any]:
        """Send a command in the transaction and return the reply; one that reports write errors fails."""
        ...

    async def find_and_update(self, command: FindAndUpdate) -> list[bytes]:
        """Update one document and return it as it was before, still encoded; nothing if none matched."""
        ...

    async def unique_keys(self, collection: str) -> tuple[UniqueKey, ...]:
        """Return the collection's unique keys, `_id` left out; asked outside the transaction."""
        ...

    async def find_aside(self, command: Find, seconds: float) -> list[bytes]:
        """Return what a majority of the members has, outside of the transaction and no older than what it has seen.

        It need not be open. It fails when the seconds have passed.
        """
        ...

    async def insert_aside(self, collection: str, document: dict[str, Any], seconds: float) -> None:
        """Insert a document outside of the transaction, so that a majority of the members has it; as `find_aside`."""

    async def create_aside(self, collection: str) -> None:
        """Make a collection outside of the transaction; it fails with code 48 if there is one."""

    async def commit(self) -> None:
        """Commit the transaction, or resend the commit of one whose outcome is unknown; sends nothing if it is empty."""

    async def probe(self) -> None:
        """Abort the transaction after its commit failed, to learn its fate; the same commit can be sent again after it.

        Ends well, or with code 251, if the transaction was rolled back; with code 256 if it was committed.
        """

    async def abort(self) -> None:
        """Abort the transaction if it is open; a failure is the caller's to log."""

    async def overtake(self) -> None:
        """Abort, and make sure that a command which was interrupted cannot open the transaction again."""

    async def outlast(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Await what `work` makes. Where it can go on in the background, an interruption ends only the waiting.

        A later call waits for the work that still goes on, and so does the end of the session.
        """

    async def begin(self) -> None:
        """Put the session in its next transaction; sends nothing before the first command."""

    async def bind(self) -> None:
        """Bind the session to this context, where the driver can."""

    async def unbind(self) -> bool:
        """Undo the binding, where this is the context that it was made in; tell whether there was one to undo."""
        ...

    async def close(self) -> None:
        """End the session."""

    async def pause(self, seconds: float) -> None:
        """Wait without doing anything."""

    @property
    def foreign(self) -> bool:
        """Tell whether commands that did not come through this port were sent in the present transaction."""
        ...

    def take_escaped(self) -> EscapedWrite | None:
        """Return the first write that was seen to leave the session while it was bound, and forget it."""
        ...

    def may_repeat(self, error: BaseException | None) -> bool:
        """Tell whether an error of the driver itself, from a call of the program, permits another attempt."""
        ...

    @property
    def commands(self) -> int:
        """The number of commands sent so far."""
        ...

    @property
    def operation_time(self) -> Timestamp | None:
        """The server's time of the last command; None before the first, and where there is no server."""
        ...

    @property
    def database(self) -> Any:
        """The database handle for the user's own calls: its operations join the transaction."""
        ...


SessionFactory = Callable[[], BoundSession]
