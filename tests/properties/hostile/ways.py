"""Every way of a value from outside into a command: each is a function of an open unit and the value."""

from collections.abc import Callable
from decimal import Decimal
from enum import Enum
from typing import Any

from pydantic import BaseModel

from boundwork import (
    BoundworkError,
    Document,
    Embedded,
    Repository,
    UnitOfWork,
    any_of,
    apply_request,
    contains,
    contains_all,
    desc,
    elem,
    exists,
    fields_from,
    from_request,
    in_,
    mod,
    near,
    not_,
    not_in,
    raw,
    regex,
    size,
    some,
    sort_from,
    starts_with,
    text,
    within_metres,
)
from tests.properties.hostile.checking import is_object


class Status(Enum):
    OPEN = "open"
    SHIPPED = "shipped"


class Line(Embedded):
    sku: str
    quantity: int = 1


class Address(Embedded):
    city: str = ""
    country: str = "DE"


class Order(Document[str], collection="orders"):
    number: str = ""
    status: Status = Status.OPEN
    total: Decimal = Decimal(0)
    lines: list[Line] = []
    tags: list[str] = []
    meta: dict[str, Any] = {}
    extra: Any = None
    address: Address = Address()
    billing: Address | None = None
    place: Any = None
    secret: bool = False


class Thing(Document[Any], collection="things"):
    payload: Any = None


class Open(Document[int], collection="opens", extra="allow"):
    name: str = ""


class Row(BaseModel, frozen=True):
    id: Any


class Shop(UnitOfWork):
    orders = Repository(Order)
    things = Repository(Thing)
    opens = Repository(Open)


PATHS = {
    "orders": {"_id", "number", "status", "total", "lines", "sku", "quantity", "tags", "meta", "extra", "address", "billing", "place"},
    "things": {"_id", "payload"},
    "opens": {"_id", "name"},
}  # fmt: skip
ALLOWED = (Order.status, Order.lines, Order.meta, Order.extra, "address.city", some(Order.billing).city, Order.number)
BODIES = ("status", "lines", "meta", "extra", "address", "billing", "number", "secret", "id", "_id")

Way = Callable[[Any, Any], Any]


def finding(condition: Callable[[Any], Any]) -> Way:
    """Return the way of a value into a filter."""
    return lambda uow, value: uow.orders.find(condition(value)).to_list()


_sku, _tags, _city = any_of(Order.lines).sku, any_of(Order.tags), some(Order.billing).city
CONDITIONS: list[Callable[[Any], Any]] = [
    lambda value: Order.extra == value,
    lambda value: Order.meta != value,
    lambda value: Order.status == value,
    lambda value: _sku == value,
    lambda value: _sku != value,
    lambda value: _tags != value,
    lambda value: _city == value,
    lambda value: Order.meta["key"] == value,
    lambda value: Order.meta[value] == 1,
    lambda value: Order.extra < value,
    lambda value: Order.extra >= value,
    lambda value: in_(Order.extra, [value, value]),
    lambda value: in_(Order.extra, value),
    lambda value: not_in(_tags, [value]),
    lambda value: contains_all(Order.tags, [value]),
    lambda value: contains(Order.number, value),
    lambda value: starts_with(Order.number, value, ignore_case=True),
    lambda value: regex(Order.number, value),
    lambda value: size(Order.tags, value),
    lambda value: mod(Order.total, 3, value),
    lambda value: exists(Order.extra, value),
    lambda value: elem(Order.lines, _sku == value, not_(any_of(Order.lines).quantity == value)),
    lambda value: elem(Order.tags, _tags > value),
    lambda value: not_((Order.extra == value) | (_sku == value)) & (Order.number != value),
    lambda value: near(Order.place, (value, 1.0)),
    lambda value: within_metres(Order.place, (1.0, 2.0), value),
    text,
    lambda value: text("x", language=value),
]
TYPED: list[Way] = [
    *map(finding, CONDITIONS),
    lambda uow, value: uow.orders.get(value),
    lambda uow, value: uow.orders.find_by_id(value, for_update=True),
    lambda uow, value: uow.things.get(value),
    lambda uow, value: uow.things.find_by_id(value),
    lambda uow, value: uow.things.get_many([value, value]),
    lambda uow, value: uow.things.get(value, for_update=True),
    lambda uow, value: uow.orders.find(Order.id == value).count(),
    lambda uow, value: uow.orders.find(Order.extra == value).distinct(Order.number),
    lambda uow, value: uow.orders.find().sort(value).to_list(),
    lambda uow, value: uow.orders.find().sort(desc(value)).to_list(),
    lambda uow, value: uow.orders.find().sort(*sort_from(value, allow=(Order.total, Order.address.city))).to_list(),
    lambda uow, value: [uow.orders, fields_from(value, allow=("number",))],
    lambda uow, value: uow.orders.find().sort(Order.total).page(2, after=value),
    lambda uow, value: uow.orders.find().comment(value).to_list(),
    lambda uow, value: uow.lock(value),
]


def _seeded(uow: Any) -> Any:
    order = Order(id="seed", lines=[Line(sku="a")], meta={"key": {"inner": 1}}, billing=Address(city="x"))
    uow.add(order)
    uow.flush()
    return order


def _set(uow: Any, value: Any) -> None:
    order = _seeded(uow)
    order.extra = value
    order.meta["key"] = value
    uow.flush()


def _set_keys(uow: Any, value: Any) -> None:
    order = _seeded(uow)
    order.meta[value] = value
    order.meta["key"][value] = 1
    uow.flush()


def _set_elsewhere(uow: Any, value: Any) -> None:
    order = _seeded(uow)
    order.number = value
    order.lines.append(value)
    uow.flush()


def _append(uow: Any, value: Any) -> None:
    thing = Thing(id="seed", payload=[1])
    uow.add(thing)
    uow.flush()
    thing.payload.append(value)
    uow.flush()


def _set_extra(uow: Any, value: Any) -> None:
    opened = Open(id=1)
    uow.add(opened)
    uow.flush()
    if isinstance(value, str) and str.__str__(value) in {"name", "id", "__class__"}:
        return
    setattr(opened, value, 1)
    PATHS["opens"].add(str.__str__(value))
    uow.flush()


def _add(uow: Any, value: Any) -> None:
    uow.add(Thing(id=value, payload=value))
    uow.flush()


def _remove(uow: Any, value: Any) -> None:
    thing = Thing(id=1, payload=value)
    uow.add(thing)
    uow.flush()
    thing.id = value
    uow.remove(thing)
    uow.flush()


def _body(value: Any) -> Any:
    return value if is_object(value) and set(value) & set(BODIES) else dict.fromkeys(BODIES, value)


def _request(uow: Any, value: Any) -> None:
    for body in (value, _body(value), *({name: value} for name in BODIES)):
        try:
            order = from_request(Order, body, allow=ALLOWED, given={"id": "made"}, ignore_others=body is not value)
        except (ValueError, TypeError, BoundworkError):
            continue
        assert (order.id, order.secret, order.address.country) == ("made", False, "DE")
        uow.add(order)
        uow.flush()
        uow.remove(order)
        uow.flush()


def _request_changes(uow: Any, value: Any) -> None:
    order = _seeded(uow)
    for body in (value, *({name: value} for name in BODIES), {"address": {"city": value}}, {"lines": [{"sku": value}]}):
        try:
            apply_request(order, body, allow=ALLOWED)
        except (ValueError, TypeError, BoundworkError):
            continue
        assert (order.id, order.secret, order.address.country, order.billing.country) == ("seed", False, "DE", "DE")
    uow.flush()


WRITING: list[Way] = [_set, _set_keys, _set_elsewhere, _append, _add, _remove, _set_extra, _request, _request_changes]
PLAIN: list[Way] = [
    lambda uow, value: uow.orders.find({"extra": value}).to_list(),
    lambda uow, value: uow.orders.find({"$or": [{"extra": value}]}).to_list(),
    lambda uow, value: uow.orders.find({"$expr": {"$eq": ["$extra", value]}}).to_list(),
    lambda uow, value: uow.orders.find(raw({"anything": {"$not": value}})).to_list(),
    lambda uow, value: uow.orders.find(value).to_list(),
    lambda uow, value: uow.orders.find(elem(Order.lines, value)).to_list(),
    lambda uow, value: uow.orders.aggregate([{"$set": {"x": value}}], into=Row),
    lambda uow, value: uow.orders.aggregate([value, {"$facet": {"a": [value]}}], into=Row),
    lambda uow, value: uow.orders.aggregate(
        [
            {"$lookup": {"from": "things", "pipeline": [value], "as": "y"}},
            {"$unionWith": {"coll": "x", "pipeline": [value]}},
        ],
        into=Row,
    ),
    lambda uow, value: uow.orders.aggregate([{"$group": {"_id": value, "n": {value: 1}}}], into=Row),
]
