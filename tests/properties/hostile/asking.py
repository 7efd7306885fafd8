"""The ways of a value into how a query is carried out, and into tokens that are well made by a stranger."""

import base64
from typing import Any

from bson.errors import BSONError

from boundwork import Collation, desc
from boundwork.repositories.tokens import Position, mark_of, written
from tests.properties.hostile.ways import Order, Way

ORDER = (("total", 1), ("_id", 1))
NOT_MADE = (BSONError, UnicodeError, OverflowError, RecursionError, ValueError, TypeError, AttributeError)


def forged(value: Any) -> str:
    """Return the token that somebody makes who knows the form and no key; of what BSON cannot hold, one of its text."""
    try:
        return written(Position((value, value)), mark_of("orders", ORDER), None)
    except NOT_MADE:
        return base64.urlsafe_b64encode(type(value).__name__.encode()).decode().rstrip("=")


def _page(uow: Any, value: Any) -> None:
    query = uow.orders.find(Order.extra == 1).sort(Order.total)
    query.page(3, after=forged(value))


def _page_of_another_sort(uow: Any, value: Any) -> None:
    uow.orders.find().sort(Order.number).page(3, after=forged(value))


ASKING: list[Way] = [
    _page,
    _page_of_another_sort,
    lambda uow, value: uow.orders.find().page(value),
    lambda uow, value: uow.orders.find().skip(value).to_list(),
    lambda uow, value: uow.orders.find().limit(value).count(),
    lambda uow, value: list(uow.orders.find().stream(value)),
    lambda uow, value: uow.orders.find().max_time(value).to_list(),
    lambda uow, value: uow.orders.find().hint(value).to_list(),
    lambda uow, value: uow.orders.find().hint(desc(value)).count(),
    lambda uow, value: uow.orders.find().collation(value).to_list(),
    lambda uow, value: uow.orders.find().collation("en", strength=value).to_list(),
    lambda uow, value: uow.orders.find().collation("en", numeric_ordering=value).distinct(Order.number),
    lambda uow, value: uow.orders.find().collation(Collation(locale="en", alternate=value)).to_list(),
    lambda uow, value: uow.orders.find().distinct(value),
    lambda uow, value: uow.orders.find().project(value).to_list(),
    lambda uow, value: uow.orders.find().include(value).to_list(),
]
