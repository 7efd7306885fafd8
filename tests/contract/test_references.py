"""References: a bare id in the database, a value in Python, and a document on request."""

from typing import Any

import pytest
from bson import ObjectId
from pydantic import BaseModel

from boundwork import (
    DocumentNotFound,
    InvalidDocument,
    NoActiveUnitOfWork,
    Ref,
    ReferenceNotLoaded,
    UnitClosed,
    any_of,
    contains_all,
    desc,
    in_,
    not_in,
)
from tests.contract.colours import define
from tests.contract.referring import Buyer, Item, Position, Region, Sale
from tests.contract.rivals import is_shut_out

MODELS: dict[str, Any] = {"sales": Sale, "buyers": Buyer, "items": Item, "regions": Region}


@pytest.fixture
async def sales(database: Any, colour: str) -> Any:
    shop = define(colour, database, **MODELS)
    async with shop as uow:
        uow.regions.add_all([Region(id="north"), Region(id="south")])
        ann = uow.buyers.add(Buyer(id="ann", name="Ann", region=Ref(Region, "north")))
        bob = uow.buyers.add(Buyer(id="bob", name="Bob"))
        tea, pot = uow.items.add_all([Item(name="tea"), Item(name="pot")])
        positions = [Position(item=Ref.to(tea)), Position(item=Ref.to(pot))]
        uow.sales.add_all(
            [
                Sale(id=1, buyer=Ref.to(ann), positions=positions),
                Sale(id=2, buyer=Ref.to(bob), payer=Ref.to(ann), before=Ref(Sale, 1), by_kind={"hot": Ref.to(tea)}),
                Sale(id=3, buyer=Ref.to(ann), positions=positions[1:]),
            ]
        )
    return shop


def commands(uow: Any) -> int:
    return len(uow.core.workspace.log.records)


async def numbers(query: Any) -> list[int]:
    return sorted([sale.id async for sale in query])


async def test_the_bare_id_is_stored_and_read_back_as_a_reference(sales: Any, database: Any) -> None:
    async with sales as uow:
        second = await uow.sales.get(2)
        assert (second.buyer, second.payer, second.before) == (Ref(Buyer, "bob"), Ref(Buyer, "ann"), Ref(Sale, 1))
        tea = await uow.items.find(Item.name == "tea").one()
        assert second.by_kind == {"hot": Ref.to(tea)}
        assert await numbers(uow.sales.find({"buyer": "ann", "positions.item": tea.id})) == [1]
    assert uow.receipt.updated == 0


async def test_a_field_of_a_reference_is_compared_with_ids_references_and_documents(sales: Any) -> None:
    async with sales as uow:
        ann, find = await uow.buyers.get("ann"), uow.sales.find
        operands: list[Any] = ["ann", Ref(Buyer, "ann"), ann]
        for operand in operands:
            assert await numbers(find(Sale.buyer == operand)) == [1, 3]
            assert await numbers(find(Sale.buyer != operand)) == [2]
            assert await numbers(find(in_(Sale.buyer, [operand]))) == [1, 3]
            assert await numbers(find(not_in(Sale.buyer, [operand]))) == [2]
        assert await numbers(find(Sale.buyer.id == "ann")) == [1, 3]
        assert await numbers(find(Sale.payer == None)) == [1, 3]  # noqa: E711 - an expression
        tea, pot = [await uow.items.find(Item.name == name).one() for name in ("tea", "pot")]
        assert await numbers(find(any_of(Sale.positions).item == tea)) == [1]
        assert await numbers(find(any_of(Sale.positions).item == Ref.to(pot))) == [1, 3]
        assert await numbers(find(Sale.by_kind["hot"] == tea.id)) == [2]
        tea.parts = [Ref.to(pot), Ref.to(tea)]
        assert await uow.items.count(contains_all(Item.parts, [Ref.to(pot), Ref.to(tea)])) == 1
        assert await uow.items.count(any_of(Item.parts) == pot) == 1


async def test_what_a_field_cannot_refer_to_is_refused_before_the_server_is_asked(sales: Any) -> None:
    other: Any = Item()
    async with sales as uow:
        with pytest.raises(TypeError, match=r"Sale\.buyer: A reference to Buyer takes an id of type str, and not int"):
            uow.sales.find(Sale.buyer == 5)
        with pytest.raises(TypeError, match=r"Sale\.buyer refers to Buyer, and was compared with a reference to Item"):
            uow.sales.find(Sale.buyer == other)
        with pytest.raises(TypeError, match="a reference to Item"):
            uow.sales.find(in_(Sale.buyer, [Ref.to(other)]))
        assert commands(uow) == 0


async def test_results_are_sorted_projected_and_listed_by_references(sales: Any) -> None:
    class Row(BaseModel, frozen=True):
        id: int
        buyer: Ref[Buyer]

    class Bare(BaseModel, frozen=True):
        buyer: str

    async with sales as uow:
        rows = await uow.sales.find().sort(desc(Sale.buyer), Sale.id).project(Row).to_list()
        assert [(row.id, row.buyer.id) for row in rows] == [(2, "bob"), (1, "ann"), (3, "ann")]
        assert (await uow.sales.find(Sale.id == 2).project(Bare).one()).buyer == "bob"
        assert set(await uow.sales.find().distinct(Sale.buyer)) == {Ref(Buyer, "ann"), Ref(Buyer, "bob")}
        first = await uow.sales.find().sort(Sale.buyer).page(2)
        second = await uow.sales.find().sort(Sale.buyer).page(2, after=first.next)
        assert [sale.id for sale in (*first, *second)] == [1, 3, 2]


async def test_changing_a_reference_writes_that_field_and_a_rollback_undoes_it(sales: Any, database: Any) -> None:
    async with sales as uow:
        first = await uow.sales.get(1)
        first.buyer = Ref(Buyer, "bob")
        first.positions[1].item = first.positions[0].item
        await uow.rollback()
        assert first.buyer == Ref(Buyer, "ann")
        assert first.positions[1].item != first.positions[0].item
        first = await uow.sales.get(1)
        first.payer = Ref(Buyer, "bob")
    assert uow.receipt.updated == 1
    async with sales as uow:
        assert await numbers(uow.sales.find(Sale.payer == "bob")) == [1]


async def test_what_is_assigned_in_place_of_a_reference_is_stored_as_its_id_or_refused(sales: Any) -> None:
    async with sales as uow:
        first, bob = await uow.sales.get(1), await uow.buyers.get("bob")
        first.buyer = bob
        await uow.flush()
        assert await numbers(uow.sales.find(Sale.buyer == "bob")) == [1, 2]
        first.buyer = "ann"
        await uow.flush()
        assert await numbers(uow.sales.find(Sale.buyer == "bob")) == [2]
    for wrong in (Ref(Item, ObjectId()), Item(), 5):
        with pytest.raises(InvalidDocument, match=r"buyer"):
            async with sales as uow:
                (await uow.sales.get(1)).buyer = wrong


async def test_an_embedded_model_that_was_spoilt_is_refused_when_it_is_added(sales: Any) -> None:
    position = Position(item=Ref(Item, ObjectId()))
    sale = Sale(id=9, buyer=Ref(Buyer, "ann"), positions=[position])
    wrong: Any = Ref(Buyer, "ann")
    position.item = wrong
    with pytest.raises(InvalidDocument, match="it refers to Buyer, and the field to Item"):
        async with sales as uow:
            uow.sales.add(sale)


async def test_a_reference_is_loaded_once_and_is_the_one_object_of_its_document(sales: Any) -> None:
    async with sales as uow:
        first, third = await uow.sales.get_many([1, 3])
        ann = await uow.load(first.buyer)
        assert (ann.name, commands(uow)) == ("Ann", 2)
        assert await uow.load(third.buyer) is ann
        assert await uow.buyers.get("ann") is ann
        assert uow.loaded(third.buyer) is ann
        assert commands(uow) == 2
        ann.name = "Anna"
    assert uow.receipt.updated == 1


async def test_a_new_document_is_loaded_by_its_reference_without_a_command(sales: Any) -> None:
    async with sales as uow:
        eve = uow.buyers.add(Buyer(id="eve"))
        sale = uow.sales.add(Sale(id=4, buyer=Ref.to(eve)))
        assert await uow.load(sale.buyer) is eve
        assert uow.loaded(sale.buyer) is eve
        assert commands(uow) == 0
    async with sales as uow:
        assert (await uow.load((await uow.sales.get(4)).buyer)).id == "eve"


async def test_what_is_not_there_is_an_error_that_names_it_or_none(sales: Any) -> None:
    lost: Any = Ref(Buyer, "eve")
    async with sales as uow:
        with pytest.raises(DocumentNotFound, match=r"Buyer 'eve' not found in collection 'buyers'") as caught:
            await uow.load(lost)
        assert (caught.value.model, caught.value.id, caught.value.ids) == ("Buyer", "eve", ("eve",))
        assert await uow.load(lost, missing="none") is None
        ann = await uow.buyers.get("ann")
        uow.buyers.remove(ann)
        assert await uow.load(Ref.to(ann), missing="none") is None
        with pytest.raises(ReferenceNotLoaded):
            uow.loaded(Ref.to(ann))
        with pytest.raises(ValueError, match="no choice 'nothing'"):
            await uow.load(lost, missing="nothing")
        await uow.rollback()


async def test_many_are_loaded_in_their_order_by_one_query_for_each_model(sales: Any) -> None:
    async with sales as uow:
        bob = await uow.buyers.get("bob")
        sought = [Ref(Region, "south"), Ref(Buyer, "ann"), Ref(Buyer, "bob"), Ref(Region, "north"), Ref(Buyer, "ann")]
        found = await uow.load_all(sought)
        assert [one.id for one in found] == ["south", "ann", "bob", "north", "ann"]
        assert found[2] is bob
        assert found[1] is found[4]
        assert commands(uow) == 3
        assert await uow.load_all([]) == []
        some = await uow.load_all([Ref(Buyer, "eve"), Ref(Buyer, "ann"), Ref(Buyer, "joe")], missing="none")
        assert [one and one.id for one in some] == [None, "ann", None]
        with pytest.raises(DocumentNotFound) as caught:
            await uow.load_all([Ref(Buyer, "eve"), Ref(Buyer, "ann"), Ref(Buyer, "joe")])
        assert caught.value.ids == ("eve", "joe")


async def test_what_was_not_loaded_is_not_there_without_asking(sales: Any) -> None:
    async with sales as uow:
        first = await uow.sales.get(1)
        with pytest.raises(ReferenceNotLoaded, match=r"Buyer 'ann' is not loaded in this unit.*include") as caught:
            uow.loaded(first.buyer)
        assert (caught.value.model, caught.value.id, commands(uow)) == ("Buyer", "ann", 1)
    with pytest.raises((UnitClosed, NoActiveUnitOfWork)):
        uow.loaded(first.buyer)
    with pytest.raises((UnitClosed, NoActiveUnitOfWork)):
        await uow.load(first.buyer)


async def test_a_unit_that_declares_no_repository_of_the_model_says_so(database: Any, colour: str) -> None:
    shop = define(colour, database, sales=Sale)
    async with shop as uow:
        text = r"Shop declares no repository of Buyer.*buyers = Repository\(Buyer\)"
        with pytest.raises(TypeError, match=text):
            await uow.load(Ref(Buyer, "ann"))
        with pytest.raises(TypeError, match=text):
            await uow.load_all([Ref(Buyer, "ann")])
        with pytest.raises(TypeError, match="is of type str"):
            await uow.load("ann")


async def test_after_a_commit_a_reference_is_read_again(sales: Any) -> None:
    async with sales as uow:
        ann = await uow.load(Ref(Buyer, "ann"))
        await uow.commit()
        with pytest.raises(ReferenceNotLoaded):
            uow.loaded(Ref(Buyer, "ann"))
        assert await uow.load(Ref(Buyer, "ann")) is ann
        assert commands(uow) == 1


@pytest.mark.parametrize("word", ["include", "load", "for_update", "all_for_update"])
async def test_what_is_loaded_is_locked_where_the_unit_or_the_word_says_so(
    sales: Any, database: Any, colour: str, word: str
) -> None:
    isolation = "snapshot" if "update" in word else "locked_reads"
    locking = define(colour, database, {"isolation": isolation}, **MODELS)
    rival = define(colour, database, {"replay_seconds": 0}, **MODELS)

    async def rename(uow: Any) -> None:
        (await uow.buyers.get("ann")).name = "Other"

    async with locking as uow:
        sale = (
            await uow.sales.find(Sale.id == 1).include(Sale.buyer).one() if word != "load" else await uow.sales.get(1)
        )
        if word == "load":
            await uow.load(sale.buyer)
        elif word == "for_update":
            await uow.load(sale.buyer, for_update=True)
        elif word == "all_for_update":
            await uow.load_all([sale.buyer], for_update=True)
        assert await is_shut_out(rival, colour, rename)
