"""An instance of an application that says that it lives, and for which revision it was written.

    with Instance(database, application="web", revision="3f2a81c0"):
        serve()

It costs units nothing: one thread or task of the process renews one document. An instance that cannot reach the server
is forgotten when its lease ends; when it comes back, and its revision was contracted away meanwhile, `check` says so.
"""

import asyncio
import logging
import os
import secrets
import socket
import threading
from contextlib import suppress
from typing import Self

from boundwork.alembic_like_migrations.errors import MigrationError
from boundwork.alembic_like_migrations.rollout.errors import InstanceTooOld
from boundwork.alembic_like_migrations.rollout.register import Entry, Register
from boundwork.uow.ensuring import StructureSession
from boundwork.uow.failures import SessionFailure
from boundwork.uow.reporting import public_error
from boundwork.uow.run_sync import run_sync
from boundwork.uow.sessions.choice import asynchronous_structure, synchronous_structure

logger = logging.getLogger("boundwork.migrations")
BEATS = 3
"""How many heartbeats there are in the time of a lease."""
WORDS = "Instance", "AsyncInstance"


class Presence:
    """What both colours of an instance share: it enters, renews and leaves."""

    def __init__(self, structure: StructureSession, application: str, revision: str, seconds: float) -> None:
        if not application or not revision:
            raise MigrationError("An instance needs the name of its application and the revision of its models.")
        process = f"process {os.getpid()} on {socket.gethostname()}"
        self._entry = Entry(secrets.token_hex(8), application, revision, process, seconds)
        self._register = Register(structure)
        self._too_old: InstanceTooOld | None = None
        self._entered = False

    @property
    def interval(self) -> float:
        """The seconds between two heartbeats."""
        return self._entry.seconds / BEATS

    @property
    def refused(self) -> bool:
        """Tell whether the revision was contracted away while the instance could not be heard."""
        return self._too_old is not None

    def check(self) -> None:
        """Raise InstanceTooOld if the revision was contracted away while the instance could not be heard."""
        if self._too_old is not None:
            raise self._too_old

    async def enter(self) -> None:
        """Enter the register. Raises InstanceTooOld, and the public error of a server that cannot be asked."""
        if self._entered:
            raise MigrationError("This instance is registered already. Make another one for another block.")
        try:
            await self._register.renew(self._entry)
            self._entered = True
            await self._register.refuse_too_old(self._entry)
        except InstanceTooOld:
            await self.leave()
            raise
        except SessionFailure as failure:
            await self.leave()
            raise public_error(failure) from failure.__cause__

    async def beat(self) -> None:
        """Renew the entry once; what fails is tried again by the next heartbeat."""
        try:
            if await self._register.renew(self._entry):
                await self._register.refuse_too_old(self._entry)
        except InstanceTooOld as too_old:
            self._too_old = too_old
            logger.critical("%s", too_old)
            with suppress(SessionFailure):
                await self._register.leave(self._entry.key)
        except SessionFailure as failure:
            logger.warning("the entry of this instance was not renewed, trying again: %s", failure)

    async def leave(self) -> None:
        """Leave the register; where the server cannot be asked the lease ends by itself."""
        self._entered = False
        try:
            await self._register.leave(self._entry.key)
        except SessionFailure as failure:
            logger.warning("the entry of this instance was not removed, it ends by itself: %s", failure)


class Instance:
    """An instance of an application, registered while its block runs; kept by a thread."""

    def __init__(self, database: object, application: str, revision: str, *, lease_seconds: float = 30.0) -> None:
        """Prepare; nothing is asked of the database yet.

        `revision` is the newest revision that the models were written for; `base` before the first one.
        """
        self._presence = Presence(synchronous_structure(database, WORDS), application, revision, lease_seconds)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="boundwork instance", daemon=True)

    def check(self) -> None:
        """Raise InstanceTooOld if the revision was contracted away while this process could not be heard."""
        self._presence.check()

    def __enter__(self) -> Self:
        run_sync(self._presence.enter())
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        run_sync(self._presence.leave())

    def _beat(self) -> None:
        while not self._presence.refused and not self._over.wait(self._presence.interval):
            run_sync(self._presence.beat())


class AsyncInstance:
    """An instance of an application, registered while its block runs; kept by a task."""

    def __init__(self, database: object, application: str, revision: str, *, lease_seconds: float = 30.0) -> None:
        """Prepare; nothing is asked of the database yet.

        `revision` is the newest revision that the models were written for; `base` before the first one.
        """
        self._presence = Presence(asynchronous_structure(database, WORDS), application, revision, lease_seconds)
        self._task: asyncio.Task[None] | None = None

    def check(self) -> None:
        """Raise InstanceTooOld if the revision was contracted away while this process could not be heard."""
        self._presence.check()

    async def __aenter__(self) -> Self:
        await self._presence.enter()
        self._task = asyncio.create_task(self._beat())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
        await self._presence.leave()

    async def _beat(self) -> None:
        while not self._presence.refused:
            await asyncio.sleep(self._presence.interval)
            await self._presence.beat()
