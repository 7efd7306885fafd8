"""Paths in text: each part of one must be what the model stores there, unless anything may be."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal, NamedTuple

import pytest
from bson import ObjectId
from pydantic import BaseModel, Field, RootModel, WrapValidator, field_validator, with_config
from typing_extensions import TypedDict

from boundwork import Document, Embedded, Ref
from boundwork.models.expressions import any_of, compile_filter, compile_sort, each, elem, not_, pull, raw


class Size(Enum):
    SMALL = "S"


class Part(BaseModel):
    code: int


class Line(Embedded):
    sku: str
    price: Decimal = Field(default=Decimal(0), alias="p")
    parts: list[Part] = []


class Gift(Line):
    wrapped: bool = True


class Loose(Embedded, extra="allow"):
    name: str = ""


class Lines(RootModel[list[Line]]):
    pass


class Record(TypedDict):
    left: int
    right: Part


@with_config(extra="allow")
class OpenRecord(TypedDict):
    left: int


class Pair(NamedTuple):
    first: int
    second: Part


@dataclass
class Point:
    x: float = 0
    inner: Part | None = None


class Card(BaseModel):
    kind: Literal["card"] = "card"
    owner: Part | None = None


class Cash(BaseModel):
    kind: Literal["cash"] = "cash"
    sum: int = 0


class Key(BaseModel, frozen=True):
    year: int
    number: int


class Target(Document[Key], collection="targets"):
    pass


class Order(Document, collection="orders"):
    number: str = ""
    total: Decimal = Decimal(0)
    created: datetime | None = None
    size: Size = Size.SMALL
    owner: ObjectId | None = None
    lines: list[Line] = []
    first: Line | None = None
    payment: Card | Cash | None = None
    route: Lines = Lines([])
    record: Record | None = None
    open_record: OpenRecord | None = None
    pair: Pair | None = None
    points: dict[str, Point] = {}
    loose: Loose = Loose()
    meta: dict[str, Any] = {}
    labels: dict[str, str] = {}
    anything: Any = None
    counts: Counter[str] = Counter()
    grid: list[list[Part]] = []
    target: Ref[Target] | None = None
    wrapped: Annotated[Part | None, WrapValidator(lambda value, handler: handler(value))] = None
    checked: Part | None = None

    @field_validator("checked", mode="plain")
    @classmethod
    def anything_goes(cls, value: Any) -> Any:
        return value


class Rush(Order):
    courier: Part = Part(code=1)


KNOWN = [
    "lines.sku", "lines.0.sku", "lines.p", "lines.0", "lines.parts.code", "lines.0.parts.1.code", "lines.wrapped",
    "first.sku", "payment.sum", "payment.owner.code", "route.sku", "route.3.p", "record.left",
    "record.right.code", "open_record.else", "pair.0", "pair.1.code", "pair.code", "points.any.x", "points.a.inner.code",
    "loose.else", "loose.else.deeper", "meta.a.b.c", "labels.colour", "anything.at.all", "counts.word", "grid.0.0.code",
    "target.year", "wrapped.else", "checked.else", "courier.code",
]  # fmt: skip
UNKNOWN = [
    ("lines.skuu", "Line stores no field 'skuu'. Did you mean 'sku'?"),
    ("lines.0.skuu", "Line stores no field 'skuu'. Did you mean 'sku'?"),
    ("lines.price", "Line stores no field 'price'. Did you mean 'p'?"),
    ("lines.parts.cod", "Part stores no field 'cod'. Did you mean 'code'?"),
    ("first.qqq", "Line stores no field 'qqq'. It stores: p, parts, sku, wrapped."),
    ("payment.summ", "Card or Cash stores no field 'summ'. Did you mean 'sum'?"),
    ("route.skuu", "Line stores no field 'skuu'. Did you mean 'sku'?"),
    ("record.lft", "Record stores no field 'lft'. Did you mean 'left'?"),
    ("record.right.cod", "Part stores no field 'cod'. Did you mean 'code'?"),
    ("points.any.inner.cod", "Part stores no field 'cod'. Did you mean 'code'?"),
    ("target.yaer", "Key stores no field 'yaer'. Did you mean 'year'?"),
    ("courier.cod", "Part stores no field 'cod'. Did you mean 'code'?"),
    ("number.x", "nothing is stored inside of 'number'."),
    ("created.year", "nothing is stored inside of 'created'."),
    ("size.value", "nothing is stored inside of 'size'."),
    ("owner.name", "nothing is stored inside of 'owner'."),
    ("labels.colour.dark", "nothing is stored inside of 'labels.colour'."),
    ("lines.sku.x", "nothing is stored inside of 'lines.sku'."),
    ("_id.part", "nothing is stored inside of '_id'."),
    ("liness.sku", "Order stores no such field. Did you mean 'lines'?"),
]


@pytest.mark.parametrize("path", KNOWN)
def test_what_a_model_stores_may_be_named_in_filters_and_sorts(path: str) -> None:
    compile_filter(Order, {path: 1})
    compile_sort(Order, path)


@pytest.mark.parametrize(("path", "problem"), UNKNOWN)
def test_what_it_does_not_store_is_refused_with_the_nearest_name(path: str, problem: str) -> None:
    for condition in ({path: 1}, {"$or": [{path: {"$exists": True}}]}, not_({path: 1})):
        with pytest.raises(ValueError, match=r"^A plain filter names") as caught:
            compile_filter(Order, condition)
        assert (
            str(caught.value)
            == f"A plain filter names {path!r}, and {problem} Take names as they are with raw({{...}})."
        )
    with pytest.raises(ValueError, match=r"^A sort names") as caught:
        compile_sort(Order, f"-{path}")
    assert problem in str(caught.value)
    assert compile_filter(Order, raw({path: 1})) == {path: 1}


@pytest.mark.parametrize(
    "plain",
    [
        {"lines": {"$elemMatch": {"skuu": 1}}},
        {"lines": {"$elemMatch": {"$or": [{"sku": 1}, {"skuu": 1}]}}},
        {"lines": {"$not": {"$elemMatch": {"skuu": 1}}}},
        {"lines": {"$all": [{"$elemMatch": {"sku": 1}}, {"$elemMatch": {"skuu": 1}}]}},
        {"$nor": [{"lines": {"$elemMatch": {"skuu": 1}}}]},
    ],
)
def test_names_in_the_elements_of_lists_are_those_of_the_elements(plain: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"names 'lines\.skuu'.* Did you mean 'sku'"):
        compile_filter(Order, plain)


def test_plain_conditions_inside_of_words_about_elements_are_checked_where_they_are_written() -> None:
    lines: Any = Order.lines
    for write in (
        lambda: elem(lines, {"skuu": 1}),
        lambda: elem(lines, not_({"skuu": 1})),
        lambda: each(lines, {"skuu": 1}),
        lambda: pull(lines, not_({"skuu": 1})),
        lambda: elem(lines, elem(any_of(lines).parts, {"code": 1}), {"skuu": 1}),
    ):
        with pytest.raises(ValueError, match=r"names 'lines\.skuu'.* Did you mean 'sku'"):
            write()
    with pytest.raises(ValueError, match=r"names 'lines\.parts\.cod'"):
        elem(lines, elem(any_of(lines).parts, {"cod": 1}))
    assert compile_filter(Order, elem(lines, raw({"skuu": 1}))) == {"lines": {"$elemMatch": {"skuu": 1}}}


def test_a_value_that_is_compared_as_a_whole_is_no_path() -> None:
    plain = {
        "first": {"skuu": 1},
        "lines": {"$in": [{"skuu": 1}]},
        "meta": {"$eq": {"lines": {"$elemMatch": {"skuu": 1}}}},
    }
    assert compile_filter(Order, plain) == plain
