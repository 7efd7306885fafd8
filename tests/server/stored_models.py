"""Models made at random with values for them, and with stored values that they must refuse."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal, NamedTuple
from uuid import UUID

from bson import Decimal128, ObjectId, Timestamp
from hypothesis import strategies as st
from pydantic import Field, FiniteFloat, NaiveDatetime, PositiveInt, StringConstraints, create_model
from typing_extensions import TypedDict

from boundwork import Document, Embedded
from boundwork.models.kinds import is_document

ALIEN = Timestamp(1, 1)
"""A value of a type that no annotation here has."""
Draw = Callable[[st.SearchStrategy[Any]], Any]
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
INTS = st.integers(-(2**63), 2**63 - 1)
MOMENTS = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30))  # noqa: DTZ001 - made aware where it must be


@dataclass(frozen=True)
class Kind:
    """An annotation, values for it, and what turns a stored value into one that does not fit."""

    annotation: Any
    values: st.SearchStrategy[Any]
    spoil: Callable[[Draw, Any], Any]
    wrong: tuple[Any, ...] = ()


class Colour(Enum):
    RED = "red"
    BLUE = "blue"
    NONE = 0


class Pair(NamedTuple):
    left: int
    right: Annotated[str, Field(max_length=2)]


class Size(TypedDict):
    width: Annotated[float, Field(gt=0)]


class Square(Embedded):
    kind: Literal["square"] = "square"
    side: PositiveInt


class Circle(Embedded, extra="forbid"):
    kind: Literal["circle", "disc"] = "circle"
    radius: Annotated[Decimal, Field(max_digits=4, decimal_places=2)]


class Node(Embedded):
    value: Annotated[int, Field(le=9)]
    below: "list[Node]" = []


NODES: st.SearchStrategy[Node] = st.recursive(
    st.builds(Node, value=st.integers(max_value=9, min_value=-9), below=st.just([])),
    lambda inner: st.builds(Node, value=st.integers(-9, 9), below=st.lists(inner, max_size=2)),
    max_leaves=5,
)


def scalar(annotation: Any, values: st.SearchStrategy[Any], *wrong: Any) -> Kind:
    return Kind(annotation, values, lambda draw, _: draw(st.sampled_from([ALIEN, *wrong])), (ALIEN, *wrong))


def decimals(**bounds: Any) -> st.SearchStrategy[Decimal]:
    return st.decimals(allow_nan=False, allow_infinity=False, **bounds)


MANY = [Decimal128("NaN"), Decimal128("Infinity"), 1.5]
SCALARS = [
    scalar(str, TEXT, 1, b"x"),
    scalar(Annotated[str, Field(min_length=2, max_length=4)], TEXT.filter(lambda text: 2 <= len(text) <= 4), "é", "12345"),
    scalar(Annotated[str, Field(pattern=r"^[a-c]+(?:-\d{1,2})?$")],
           st.from_regex(re.compile(r"\A[a-c]+(?:-\d{1,2})?\Z")), "A", "a-", "a\n", "a-123", ""),
    scalar(Annotated[str, StringConstraints(pattern=r"^\w+[.@]\S*$")],
           st.from_regex(re.compile(r"\A[a-zé_0-9]+[.@][^\s\x1c-\x1f]*\Z")), "a b", "@x", "a.b c"),
    scalar(int, INTS, "1", 1.5, True),
    scalar(Annotated[int, Field(ge=-3, lt=9, multiple_of=3)], st.sampled_from([-3, 0, 3, 6]), -6, 9, 4),
    scalar(PositiveInt, st.integers(1, 2**63 - 1), 0, -1),
    scalar(float, st.floats(), "1", Decimal128("1")),
    scalar(FiniteFloat, st.floats(allow_nan=False, allow_infinity=False), float("nan"), float("-inf"), float("inf")),
    scalar(Annotated[float, Field(gt=0, le=5)], st.floats(0, 5, exclude_min=True), 0.0, 5.1, float("nan")),
    scalar(bool, st.booleans(), 1, "true"),
    scalar(bytes, st.binary(max_size=9), "x"),
    scalar(Decimal, decimals(min_value=-(10**9), max_value=10**9, places=3), *MANY),
    scalar(Annotated[Decimal, Field(gt=Decimal("0.1"), max_digits=5, decimal_places=2)],
           decimals(min_value=Decimal("0.11"), max_value=Decimal("999.99"), places=2),
           *MANY, *map(Decimal128, ["0.1", "1000", "0.125"])),
    scalar(ObjectId, st.binary(min_size=12, max_size=12).map(ObjectId), "0" * 24),
    scalar(UUID, st.uuids(), "x"),
    scalar(datetime, MOMENTS.map(lambda moment: moment.replace(tzinfo=UTC)), "2024-01-01", 0),
    scalar(NaiveDatetime, MOMENTS, 0),
    scalar(date, st.dates(), "2024-01-01"),
    scalar(time, st.times(), 5),
    scalar(timedelta, st.timedeltas(timedelta(-9999), timedelta(9999)), 1.5, "1"),
    scalar(Annotated[timedelta, Field(ge=timedelta(), lt=timedelta(1))], st.timedeltas(timedelta(), timedelta(0, 86399)),
           -1, 86_400_000_000),
    scalar(Colour, st.sampled_from(Colour), "green", 1, False),
    scalar(Literal["a", 1] | None, st.sampled_from(["a", 1, None]), "b", 2, True),
    scalar(int | str | None, INTS | TEXT | st.none(), 1.5, True),
    scalar(Annotated[int | None, Field(ge=5)], st.integers(5, 99) | st.none(), 4),
    scalar(Pair, st.builds(Pair, INTS, TEXT.filter(lambda text: len(text) <= 2)), [1], [1, "abc"], [1, "a", 2], ["a", 1]),
    scalar(Size, st.fixed_dictionaries({"width": st.floats(0.1, 9)}), {}, {"width": 0.0}, {"width": "x"}),
    scalar(tuple[int, str], st.tuples(INTS, TEXT), [], [1], [1, "a", 2], ["a", 1]),
    scalar(set[int], st.sets(INTS, max_size=4), [1, 1], [1.5], 1),
    scalar(Annotated[frozenset[str], Field(min_length=1, max_length=2)], st.frozensets(TEXT, min_size=1, max_size=2),
           [], ["a", "b", "c"], ["a", "a"]),
    scalar(dict[Literal["x", "y"], int], st.dictionaries(st.sampled_from("xy"), INTS), {"z": 1}, {"x": "1"}),
    scalar(Annotated[Square | Circle, Field(discriminator="kind")],
           st.builds(Square, side=st.integers(1, 9))
           | st.builds(Circle, kind=st.sampled_from(["circle", "disc"]),
                       radius=decimals(min_value=-99, max_value=99, places=2)),
           {"kind": "square", "side": 0}, {"kind": "circle", "side": 1}, {"kind": "cube"}, {"side": 1},
           {"kind": "disc", "radius": Decimal128("1"), "more": 1}, {"kind": "disc", "radius": Decimal128("100")}),
    scalar(Node, NODES, {"value": 10}, {"value": 1, "below": [{"value": 10}]}, {"below": []}),
]  # fmt: skip


def optional(inner: Kind) -> Kind:
    return Kind(inner.annotation | None, st.none() | inner.values, inner.spoil)


def list_of(inner: Kind) -> Kind:
    def spoil(draw: Draw, stored: Any) -> Any:
        if not stored or draw(st.booleans()):
            return draw(st.sampled_from([[], [*(stored or []), *[ALIEN] * 4], ALIEN]))
        at = draw(st.integers(0, len(stored) - 1))
        return [*stored[:at], inner.spoil(draw, stored[at]), *stored[at + 1 :]]

    item: Any = inner.annotation
    annotation = Annotated[list[item], Field(min_length=1, max_length=3)]
    return Kind(annotation, st.lists(inner.values, min_size=1, max_size=3), spoil)


def dict_of(inner: Kind) -> Kind:
    def spoil(draw: Draw, stored: Any) -> Any:
        if not stored or draw(st.booleans()):
            return draw(st.sampled_from([{"k": ALIEN}, ALIEN, []]))
        key = draw(st.sampled_from(sorted(stored)))
        return {**stored, key: inner.spoil(draw, stored[key])}

    keys = st.sampled_from(["a", "b.c", "$d", ""])
    value: Any = inner.annotation
    return Kind(dict[str, value], st.dictionaries(keys, inner.values, max_size=2), spoil)


@dataclass(frozen=True)
class MadeField:
    """One field of a model that was made: its stored name and kind."""

    name: str
    stored: str
    kind: Kind
    required: bool


@st.composite
def fields(draw: Draw, kinds: st.SearchStrategy[Kind]) -> list[MadeField]:
    count = draw(st.integers(1, 4))
    return [
        MadeField(f"f{index}", draw(st.sampled_from([f"f{index}", f"alias{index}"])), draw(kinds), draw(st.booleans()))
        for index in range(count)
    ]


def model_of(parts: list[MadeField], base: Any, **keywords: Any) -> Any:
    definitions: dict[str, Any] = {}
    for part in parts:
        info = Field(serialization_alias=part.stored) if part.required else Field(None, serialization_alias=part.stored)
        definitions[part.name] = (part.kind.annotation if part.required else part.kind.annotation | None, info)
    return create_model("Made", __base__=base, __cls_kwargs__=keywords, **definitions)


def values_of(parts: list[MadeField]) -> st.SearchStrategy[dict[str, Any]]:
    given = {part.name: part.kind.values for part in parts}
    return st.fixed_dictionaries(
        {name: values for name, values in given.items() if next(p for p in parts if p.name == name).required},
        optional={
            name: values for name, values in given.items() if not next(p for p in parts if p.name == name).required
        },
    )


def spoiled(draw: Draw, parts: list[MadeField], stored: dict[str, Any], *, forbids: bool) -> dict[str, Any]:
    """Return a stored model with one thing wrong: a value, a field that is missing, or one that is too many."""
    ways = ["value", *(["missing"] if any(part.required for part in parts) else []), *(["more"] if forbids else [])]
    way = draw(st.sampled_from(ways))
    if way == "more":
        return {**stored, "unheard_of": 1}
    if way == "missing":
        gone = draw(st.sampled_from([part.stored for part in parts if part.required]))
        return {name: value for name, value in stored.items() if name != gone}
    part = draw(st.sampled_from(parts))
    return {**stored, part.stored: part.kind.spoil(draw, stored.get(part.stored))}


@st.composite
def embedded(draw: Draw, kinds: st.SearchStrategy[Kind]) -> Kind:
    parts = draw(fields(kinds))
    forbids = draw(st.booleans())
    model = model_of(parts, Embedded, **({"extra": "forbid"} if forbids else {}))

    def spoil(drawn: Draw, stored: Any) -> Any:
        return spoiled(drawn, parts, stored, forbids=forbids) if is_document(stored) else ALIEN

    return Kind(model, values_of(parts).map(lambda given: model(**given)), spoil)


KINDS: st.SearchStrategy[Kind] = st.recursive(
    st.sampled_from(SCALARS),
    lambda inner: inner.map(optional) | inner.map(list_of) | inner.map(dict_of) | embedded(inner),
    max_leaves=4,
)


@st.composite
def documents(draw: Draw) -> tuple[Any, list[MadeField], bool]:
    """Return a model, its fields, and whether it forbids others."""
    parts = draw(fields(KINDS))
    forbids = draw(st.booleans())
    keywords = {"collection": "made", **({"extra": "forbid"} if forbids else {})}
    return model_of(parts, Document[int], **keywords), parts, forbids
