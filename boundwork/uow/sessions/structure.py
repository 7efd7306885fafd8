"""Who asks a database about its structure: a driver of either colour, or Motor.

Each command goes out in a session of its own, so it is part of no unit, whatever is bound in this context.
"""

from collections.abc import Mapping
from typing import Any

from pymongo.asynchronous.database import AsyncDatabase
from pymongo.database import Database

from boundwork.models.structure.declared import DeclaredCollection
from boundwork.uow.sessions.motor import _on_a_thread
from boundwork.uow.sessions.pymongo_commands import NEUTRAL, STORED_FORM
from boundwork.uow.sessions.pymongo_failures import failures_of

_WRITING = frozenset({"create", "createIndexes", "collMod", "drop", "dropIndexes", "renameCollection", "findAndModify"})
_MAJORITY = {"writeConcern": {"w": "majority"}}


def _complete(command: Mapping[str, Any]) -> dict[str, Any]:
    """Let what changes the structure survive a failover."""
    return {**command, **(_MAJORITY if next(iter(command)) in _WRITING else {})}


class SynchronousStructure:
    """A `StructureSession` of a `MongoClient`."""

    def __init__(self, database: Database[Any]) -> None:
        """Ask this database."""
        self._database = database.with_options(codec_options=STORED_FORM, **NEUTRAL)

    def kept(self, declared: DeclaredCollection) -> tuple[DeclaredCollection, tuple[str, ...]]:
        """Return everything: a server keeps what it takes."""
        return declared, ()

    async def command(self, command: Mapping[str, Any]) -> Mapping[str, Any]:
        """Send one command and return the reply."""
        with failures_of(), self._database.client.start_session() as aside:
            return self._database.command(_complete(command), session=aside)


class MotorStructure(SynchronousStructure):
    """The same on the threads of the event loop, for the client inside Motor."""

    async def command(self, command: Mapping[str, Any]) -> Mapping[str, Any]:
        """Send one command and return the reply."""
        return await _on_a_thread(super().command(command))


class AsynchronousStructure:
    """A `StructureSession` of an `AsyncMongoClient`."""

    def __init__(self, database: AsyncDatabase[Any]) -> None:
        """Ask this database."""
        self._database = database.with_options(codec_options=STORED_FORM, **NEUTRAL)

    def kept(self, declared: DeclaredCollection) -> tuple[DeclaredCollection, tuple[str, ...]]:
        """Return everything: a server keeps what it takes."""
        return declared, ()

    async def command(self, command: Mapping[str, Any]) -> Mapping[str, Any]:
        """Send one command and return the reply."""
        with failures_of():
            async with self._database.client.start_session() as aside:
                return await self._database.command(_complete(command), session=aside)
