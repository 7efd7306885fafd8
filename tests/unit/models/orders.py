"""The orders that the tests of tracking load and change."""

from collections import deque
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import bson
from pydantic import BaseModel, Field, PrivateAttr

from boundwork.models import Document, Embedded
from boundwork.models.bson_types import decode_all
from boundwork.models.mapper import mapper_of
from boundwork.models.tracking import Tracker


class Line(Embedded):
    sku: str
    qty: int
    notes: list[str] = []


class Plain(BaseModel):
    name: str
    marks: set[int] = set()


@dataclass
class Weight:
    grams: int
    history: list[int] = field(default_factory=list)


class Order(Document[int], collection="orders"):
    status: str = "open"
    total: Decimal = Decimal(0)
    price: float = 0.0
    lines: list[Line] = []
    tags: list[str] = []
    facts: dict[str, Any] = {}
    plain: Plain | None = None
    weight: Weight | None = None
    queue: deque[int] = Field(default_factory=deque)
    _log: list[str] = PrivateAttr(default_factory=list)


def loaded(**values: Any) -> tuple[Order, Tracker]:
    """Load an order that is attached to a tracker of its own; what is not given was not stored."""
    order = mapper_of(Order).load(decode_all(bson.encode({"_id": 1, **values}))[0])
    tracker = Tracker()
    tracker.attach_all([order])
    return order, tracker


def update(order: Order, tracker: Tracker) -> dict[str, Any] | None:
    changes = tracker.changes_of(order)
    found = changes.update() if changes is not None else None
    return found.operators() if found is not None else None


def lines(*quantities: int) -> list[dict[str, Any]]:
    return [{"sku": f"s{index}", "qty": qty, "notes": []} for index, qty in enumerate(quantities)]
