"""Every type comes back from BSON as it went in, through the driver's own encoder."""

import enum
import random
import re
from collections import deque
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Address
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, Optional, TypeVar
from uuid import UUID

import bson
import pytest
from bson import Decimal128, Int64, ObjectId, Regex
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import (
    AnyUrl,
    Field,
    HttpUrl,
    NaiveDatetime,
    PostgresDsn,
    SecretBytes,
    SecretStr,
    create_model,
)
from typing_extensions import TypedDict

from boundwork.models import Document, Embedded, StorePlain
from boundwork.models.decimal128 import from_decimal, to_decimal
from boundwork.models.mapper import mapper_of

D = TypeVar("D", bound=Document[Any])
QUICK = settings(max_examples=25, deadline=None)


def come_back(document: D) -> D:
    """Write a document as BSON and read it again."""
    mapper = mapper_of(type(document))
    return mapper.load(mapper.decode(bson.encode(mapper.encode(document)))[0])


class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Size(enum.IntEnum):
    SMALL = 1
    LARGE = 2


class Rate(enum.Enum):
    LOW = Decimal("0.05")
    HIGH = Decimal("0.19")


class Point(NamedTuple):
    x: int
    y: Decimal


class Extent(TypedDict):
    width: Decimal
    height: int


@dataclass
class Weight:
    grams: Decimal
    since: date


class Part(Embedded):
    price: Decimal
    wait: timedelta | None = None


class Square(Embedded):
    kind: Literal["square"] = "square"
    side: Decimal


class Circle(Embedded):
    kind: Literal["circle"] = "circle"
    radius: timedelta


def milliseconds(value: datetime) -> datetime:
    return value.replace(microsecond=value.microsecond // 1000 * 1000)


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
INTS = st.integers(-(2**63), 2**63 - 1)
DECIMALS = st.tuples(
    st.integers(0, 1),
    st.lists(st.integers(0, 9), min_size=1, max_size=34).map(tuple),
    st.integers(-6000, 6000),
).map(Decimal)
MOMENTS = st.datetimes(min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30)).map(milliseconds)  # noqa: DTZ001
AWARE = MOMENTS.map(lambda moment: moment.replace(tzinfo=UTC))
SPANS = st.timedeltas(timedelta(-99999999), timedelta(99999999))
PARTS = st.builds(Part, price=DECIMALS, wait=st.none() | st.timedeltas(timedelta(-9999), timedelta(9999)))

CASES: dict[str, tuple[Any, st.SearchStrategy[Any]]] = {
    "str": (str, TEXT),
    "int": (int, INTS),
    "float": (float, st.floats(allow_nan=False)),
    "bool": (bool, st.booleans()),
    "bytes": (bytes, st.binary(max_size=20)),
    "object id": (ObjectId, st.binary(min_size=12, max_size=12).map(ObjectId)),
    "datetime": (datetime, AWARE),
    "naive datetime": (NaiveDatetime, MOMENTS),
    "date": (date, st.dates()),
    "time": (time, st.times()),
    "timedelta": (timedelta, SPANS),
    "decimal": (Decimal, DECIMALS),
    "uuid": (UUID, st.uuids()),
    "enum": (Color, st.sampled_from(Color)),
    "int enum": (Size, st.sampled_from(Size)),
    "decimal enum": (Rate, st.sampled_from(Rate)),
    "literal of enum": (Literal[Color.RED, Color.BLUE], st.sampled_from(Color)),
    "optional decimal": (Decimal | None, st.none() | DECIMALS),
    "set": (set[int], st.sets(INTS)),
    "frozenset": (frozenset[Decimal], st.frozensets(st.decimals(0, 99, places=2))),
    "tuple": (tuple[int, Decimal, date], st.tuples(INTS, DECIMALS, st.dates())),
    "open tuple": (tuple[timedelta, ...], st.lists(SPANS, max_size=3).map(tuple)),
    "deque": (deque[date], st.lists(st.dates(), max_size=3).map(deque)),
    "list of lists": (list[list[Decimal]], st.lists(st.lists(DECIMALS, max_size=2), max_size=2)),
    "path": (Path, st.sampled_from([Path("a/b"), Path("/x"), Path()])),
    "address": (IPv4Address | IPv6Address, st.ip_addresses()),
    "network": (IPv4Network, st.sampled_from([IPv4Network("10.0.0.0/8")])),
    "interface": (IPv4Interface, st.sampled_from([IPv4Interface("10.1.2.3/8")])),
    "url": (AnyUrl, st.just(AnyUrl("ftp://example.org/a"))),
    "http url": (HttpUrl, st.just(HttpUrl("https://example.org/a?b=1"))),
    "dsn": (PostgresDsn, st.just(PostgresDsn("postgres://u:p@h:5432/db"))),
    "pattern": (re.Pattern[str], st.just(re.compile("^a+", re.IGNORECASE))),
    "secret": (Annotated[SecretStr, StorePlain()], TEXT.map(SecretStr)),
    "secret bytes": (Optional[Annotated[SecretBytes, StorePlain()]],  # noqa: UP045 - pyright knows no | on Annotated
 st.none() | st.binary(max_size=5).map(SecretBytes)),
    "dict of decimals": (dict[str, Decimal], st.dictionaries(st.sampled_from(["a", "b.c", "$d", ""]), DECIMALS)),
    "dict by int": (dict[int, timedelta], st.dictionaries(st.integers(), SPANS, max_size=3)),
    "dict by uuid": (dict[UUID, int], st.dictionaries(st.uuids(), INTS, max_size=3)),
    "dict by enum": (dict[Size, int], st.dictionaries(st.sampled_from(Size), INTS)),
    "dict by date": (dict[date, Part], st.dictionaries(st.dates(), PARTS, max_size=2)),
    "dict by object id": (dict[ObjectId, int], st.dictionaries(st.builds(ObjectId), INTS, max_size=2)),
    "named tuple": (Point, st.builds(Point, INTS, DECIMALS)),
    "typed dict": (Extent, st.fixed_dictionaries({"width": DECIMALS, "height": INTS})),
    "dataclass": (Weight, st.builds(Weight, DECIMALS, st.dates())),
    "embedded": (Part, PARTS),
    "embedded in list": (list[Part], st.lists(PARTS, max_size=3)),
    "embedded in dict of lists": (dict[str, list[Part]], st.dictionaries(TEXT, st.lists(PARTS, max_size=2), max_size=2)
                                  .filter(lambda value: all("\0" not in key for key in value))),
    "tagged union": (
        Annotated[Square | Circle, Field(discriminator="kind")],
        st.builds(Square, side=DECIMALS) | st.builds(Circle, radius=SPANS),
    ),
    "untagged union": (list[Square | Circle], st.lists(st.builds(Circle, radius=SPANS), max_size=2)),
    "scalar union": (int | str | Decimal | datetime | None, st.none() | INTS | TEXT | DECIMALS | AWARE),
    "own types of bson": (Regex, st.just(Regex("a", "i"))),
    "decimal128": (Decimal128, DECIMALS.map(Decimal128)),
    "int64": (Int64, INTS.map(Int64)),
    "anything": (Any, st.recursive(st.none() | st.integers(-99, 99) | TEXT, lambda inner: st.lists(inner, max_size=2), max_leaves=4)),
}  # fmt: skip
MODELS: dict[str, Any] = {
    name: create_model(name.title().replace(" ", ""), __base__=Document[int], __cls_kwargs__={"collection": "c"},
                       value=(annotation, ...))
    for name, (annotation, _) in CASES.items()
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_value_comes_back_as_it_went_in(name: str) -> None:
    model, (_, values) = MODELS[name], CASES[name]

    @settings(max_examples=4, deadline=None, database=None)
    @given(values)
    def check(value: Any) -> None:
        document = model(id=1, value=value)
        again = come_back(document)
        assert again.model_dump() == document.model_dump()
        assert type(again.value) is type(document.value)
        assert mapper_of(model).encode(again) == mapper_of(model).encode(document)

    check()


@given(st.floats())
@QUICK
def test_every_float_comes_back_with_its_sign(value: float) -> None:
    assert str(come_back(MODELS["float"](id=1, value=value)).value) == str(value)


@given(DECIMALS | st.sampled_from([Decimal("NaN"), Decimal("Infinity"), Decimal("-Infinity"), Decimal("-0"),
                                   Decimal("-0.00"), Decimal("sNaN")]))  # fmt: skip
@QUICK
def test_the_fast_decimal_agrees_with_that_of_bson(value: Decimal) -> None:
    slow = Decimal128(value)
    assert from_decimal(value).bid == slow.bid
    assert str(to_decimal(slow)) == str(slow.to_decimal())


def test_the_fast_decimal_agrees_with_that_of_bson_for_money() -> None:
    numbers = random.Random(7)
    for _ in range(500):
        value = Decimal(numbers.randint(-(10**9), 10**9)).scaleb(-numbers.randint(0, 8))
        assert from_decimal(value).bid == Decimal128(value).bid
