"""Which URL means which database.

    memory://NAME                    in this process, for unit tests; the name may be left out
    embedded://FOLDER?database=NAME  a server of our own, started when needed; without a folder a temporary one
    mongodb://HOST/NAME              a MongoDB server, as PyMongo understands the URL; mongodb+srv:// as well

No error shows the URL: it may hold a password.
"""

from typing import Any, cast
from urllib.parse import parse_qs, unquote

from pymongo.errors import PyMongoError
from pymongo.uri_parser import parse_uri

from boundwork.errors import BoundworkError
from boundwork.uow.sessions.clients import Clients
from boundwork.uow.sessions.connection import Connection

__all__ = ["Connection", "connect"]

DEFAULT_NAME = "boundwork"
NAME_BYTES = 63
NOT_IN_NAMES = frozenset(' ."$/\\\0')


def connect(url: str, **options: Any) -> Connection:
    """Return a connection to the database that a URL names: `memory://`, `embedded://` or `mongodb://`.

    `options` are keyword options of PyMongo's `MongoClient`. Nothing is started or sent before a unit is opened.
    Raises BoundworkError for a URL without meaning and for a `mongodb://` URL without a database name.
    """
    if not isinstance(cast("object", url), str):  # such as an environment variable that is not set
        raise TypeError(f"connect() takes a URL, such as mongodb://host/shop, and was given {type(url).__name__}.")
    scheme, separator, rest = url.partition("://")
    match scheme.lower() if separator else None:
        case "memory":
            return _memory(rest, options)
        case "embedded":
            return _embedded(rest, options)
        case "mongodb" | "mongodb+srv":
            return _mongodb(url, rest, options)
        case _:
            raise BoundworkError("The URL begins with none of memory://, embedded://, mongodb://, mongodb+srv://.")


class _Memory:
    """The source of a database in memory, the same for both colours."""

    def __init__(self, name: str) -> None:
        from boundwork.uow.sessions.memory import MemoryDatabase  # noqa: PLC0415 - only where it is asked for

        self._database = MemoryDatabase(name)

    def sync_database(self) -> Any:
        return self._database

    def async_database(self) -> Any:
        return self._database

    def close(self) -> None:
        """Leave nothing to close."""

    async def aclose(self) -> None:
        """Leave nothing to close."""


class _OwnServer:
    """An embedded server that is started when its address is first asked for."""

    def __init__(self, folder: str | None) -> None:
        self._folder = folder
        self._server: Any = None

    def address(self) -> str:
        from boundwork.uow.sessions.embedded import EmbeddedServer  # noqa: PLC0415 - only where it is asked for

        if self._server is None:
            self._server = EmbeddedServer(self._folder)
        return str(self._server.uri)

    def close(self) -> None:
        if self._server is not None:
            self._server.close()


def _memory(rest: str, options: dict[str, Any]) -> Connection:
    if options:
        raise BoundworkError(f"memory:// takes no options, and was given {', '.join(options)}.")
    name = _valid(unquote(rest) or DEFAULT_NAME)
    return Connection(name, _Memory(name))


def _embedded(rest: str, options: dict[str, Any]) -> Connection:
    from boundwork.uow.sessions.embedded import require_embedded  # noqa: PLC0415 - only where it is asked for

    require_embedded()
    folder, _, query = rest.partition("?")
    words = parse_qs(query, keep_blank_values=True)
    if unknown := words.keys() - {"database"}:
        raise BoundworkError(f"embedded:// knows the option database only, and was given {', '.join(sorted(unknown))}.")
    name = _valid(words.get("database", [DEFAULT_NAME])[-1])
    server = _OwnServer(unquote(folder) or None)
    return Connection(name, Clients(name, server.address, options, server.close))


def _mongodb(url: str, rest: str, options: dict[str, Any]) -> Connection:
    # Only what stands before the options, and never as mongodb+srv: that would ask the name service.
    try:
        named = parse_uri("mongodb://" + rest.partition("?")[0])
    except (PyMongoError, ValueError):
        # Not from the error: it may quote a part of the password.
        raise BoundworkError(
            "The mongodb:// URL cannot be read. It looks like mongodb://user:password@host:27017/shop; "
            "in user and password : / ? # [ ] @ % are written with urllib.parse.quote_plus.",
        ) from None
    if not named["database"]:
        raise BoundworkError("The mongodb:// URL names no database. Write it after the host: mongodb://host/shop.")
    # The driver takes `shop.orders` for a database and a collection of it.
    name = _valid(".".join(filter(None, (named["database"], named["collection"]))))
    return Connection(name, Clients(name, lambda: url, options))


def _valid(name: str) -> str:
    if not name or len(name.encode()) > NAME_BYTES or not NOT_IN_NAMES.isdisjoint(name):
        raise BoundworkError(
            f'{name!r} cannot be the name of a database: 1 to {NAME_BYTES} bytes, without space and . " $ / \\.',
        )
    return name
