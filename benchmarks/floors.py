"""What no row can be below: the commands of boundwork, sent by hand with all that they carry prepared.

`python -m benchmarks.floors [URI]`. What lies between such a row and boundwork's holds its own work, and what any client
must do there: encode, decode, validate.
"""

import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

import bson
from bson.raw_bson import RawBSONDocument
from pymongo import WriteConcern
from pymongo.client_session import ClientSession
from pymongo.database import Database

from benchmarks.documents import Order, Stored, stored_order
from benchmarks.effort import FULL
from benchmarks.measuring import Action, Comparison, Side, compare, plainly
from benchmarks.place import Place, ids_of, orders_of, server
from benchmarks.reading import GETS
from benchmarks.writing import MAJORITY, SNAPSHOT, UNITS, changed, raw_change, raw_insert, raw_insert_one

PART = 2_500
"""Documents of one insert: about the two megabytes that boundwork sends at once."""
Command = Callable[[dict[str, Any]], dict[str, Any]]


@contextmanager
def _transaction(database: Database[Stored]) -> Generator[Command]:
    """Give what sends a command in a transaction like that of a unit."""
    neutral = database.with_options(write_concern=WriteConcern())
    session: ClientSession
    with database.client.start_session() as session, session.start_transaction(SNAPSHOT, MAJORITY):
        yield lambda command: neutral.command(command, session=session)


def _encoded(document: dict[str, Any]) -> RawBSONDocument:
    return RawBSONDocument(bson.encode(document))


def get(place: Place) -> dict[str, Comparison]:
    """Compare the query of a get, and the query with pydantic's validation, with `find_one`."""
    database = place.holding(FULL.documents)
    collection, ids = orders_of(database), ids_of(database, GETS)

    def asked(command: Command, key: object) -> Stored:
        found = command({"find": "orders", "filter": {"_id": key}, "limit": 1, "singleBatch": True})
        stored: Stored = found["cursor"]["firstBatch"][0]
        return stored

    def validated(stored: Stored) -> Order:
        stored["id"], stored["total"] = stored.pop("_id"), stored["total"].to_decimal()
        return Order.model_validate(stored)

    def raw() -> object:
        return [collection.find_one({"_id": key}) for key in ids]

    def plain() -> object:
        with _transaction(database) as command:
            return [asked(command, key) for key in ids]

    def models() -> object:
        with _transaction(database) as command:
            return [validated(asked(command, key)) for key in ids]

    return {
        "get by id: dicts": compare(plainly(raw), plainly(plain), FULL.small_rounds),
        "get by id: validated by pydantic": compare(plainly(raw), plainly(models), FULL.small_rounds),
    }


def insert(place: Place) -> dict[str, Comparison]:
    """Compare commands that carry BSON with `insert_many`."""
    numbers = range(FULL.documents)

    @contextmanager
    def prepared() -> Generator[Action]:
        database, documents = place.empty(), [_encoded(stored_order(number)) for number in numbers]

        def run() -> None:
            with _transaction(database) as command:
                for start in range(0, len(documents), PART):
                    command({"insert": "orders", "documents": documents[start : start + PART], "ordered": True})

        yield run

    return {f"insert {FULL.documents:,}": compare(raw_insert(place, FULL.documents), prepared, FULL.rounds)}


def change(place: Place) -> dict[str, Comparison]:
    """Compare commands that carry BSON with an ordered `bulk_write`."""
    database = place.holding(FULL.documents, "change")

    def prepared(step: int) -> Side:
        @contextmanager
        def side() -> Generator[Action]:
            changes = map(changed, orders_of(database).find().to_list()[::step])
            updates = [_encoded({"q": where, "u": update}) for where, update in changes]

            def run() -> None:
                with _transaction(database) as command:
                    assert command({"update": "orders", "updates": updates, "ordered": True})["n"] == len(updates)

            yield run

        return side

    return {
        f"change 1 % of {FULL.documents:,}": compare(raw_change(database, 100), prepared(100), FULL.small_rounds),
        f"change 100 % of {FULL.documents:,}": compare(raw_change(database, 1), prepared(1), FULL.rounds),
    }


def insert_one(place: Place) -> dict[str, Comparison]:
    """Compare the commands of a unit of one insert with the same of PyMongo's collection."""

    @contextmanager
    def prepared() -> Generator[Action]:
        database, documents = place.empty(), [_encoded(stored_order(number)) for number in range(UNITS)]

        def run() -> None:
            for document in documents:
                with _transaction(database) as command:
                    command({"insert": "orders", "documents": [document], "ordered": True})

        yield run

    return {"a unit of one insert": compare(raw_insert_one(place), prepared, 2 * FULL.small_rounds)}


def main() -> None:
    """Measure, and print a table."""
    print("| commands | to raw | A/A | client CPU |\n| --- | --- | --- | --- |")
    with server(sys.argv[1] if len(sys.argv) > 1 else None) as uri:
        place = Place(uri)
        try:
            for measure in (get, insert, change, insert_one):
                for name, found in measure(place).items():
                    ratio = f"{found.ratio.middle:.2f} [{found.ratio.low:.2f} - {found.ratio.high:.2f}]"
                    print(f"| {name} | {ratio} | {found.noise.middle:.2f} | {found.cpu.middle:.2f} |", flush=True)
        finally:
            place.close()


if __name__ == "__main__":
    main()
