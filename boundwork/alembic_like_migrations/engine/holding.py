"""How the lease is held while a block runs: taken, kept by a heartbeat, and given back whatever ends the block.

What fails around the steps of revisions, as opposed to in one, gets its public error here.
"""

import logging
from collections.abc import AsyncGenerator, Generator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, suppress
from typing import Protocol

from boundwork.alembic_like_migrations.engine import lease
from boundwork.alembic_like_migrations.engine.heartbeat import Pulse
from boundwork.alembic_like_migrations.engine.server import Server
from boundwork.alembic_like_migrations.errors import MigrationError
from boundwork.uow.failures import FailureKind, SessionFailure
from boundwork.uow.reporting import public_error

logger = logging.getLogger("boundwork.migrations")
UNAUTHORIZED = 13


class Keep(Protocol):
    """What keeps a lease while a block runs: of either colour."""

    def __call__(self, taken: lease.Lease, /) -> AbstractAsyncContextManager[Pulse]:
        """Return the manager for a lease."""
        ...


@asynccontextmanager
async def holding(server: Server, keep: Keep, seconds: float, patience: float) -> AsyncGenerator[tuple[Server, Pulse]]:
    """Hold the lease; yield the server that writes under it, and what knows once it is lost."""
    with explained():
        taken = await lease.acquire(server, seconds, patience)
    try:
        async with keep(taken) as pulse:
            yield taken.server, pulse
    finally:
        await _give_back(taken)


async def _give_back(taken: lease.Lease) -> None:
    try:
        await taken.release()
    except SessionFailure as failure:
        logger.warning("the lease of the migrations was not given back, it ends by itself: %s", failure)
    except BaseException:
        with suppress(SessionFailure):
            await taken.release()  # an interruption that came only now
        raise


@contextmanager
def explained() -> Generator[None]:
    """Raise the public error of a failure that no step had."""
    try:
        yield
    except SessionFailure as failure:
        if failure.kind in {FailureKind.UNREACHABLE, FailureKind.LOGIN}:
            raise public_error(failure) from failure.__cause__
        why = str(failure).rstrip(".")
        advice = "Use a login that may read and write this database" if failure.code == UNAUTHORIZED else "Try again"
        raise MigrationError(f"The migrations could not be looked up: {why}. {advice}.") from failure.__cause__
