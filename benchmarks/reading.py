"""Reading: load many, get by id, get again."""

from time import thread_time

from benchmarks.documents import Order, Stored
from benchmarks.effort import Effort
from benchmarks.measuring import Spread, compare, plainly
from benchmarks.place import Place, ids_of, orders_of, shop_of
from benchmarks.table import Row, absolute, ratio

GETS = 500


def load(place: Place, effort: Effort) -> list[Row]:
    """Compare `find().to_list()` of all orders: dicts, and a whole unit that gives validated, tracked models."""
    database = place.holding(effort.documents)
    collection, shop = orders_of(database), shop_of(database)

    def raw() -> list[Stored]:
        return collection.find().to_list()

    def ours() -> list[Order]:
        with shop as uow:
            return uow.orders.find().to_list()

    found = compare(plainly(raw), plainly(ours), effort.rounds)
    return [ratio(f"load {effort.documents:,} documents as validated, tracked models", 2.0, found)]


def get(place: Place, effort: Effort) -> list[Row]:
    """Compare many distinct ids in one unit with as many `find_one`."""
    database = place.holding(effort.documents)
    collection, shop, ids = orders_of(database), shop_of(database), ids_of(database, GETS)

    def raw() -> object:
        return [collection.find_one({"_id": key}) for key in ids]

    def ours() -> object:
        with shop as uow:
            orders = uow.orders
            return [orders.get(key) for key in ids]

    found = compare(plainly(raw), plainly(ours), effort.small_rounds)
    return [ratio(f"get by id: {GETS} ids in one unit", 1.2, found), _again(place, effort)]


def _again(place: Place, effort: Effort) -> Row:
    """Time gets of ids that the unit has read, by this thread's processor time, and count the commands they send."""
    database = place.counted(place.holding(effort.documents))
    ids = ids_of(database, GETS)
    times: list[float] = []
    with shop_of(database) as uow:
        orders = uow.orders
        orders.find().to_list()
        place.commands.clear()
        for _ in range(effort.small_rounds):
            began = thread_time()
            for key in ids:
                orders.get(key)
            times.append((thread_time() - began) / len(ids) * 1e6)
        commands = len(place.commands)
    spread = Spread.of(times)
    return absolute("get again in the same unit", "no command, < 2 us", spread, "us", commands, met=spread.middle < 2)


def empty(place: Place, effort: Effort) -> list[Row]:
    """Count the commands of a unit that does nothing, and time it."""
    shop = shop_of(place.counted(place.empty()))
    place.commands.clear()
    times: list[float] = []
    for _ in range(effort.small_rounds * 10):
        began = thread_time()
        with shop:
            pass
        times.append((thread_time() - began) * 1e6)
    return [absolute("an empty unit", "no command", Spread.of(times), "us", len(place.commands), met=True)]
