"""What is taken of a body: allowed fields, as strict JSON, all or nothing."""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal

import pytest
from bson import ObjectId
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from boundwork import (
    Document,
    Embedded,
    InvalidRequest,
    any_of,
    apply_request,
    fields_from,
    from_request,
    some,
    sort_from,
)

CALLS: list[str] = []


def _counted(text: str) -> str:
    CALLS.append(text)
    return text + "#"


class Kind(Enum):
    A = "a"
    B = "b"


class Line(Embedded):
    sku: str
    quantity: int = Field(default=1, ge=1)


class Address(Embedded):
    street: str = "Main"
    city: str = Field(default="Bonn", alias="town")
    country: str = "DE"


class Frozen(Embedded, frozen=True):
    low: int = 0
    high: int = 9


class Card(Embedded):
    kind: Literal["card"] = "card"
    number: str = ""
    limit: int = 0


class Cash(Embedded):
    kind: Literal["cash"] = "cash"


class Order(Document, collection="orders"):
    owner: str = "program"
    kind: Kind = Kind.A
    total: Decimal = Decimal(0)
    at: datetime | None = None
    customer: ObjectId | None = None
    lines: list[Line] = []
    facts: dict[str, int] = {}
    anything: Any = None
    address: Address = Address()
    billing: Address | None = None
    span: Frozen = Frozen()
    paid_by: Card | Cash = Field(default=Cash(), discriminator="kind")
    mark: Annotated[str, AfterValidator(_counted)] = ""
    low: int = 0
    high: int = 9
    fixed: int = Field(default=0, frozen=True)

    @model_validator(mode="after")
    def _ordered(self) -> "Order":
        if self.low > self.high:
            raise ValueError(f"secret-{self.low}")
        return self


EVERYTHING = tuple(name for name in Order.model_fields if name not in {"id", "owner", "fixed"})


def made(body: Any, *allow: Any, **keywords: Any) -> Order:
    return from_request(Order, body, allow=allow or EVERYTHING, **keywords)


def refused(body: Any, *allow: Any, **keywords: Any) -> dict[str, str]:
    """Return the problems by field."""
    with pytest.raises(InvalidRequest) as caught:
        made(body, *allow, **keywords)
    assert caught.value.__cause__ is None
    assert "secret" not in str(caught.value)
    return dict(zip(caught.value.fields, caught.value.problems, strict=True))


def test_values_are_read_as_json_of_the_fields_types() -> None:
    order = made({"kind": "b", "total": 0.1, "at": "2024-05-01T00:00:00Z", "customer": "0123456789abcdef01234567"})
    assert (order.kind, order.total, order.at) == (Kind.B, Decimal("0.1"), datetime(2024, 5, 1, tzinfo=UTC))
    assert order.customer == ObjectId("0123456789abcdef01234567")


@pytest.mark.parametrize(
    "body",
    [
        {"low": "5"}, {"low": 1.5}, {"low": True}, {"at": 5}, {"kind": {"$ne": "a"}}, {"total": [1]}, {"customer": 5},
        {"lines": {"0": {"sku": "a"}}}, {"lines": [{"sku": 5}]}, {"facts": {"a": "5"}}, {"kind": None}, {"address": []},
    ],
)  # fmt: skip
def test_what_is_json_of_another_type_is_refused(body: dict[str, Any]) -> None:
    (field,) = refused(body)
    assert field.split(".")[0] == next(iter(body))


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"low": -(2**70)}, "low"),
        ({"at": "2024-05-01T00:00:00"}, "at"),
        ({"at": "0001-01-01T00:00:00+14:00"}, "at"),
        ({"total": "1" * 40}, "total"),
        ({"lines": [{"sku": "a"}, {"sku": "b", "quantity": 2**64}]}, "lines.1.quantity"),
        ({"facts": {"secret": 2**64}}, "facts.[...]"),
        ({"anything": {"secret": [2**64]}}, "anything.[...].0"),
    ],
)
def test_what_no_database_can_hold_is_refused_with_the_request(body: dict[str, Any], place: str) -> None:
    assert list(refused(body)) == [place]
    order = Order()
    with pytest.raises(InvalidRequest) as caught:
        apply_request(order, {**body, "high": 10}, allow=EVERYTHING)
    assert (caught.value.fields, order.high) == ((place,), 9)


def test_fields_that_are_not_allowed_or_not_known_are_named_all_at_once() -> None:
    assert refused({"owner": "secret", "kind": "b", "id": "x", "_id": 1, "k" * 99: 1}, Order.kind) == {
        "owner": "is not allowed",
        "id": "is not allowed",
        "'_id'": "is no field of it",
        f"'{'k' * 40}...'": "is no field of it",
    }
    assert made({"owner": "secret", "kind": "b", "nothing": 1}, "kind", ignore_others=True).owner == "program"


def test_an_id_is_assigned_only_where_it_is_allowed() -> None:
    text = "0123456789abcdef01234567"
    assert "id" in refused({"id": text})
    assert made({"id": text}, Order.id).id == ObjectId(text)


def test_a_part_of_an_embedded_model_does_not_allow_the_rest() -> None:
    for allow in (Order.address.city, "address.city"):
        assert made({"address": {"town": "Oslo"}}, allow).address == Address(town="Oslo")
        assert refused({"address": {"town": "Oslo", "country": "NO"}}, allow) == {"address.country": "is not allowed"}
        assert refused({"address": None}, allow) == {"address": "is allowed in parts only, and is no object with parts"}
    assert refused({"lines": [{"sku": "a", "quantity": 2}]}, any_of(Order.lines).sku) == {
        "lines.0.quantity": "is not allowed"
    }
    assert refused({"lines": [{"sku": "a", "quantity": 2}]}, "lines.sku") == {"lines.0.quantity": "is not allowed"}
    assert refused({"facts": {"a": 1, "secret": 2}}, Order.facts["a"]) == {"facts.[...]": "is not allowed"}
    assert refused({"paid_by": {"kind": "card", "limit": 5}}, "paid_by.kind") == {"paid_by.limit": "is not allowed"}
    assert made({"paid_by": {"kind": "card", "limit": 5}}).paid_by == Card(limit=5)
    assert refused({"paid_by": {"kind": "card", "nothing": 5}}) == {"paid_by.'nothing'": "is no field of it"}


def test_only_what_json_parsers_make_is_a_body() -> None:
    class Sly(dict[str, Any]):
        pass

    deep: Any = 1
    for _ in range(40):
        deep = [deep]
    bodies: list[Any] = [
        None, [], "x", Sly(), {"anything": Sly()}, {"anything": (1,)}, {"anything": b""}, {1: 2}, {"anything": {"\0": 1}},
        {"anything": deep}, {"anything": float("nan")}, {"anything": 2**2000}, {"anything": "\ud800"},
        {"anything": "x" * 1_000_001}, {"anything": [0] * 1_000_001}, {"anything": ObjectId()}, {"anything": Kind.A},
    ]  # fmt: skip
    for body in bodies:
        assert list(refused(body)) == ["(body)"]
    assert made({"anything": {"$where": ["x", {"$ne": None}]}}).anything == {"$where": ["x", {"$ne": None}]}


def test_given_values_are_the_programs_and_come_first() -> None:
    order = made({"kind": "b", "low": 3}, given={"owner": "me", "low": 5})
    assert (order.owner, order.kind, order.low) == ("me", Kind.B, 5)
    with pytest.raises(ValueError, match="given: Order has no field 'ownr'"):
        made({}, given={"ownr": 1})


def test_functions_of_a_field_make_its_value_once_and_the_models_validators_see_the_whole() -> None:
    assert made({"mark": "x"}).mark == "x#"
    assert refused({"low": 10}) == {"(document)": "value_error"}
    order = Order(low=3)
    with pytest.raises(InvalidRequest):
        apply_request(order, {"high": 2}, allow=(Order.high,))
    apply_request(order, {"high": 20, "low": 15, "mark": "y"}, allow=(Order.high, Order.low, Order.mark))
    assert (order.low, order.high, order.mark) == (15, 20, "y#")


def test_a_change_is_all_or_nothing_and_stays_in_the_allowed_parts() -> None:
    order = Order(address=Address(country="FR"), billing=Address(country="FR"))
    allow = (Order.kind, Order.address.city, some(Order.billing).city, "span.high")
    apply_request(order, {"billing": {"town": "Lyon"}, "span": {"high": 7}}, allow=allow)
    assert order.billing == Address(town="Lyon", country="FR")
    assert order.span == Frozen(high=7)
    with pytest.raises(InvalidRequest, match=r"of Order|fit Order: address\.city"):
        apply_request(order, {"kind": "b", "address": {"town": 5}}, allow=allow)
    assert order.kind is Kind.A
    order.billing = None
    apply_request(order, {"billing": {"town": "Rome"}}, allow=allow)
    assert order.billing == Address(town="Rome")


def test_what_cannot_be_allowed_is_said_to_the_program() -> None:
    order = Order()
    for allow, problem in [
        ((Order.id,), "cannot change"),
        ((any_of(Order.lines).sku,), "as a whole"),
        ((Order.facts["a"],), "as a whole"),
        (("knid",), "Did you mean 'kind'"),
    ]:
        with pytest.raises(ValueError, match=problem):
            apply_request(order, {}, allow=allow)
    with pytest.raises(ValueError, match="frozen"):
        apply_request(order, {"fixed": 1}, allow=(Order.fixed,))
    wrongs: list[Any] = ["kind", Order.kind, (5,), {"kind": 1}]
    for wrong in wrongs:
        with pytest.raises(TypeError, match="allow takes"):
            apply_request(order, {}, allow=wrong)


def test_a_dataclass_is_allowed_as_a_whole() -> None:
    @dataclass
    class Point:
        x: int = 0
        y: int = 0

    class Chart(Document[int], collection="charts"):
        point: Point = Point()

    chart, parts = Chart(id=1, point=Point(5, 6)), (Chart.point.x,)
    for write in (lambda: apply_request(chart, {}, allow=parts), lambda: from_request(Chart, {}, allow=parts)):
        with pytest.raises(ValueError, match=r"Chart\.point\.x cannot be allowed by itself"):
            write()
    apply_request(chart, {"point": {"x": 1, "y": 2}}, allow=(Chart.point,))
    assert chart.point == Point(1, 2)


def test_a_plain_model_is_made_as_well_with_the_names_of_its_constructor() -> None:
    class Named(BaseModel):
        model_config = ConfigDict(populate_by_name=True, extra="allow")
        first: str = Field(alias="firstName")

    assert from_request(Named, {"firstName": "Ada"}, allow=("first",)).first == "Ada"
    assert from_request(Named, {"first": "Ada"}, allow=("first",)).first == "Ada"
    for body in ({"first": "Ada", "firstName": "Eve"}, {"first": "Ada", "more": 1}):
        with pytest.raises(InvalidRequest):
            from_request(Named, body, allow=("first",))


def test_a_sort_names_fields_of_the_program() -> None:
    allow = (Order.total, Order.address.city)
    assert repr(sort_from("-total, address.city", allow=allow)) == "(desc(Order.total), asc(Order.address.city))"
    assert sort_from(None, allow=allow) == sort_from("", allow=allow) == ()
    assert repr(sort_from("-due", allow={"due": Order.at})) == "(desc(Order.at),)"
    texts: list[Any] = [
        "$where",
        "kind",
        "--total",
        "-",
        "total,,total",
        "total,-total",
        "total,total",
        ",",
        "x" * 9999,
        5,
        {},
        ["total"],
    ]
    for text in texts:
        with pytest.raises(InvalidRequest):
            sort_from(text, allow=allow)
    with pytest.raises(ValueError, match="no plain name"):
        sort_from("x", allow=(any_of(Order.lines).sku,))
    with pytest.raises(TypeError):
        sort_from("x", allow=("total",))


def test_fields_are_those_on_the_list() -> None:
    assert fields_from("total,kind", allow=(Order.kind, Order.total)) == ("total", "kind")
    assert fields_from("", allow=(Order.kind, "total")) == ("kind", "total")
    for text in ("id", "kind,kind", "$kind", "kind.x"):
        with pytest.raises(InvalidRequest):
            fields_from(text, allow=(Order.kind,))
