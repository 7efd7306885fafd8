"""The one document of all workloads, as a model and as the dict that a user of PyMongo would write.

About 700 bytes of BSON: an embedded address, five lines, an enum, a Decimal, tags and two datetimes.
"""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any

import bson
from bson import Decimal128, ObjectId

from boundwork import AsyncRepository, AsyncUnitOfWork, Document, Embedded, Repository, UnitOfWork

Stored = dict[str, Any]
FIRST_DAY = datetime(2026, 1, 1, tzinfo=UTC)


class Status(Enum):
    """Where an order stands."""

    OPEN = "open"
    SHIPPED = "shipped"


class Address(Embedded):
    """Where an order goes."""

    name: str
    street: str
    city: str
    postcode: str
    country: str


class Line(Embedded):
    """So many of one article, at a price in cents."""

    sku: str
    title: str
    quantity: int
    cents: int


class Order(Document, collection="orders"):
    """What a customer wants."""

    number: str
    customer_id: ObjectId
    status: Status
    address: Address
    lines: list[Line]
    tags: list[str]
    total: Decimal
    weight: float
    placed: datetime
    updated: datetime


class Shop(UnitOfWork):
    """Units with orders."""

    orders = Repository(Order)


class AsyncShop(AsyncUnitOfWork):
    """Asynchronous units with orders."""

    orders = AsyncRepository(Order)


def stored_order(number: int) -> Stored:
    """Return an order as it is stored, with a new id."""
    placed = FIRST_DAY + timedelta(minutes=number)
    return {
        "_id": ObjectId(),
        "number": f"2026-{number:07}",
        "customer_id": ObjectId(),
        "status": "open",
        "address": {
            "name": f"Customer {number % 997}",
            "street": f"{number % 89 + 1} Long Acre",
            "city": "London",
            "postcode": f"WC2E {number % 10}AA",
            "country": "GB",
        },
        "lines": [
            {
                "sku": f"SKU-{(number * 5 + place) % 9973:05}",
                "title": "Tea cup",
                "quantity": place + 1,
                "cents": 250 + place,
            }
            for place in range(5)
        ],
        "tags": ["new", "web", f"week-{number % 52}"],
        "total": Decimal128(f"{number % 1000}.{number % 100:02}"),
        "weight": number % 70 / 7,
        "placed": placed,
        "updated": placed + timedelta(hours=3),
    }


def order(number: int) -> Order:
    """Return a new order as a model, from Python values."""
    values = stored_order(number)
    values["id"] = values.pop("_id")
    values["total"] = values["total"].to_decimal()
    return Order.model_validate(values)


def size() -> int:
    """Return the bytes of BSON of one order."""
    return len(bson.encode(stored_order(1)))
