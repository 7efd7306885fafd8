"""Which databases a command is about: each URL, or each named database of each URL.

Without a URL the environment variable that the settings name has it. Nothing that is shown holds a login.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote, quote_plus

from boundwork import BoundworkError, Connection, connect
from boundwork.alembic_like_migrations.settings import Settings
from boundwork.cli.patience import giving_up_after

PATIENCE_MILLISECONDS = 10_000


@dataclass(frozen=True, slots=True)
class Place:
    """A database; `title` is host and name."""

    title: str
    url: str

    def connect(self) -> Connection:
        """Return a connection that is opened when it is used. Raises BoundworkError for a URL without meaning."""
        return connect(self.url, **giving_up_after(PATIENCE_MILLISECONDS, self.url))


def places(
    settings: Settings, urls: Sequence[str], names: Sequence[str], environment: Mapping[str, str]
) -> list[Place]:
    """Return the databases in the order in which they were named, each once. Raises BoundworkError."""
    given = urls or [settings.database_url(environment)]
    found = [Place(_title(url, name), _named(url, name) if name else url) for url in given for name in names or [""]]
    for place in found:
        place.connect().close()  # says now what is wrong with a URL
    return list(dict.fromkeys(found))


def at_one(settings: Settings, url: str | None, name: str | None) -> Place:
    """Return the one database that is meant: that of the environment, or another one. Raises BoundworkError."""
    (place,) = places(settings, [url] if url else [], [name] if name else [], os.environ)
    return place


def _parts(url: str) -> tuple[str, str, str, str]:
    """Return scheme, login and hosts, database, and options."""
    scheme, _, rest = url.partition("://")
    before, _, options = rest.partition("?")
    hosts, _, name = before.partition("/")
    return scheme, hosts, name, options


def _title(url: str, name: str) -> str:
    scheme, hosts, own, _ = _parts(url)
    if not scheme.startswith("mongodb"):
        return f"{scheme}://{name}"
    return f"{hosts.rpartition('@')[2]}/{name or own}"


def _named(url: str, name: str) -> str:
    """Return the URL of another database on the same server, with the login that the first one had."""
    scheme, hosts, own, options = _parts(url)
    if scheme == "embedded":
        return f"embedded://{url.partition('://')[2].partition('?')[0]}?database={quote_plus(name)}"
    if not scheme.startswith("mongodb"):
        raise BoundworkError(f"--db needs the URL of a server, and {scheme}:// is none.")
    if "@" in hosts and "authsource=" not in options.lower():
        # The database of the URL is also where the login is looked up, unless an option says where.
        options = "&".join(part for part in (options, f"authSource={own or 'admin'}") if part)
    return f"{scheme}://{hosts}/{quote(name, safe='')}{'?' if options else ''}{options}"
