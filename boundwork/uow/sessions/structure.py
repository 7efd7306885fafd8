"""Who asks a database about its structure: a driver of either colour, or Motor.

Each command goes out in a session of its own, so it is part of no unit, whatever is bound in this context.
"""

from collections.abc import Mapping
from typing import Any

from bson.codec_options import DatetimeConversion
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.database import Database

from boundwork.models.structure.declared import DeclaredCollection
from boundwork.uow.sessions.motor import on_a_thread
from boundwork.uow.sessions.pymongo_commands import NEUTRAL
from boundwork.uow.sessions.pymongo_failures import failures_of
from boundwork.uow.sessions.write_commands import STORED_FORM

READABLE = STORED_FORM.with_options(datetime_conversion=DatetimeConversion.DATETIME_AUTO)
"""Filters can hold UUIDs, and replies ids of any type, such as the place of a step: times beyond `datetime` as well.

A database's `command` does not look at the options that the database has.
"""
_WRITING = frozenset({"create", "createIndexes", "collMod", "drop", "dropIndexes", "renameCollection", "findAndModify"})
_OF_ADMIN = frozenset({"renameCollection", "currentOp"})
_MAJORITY = {"writeConcern": {"w": "majority"}}


def _complete(command: Mapping[str, Any], database: str) -> dict[str, Any]:
    """Let what changes the structure survive a failover; a renaming names the database, as it could leave it."""
    sent = {**command, **(_MAJORITY if next(iter(command)) in _WRITING else {})}
    if "renameCollection" in sent:
        sent |= {part: f"{database}.{sent[part]}" for part in ("renameCollection", "to")}
    if "currentOp" in sent and "ns" in sent:
        sent["ns"] = f"{database}.{sent['ns']}"
    return sent


def _place(command: Mapping[str, Any], database: Any) -> Any:
    """Return the database that takes a command: a few are for `admin` alone."""
    if next(iter(command)) in _OF_ADMIN:
        return database.client.admin.with_options(**NEUTRAL)
    return database


class SynchronousStructure:
    """A `StructureSession` of a `MongoClient`."""

    def __init__(self, database: Database[Any]) -> None:
        """Ask this database."""
        self._database = database.with_options(**NEUTRAL)

    def kept(self, declared: DeclaredCollection) -> tuple[DeclaredCollection, tuple[str, ...]]:
        """Return everything: a server keeps what it takes."""
        return declared, ()

    async def command(self, command: Mapping[str, Any]) -> Mapping[str, Any]:
        """Send one command and return the reply."""
        with failures_of(), self._database.client.start_session() as aside:
            sent = _complete(command, self._database.name)
            reply: Mapping[str, Any] = _place(command, self._database).command(
                sent, codec_options=READABLE, session=aside
            )
            return reply


class MotorStructure(SynchronousStructure):
    """The same on the threads of the event loop, for the client inside Motor."""

    async def command(self, command: Mapping[str, Any]) -> Mapping[str, Any]:
        """Send one command and return the reply."""
        return await on_a_thread(super().command(command))


class AsynchronousStructure:
    """A `StructureSession` of an `AsyncMongoClient`."""

    def __init__(self, database: AsyncDatabase[Any]) -> None:
        """Ask this database."""
        self._database = database.with_options(**NEUTRAL)

    def kept(self, declared: DeclaredCollection) -> tuple[DeclaredCollection, tuple[str, ...]]:
        """Return everything: a server keeps what it takes."""
        return declared, ()

    async def command(self, command: Mapping[str, Any]) -> Mapping[str, Any]:
        """Send one command and return the reply."""
        with failures_of():
            async with self._database.client.start_session() as aside:
                sent = _complete(command, self._database.name)
                reply: Mapping[str, Any] = await _place(command, self._database).command(
                    sent, codec_options=READABLE, session=aside
                )
                return reply
