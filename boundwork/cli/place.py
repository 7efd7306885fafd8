"""Where the demo may write.

Without a URL: a server of its own, in a temporary folder. On a given server it uses its own collections, whose names
begin with `boundwork_demo`, and nothing else. A run leaves its mark there, and the next one empties what is marked;
collections that hold documents and bear no mark are somebody else's, and are refused.
"""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from pydantic import Field

from boundwork import Connection, Document, Repository, ServerUnavailable, TransactionsUnavailable, connect
from boundwork.cli.flights.logbook import Logbook

MARK = "boundwork demo"
EMBEDDED = "embedded://"
PATIENCE_MILLISECONDS = 5_000


class Unusable(Exception):
    """The demo cannot or must not write at the given place."""


class Mark(Document[str], collection="boundwork_demo"):
    """Says that the collections of the demo are the demo's own."""

    started: datetime = Field(default_factory=lambda: datetime.now(UTC))


class Premises(Logbook):
    """The logbook, and the mark beside it."""

    marks = Repository(Mark)


@dataclass(frozen=True, slots=True)
class Place:
    """A database that the demo may use; `title` names it without a login, `lasting` says that its data stays."""

    database: Connection
    title: str
    lasting: bool


@contextmanager
def place_at(url: str | None) -> Generator[Place]:
    """Open the place at a URL, an embedded server without one, and claim it; at the end stop what was started.

    Raises Unusable for a server that is not there or a standalone, and for collections that no demo wrote.
    """
    address = url or EMBEDDED
    scheme, _, rest = address.partition("://")
    impatient = scheme.startswith("mongodb") and "serverselectiontimeoutms" not in rest.lower()
    options = {"serverSelectionTimeoutMS": PATIENCE_MILLISECONDS} if impatient else {}
    with connect(address, **options) as database:
        place = Place(database, _title(address), lasting=address != EMBEDDED and scheme != "memory")
        try:
            _claim(place)
        except (ServerUnavailable, TransactionsUnavailable) as failure:
            raise Unusable(f"{place.title}: {failure}") from failure
        yield place


def _claim(place: Place) -> None:
    """Mark the collections of the demo as its own, and empty them."""
    collections = Premises(place.database).run(_mark, place.title)
    if place.lasting:
        _drop(place, collections)


def _mark(unit: Premises, title: str) -> list[str]:
    """Leave a mark, unless there is one, and return the names of the collections for the flights."""
    repositories = (unit.flights, unit.planes, unit.airports)
    if unit.marks.find_by_id(MARK) is None:
        for repository in (*repositories, unit.marks):
            if repository.exists():
                raise Unusable(
                    f"{title}: the collection {repository.mapper.collection} holds documents that no demo wrote, "
                    "and is left alone. Name another database in the URL."
                )
        unit.marks.add(Mark(id=MARK))
    return [repository.mapper.collection for repository in repositories]


def _drop(place: Place, collections: list[str]) -> None:
    database = place.database.sync_database()
    for collection in collections:
        try:
            database.drop_collection(collection)
        except Exception as failure:
            raise Unusable(f"{place.title}: the collection {collection} could not be emptied: {failure}") from failure


def _title(address: str) -> str:
    """Name the place without login and options."""
    scheme, _, rest = address.partition("://")
    if scheme == "embedded":
        folder = rest.partition("?")[0]
        return f"an embedded server in {folder or 'a temporary folder'}"
    if scheme == "memory":
        return "memory"
    return rest.partition("?")[0].rpartition("@")[2]
