"""How cost grows with what is loaded: a flush must not pay for what was not touched, and the rest stays linear."""

import gc
from collections.abc import Generator
from contextlib import contextmanager
from time import thread_time

from pymongo.client_session import ClientSession

from benchmarks.documents import Shop, Status, order, stored_order
from benchmarks.effort import Effort
from benchmarks.measuring import Action, Comparison, Spread, compare, plainly
from benchmarks.place import Place, orders_of, shop_of
from benchmarks.table import Row, absolute, sizes

CHANGED = 100
LATER = 20


def flush_client(place: Place, effort: Effort) -> list[Row]:
    """Measure this process's own time for a flush of a hundred changes, by how many documents are loaded."""
    costs: dict[int, Spread] = {}
    for number in effort.sizes:
        shop = shop_of(place.holding(number, "grow"))
        costs[number] = Spread.of([_flush_client(shop, number) for _ in range(5)])
    title = f"change {CHANGED}: client's part of the flush, by documents loaded"
    return [sizes(title, "the same (1.6 x)", costs, "us", allowed=1.6)]


def _flush_client(shop: Shop, number: int) -> float:
    """Return the microseconds of this thread for changing and flushing a hundred of so many loaded documents."""
    with shop as uow:
        orders = uow.orders.find().to_list()
        gc.collect()
        began = thread_time()
        for found in orders[:: number // CHANGED][:CHANGED]:
            found.status = Status.OPEN if found.status is Status.SHIPPED else Status.SHIPPED
            found.lines[2].quantity += 1
        uow.flush()
        return (thread_time() - began) * 1e6


def nothing_changed(place: Place, effort: Effort) -> list[Row]:
    """Time commits with nothing to write, without the driver's own commit: the first one after loading, and later ones."""
    first, later = list[float](), list[float]()
    database = place.holding(effort.documents)
    for _ in range(effort.rounds):
        with shop_of(database) as uow:
            kept = uow.orders.find().to_list()
            first.append(_commit_client(uow))
            for _ in range(LATER):
                uow.orders.count()  # something to commit
                later.append(_commit_client(uow))
            del kept
    title = f"nothing changed of {effort.documents:,} loaded: client's part of the"
    rows = {f"{title} first commit": Spread.of(first), f"{title} commits after it": Spread.of(later)}
    return [absolute(name, "< 50 us", spread, "us", None, met=spread.middle < 50) for name, spread in rows.items()]


def _commit_client(uow: Shop) -> float:
    """Return the microseconds of this thread for a commit, without those of PyMongo's own."""
    with _driver_commits() as driver:
        began = thread_time()
        uow.commit()
        return (thread_time() - began - sum(driver)) * 1e6


@contextmanager
def _driver_commits() -> Generator[list[float]]:
    """Collect the processor seconds that PyMongo's own `commit_transaction` takes."""
    seconds: list[float] = []
    original = ClientSession.commit_transaction

    def measured(self: ClientSession) -> None:
        began = thread_time()
        try:
            original(self)
        finally:
            seconds.append(thread_time() - began)

    ClientSession.commit_transaction = measured  # type: ignore[method-assign]  # measured from outside, for a moment
    try:
        yield seconds
    finally:
        ClientSession.commit_transaction = original  # type: ignore[method-assign]  # as above


def linear(place: Place, effort: Effort) -> list[Row]:
    """Compare the time per document of loading and inserting, by number of documents."""
    loads = {number: _load(place, number) for number in effort.sizes}
    inserts = {number: _insert(place, number) for number in effort.sizes}
    return [
        sizes("load, per document", "linear (1.5 x)", _per_document(loads), "us", allowed=1.5),
        sizes("insert, per document", "linear (1.5 x)", _per_document(inserts), "us", allowed=1.5),
    ]


def _per_document(found: dict[int, Comparison]) -> dict[int, Spread]:
    costs: dict[int, Spread] = {}
    for number, comparison in found.items():
        one = comparison.raw_seconds / number * 1e6
        ratio = comparison.ratio
        costs[number] = Spread(ratio.low * one, ratio.middle * one, ratio.high * one)
    return costs


def _load(place: Place, number: int) -> Comparison:
    database = place.holding(number, "grow")
    collection, shop = orders_of(database), shop_of(database)

    def ours() -> object:
        with shop as uow:
            return uow.orders.find().to_list()

    return compare(plainly(lambda: collection.find().to_list()), plainly(ours), 3)


def _insert(place: Place, number: int) -> Comparison:
    @contextmanager
    def raw() -> Generator[Action]:
        collection = orders_of(place.empty())
        documents = [stored_order(count) for count in range(number)]
        yield lambda: collection.insert_many(documents)

    @contextmanager
    def ours() -> Generator[Action]:
        shop = shop_of(place.empty())
        orders = [order(count) for count in range(number)]

        def run() -> None:
            with shop as uow:
                uow.orders.add_all(orders)

        yield run

    return compare(raw, ours, 3)
