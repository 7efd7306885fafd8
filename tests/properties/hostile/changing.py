"""The ways of a value into what changes documents on the server: each with the operators that the program writes on it."""

from collections.abc import Callable
from typing import Any

from boundwork import (
    add_to_set,
    any_of,
    contains,
    each,
    elem,
    in_,
    inc,
    max_,
    min_,
    mul,
    not_,
    pop,
    pull,
    push,
    set_,
    some,
    unset,
)
from boundwork.models.expressions import Change
from tests.properties.hostile.ways import Line, Order, Thing, Way

_line, _tag = any_of(Order.lines), any_of(Order.tags)
CHANGES: list[tuple[str, Callable[[Any], Change]]] = [
    ("$set", lambda value: set_(Order.extra, value)),
    ("$set", lambda value: set_(Order.meta, value)),
    ("$set", lambda value: set_(Order.meta["key"], value)),
    ("$set", lambda value: set_(Order.meta[value], 1)),
    ("$set", lambda value: set_(Order.number, value)),
    ("$set", lambda value: set_(Order.status, value)),
    ("$set", lambda value: set_(Order.lines, value)),
    ("$set", lambda value: set_(Order.lines[0].sku, value)),
    ("$set", lambda value: set_(some(Order.billing).city, value)),
    ("$set", lambda value: set_(each(Order.lines, _line.sku == value).sku, value)),
    ("$set", lambda value: set_(each(Order.lines, in_(_line.sku, [value]), not_(_line.quantity == value)).quantity, 1)),
    ("$set", lambda value: set_(each(Order.tags, _tag == value), "x")),
    ("$unset", lambda value: unset(Order.meta[value])),
    ("$inc", lambda value: inc(Order.total, value)),
    ("$inc", lambda value: inc(Order.meta[value], 1)),
    ("$mul", lambda value: mul(each(Order.lines, contains(_line.sku, value)).quantity, 2)),
    ("$min", lambda value: min_(Order.extra, value)),
    ("$max", lambda value: max_(Order.meta["key"], value)),
    ("$push", lambda value: push(Order.extra, value, {"key": value})),
    ("$push", lambda value: push(Order.tags, value, at=value, keep=value)),
    ("$push", lambda value: push(Order.lines, value)),
    ("$push", lambda value: push(Order.meta[value], value)),
    ("$addToSet", lambda value: add_to_set(Order.extra, value)),
    ("$addToSet", lambda value: add_to_set(Order.tags, value)),
    ("$pullAll", lambda value: pull(Order.extra, value)),
    ("$pullAll", lambda value: pull(Order.tags, value)),
    ("$pull", lambda value: pull(Order.lines, _line.sku == value, not_(_line.quantity == value))),
    ("$pull", lambda value: pull(Order.tags, _tag == value)),
    ("$pull", lambda value: pull(Order.tags, _tag > value)),
    ("$pop", lambda value: pop(Order.meta[value])),
]


def _updating(change: Callable[[Any], Change]) -> Way:
    return lambda uow, value: uow.orders.update_where(Order.extra == value, change(value))


def _claiming(change: Callable[[Any], Change]) -> Way:
    return lambda uow, value: uow.orders.find_and_update(Order.extra == value, change(value), sort=Order.total)


def _upserting(change: Callable[[Any], Change]) -> Way:
    def way(uow: Any, value: Any) -> None:
        made = Order(id="made", extra=value, meta={"key": value})
        uow.orders.upsert(Order.extra == value, change(value), on_insert=made)

    return way


WORDS = (_updating, _claiming, _upserting)
CHANGING: list[tuple[str, Way]] = [
    *((operator, WORDS[number % len(WORDS)](change)) for number, (operator, change) in enumerate(CHANGES)),
    *((operator, WORDS[(number + 1) % len(WORDS)](change)) for number, (operator, change) in enumerate(CHANGES)),
    ("", lambda uow, value: uow.orders.delete_where(Order.extra == value)),
    ("", lambda uow, value: uow.orders.delete_where(elem(Order.lines, _line.sku == value), Order.meta != value)),
    ("", lambda uow, value: uow.things.find(Thing.id == value).delete()),
    ("$set", lambda uow, value: uow.things.update_where(Thing.id == value, set_(Thing.payload, value))),
    (
        "$set",
        lambda uow, value: uow.things.upsert(
            Thing.id == value, set_(Thing.payload, value), on_insert=Thing(id=value, payload=value)
        ),
    ),
    (
        "$inc",
        lambda uow, value: uow.orders.find_and_update(Order.id == "x", inc(Order.lines[0].quantity, 1), sort=value),
    ),
    ("$inc", lambda uow, value: uow.orders.find(in_(Order.extra, [value])).comment(value).update(inc(_quantity(), 1))),
]
PLAINLY: list[Way] = [
    lambda uow, value: uow.orders.update_where({"extra": value}, set_(Order.number, "x")),
    lambda uow, value: uow.orders.delete_where(value),
    lambda uow, value: uow.orders.update_where(Order.id == "x", set_(each(Order.lines, value).sku, "x")),
    lambda uow, value: uow.orders.find_and_update({"$or": [{"meta.x": value}]}, pull(Order.lines, value)),
    lambda uow, value: uow.orders.upsert(value, value, on_insert=Order(id="made", lines=[Line(sku="x")])),
]


def _quantity() -> int:
    return each(Order.lines).quantity
