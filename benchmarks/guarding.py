"""What the guard costs a small unit, most of it PyMongo's own price of having any listener."""

from pymongo import MongoClient

from benchmarks.documents import Shop, Stored
from benchmarks.effort import Effort
from benchmarks.measuring import compare, plainly
from benchmarks.place import Place, ids_of, shop_of
from benchmarks.table import Row, ratio
from boundwork import guard

UNITS = 20


def guarded(place: Place, effort: Effort) -> list[Row]:
    """Compare units that get and change one order on a client with the guard with the same on a client without."""
    database = place.holding(effort.documents, "transfer")
    ids = ids_of(database, UNITS)

    def change(shop: Shop) -> None:
        for key in ids:
            with shop as uow:
                uow.orders.get(key).lines[0].quantity += 1

    with MongoClient[Stored](place.uri, w="majority", event_listeners=[guard()]) as client:
        plain, watched = shop_of(database), shop_of(client[database.name])
        found = compare(plainly(lambda: change(plain)), plainly(lambda: change(watched)), 2 * effort.small_rounds)
    return [ratio("the same small unit with guard() and without", 1.05, found, per=UNITS)]
