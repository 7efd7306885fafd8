"""How a lease is kept while a long step goes on: by a thread beside a synchronous runner, by a task beside the other.

A heartbeat that cannot reach the server goes on trying; one that hears that the lease is lost says so to the runner,
which stops at its next step or batch. It is the fence that makes sure of it, not the heartbeat. Whoever wants to know how
a single long command goes on is told in between.
"""

import asyncio
import logging
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from time import monotonic

from boundwork.alembic_like_migrations.engine.errors import LeaseLost
from boundwork.alembic_like_migrations.engine.lease import Lease
from boundwork.uow.failures import SessionFailure
from boundwork.uow.run_sync import run_sync

logger = logging.getLogger("boundwork.migrations")
BEATS = 3
"""How many heartbeats there are in the time of a lease."""

SOONER = 5
"""How much sooner the next one comes after one that failed."""

LOOK_SECONDS = 1.0
"""How long it is at most between two looks at what goes on."""

Look = Callable[[], Awaitable[None]]


class Pulse:
    """What the runner asks between two steps."""

    def __init__(self, lease: Lease) -> None:
        """Watch over a lease that was just taken."""
        self._lease = lease
        self._lost: LeaseLost | None = None
        self._missed = False
        self._due = monotonic() + self.interval
        self._look: Look | None = None

    @property
    def interval(self) -> float:
        """The seconds until the next heartbeat."""
        return self._lease.seconds / BEATS / (SOONER if self._missed else 1)

    @property
    def wait(self) -> float:
        """The seconds until there may be something to do."""
        return min(max(self._due - monotonic(), 0), LOOK_SECONDS)

    @contextmanager
    def looking(self, look: Look | None) -> Generator[None]:
        """Let somebody look at what goes on while the block runs, every second; the heartbeat calls."""
        self._look = look
        try:
            yield
        finally:
            self._look = None

    async def turn(self) -> None:
        """Do what is due; somebody whose look fails gets no other, for it is the lease that matters."""
        if (look := self._look) is not None:
            try:
                await look()
            except Exception as failure:  # noqa: BLE001 - a watcher is the program's, and may raise anything
                self._look = None
                logger.warning(
                    "who watches the migrations failed and is told no more of this step: %s", type(failure).__name__
                )
        if monotonic() >= self._due:
            await self.beat()
            self._due = monotonic() + self.interval

    @property
    def lost(self) -> bool:
        """Tell whether the lease is known to be lost."""
        return self._lost is not None

    def check(self) -> None:
        """Raise LeaseLost if the lease is known to be lost."""
        if self._lost is not None:
            raise self._lost

    async def beat(self) -> None:
        """Renew the lease once."""
        try:
            await self._lease.renew()
            self._missed = False
        except LeaseLost as lost:
            self._lost = lost
        except SessionFailure as failure:
            self._missed = True
            logger.warning("the lease of the migrations was not renewed, trying again: %s", failure)


@asynccontextmanager
async def kept_by_thread(lease: Lease) -> AsyncGenerator[Pulse]:
    """Keep a lease while the block runs."""
    pulse, over = Pulse(lease), threading.Event()

    def beat() -> None:
        while not pulse.lost and not over.wait(pulse.wait):
            run_sync(pulse.turn())

    thread = threading.Thread(target=beat, name="boundwork lease", daemon=True)
    thread.start()
    try:
        yield pulse
    finally:
        over.set()
        thread.join()


@asynccontextmanager
async def kept_by_task(lease: Lease) -> AsyncGenerator[Pulse]:
    """Keep a lease while the block runs."""
    pulse = Pulse(lease)

    async def beat() -> None:
        while not pulse.lost:
            await asyncio.sleep(pulse.wait)
            await pulse.turn()

    task = asyncio.create_task(beat())
    try:
        yield pulse
    finally:
        task.cancel()
        await asyncio.wait({task})
