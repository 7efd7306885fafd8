"""Which document of a batch the server refused: found by batches that are tried and rolled back.

The server says nothing of the document that can be told: its words hold contents. So ever fewer of the batch's documents
are tried, until the last one of those is the one. Nothing of it is written, and the place in the record stays.
"""

from collections.abc import Awaitable, Callable

from boundwork.alembic_like_migrations.engine.errors import Refused
from boundwork.alembic_like_migrations.engine.server import LIFETIME_EXCEEDED, MAX_TIME_EXPIRED, Server
from boundwork.uow.port import BoundSession

OF_NO_DOCUMENT = frozenset({13, MAX_TIME_EXPIRED, LIFETIME_EXCEEDED, 11601})
"""Not authorized, out of time in a command or a transaction, interrupted: that would be so with one document as well."""

Try = Callable[[BoundSession, int], Awaitable[object]]


class _Done(Exception):
    """The documents were not refused; raised so that the transaction is rolled back."""


async def narrowed(server: Server, refused: Refused, attempt: Try) -> Refused:
    """Return the refusal of a single document of a batch; the same one if it is about no document, or about none by now.

    `attempt` works on so many of the batch's documents, from its first one on.
    """
    if refused.code in OF_NO_DOCUMENT:
        return refused
    passed, found = 0, refused
    while found.documents - passed > 1:
        number = (passed + found.documents) // 2
        smaller = await _tried(server, attempt, number)
        if smaller is None:
            passed = number
        elif 0 < smaller.documents <= number:
            found = smaller
        else:
            return refused
    whole = found.documents > 1 and found is refused  # the last of all: it was not tried again so far
    return refused if whole and await _tried(server, attempt, found.documents) is None else found.of_the_last()


async def _tried(server: Server, attempt: Try, number: int) -> Refused | None:
    """Return what the server says of so many documents; nothing is written."""

    async def once(session: BoundSession) -> None:
        await attempt(session, number)
        raise _Done

    try:
        await server.fenced(once)
    except Refused as refused:
        return refused
    except _Done:
        pass
    return None
