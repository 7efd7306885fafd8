"""What the files of this folder are checked against: models, repositories and units, as a user writes them."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated, Literal, NewType
from uuid import UUID

from bson import ObjectId
from pydantic import Field

from boundwork import AsyncRepository, AsyncUnitOfWork, Document, Embedded, Ref, Repository, UnitOfWork, Upcast

OrderNumber = NewType("OrderNumber", str)


class Status(Enum):
    OPEN = "open"
    SENT = "sent"


class Address(Embedded):
    city: str
    zip_code: str = Field(default="", alias="zipCode")


class Line(Embedded):
    sku: str
    quantity: int = 1


class Order(Document, collection="orders"):
    customer_id: ObjectId
    number: OrderNumber = OrderNumber("")
    kind: Literal["web", "shop"] = "web"
    status: Status = Status.OPEN
    total: Decimal = Decimal(0)
    weight: float = 0.0
    paid: bool = False
    created: datetime | None = None
    address: Address
    billing: Address | None = None
    lines: list[Line] = []
    tags: set[str] = set()
    labels: dict[str, str] = {}
    note: str | None = None

    def ship(self) -> None:
        self.status = Status.SENT


class Customer(Document[str], collection="customers"):
    name: str


@dataclass
class Point:
    x: float
    y: float


class Chart(Document, collection="charts"):
    points: list[Point] = []
    ends: tuple[Point, Point] | None = None


class Voucher(Document[UUID], collection="vouchers"):
    percent: int = 0


class Country(Document[str], collection="countries"):
    id: str = Field()  # without a default, unlike the inherited one
    name: str


class Animal(Document, collection="animals", discriminator="kind"):
    name: str = ""


class Cat(Animal):
    kind: Literal["cat"] = "cat"
    lives: int = 9


class Dog(Animal):
    kind: Literal["dog"] = "dog"


class Wooden(Embedded):
    kind: Literal["wooden"] = "wooden"


class Iron(Embedded):
    kind: Literal["iron"] = "iron"
    rust: int = 0


class Fence(Document, collection="fences"):
    gates: list[Annotated[Wooden | Iron, Field(discriminator="kind")]] = []


class Parcel(Embedded):
    order: Ref[Order]


class Delivery(Document, collection="deliveries"):
    customer: Ref[Customer, str]
    country: Ref[Country]
    voucher: Ref[Voucher, UUID] | None = None
    parcels: list[Parcel] = []
    orders: list[Ref[Order]] = []
    before: Ref["Delivery"] | None = None


class Summary(Embedded, frozen=True):
    number: OrderNumber
    total: Decimal


class Orders(Repository[Order]):
    def open_for(self, customer_id: ObjectId) -> list[Order]:
        return self.find(Order.customer_id == customer_id, Order.status == Status.OPEN).to_list()


class AsyncOrders(AsyncRepository[Order]):
    async def open_for(self, customer_id: ObjectId) -> list[Order]:
        return await self.find(Order.customer_id == customer_id, Order.status == Status.OPEN).to_list()


class Vouchers(Repository[Voucher, UUID]):
    pass


class AsyncVouchers(AsyncRepository[Voucher, UUID]):
    pass


class Shop(UnitOfWork):
    orders = Orders()
    customers = Repository(Customer)
    animals = Repository(Animal)
    cats = Repository(Cat)
    vouchers = Vouchers()
    named = Repository[Customer, str](Customer)
    deliveries = Repository(Delivery)


class AsyncShop(AsyncUnitOfWork):
    orders = AsyncOrders()
    customers = AsyncRepository(Customer)
    vouchers = AsyncVouchers()
    deliveries = AsyncRepository(Delivery)


TO_2 = (
    Upcast(2)
    .rename_field("title", "name")
    .set_field("level", 1)
    .convert("age", "text to int")
    .convert("state", {"O": "open"})
    .compute(lambda stored: {"slug": stored["name"]}, fields=["slug"])
    .unset_field("old", undo=lambda stored: stored["name"])
)


class Reader(Document[int], collection="readers", schema_version=2, upcasts=[TO_2]):
    name: str
