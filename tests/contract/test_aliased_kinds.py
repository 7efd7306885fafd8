"""A family whose discriminator is stored under another name is told apart by it, in each word of a repository."""

from typing import Any, Literal

import pytest
from pydantic import BaseModel, Field
from pydantic.alias_generators import to_camel

from boundwork import Document, Index, InvalidDocument, inc, set_
from tests.contract.colours import define


class Fare(Document[int], collection="fares", discriminator="kind", indexes=[Index("paid")]):
    paid: int = 0


class Single(Fare):
    kind: Literal["single"] = Field(default="single", alias="type")


class Monthly(Fare):
    kind: Literal["monthly", "yearly"] = Field(default="monthly", alias="type")
    zones: list[int] = []


class Animal(Document[int], collection="animals", discriminator="animal_kind", alias_generator=to_camel):
    paid: int = 0


class Pet(Animal):
    """A class between, of which no document is."""


class Cat(Pet):
    animal_kind: Literal["cat"] = "cat"


class Dog(Animal):
    animal_kind: Literal["dog"] = "dog"
    zones: list[int] = []


class Paid(BaseModel, frozen=True):
    paid: int


FAMILIES = [(Fare, Single, Monthly), (Animal, Cat, Dog)]


@pytest.fixture(params=FAMILIES, ids=["an alias", "an alias generator"])
def family(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.fixture
async def zoo(database: Any, colour: str, family: Any) -> Any:
    base, first, second = family
    zoo = define(colour, database, all=base, first=first, second=second)
    async with zoo as uow:
        uow.all.add_all([first(id=1), second(id=2), second(id=3)])
    return zoo


async def test_documents_are_read_through_the_base_as_what_they_are(zoo: Any, family: Any) -> None:
    _, first, second = family
    async with zoo as uow:
        found = await uow.all.find().sort("_id").to_list()
        assert [type(document) for document in found] == [first, second, second]
        assert await uow.second.get(2) is found[1]
        assert await uow.first.find_by_id(2) is None
        assert [document.id for document in await uow.second.find().sort("_id").to_list()] == [2, 3]
        assert await uow.first.count() == 1
        assert type(await uow.all.get(3, for_update=True)) is second


async def test_a_change_of_what_was_read_through_the_base_is_written(zoo: Any) -> None:
    async with zoo as uow:
        (await uow.all.get(2)).zones.append(7)
        (await uow.all.get(3)).paid = 5
        uow.all.remove(await uow.all.get(1))
    async with zoo as uow:
        assert (await uow.second.get(2)).zones == [7]
        assert (await uow.second.get(3)).paid == 5
        assert await uow.first.count() == 0


async def test_changes_of_all_reach_those_of_the_class(zoo: Any, family: Any) -> None:
    base, _, second = family
    async with zoo as uow:
        assert (await uow.second.update_where(base.paid == 0, inc(base.paid, 1))).matched == 2
        assert await uow.first.delete_where(base.paid == 1) == 0
    async with zoo as uow:
        assert [row.paid for row in await uow.all.find().sort("_id").project(Paid).to_list()] == [0, 1, 1]
        assert await uow.second.find().distinct(second.paid) == [1]


async def test_the_field_itself_is_found_and_not_changed(zoo: Any, family: Any) -> None:
    _, first, _ = family
    field = first.kind if first is Single else first.animal_kind
    async with zoo as uow:
        assert [document.id for document in await uow.first.find(field == field_value(first)).to_list()] == [1]
        with pytest.raises(ValueError, match="the field decides of which class a document is"):
            await uow.first.find().update(set_(field, field_value(first)))


def field_value(model: Any) -> str:
    return "single" if model is Single else "cat"


async def test_an_upsert_inserts_a_document_of_its_class(zoo: Any, family: Any) -> None:
    _, _, second = family
    async with zoo as uow:
        assert (await uow.second.upsert(second.id == 4, inc(second.paid, 1), on_insert=second(id=4))).paid == 0
        assert (await uow.second.upsert(second.id == 4, inc(second.paid, 1), on_insert=second(id=4))).paid == 1
        assert type(await uow.all.get(4)) is second


async def test_a_rolled_back_savepoint_leaves_them_what_they_were(zoo: Any) -> None:
    async with zoo as uow:
        document = await uow.all.get(2)
        with pytest.raises(KeyError):
            async with zoo:
                document.zones.append(1)
                await uow.flush()
                raise KeyError
        assert document.zones == []
        assert await uow.second.count() == 2


async def test_a_class_between_finds_the_documents_of_its_subclasses(database: Any, colour: str) -> None:
    zoo = define(colour, database, animals=Animal, pets=Pet)
    async with zoo as uow:
        uow.animals.add_all([Cat(id=1), Dog(id=2)])
    async with zoo as uow:
        assert [type(pet) for pet in await uow.pets.find().to_list()] == [Cat]
        assert await uow.pets.find_by_id(2) is None


async def test_a_base_that_has_no_value_is_still_refused(zoo: Any, family: Any) -> None:
    base, _, _ = family
    with pytest.raises(InvalidDocument, match="kind: no model has this value"):
        async with zoo as uow:
            uow.all.add(base(id=9))
