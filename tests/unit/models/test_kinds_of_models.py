"""Families, generic, recursive, frozen and root models, and unions of models are stored and come back."""

import copy
from decimal import Decimal
from typing import Any, Generic, Literal

import bson
import pytest
from pydantic import (
    Field,
    RootModel,
    ValidationError,
    create_model,
)

from boundwork.errors import InvalidDocument
from boundwork.models import Document, Embedded
from boundwork.models.mapper import mapper_of
from tests.unit.models.documents import Order, T, load, stored

_CARD: Any = Literal["card"]
_FLAT: Any = Literal["flat"]
_ROUND: Any = Literal["round"]


def test_a_subclass_lives_in_the_collection_of_its_parent() -> None:
    class Rush(Order):
        fee: Decimal = Decimal(0)

    assert mapper_of(Rush).collection == "orders"
    assert mapper_of(Rush).base_filter == {}


def test_a_model_without_a_collection_has_no_mapper() -> None:
    class Base(Document):
        pass

    with pytest.raises(TypeError, match="has no collection"):
        mapper_of(Base)


def test_a_family_is_told_apart_by_its_discriminator() -> None:
    class Payment(Document[int], collection="payments", discriminator="kind"):
        kind: str

    class Card(Payment):
        kind: Literal["card"] = "card"  # pyright: ignore[reportIncompatibleVariableOverride]  # a narrower field
        limit: Decimal

    class Cash(Payment):
        kind: Literal["cash", "coins"] = "cash"  # pyright: ignore[reportIncompatibleVariableOverride]  # as above

    assert mapper_of(Payment).base_filter == {}
    assert mapper_of(Card).base_filter == {"kind": "card"}
    assert mapper_of(Cash).base_filter == {"kind": {"$in": ["cash", "coins"]}}
    card = Card(id=1, limit=Decimal("1.50"))
    found = load(Payment, stored(card))
    assert type(found) is Card
    assert found == card
    assert type(load(Payment, {"_id": 2, "kind": "other"})) is Payment
    with pytest.raises(TypeError, match="already stands for Card"):
        create_model("Again", __base__=Payment, kind=(_CARD, "card"))


def test_a_subclass_that_would_be_read_as_its_parent_is_refused() -> None:
    class Pet(Document[int], collection="pets", discriminator="kind"):
        pass

    class Cat(Pet):
        kind: Literal["cat"] = "cat"

    with pytest.raises(TypeError, match="'cat' is read as Cat; give Lion a Literal value of its own"):
        create_model("Lion", __base__=Cat, mane=(bool, True))

    class Lynx(Cat):
        kind: Literal["lynx"] = "lynx"  # type: ignore[assignment]  # pyright: ignore[reportIncompatibleVariableOverride]  # another value

    assert type(load(Pet, stored(Lynx(id=1)))) is Lynx
    assert mapper_of(Cat).base_filter == {"kind": {"$in": ["cat", "lynx"]}}


def test_a_parametrized_class_of_a_family_needs_no_value_of_its_own() -> None:
    class Event(Document[int], collection="events", discriminator="kind"):
        pass

    class Made(Event, Generic[T]):
        kind: Literal["made"] = "made"
        what: T

    made = Made[Decimal](id=1, what=Decimal("1.5"))
    mapper_of(Made[Decimal]).verify_untouched(made)
    assert load(Made[Decimal], stored(made)) == made


@pytest.mark.parametrize("kind", [tuple[int, int], list[str], frozenset[int], int | tuple[int, ...]])
def test_an_id_that_mongodb_refuses_is_refused_when_the_class_is_defined(kind: Any) -> None:
    with pytest.raises(TypeError, match="an id cannot be stored as an array"):
        create_model("Pair", __base__=Document, id=(kind, ...))


def test_a_kind_that_no_class_has_is_an_invalid_document() -> None:
    class Shape(Document[int], collection="shapes", discriminator="kind"):
        pass

    class Round(Shape):
        kind: Literal["round"] = "round"

    assert type(load(Shape, {"_id": 1, "kind": "round"})) is Round
    with pytest.raises(InvalidDocument, match="no model has this value"):
        load(Shape, {"_id": 1, "kind": "flat"})


def test_a_family_is_told_apart_by_the_stored_name_of_its_discriminator() -> None:
    class Shape(Document[int], collection="shapes", discriminator="kind"):
        pass

    class Round(Shape):
        kind: Literal["round"] = Field(default="round", alias="type")

    assert mapper_of(Round).base_filter == {"type": "round"}
    assert stored(Round(id=1)) == {"_id": 1, "type": "round"}
    assert type(load(Shape, {"_id": 1, "type": "round"})) is Round
    with pytest.raises(InvalidDocument, match="kind: no model has this value"):
        load(Shape, {"_id": 1, "kind": "round"})
    with pytest.raises(
        TypeError, match=r"Flat\.kind is stored as 'kind', and Round\.kind as 'type'; give both the same"
    ):
        create_model("Flat", __base__=Shape, kind=(_FLAT, "flat"))


def test_a_class_of_a_family_that_is_defined_again_may_have_another_stored_name() -> None:
    class Shape(Document[int], collection="shapes", discriminator="kind"):
        pass

    for name in ("type", "form"):
        create_model("Round", __base__=Shape, kind=(_ROUND, Field(default="round", alias=name)))
    create_model("Flat", __base__=Shape, kind=(_FLAT, Field(default="flat", alias="form")))
    assert load(Shape, {"_id": 1, "form": "round"}).kind == "round"


def test_a_base_with_the_field_under_another_name_than_a_subclass_is_refused() -> None:
    class Shape(Document[int], collection="shapes", discriminator="kind"):
        kind: str = Field(default="", alias="type")

    with pytest.raises(TypeError, match=r"Flat\.kind is stored as 'kind', and Shape\.kind as 'type'"):
        create_model("Flat", __base__=Shape, kind=(_FLAT, "flat"))


def test_a_class_between_keeps_to_the_documents_of_its_subclasses() -> None:
    class Shape(Document[int], collection="shapes", discriminator="kind"):
        pass

    class Curved(Shape):
        pass

    class Round(Curved):
        kind: Literal["round"] = "round"

    assert mapper_of(Curved).base_filter == {"kind": "round"}
    assert type(load(Curved, stored(Round(id=1)))) is Round


def test_a_model_may_refer_to_itself_and_to_a_later_class() -> None:
    class Node(Document[int], collection="nodes"):
        later: "Later | None" = None

    class Later(Embedded):
        value: Decimal
        children: list["Later"] = []

    Node.model_rebuild(_types_namespace={"Later": Later})
    assert Node(id=2).later is None
    assert Node.model_fields["later"].default is None
    node = Node(id=1, later=Later(value=Decimal(1), children=[Later(value=Decimal("2.5"))]))
    assert load(Node, stored(node)) == node


def test_generic_models_are_stored_by_their_argument() -> None:
    class Box(Embedded, Generic[T]):
        value: T

    class Page(Document[int], Generic[T], collection="pages"):
        boxes: list[Box[T]]

    page = Page[Decimal](id=1, boxes=[Box[Decimal](value=Decimal("1.0"))])
    assert mapper_of(Page[Decimal]).collection == "pages"
    assert load(Page[Decimal], stored(page)) == page


def test_a_frozen_document_comes_back_and_stays_frozen() -> None:
    class Coin(Embedded, frozen=True):
        value: Decimal

    class Purse(Document[int], collection="purses", frozen=True):
        coins: frozenset[Coin]

    purse = Purse(id=1, coins=frozenset({Coin(value=Decimal(1)), Coin(value=Decimal(2))}))
    again = load(Purse, stored(purse))
    assert again == purse
    assert hash(again) == hash(purse)
    with pytest.raises(ValidationError):
        again.coins = frozenset()


def test_a_root_model_is_stored_as_its_root() -> None:
    class Amounts(RootModel[list[Decimal]]):
        pass

    class Bill(Document[int], collection="bills"):
        amounts: Amounts
        more: list[Amounts] = []

    bill = Bill(id=1, amounts=Amounts([Decimal("1.5")]), more=[Amounts([Decimal(2)])])
    assert stored(bill)["amounts"] == [bson.Decimal128("1.5")]
    assert load(Bill, stored(bill)) == bill


def test_unknown_fields_of_a_member_of_a_union_survive() -> None:
    class Cat(Embedded):
        kind: Literal["cat"] = "cat"
        weight: Decimal

    class Dog(Embedded):
        kind: Literal["dog"] = "dog"
        weight: Decimal

    class Zoo(Document[int], collection="zoos"):
        animals: list[Cat | Dog]

    values = {"_id": 1, "animals": [{"kind": "dog", "weight": bson.Decimal128("2"), "hint": 1}]}
    assert stored(load(Zoo, copy.deepcopy(values))) == values


def test_models_of_a_union_that_cannot_be_told_apart_are_refused() -> None:
    class Cat(Embedded):
        weight: Decimal

    class Dog(Embedded):
        weight: Decimal

    with pytest.raises(TypeError, match="common Literal field"):
        create_model("Zoo", __base__=Document, animal=(Cat | Dog, ...))
