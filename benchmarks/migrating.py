"""What `op.transform` costs beside a loop of `bulk_write`: `python -m benchmarks.migrating [number] [URI]`.

Both read every document, call the same function and send what it says, as `$set`. Raw is the loop that a careful user
writes: 1,000 updates in a command, unordered, no transaction, so a crash leaves it half-done. Memory is the most that
the process had so far, in MB: the first number is that of a tenth of the documents.
"""

import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from pymongo import MongoClient, UpdateOne
from pymongo.database import Database

from benchmarks.place import PREFIX, server
from boundwork.alembic_like_migrations.migrator import Migrator

NUMBER = 50_000
ROUNDS = 3
IN_A_COMMAND = 1_000
LIMIT = 1.5
FILE = """
from benchmarks.migrating import slug
from boundwork.alembic_like_migrations import op

revision, down_revision = "one", None

def up():
    op.transform("users", undo={undo})(slug)

def down():
    op.revert()
"""

Stored = dict[str, Any]


def slug(user: Stored) -> Stored:
    """Return the update of a user."""
    return {"$set": {"slug": user["name"].lower().replace(" ", "-")}}


def user(number: int) -> Stored:
    """Return a document of about 500 bytes."""
    home = {"street": f"Long Street {number % 500}", "city": "Bern", "lines": [1, 2, 3]}
    return {
        "_id": number,
        "name": f"User {number}",
        "age": number % 90,
        "home": home,
        "tags": ["a", "b"],
        "note": "n" * 300,
    }


def main(number: int = NUMBER, uri: str | None = None) -> None:
    """Print the rate of each round."""
    rounds = 1 if number > 10 * NUMBER else ROUNDS
    with server(uri) as address, MongoClient[Stored](address, w="majority") as client:
        database = client[f"{PREFIX}migrating"]
        for size in (number // 10, *[number] * rounds):
            raw = _timed(database, size, lambda: _raw(database))
            ours = _timed(database, size, lambda: _migrated(database, undo=False))
            kept = _timed(database, size, lambda: _migrated(database, undo=True))
            print(
                f"{size:9,} documents  raw {size / raw:7,.0f}/s  transform {size / ours:7,.0f}/s = {ours / raw:.2f} (limit {LIMIT})"
                f"  with undo log {size / kept:7,.0f}/s = {kept / raw:.2f}  peak {_peak()} MB",
                flush=True,
            )
        client.drop_database(database.name)


def _timed(database: Database[Stored], number: int, work: Any) -> float:
    database.client.drop_database(database.name)
    for first in range(0, number, 10_000):
        database["users"].insert_many([user(each) for each in range(first, min(first + 10_000, number))])
    began = time.perf_counter()
    work()
    took = time.perf_counter() - began
    assert database["users"].count_documents({"slug": None}) == 0
    return took


def _raw(database: Database[Stored]) -> None:
    updates: list[UpdateOne] = []
    for one in database["users"].find():
        updates.append(UpdateOne({"_id": one["_id"]}, slug(one)))
        if len(updates) == IN_A_COMMAND:
            database["users"].bulk_write(updates, ordered=False)
            updates.clear()
    if updates:
        database["users"].bulk_write(updates, ordered=False)


def _migrated(database: Database[Stored], *, undo: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "one.py").write_text(FILE.format(undo=undo), "utf-8")
        Migrator(database, folder).upgrade()


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else NUMBER, sys.argv[2] if sys.argv[2:] else None)
