"""Which session fits a database: by the kind of the handle and the colour of the definition.

A database of another kind, such as the one in memory, makes its sessions itself: its class has `new_session`, and
`new_structure` for `ensure_schema` and migrations.
"""

from functools import partial
from typing import Any, TypeGuard

from pymongo.asynchronous.database import AsyncDatabase
from pymongo.database import Database

from boundwork.uow.ensuring import StructureSession
from boundwork.uow.port import SessionFactory
from boundwork.uow.sessions.asynchronous import AsynchronousSession
from boundwork.uow.sessions.connection import Connection
from boundwork.uow.sessions.motor import is_motor_database, motor_sessions
from boundwork.uow.sessions.pymongo_commands import Handles
from boundwork.uow.sessions.structure import AsynchronousStructure, MotorStructure, SynchronousStructure
from boundwork.uow.sessions.synchronous import SynchronousSession

ENSURE = "ensure_schema", "ensure_schema_async"


def synchronous_sessions(database: object) -> SessionFactory:
    """Return what makes the sessions of a `UnitOfWork`; TypeError if the database does not fit."""
    if isinstance(database, Connection):
        connection = database
        return lambda: synchronous_sessions(connection.sync_database())()  # noqa: PLW0108 - a database for each unit
    if own := getattr(type(database), "new_session", None):
        return partial(own, database, asynchronous=False)
    if _is_synchronous(database):
        return partial(SynchronousSession, Handles[Database[Any]].of(database))
    raise TypeError(_misfit(database, "UnitOfWork", "a pymongo Database", "AsyncUnitOfWork"))


def asynchronous_sessions(database: object) -> SessionFactory:
    """Return what makes the sessions of an `AsyncUnitOfWork`; TypeError if the database does not fit."""
    if isinstance(database, Connection):
        connection = database
        return lambda: asynchronous_sessions(connection.async_database())()  # noqa: PLW0108 - each loop has its own
    if own := getattr(type(database), "new_session", None):
        return partial(own, database, asynchronous=True)
    if _is_asynchronous(database):
        return partial(AsynchronousSession, Handles[AsyncDatabase[Any]].of(database))
    if is_motor_database(database):
        return motor_sessions(database)
    raise TypeError(_misfit(database, "AsyncUnitOfWork", "a pymongo AsyncDatabase", "UnitOfWork"))


def synchronous_structure(database: object, words: tuple[str, str] = ENSURE) -> StructureSession:
    """Return what `ensure_schema` and migrations ask; TypeError if the database does not fit.

    `words` are what wants it, as the user knows it: the synchronous and the asynchronous one.
    """
    if isinstance(database, Connection):
        return synchronous_structure(database.sync_database(), words)
    if own := getattr(type(database), "new_structure", None):
        made: StructureSession = own(database)
        return made
    if _is_synchronous(database):
        return SynchronousStructure(database)
    raise TypeError(_misfit(database, words[0], "a pymongo Database", words[1]))


def asynchronous_structure(database: object, words: tuple[str, str] = ENSURE) -> StructureSession:
    """Return the same for an asynchronous database."""
    if isinstance(database, Connection):
        return asynchronous_structure(database.async_database(), words)
    if own := getattr(type(database), "new_structure", None):
        made: StructureSession = own(database)
        return made
    if _is_asynchronous(database):
        return AsynchronousStructure(database)
    if is_motor_database(database):
        motor: Any = database
        return MotorStructure(motor.delegate)
    raise TypeError(_misfit(database, words[1], "a pymongo AsyncDatabase", words[0]))


def handle_of(database: object, *, asynchronous: bool) -> Any:
    """Return the driver's handle for a database, which a connection makes for a colour."""
    if isinstance(database, Connection):
        return database.async_database() if asynchronous else database.sync_database()
    return database


def sibling(handle: Any, name: str) -> object:
    """Return another database of the same server; TypeError for one that is on no server."""
    kind: Any = handle.__class__
    if hasattr(kind, "new_structure") or not hasattr(handle, "client"):
        raise TypeError(f"A scratch database needs a server, and {kind.__name__} has none. Use a mongod.")
    return handle.client[name]


def _is_synchronous(database: object) -> TypeGuard[Database[Any]]:
    return isinstance(database, Database)


def _is_asynchronous(database: object) -> TypeGuard[AsyncDatabase[Any]]:
    return isinstance(database, AsyncDatabase)


def _misfit(database: object, wanted_by: str, wanted: str, other: str) -> str:
    kind = type(database).__name__
    hint = " Name the database: client['shop']." if "Client" in kind else f" For this one use {other}."
    if kind in {"MotorDatabase", "MotorClient"}:
        hint = " Motor for Tornado is not supported: use pymongo.AsyncMongoClient."
    elif "Client" not in kind and "Database" not in kind:
        hint = ""
    return f"{wanted_by} needs {wanted}, or what boundwork.connect() returns, and was given {kind}.{hint}"
