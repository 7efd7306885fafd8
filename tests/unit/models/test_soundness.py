"""What an untouched document may hold through its embedded models is verified, and only where types do not show it."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from ipaddress import IPv4Address
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, NewType
from uuid import UUID

import pytest
from bson import ObjectId
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainValidator,
    WrapValidator,
    create_model,
    field_validator,
    model_validator,
)
from pydantic.dataclasses import dataclass
from typing_extensions import TypedDict

from boundwork.errors import InvalidDocument
from boundwork.models import Document, Embedded
from boundwork.models.codec import codec_of
from boundwork.models.mapper import mapper_of
from boundwork.models.soundness import doubtful_fields

Number = NewType("Number", int)


class Colour(Enum):
    RED = "red"


class Leaf(Embedded):
    n: int = 0


class Web(Embedded):
    kind: Literal["web"] = "web"


class Mail(Embedded):
    kind: Literal["mail"] = "mail"
    leaf: Leaf = Leaf()


class Part(Embedded):
    text: str = ""
    count: int = 0
    ratio: float = 0.0
    flag: bool = False
    raw: bytes = b""
    key: ObjectId = ObjectId()
    uuid: UUID = UUID(int=1)
    at: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    day: date = date(2026, 1, 1)
    hour: time = time(1)
    span: timedelta = timedelta(1)
    price: Decimal = Decimal(1)
    colour: Colour = Colour.RED
    path: Path = Path("a")
    host: IPv4Address = IPv4Address("10.0.0.1")
    number: Number = Number(1)
    maybe: int | None = None
    either: int | str = 1
    choice: Literal["a", 1] = "a"
    anything: Any = None
    names: list[str] = []
    bare: list = []  # type: ignore[type-arg]  # pyright: ignore[reportMissingTypeArgument, reportUnknownVariableType]  # what a user may write
    group: set[int] = set()
    pair: tuple[int, str] = (1, "")
    row: tuple[int, ...] = ()
    facts: dict[str, int] = {}
    by_number: dict[int, Leaf] = {}
    leaves: list[Leaf | None] = []
    grid: list[list[Leaf]] = []
    several: Sequence[Leaf] = []
    mapped: Mapping[str, Leaf] = {}
    contact: Annotated[Web | Mail, Field(discriminator="kind")] = Web()
    contacts: list[Annotated[Web | Mail, Field(discriminator="kind")]] = []
    again: "Part | None" = None
    at_least: Annotated[int, Field(ge=1, lt=10)] = 5
    short: str = Field(default="", max_length=3)
    limits: list[Annotated[float, Field(gt=0)]] = []


class Plain(Document[int], collection="plain"):
    part: Part
    parts: list[Part] = []
    by_name: dict[str, Part] = {}
    names: Annotated[list[str], Field(max_length=2)] = []


class Limited(Embedded):
    n: Annotated[int, Field(ge=0)] = 0
    code: str = Field(default="abc", pattern="^[a-z]+$")


class Pair(NamedTuple):
    limited: Limited
    n: int = 0


class Facts(TypedDict):
    limited: Limited


class Summed(Embedded):
    low: int = 0
    high: int = 1

    @model_validator(mode="after")
    def ordered(self) -> "Summed":
        if self.low > self.high:
            raise ValueError("low is over high")
        return self


class Listened(Embedded):
    n: int = 0

    @field_validator("n")
    @classmethod
    def even(cls, value: int) -> int:
        if value % 2:
            raise ValueError("odd")
        return value


@dataclass
class Weight:
    grams: int = 0


def few(values: list[Leaf]) -> list[Leaf]:
    if any(leaf.n > 5 for leaf in values):
        raise ValueError("too many")
    return values


class Posted(Embedded):
    n: int = 0

    def model_post_init(self, _: Any, /) -> None:
        if self.n > 5:
            raise ValueError("too many")


class Base(Document[int], collection="strict"):
    pass


class Numbered(Document[int], collection="numbered"):
    pass


class Looked(Document[int], collection="looked"):
    leaf: Leaf = Leaf()

    @model_validator(mode="after")
    def small(self) -> "Looked":
        if self.leaf.n > 5:
            raise ValueError("too many")
        return self


def doubtful(document: Document[Any]) -> tuple[str, ...]:
    names = doubtful_fields(codec_of(type(document)))
    return () if names is None else names(document)


def write(document: Document[Any]) -> None:
    """Do what an insert of an untouched document does."""
    mapper = mapper_of(type(document))
    mapper.verify_untouched(document)
    mapper.encode(document)


def full() -> Part:
    return Part(
        maybe=1,
        either="x",
        choice=1,
        anything=[{"a": 1}],
        names=["é"],
        bare=[1, ""],
        group={1},
        pair=(2, "x"),
        row=(1, 2),
        facts={"a": 1},
        by_number={1: Leaf()},
        leaves=[None, Leaf()],
        grid=[[Leaf()], []],
        several=(Leaf(),),
        mapped={"a": Leaf()},
        contact=Mail(),
        contacts=[Web(), Mail()],
        again=Part(),
    )


def test_a_document_whose_types_say_everything_is_not_verified() -> None:
    assert doubtful(Plain(id=1, part=Part())) == ()
    assert doubtful(Plain(id=1, part=full(), parts=[full(), Part()], by_name={"a": full()}, names=["a"])) == ()


def test_a_document_without_models_has_nothing_to_be_verified() -> None:
    class Bare(Document[int], collection="bare"):
        names: Annotated[list[str], Field(max_length=2)] = []
        facts: dict[str, Any] = {}

    assert doubtful_fields(codec_of(Bare)) is None


def text_only(value: Any) -> int:
    return int(value.removeprefix("#") if isinstance(value, str) else "no text")


@pytest.mark.parametrize(
    "mark", [BeforeValidator(text_only), WrapValidator(lambda value, _: text_only(value)), PlainValidator(text_only)]
)
def test_a_validator_that_refuses_what_it_has_made_is_found_before_the_insert(mark: Any) -> None:
    marked: Any = Annotated[int, mark]
    counted: Any = create_model("Counted", __base__=Numbered, number=(marked, 0))
    with pytest.raises(InvalidDocument, match="number: "):
        write(counted(id=1, number="#5"))


def test_a_model_that_refuses_what_it_has_made_is_found_before_the_insert() -> None:
    class Unpacked(Document[int], collection="unpacked"):
        number: int = 0

        @model_validator(mode="before")
        @classmethod
        def packed_only(cls, values: dict[str, Any]) -> dict[str, Any]:
            if "packed" not in values:
                raise ValueError("not packed")
            return {"id": 1, "number": values["packed"]}

    with pytest.raises(InvalidDocument):
        write(Unpacked.model_validate({"packed": 5}))


def test_a_validator_that_takes_what_it_has_made_is_no_reason_to_refuse() -> None:
    class Stripped(Document[int], collection="stripped"):
        text: str = ""

        @field_validator("text", mode="before")
        @classmethod
        def stripped(cls, value: str) -> str:
            return value.strip()

    write(Stripped(id=1, text=" x "))


def test_an_attribute_that_was_deleted_is_noticed() -> None:
    part = Part()
    document = Plain(id=1, part=part)
    del part.text
    assert doubtful(document) == ("part", "parts", "by_name")


SPOILT: list[tuple[Any, Any, Callable[[Any], Any], str, Any, str]] = [
    (Limited, Limited(), lambda value: value, "n", -1, "value.n"),
    (Limited | None, Limited(), lambda value: value, "code", "1", "value.code"),
    (list[Summed], Summed(), lambda value: [value], "low", 5, "value.0"),
    (Listened, Listened(), lambda value: value, "n", 1, "value.n"),
    (Posted, Posted(), lambda value: value, "n", 6, "value"),
    (Weight, Weight(), lambda value: value, "grams", "x", "value.grams"),
    (Annotated[list[Leaf], AfterValidator(few)], Leaf(), lambda value: [value], "n", 6, "value"),
    (Pair, Limited(), Pair, "n", -1, "value.0.n"),
    (Facts, Limited(), lambda value: {"limited": value}, "n", -1, "value.limited.n"),
    (dict[str, tuple[Limited, int]], Limited(), lambda value: {"k": (value, 1)}, "n", -1, "value.[...].0.n"),
]


@pytest.mark.parametrize(("annotation", "inner", "wrap", "name", "value", "field"), SPOILT)
def test_constraints_of_embedded_models_are_verified(
    annotation: Any, inner: Any, wrap: Callable[[Any], Any], name: str, value: Any, field: str
) -> None:
    model: Any = create_model("Strict", __base__=Base, value=(annotation, ...))
    document = model(id=1, value=wrap(inner))
    write(document)
    setattr(inner, name, value)
    with pytest.raises(InvalidDocument) as caught:
        write(document)
    assert caught.value.fields == (field,)


def test_a_validator_of_the_whole_document_has_its_say_about_embedded_models() -> None:
    leaf = Leaf()
    document = Looked(id=1, leaf=leaf)
    write(document)
    leaf.n = 6
    with pytest.raises(InvalidDocument):
        write(document)
