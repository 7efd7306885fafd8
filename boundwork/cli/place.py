"""Where the demo may write.

Without a URL: a server of its own, in a temporary folder. On a given server it uses its own collections, whose names
begin with `boundwork_demo`, and nothing else. A run leaves its mark there, and the next one empties what is marked, but
not while another one is at work; collections that hold documents and bear no mark are somebody else's, and are refused.
"""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from secrets import token_hex

from boundwork import BoundworkError, Connection, TransactionFailed, connect
from boundwork.cli.at_work import MARK, AtWork, Mark, Premises, Presence
from boundwork.cli.flights.logbook import Logbook
from boundwork.cli.patience import giving_up_after

EMBEDDED = "embedded://"
PATIENCE_MILLISECONDS = 4_000
LOST_SECONDS = 12.0
"""How long a server that was there is tried again: a replica set elects another one in that time. A try takes as long as
the driver looks for a server, and so do the aborts before and after it: the demo gives up after about 20 seconds."""

UNAUTHORIZED = 13
LEFT = " What the units before it recorded stays there, and the next run replaces it."


class Unusable(Exception):
    """The demo cannot or must not write at the given place."""


@dataclass(frozen=True, slots=True)
class Place:
    """A database that the demo may use; `title` names it without a login, `lasting` says that its data stays."""

    logbook: Logbook
    title: str
    lasting: bool


@contextmanager
def place_at(url: str | None) -> Generator[Place]:
    """Open the place at a URL, an embedded server without one, and claim it; at the end stop what was started.

    Raises Unusable for a server that is not there or a standalone, for collections that no demo wrote or in which
    another run is at work, and for what fails in the block.
    """
    address = EMBEDDED if url is None else url
    title, lasting = _title(address), address != EMBEDDED and not address.startswith("memory:")
    with connect(address, **giving_up_after(PATIENCE_MILLISECONDS, address)) as database:
        premises = Premises(database, token_hex(8), seconds=LOST_SECONDS)
        with _failing_at(title, ""):
            collections = premises.run(_mark, title)
            presence = Presence(database, premises.run_id)
        with _failing_at(title, LEFT if lasting else ""), presence:
            if lasting:
                _drop(database, collections, title)
            yield Place(premises, title, lasting)


@contextmanager
def _failing_at(title: str, then: str) -> Generator[None]:
    try:
        yield
    except AtWork as other:
        raise Unusable(f"{title}: {other}") from other
    except BoundworkError as failure:
        refused = isinstance(failure, TransactionFailed) and failure.code == UNAUTHORIZED
        login = " The URL needs a login that may read and write there." if refused else ""
        raise Unusable(f"{title}: {failure}{login}{then}") from failure


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


def _drop(database: Connection, collections: list[str], title: str) -> None:
    stored = database.sync_database()
    for collection in collections:
        try:
            stored.drop_collection(collection)
        except Exception as failure:
            raise Unusable(f"{title}: the collection {collection} could not be emptied: {failure}") from failure


def _title(address: str) -> str:
    """Name the place without login and options."""
    scheme, _, rest = address.partition("://")
    if scheme == "embedded":
        folder = rest.partition("?")[0]
        return f"an embedded server in {folder or 'a temporary folder'}"
    if scheme == "memory":
        return "memory"
    return rest.partition("?")[0].rpartition("@")[2]
