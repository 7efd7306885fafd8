"""A document that could not be read back, or not be sent at all, is refused with its id and field."""

from collections import OrderedDict
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Literal

import pytest

from boundwork import Document, Embedded, InvalidDocument
from tests.contract.colours import define
from tests.contract.shop import Line, Order, Payment


class Shape(Embedded):
    name: str = ""


class Round(Shape):
    radius: int = 1


class Note(Document[str], collection="notes"):
    text: str = ""
    at: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    anything: Any = None
    words: dict[str, str] = {}
    labels: OrderedDict[str, int] = OrderedDict()
    shape: Shape | None = None


class Pet(Document[str], collection="pets", discriminator="kind"):
    kind: str


class Cat(Pet):
    kind: Literal["cat"] = "cat"  # pyright: ignore[reportIncompatibleVariableOverride]  # a narrower field


@pytest.fixture
def notes(database: Any, colour: str) -> Any:
    return define(colour, database, notes=Note)


def endless() -> list[Any]:
    values: list[Any] = []
    values.append(values)
    return values


@pytest.mark.parametrize("when", ["before", "after"])
async def test_an_embedded_model_that_was_spoilt_is_refused_before_anything_is_sent(shop: Any, when: str) -> None:
    line: Any = Line(sku="x")
    order = Order(number="A-1", lines=[Line(sku="y"), line])
    with pytest.raises(InvalidDocument) as caught:
        async with shop as uow:
            if when == "before":
                line.quantity = "many"
            uow.orders.add(order)
            line.quantity = "many"
            sent = uow.core.session.commands
            try:
                await uow.flush()
            finally:
                assert uow.core.session.commands == sent
    assert caught.value.id == order.id
    assert caught.value.fields == ("lines.1.quantity",)
    assert "many" not in str(caught.value)


async def test_a_deleted_attribute_that_has_no_default_is_refused(shop: Any) -> None:
    order = Order(number="A-1", lines=[Line(sku="y")])
    async with shop as uow:
        uow.orders.add(order)
    with pytest.raises(InvalidDocument) as caught:
        async with shop as uow:
            found = await uow.orders.get(order.id)
            del found.number, found.notes, found.lines[0].sku
    assert caught.value.fields == ("number", "lines.0.sku")
    async with shop as uow:
        assert await uow.orders.get(order.id) == order


@pytest.mark.parametrize("companions", [0, 30])
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("text", "\ud800"),
        ("at", datetime.max.replace(tzinfo=timezone(timedelta(hours=-5)))),
        ("anything", endless()),
        ("anything", {"a": "\ud800"}),
        ("anything", {"\ud800", 1}),
        ("words", {"\ud800": ""}),
    ],
    ids=["text", "time", "cycle", "inside", "set of two kinds", "key"],
)
async def test_what_the_driver_cannot_encode_is_named(notes: Any, field: str, value: Any, companions: int) -> None:
    with pytest.raises(InvalidDocument) as caught:
        async with notes as uow:
            uow.notes.add_all([Note(id=str(number)) for number in range(companions)])
            uow.notes.add(Note(id="bad", **{field: value}))
    assert caught.value.collection == "notes"
    assert caught.value.id == "bad"
    assert caught.value.fields == (field,)
    async with notes as uow:
        assert await uow.notes.count() == 0


async def test_what_an_update_cannot_encode_is_named(notes: Any) -> None:
    async with notes as uow:
        uow.notes.add(Note(id="a"))
    with pytest.raises(InvalidDocument, match="anything: it contains itself"):
        async with notes as uow:
            (await uow.notes.get("a")).anything = endless()


async def test_an_instance_of_a_subclass_that_would_not_come_back_is_refused(notes: Any) -> None:
    with pytest.raises(InvalidDocument, match="shape: an instance of Round stands where the field says Shape"):
        async with notes as uow:
            uow.notes.add(Note(id="a", shape=Round(radius=7)))
    async with notes as uow:
        uow.notes.add(Note(id="b", shape=Shape(name="x")))
    with pytest.raises(InvalidDocument, match="would not be read back as Round"):
        async with notes as uow:
            (await uow.notes.get("b")).shape = Round(radius=7)
    async with notes as uow:
        assert (await uow.notes.get("b")).shape == Shape(name="x")


async def test_a_kind_that_is_read_as_another_class_is_refused(database: Any, colour: str) -> None:
    shop = define(colour, database, pets=Pet)
    with pytest.raises(InvalidDocument, match="kind: a document with this value is read as Cat"):
        async with shop as uow:
            uow.pets.add(Pet(id="a", kind="cat"))
    async with shop as uow:
        uow.pets.add(Pet(id="b", kind="ant"))
        uow.pets.add(Cat(id="c"))
    async with shop as uow:
        assert [type(pet).__name__ for pet in await uow.pets.find().sort("_id").to_list()] == ["Pet", "Cat"]
    with pytest.raises(InvalidDocument, match="kind: a document with this value is read as Cat"):
        async with shop as uow:
            (await uow.pets.get("b")).kind = "cat"


async def test_a_base_without_the_field_of_its_family_is_not_stored(database: Any, colour: str) -> None:
    shop = define(colour, database, payments=Payment)
    with pytest.raises(InvalidDocument, match="kind: no model has this value"):
        async with shop as uow:
            uow.payments.add(Payment(amount=1, id=1))


@pytest.mark.parametrize("names", [["b", "a"], ["a", "b"], ["10", "9"], ["c", "d"]])
async def test_the_order_of_a_dict_is_written(notes: Any, names: list[str]) -> None:
    async with notes as uow:
        uow.notes.add(Note(id="a", words={"a": "1", "b": "2"}))
    async with notes as uow:
        note = await uow.notes.get("a")
        for name in names:
            note.words[name] = note.words.pop(name, "new")
        expected = list(note.words)
    async with notes as uow:
        assert list((await uow.notes.get("a")).words) == expected


async def test_a_key_that_moves_is_written(notes: Any) -> None:
    async with notes as uow:
        uow.notes.add(Note(id="a", labels=OrderedDict(a=1, b=2)))
    async with notes as uow:
        (await uow.notes.get("a")).labels.move_to_end("a")
    async with notes as uow:
        assert list((await uow.notes.get("a")).labels) == ["b", "a"]
