"""Scratch databases: made beside a database, on its server, to see what the server makes of a structure.

A name says when it was made. Dropped afterwards; what a crash left is dropped by the next one, an hour later, and only
if it holds the mark that is made first.
"""

import re
import secrets
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from boundwork.alembic_like_migrations.autogenerate.reflecting import MARK
from boundwork.alembic_like_migrations.engine.server import Server

LONGEST_NAME = 63
LEFT_SECONDS = 3600
_WORD = "_boundwork_"
_STAMP = re.compile(r"([0-9a-f]{8})[0-9a-f]{6}")

Opening = Callable[[str], Server]


@dataclass(frozen=True, slots=True)
class Scratch:
    """Opens databases of one server; `name` is the database that they are made beside."""

    name: str
    opening: Opening

    @asynccontextmanager
    async def database(self) -> AsyncGenerator[Server]:
        """Make a scratch database, and drop it at the end."""
        server = self.opening(scratch_name(self.name, int(time.time())))
        try:
            await server.command({"create": MARK})
            yield server
        finally:
            await server.command({"dropDatabase": 1})

    async def clean(self) -> None:
        """Drop what runs that are gone left."""
        reply = await self.opening("admin").command({"listDatabases": 1, "nameOnly": True})
        now = int(time.time())
        for one in reply["databases"]:
            made = made_at(self.name, one["name"])
            if made is not None and now - made > LEFT_SECONDS:
                left = self.opening(one["name"])
                if await left.all({"listCollections": 1, "filter": {"name": MARK}, "nameOnly": True}):
                    await left.command({"dropDatabase": 1})


def scratch_name(name: str, now: int) -> str:
    """Return a name for a scratch database that nobody else has: `shop_boundwork_` and when it was made."""
    stamp = f"{now:08x}{secrets.token_hex(3)}"
    room = LONGEST_NAME - len(_WORD) - len(stamp)
    return f"{_beginning(name, room)}{_WORD}{stamp}"


def made_at(name: str, other: str) -> int | None:
    """Return when a scratch database of a database was made, in seconds; None for any other database."""
    begin = f"{_beginning(name, LONGEST_NAME - len(_WORD) - 14)}{_WORD}"
    found = _STAMP.fullmatch(other.removeprefix(begin)) if other.startswith(begin) else None
    return None if found is None else int(found[1], 16)


def _beginning(name: str, room: int) -> str:
    """Return what fits of a name, which counts in bytes."""
    return name.encode()[:room].decode(errors="ignore")
