"""The documents of the contract tests."""

from decimal import Decimal
from enum import Enum
from typing import Literal

from bson import ObjectId
from pydantic import Field

from boundwork import Document, Embedded


class Status(Enum):
    OPEN = "open"
    SHIPPED = "shipped"


class Line(Embedded):
    sku: str
    quantity: int = 1


class Address(Embedded):
    street: str
    city: str = Field(alias="town")


class Order(Document, collection="orders"):
    number: str
    customer_id: ObjectId | None = None
    status: Status = Status.OPEN
    total: Decimal = Decimal(0)
    lines: list[Line] = []
    notes: dict[str, str] = {}
    address: Address | None = None
    _seen: int = 0

    def ship(self) -> None:
        if not self.lines:
            raise ValueError("an empty order cannot ship")
        self.status = Status.SHIPPED


class Customer(Document[str], collection="customers"):
    name: str
    email: str | None = None
    orders: int = 0


class Account(Document[int], collection="accounts"):
    balance: int = 0


class Payment(Document[int], collection="payments", discriminator="kind"):
    amount: int


class Card(Payment):
    kind: Literal["card"] = "card"
    holder: str


class Cash(Payment):
    kind: Literal["cash"] = "cash"
