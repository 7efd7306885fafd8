"""Writing: insert many, change some or all, one insert a unit, the transfer."""

from collections.abc import Generator
from contextlib import ExitStack, contextmanager

from pymongo import UpdateOne
from pymongo.database import Database
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from benchmarks.documents import Status, Stored, order, stored_order
from benchmarks.effort import Effort
from benchmarks.measuring import Action, Side, compare
from benchmarks.place import Place, ids_of, orders_of, shop_of
from benchmarks.table import Row, ratio

UNITS = 20
SNAPSHOT = ReadConcern("snapshot")
MAJORITY = WriteConcern("majority")


def raw_insert(place: Place, number: int) -> Side:
    """Return `insert_many` of so many ready dicts."""

    @contextmanager
    def raw() -> Generator[Action]:
        collection = orders_of(place.empty())
        documents = [stored_order(one) for one in range(number)]
        yield lambda: collection.insert_many(documents)

    return raw


def insert(place: Place, effort: Effort) -> list[Row]:
    """Compare `insert_many` of ready dicts with `add_all` of ready models in one unit."""
    numbers, raw = range(effort.documents), raw_insert(place, effort.documents)

    @contextmanager
    def ours() -> Generator[Action]:
        shop = shop_of(place.empty())
        orders = [order(number) for number in numbers]

        def run() -> None:
            with shop as uow:
                uow.orders.add_all(orders)

        yield run

    return [ratio(f"insert {effort.documents:,} (models ready)", 1.2, compare(raw, ours, effort.rounds))]


def change_few(place: Place, effort: Effort) -> list[Row]:
    """Change one in a hundred."""
    return [_change(place, effort, 100, "change 1 %", 1.5, effort.small_rounds)]


def change_all(place: Place, effort: Effort) -> list[Row]:
    """Change all."""
    return [_change(place, effort, 1, "change 100 %", 0.6, max(3, effort.rounds // 2))]


def changed(found: Stored) -> tuple[Stored, Stored]:
    """Return the filter and the update that change a stored order as the rows about changes do."""
    change = {
        "status": "open" if found["status"] == "shipped" else "shipped",
        "lines.2.quantity": found["lines"][2]["quantity"] + 1,
    }
    return {"_id": found["_id"]}, {"$set": change}


def raw_change(database: Database[Stored], step: int) -> Side:
    """Return an ordered `bulk_write` of one `UpdateOne` for every so many orders; loading is not timed."""
    collection = orders_of(database)

    @contextmanager
    def raw() -> Generator[Action]:
        loaded = collection.find().to_list()
        chosen = loaded[::step]
        yield lambda: collection.bulk_write([UpdateOne(*changed(found)) for found in chosen])
        loaded.clear()

    return raw


def _change(place: Place, effort: Effort, step: int, name: str, limit: float, rounds: int) -> Row:
    """Compare attributes and the end of the unit with the same by hand; loading is not timed."""
    database = place.holding(effort.documents, "change")
    raw, shop = raw_change(database, step), shop_of(database)

    @contextmanager
    def ours() -> Generator[Action]:
        with ExitStack() as unit:
            loaded = unit.enter_context(shop.unit()).orders.find().to_list()
            chosen = loaded[::step]

            def run() -> None:
                for found in chosen:
                    found.status = Status.OPEN if found.status is Status.SHIPPED else Status.SHIPPED
                    found.lines[2].quantity += 1
                unit.close()

            yield run
            loaded.clear()

    return ratio(f"{name} of {effort.documents:,} loaded: flush and commit", limit, compare(raw, ours, rounds))


def raw_insert_one(place: Place) -> Side:
    """Return transactions that insert one ready dict each."""

    @contextmanager
    def raw() -> Generator[Action]:
        collection = orders_of(place.empty())
        documents = [stored_order(number) for number in range(UNITS)]

        def run() -> None:
            for document in documents:
                with place.client.start_session() as session, session.start_transaction(SNAPSHOT, MAJORITY):
                    collection.insert_one(document, session=session)

        yield run

    return raw


def insert_one(place: Place, effort: Effort) -> list[Row]:
    """Compare units that insert one ready model with transactions that insert one ready dict."""

    @contextmanager
    def ours() -> Generator[Action]:
        shop = shop_of(place.empty())
        orders = [order(number) for number in range(UNITS)]

        def run() -> None:
            for document in orders:
                with shop as uow:
                    uow.orders.add(document)

        yield run

    found = compare(raw_insert_one(place), ours, effort.small_rounds)
    return [ratio("a unit of one insert, in a transaction", 1.1, found, per=UNITS)]


def transfer(place: Place, effort: Effort) -> list[Row]:
    """Compare units that get two orders, change both and add a third with the same by hand in a transaction."""
    database = place.holding(effort.documents, "transfer")
    collection, shop, ids = orders_of(database), shop_of(database), ids_of(database, 2 * UNITS)
    pairs = list(zip(ids[::2], ids[1::2], strict=True))

    @contextmanager
    def raw() -> Generator[Action]:
        documents = [stored_order(number) for number in range(UNITS)]

        def run() -> None:
            for (giver, taker), document in zip(pairs, documents, strict=True):
                with place.client.start_session() as session, session.start_transaction(SNAPSHOT, MAJORITY):
                    for key, change in ((giver, -1), (taker, 1)):
                        found = collection.find_one({"_id": key}, session=session)
                        assert found is not None
                        quantity = found["lines"][0]["quantity"] + change
                        update = {"$set": {"lines.0.quantity": quantity}}
                        collection.update_one({"_id": key}, update, session=session)
                    collection.insert_one(document, session=session)

        yield run

    @contextmanager
    def ours() -> Generator[Action]:
        orders = [order(number) for number in range(UNITS)]

        def run() -> None:
            for (giver, taker), document in zip(pairs, orders, strict=True):
                with shop as uow:
                    first, second = uow.orders.get(giver), uow.orders.get(taker)
                    first.lines[0].quantity -= 1
                    second.lines[0].quantity += 1
                    uow.orders.add(document)

        yield run

    found = compare(raw, ours, effort.small_rounds)
    return [ratio("transfer: 2 gets, 2 updates, 1 insert", 1.0, found, per=UNITS)]
