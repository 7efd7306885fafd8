"""Includes: what the documents of a query refer to comes along, by one more query for each model."""

from typing import Any

import pytest
from bson import ObjectId
from pydantic import BaseModel

from boundwork import DocumentNotFound, Ref, ReferenceNotLoaded, any_of, via
from boundwork.uow import references
from tests.contract.colours import define
from tests.contract.referring import Buyer, Item, Position, Region, Sale

BUYERS = 5
MODELS: dict[str, Any] = {"sales": Sale, "buyers": Buyer, "items": Item, "regions": Region}


@pytest.fixture
async def sales(database: Any, colour: str) -> Any:
    shop = define(colour, database, **MODELS)
    async with shop as uow:
        uow.regions.add_all([Region(id="north", name="North"), Region(id="south", name="South")])
        for number in range(BUYERS):
            uow.buyers.add(Buyer(id=f"b{number}", region=Ref(Region, "south" if number % 2 else "north")))
        items = uow.items.add_all([Item(name=str(number)) for number in range(3)])
        items[0].parts = [Ref.to(items[1]), Ref.to(items[2])]
        for number in range(2 * BUYERS):
            positions = [Position(item=Ref.to(item)) for item in items[: number % 3]]
            buyer: Ref[Buyer] = Ref(Buyer, f"b{number % BUYERS}")
            uow.sales.add(Sale(id=number, buyer=buyer, payer=buyer if number else None, positions=positions))
    return shop


def asked(uow: Any) -> list[str]:
    """Return the collections that were read, in order."""
    return [record.command.collection for record in uow.core.workspace.log.records if hasattr(record, "command")]


async def test_each_model_that_is_referred_to_costs_one_query(sales: Any) -> None:
    async with sales as uow:
        query = uow.sales.find().include(Sale.buyer, Sale.payer, any_of(Sale.positions).item).sort(Sale.id)
        found = await query.to_list()
        assert asked(uow) == ["sales", "buyers", "items"]
        assert {uow.loaded(sale.buyer).id for sale in found} == {f"b{number}" for number in range(BUYERS)}
        assert [uow.loaded(position.item).name for position in found[2].positions] == ["0", "1"]
        for sale in found:
            assert await uow.load(sale.buyer) is uow.loaded(sale.buyer)
        assert len(asked(uow)) == 3
        assert len(uow.core.workspace.log.records[1].command.filter["_id"]["$in"]) == BUYERS


async def test_what_is_known_is_not_asked_for_again(sales: Any) -> None:
    async with sales as uow:
        known = await uow.buyers.get("b1")
        known.name = "changed"
        new = uow.buyers.add(Buyer(id="new"))
        (await uow.sales.get(0)).buyer = Ref.to(new)
        query = uow.sales.find(Sale.id < 3).include(Sale.buyer)
        found = {sale.id: uow.loaded(sale.buyer) for sale in await query.to_list()}
        assert found[1] is known
        assert found[0] is new
        assert uow.core.workspace.log.records[-1].command.filter == {"_id": {"$in": ["b2"]}}
        before = len(asked(uow))
        await query.to_list()
        assert len(asked(uow)) == before + 1


async def test_ways_lead_on_through_references(sales: Any) -> None:
    async with sales as uow:
        query = uow.sales.find().include(via(Sale.buyer, Buyer.region), via(any_of(Sale.positions).item, Item.parts))
        found = await query.include(Sale.payer).to_list()
        assert asked(uow) == ["sales", "buyers", "items", "regions", "items"]
        assert len(uow.core.workspace.log.records[-1].command.filter["_id"]["$in"]) == 1, "one part is known already"
        for sale in found:
            region = uow.loaded(sale.buyer).region
            assert uow.loaded(region).name in {"North", "South"}
        parts = [part for sale in found for position in sale.positions for part in uow.loaded(position.item).parts]
        assert {uow.loaded(part).name for part in parts} == {"1", "2"}


async def test_nothing_is_touched_by_being_followed(sales: Any) -> None:
    async with sales as uow:
        await uow.sales.find().include(via(any_of(Sale.positions).item, Item.parts), Sale.buyer).to_list()
        assert len(uow.core.workspace.tracker.touched) == 0


async def test_a_document_may_refer_to_its_own_kind(sales: Any) -> None:
    async with sales as uow:
        for number in (1, 2):
            (await uow.sales.get(number)).before = Ref(Sale, number - 1)
        last = await uow.sales.find(Sale.id == 2).include(via(Sale.before, Sale.before)).one()
        second = uow.loaded(last.before)
        assert (second.id, uow.loaded(second.before).id) == (1, 0)


async def test_every_word_that_gives_documents_includes(sales: Any) -> None:
    for word in ("one", "one_or_none", "first", "page", "iteration"):
        async with sales as uow:
            query = uow.sales.find(Sale.id == 7).include(Sale.buyer)
            if word == "page":
                (sale,) = await query.page(5)
            elif word == "iteration":
                (sale,) = [sale async for sale in query]
            else:
                sale = await getattr(query, word)()
            assert uow.loaded(sale.buyer).id == "b2", word
            assert asked(uow) == ["sales", "buyers"], word


async def test_what_gives_no_documents_includes_nothing(sales: Any) -> None:
    async with sales as uow:
        query = uow.sales.find().include(Sale.buyer)
        assert await query.count() == 2 * BUYERS
        assert await query.exists()
        assert len(await query.distinct(Sale.buyer)) == BUYERS
        assert await uow.sales.find(Sale.id > 99).include(Sale.buyer).to_list() == []
        assert set(asked(uow)) == {"sales"}


async def test_a_stream_includes_batch_by_batch(sales: Any) -> None:
    for track in (False, True):
        async with sales as uow:
            query = uow.sales.find().sort(Sale.id).include(Sale.buyer)
            async for sale in query.stream(4, track=track):
                assert uow.loaded(sale.buyer).id == f"b{sale.id % BUYERS}"
            assert asked(uow) == ["sales", "buyers", "buyers"], "the third batch refers to buyers that are known"
            uow.loaded(Ref(Buyer, "b0")).name = f"changed {track}"
        assert uow.receipt.updated == 1


async def test_what_is_missing_is_named_or_left_out(sales: Any) -> None:
    async with sales as uow:
        for number, lost in ((1, "x"), (2, "y"), (3, "x")):
            (await uow.sales.get(number)).buyer = Ref(Buyer, lost)
        query = uow.sales.find()
        text = r"Buyer 'x', 'y' not found in collection 'buyers', though Sale\.buyer refers to it"
        with pytest.raises(DocumentNotFound, match=text) as caught:
            await query.sort(Sale.id).include(Sale.buyer).to_list()
        assert (caught.value.model, caught.value.collection) == ("Buyer", "buyers")
        assert caught.value.ids == ("x", "y")
        found = await query.include(via(Sale.buyer, Buyer.region), missing="none").include(Sale.payer).to_list()
        assert len(found) == 2 * BUYERS
        with pytest.raises(ReferenceNotLoaded):
            uow.loaded(Ref(Buyer, "x"))
        assert await uow.sales.count() == 2 * BUYERS, "the unit goes on"
        with pytest.raises(ValueError, match="no choice 'ignore'"):
            query.include(Sale.buyer, missing="ignore")


async def test_what_is_no_reference_of_the_documents_is_refused_before_the_server_is_asked(sales: Any) -> None:
    class Row(BaseModel, frozen=True):
        id: int

    async with sales as uow:
        find = uow.sales.find
        for wrong, text in (
            ((Sale.id,), r"Sale\.id is no reference"),
            ((Sale.positions,), r"any_of\(Sale\.positions\) is no reference"),
            ((Buyer.region,), r"Buyer\.region is not a field of Sale"),
            (("buyer",), r"such as Order\.customer, and not str"),
            ((), "include takes references"),
        ):
            with pytest.raises(TypeError, match=text):
                find().include(*wrong)
        with pytest.raises(TypeError, match=r"Sale\.buyer refers to Buyer, and Item\.parts is no field of that"):
            via(Sale.buyer, Item.parts)
        with pytest.raises(ValueError, match="Leave project out, or include"):
            find().include(Sale.buyer).project(Row)
        with pytest.raises(ValueError, match="Leave project out, or include"):
            find().project(Row).include(Sale.buyer)
        assert asked(uow) == []


async def test_a_query_with_includes_is_another_query(sales: Any) -> None:
    async with sales as uow:
        plain = uow.sales.find(Sale.id == 1)
        await plain.include(Sale.buyer).one()
        await plain.one()
        await plain.include(Sale.buyer).include(any_of(Sale.positions).item).one()
        assert asked(uow) == ["sales", "buyers", "sales", "sales", "items"]


async def test_too_many_ids_for_one_command_are_asked_for_in_several(
    sales: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(references, "MOST_IDS", 2)
    async with sales as uow:
        await uow.sales.find().include(Sale.buyer).to_list()
        assert asked(uow) == ["sales", "buyers", "buyers", "buyers"]
    monkeypatch.setattr(references, "MOST_IDS", 100)
    monkeypatch.setattr(references, "MOST_BYTES", 60)
    async with sales as uow:
        found = await uow.load_all([Ref(Item, ObjectId()) for _ in range(5)], missing="none")
        assert found == [None] * 5
        assert asked(uow) == ["items"] * 3


async def test_tasks_that_share_a_unit_may_include(database: Any, colour: str, sales: Any) -> None:
    shared = define(colour, database, {"concurrency": "serialize"}, **MODELS)
    async with shared as uow:
        sale = await uow.sales.find(Sale.id == 1).include(via(Sale.buyer, Buyer.region)).one()
        assert uow.loaded(uow.loaded(sale.buyer).region).name == "South"
        streamed = [one async for one in uow.sales.find().include(Sale.payer).stream(3)]
        assert len(streamed) == 2 * BUYERS
        assert (await uow.load_all([sale.buyer]))[0] is await uow.load(sale.buyer)
