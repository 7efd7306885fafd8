"""Revisions that count in two small collections: how their files are written, and what is stored."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from pymongo import MongoClient

from boundwork.alembic_like_migrations.engine.ledger import Place, StepRecord
from boundwork.alembic_like_migrations.engine.runner import Unwatched
from boundwork.alembic_like_migrations.engine.server import Server
from boundwork.uow.sessions.choice import synchronous_sessions, synchronous_structure

Write = Callable[..., None]
COUNT = "op.update('counters', {'$inc': {'number': 1}}, undo={'$inc': {'number': -1}})"
COUNT_OTHERS = "op.update('others', {'$inc': {'number': 1}}, undo={'$inc': {'number': -1}})"
DOCUMENTS = 300


def stored_counters(client: MongoClient[dict[str, Any]], name: str) -> Any:
    """Return a database with both collections."""
    database = client[name]
    for collection in ("counters", "others"):
        database[collection].insert_many([{"_id": number, "number": 0} for number in range(DOCUMENTS)])
    return database


def writer(folder: Path) -> Write:
    """Return a function that writes a revision file."""

    def revision(
        name: str, *up: str, down: str | None = "op.revert()", after: str | None = None, top: str = ""
    ) -> None:
        head = (
            f"revision, down_revision = {name!r}, {after!r}\nfrom boundwork.alembic_like_migrations import op\n{top}\n"
        )
        body = "\n".join(f"    {line}" for line in up or ("pass",))
        tail = f"\n\ndef down():\n    {down}\n" if down is not None else "\n"
        (folder / f"{name}.py").write_text(f"{head}\ndef up():\n{body}{tail}")

    return revision


class Doing(Unwatched):
    """Does something when a step came so far."""

    def __init__(self, what: Callable[[StepRecord], object]) -> None:
        """Know what to do."""
        self.what = what

    def step(self, place: Place, record: StepRecord) -> None:  # noqa: ARG002 - any place
        """Do it."""
        self.what(record)


def numbers(stored: Any, name: str = "counters") -> set[Any]:
    """Return the different numbers of a collection."""
    return set(stored[name].distinct("number"))


def spoil(stored: Any, name: str = "others") -> None:
    """Make the last document one that no revision can count in."""
    stored[name].update_one({"_id": DOCUMENTS - 1}, {"$set": {"number": "many"}})


def mend(stored: Any, number: int, name: str = "others") -> None:
    """Give the last document a number again."""
    stored[name].update_one({"_id": DOCUMENTS - 1}, {"$set": {"number": number}})


def server_of(stored: Any) -> Server:
    """Return the engine's view of a database."""
    return Server(synchronous_structure(stored), synchronous_sessions(stored))
