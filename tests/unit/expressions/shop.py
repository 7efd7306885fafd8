"""Models that the tests of expressions are written against: plain pydantic, no Document."""

from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Generic, TypeVar

from pydantic import BaseModel, Field, RootModel
from typing_extensions import TypeAliasType

from boundwork.models.expressions import field_expression


class Status(Enum):
    OPEN = "open"
    SENT = "sent"


class Address(BaseModel):
    city: str
    zip_code: str = Field(default="", alias="zipCode")


class Part(BaseModel):
    code: int


class Line(BaseModel):
    sku: str
    price: Decimal = Field(default=Decimal(0), serialization_alias="p")
    parts: list[Part] = []


class Card(BaseModel):
    number: str


class Transfer(BaseModel):
    number: str
    bank: str = Field(alias="bankCode")


class Cash(BaseModel):
    number: str = Field(alias="no")


class Route(RootModel[list[Address]]):
    pass


Kind = TypeVar("Kind")


class Box(BaseModel, Generic[Kind]):
    content: Kind


Parcel = Box[Part]
Lines = TypeAliasType("Lines", list[Line])


class Order(BaseModel):
    number: str
    status: Status = Status.OPEN
    total: Decimal = Decimal(0)
    paid: bool = False
    address: Address
    billing: Address | None = None
    lines: Annotated[Lines, Field(max_length=100)] = []
    tags: set[str] = set()
    grid: list[list[int]] = []
    payment: Card | Transfer = Card(number="")
    refund: Card | Cash = Card(number="")
    labels: dict[str, str] = {}
    meta: dict[str, Any] = {}
    extra: Any = None
    path: str = ""
    replies: "list[Reply]" = []
    route: Route = Route([])
    parcel: Parcel = Parcel(content=Part(code=0))


class Reply(BaseModel):
    text: str
    replies: "list[Reply]" = []


class RushOrder(Order):
    courier: str = ""


class Customer(BaseModel):
    name: str


def field(name: str, model: type[BaseModel] = Order) -> Any:
    """Stand for `Order.name`, which only a Document answers by itself; Any, as checkers do not see the expression."""
    return field_expression(model, name)
