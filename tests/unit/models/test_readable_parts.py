"""A dataclass, a TypedDict or a class of values that could not be read back is refused with the class that holds it."""

import dataclasses
from decimal import Decimal
from typing import Annotated, Any, Optional

import pydantic
import pytest
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, create_model, field_validator, model_validator
from pydantic.alias_generators import to_camel
from typing_extensions import TypedDict

from boundwork.models import Document, Embedded
from tests.unit.models.documents import load, stored


@dataclasses.dataclass
class Account:
    owner: str
    balance: int = dataclasses.field(init=False, default=0)


@dataclasses.dataclass
class Opened:
    owner: str
    since: str = dataclasses.field(init=False)

    def __post_init__(self) -> None:
        self.since = "today"


@pydantic.dataclasses.dataclass
class Purse:
    owner: str
    coins: int = Field(default=5, init=False)


@dataclasses.dataclass
class Seeded:
    seed: dataclasses.InitVar[int]
    total: int = 0


@dataclasses.dataclass
class SeededByDefault:
    seed: dataclasses.InitVar[int] = 3
    total: int = 0


@pydantic.dataclasses.dataclass
class Short:
    grams: int = Field(default=0, alias="g")


@dataclasses.dataclass
class ShortOfDataclasses:
    grams: int = Field(default=0, alias="g")


@dataclasses.dataclass
class Size:
    full_width: int = 0


class SizeAsDict(TypedDict, total=False):
    full_width: int


class Sku(str):
    __slots__ = ()


class Money(Decimal):
    __slots__ = ()


class Plain(BaseModel):
    account: Account


@dataclasses.dataclass
class Holder:
    account: Account


@pytest.mark.parametrize("around", [Optional, list, tuple])
@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (Account, r"Bank\.held: Account\.balance is not taken by __init__"),
        (Opened, r"Bank\.held: Opened\.since is not taken by __init__"),
        (Purse, r"Bank\.held: Purse\.coins is not taken by __init__"),
        (Holder, r"Bank\.held: Account\.balance is not taken by __init__"),
        (Plain, r"Plain\.account: Account\.balance is not taken by __init__"),
        (Seeded, r"Bank\.held: Seeded\.seed is only for __post_init__"),
        (SeededByDefault, r"Bank\.held: SeededByDefault\.seed is only for __post_init__"),
        (Short, r"Bank\.held: Short\.grams has an alias"),
        (ShortOfDataclasses, r"Bank\.held: ShortOfDataclasses\.grams has an alias"),
    ],
)
def test_a_dataclass_with_a_part_that_would_not_be_read_back_is_refused(kind: Any, words: str, around: Any) -> None:
    with pytest.raises(TypeError, match=words):
        create_model("Bank", __base__=Document, held=(around[kind], ...))


def test_a_dataclass_that_two_fields_share_is_refused_too() -> None:
    with pytest.raises(TypeError, match=r"Bank\.first: Account\.balance"):
        create_model("Bank", __base__=Document, first=(Account, ...), second=(list[Account], []))


@pytest.mark.parametrize("kind", [Size, SizeAsDict])
def test_what_the_model_around_it_gives_an_alias_is_refused(kind: Any) -> None:
    class Camel(Document[int], collection="camels", alias_generator=to_camel):
        pass

    with pytest.raises(TypeError, match=r"Box\.size: Size\w*\.full_width has an alias"):
        create_model("Box", __base__=Camel, size=(kind, ...))


@pytest.mark.parametrize("kind", [Size, SizeAsDict])
def test_with_an_alias_it_comes_back_where_names_are_read_as_well(kind: Any) -> None:
    class Camel(Document[int], collection="camels", alias_generator=to_camel, validate_by_name=True):
        pass

    Box: Any = create_model("Box", __base__=Camel, size=(kind, ...))  # noqa: N806 - a class
    box = Box(id=1, size=kind(full_width=7))
    assert stored(box) == {"_id": 1, "size": {"full_width": 7}}
    assert load(Box, stored(box)) == box


def test_a_dataclass_with_settings_of_its_own_is_asked_for_its_own() -> None:
    @pydantic.dataclasses.dataclass(config=ConfigDict(alias_generator=to_camel))
    class Own:
        full_width: int = 0

    with pytest.raises(TypeError, match=r"Box\.size: Own\.full_width has an alias"):
        create_model("Box", __base__=Document, __cls_kwargs__={"validate_by_name": True}, size=(Own, ...))


def test_init_of_a_field_of_a_model_loses_nothing() -> None:
    class Inner(Embedded):
        coins: int = Field(default=0, init=False)

    class Box(Document[int], collection="boxes"):
        inner: Inner = Inner()
        count: int = Field(default=0, init=False)
        drafts: Annotated[int, Field(init=False)] = 0

    box = Box(id=1)
    box.count, box.drafts, box.inner.coins = 7, 8, 9
    assert load(Box, stored(box)) == box


@pytest.mark.parametrize("kind", [Sku, Money, Sku | None, list[Sku], dict[str, Money], dict[Sku, int], tuple[int, Sku]])
def test_a_class_that_pydantic_makes_of_nothing_stored_is_refused(kind: Any) -> None:
    with pytest.raises(TypeError, match=r"Shop\.held: what is stored of (Sku|Money) is no \1 when it is read"):
        create_model("Shop", __base__=Document, held=(kind, ...))


class Made(Document[int], collection="made"):
    sku: Annotated[Sku, BeforeValidator(Sku)]
    skus: list[Annotated[Sku, BeforeValidator(Sku)]] = []


class MadeOfAField(Document[int], collection="made"):
    sku: Sku

    @field_validator("sku", mode="before")
    @classmethod
    def make(cls, value: str) -> Sku:
        return Sku(value)


class MadeOfAll(Document[int], collection="made"):
    sku: Sku

    @model_validator(mode="before")
    @classmethod
    def make(cls, values: dict[str, Any]) -> dict[str, Any]:
        return {**values, "sku": Sku(values["sku"])}


@pytest.mark.parametrize("model", [Made, MadeOfAField, MadeOfAll])
def test_such_a_class_comes_back_where_a_validator_makes_it(model: Any) -> None:
    document = model(id=1, sku=Sku("a"))
    again = load(model, stored(document))
    assert again == document
    assert type(again.sku) is Sku
