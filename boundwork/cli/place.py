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

from boundwork import BoundworkError, Connection, Document, Repository, TransactionFailed, connect
from boundwork.cli.flights.logbook import Logbook

MARK = "boundwork demo"
EMBEDDED = "embedded://"
PATIENCE_MILLISECONDS = 5_000
UNAUTHORIZED = 13
LEFT = " What the units before it recorded stays there, and the next run replaces it."


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

    Raises Unusable for a server that is not there or a standalone, for collections that no demo wrote, and for
    what fails in the block.
    """
    address = EMBEDDED if url is None else url
    scheme, _, rest = address.partition("://")
    impatient = scheme.startswith("mongodb") and "serverselectiontimeoutms" not in rest.lower()
    options = {"serverSelectionTimeoutMS": PATIENCE_MILLISECONDS} if impatient else {}
    with connect(address, **options) as database:
        place = Place(database, _title(address), lasting=address != EMBEDDED and scheme != "memory")
        with _failing_at(place, ""):
            _claim(place)
        with _failing_at(place, LEFT if place.lasting else ""):
            yield place


@contextmanager
def _failing_at(place: Place, then: str) -> Generator[None]:
    try:
        yield
    except BoundworkError as failure:
        refused = isinstance(failure, TransactionFailed) and failure.code == UNAUTHORIZED
        login = " The URL needs a login that may read and write there." if refused else ""
        raise Unusable(f"{place.title}: {failure}{login}{then}") from failure


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
