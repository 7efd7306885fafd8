"""The words of a query beyond find, sort and limit: one, distinct, explain, and how it is carried out."""

from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any
from uuid import UUID

import pytest
from bson import ObjectId
from pydantic import Field

from boundwork import (
    BoundworkError,
    Collation,
    Document,
    DocumentNotFound,
    Embedded,
    InvalidDocument,
    MultipleDocumentsFound,
    StaleDocument,
    TransactionFailed,
    UnitDoomed,
    any_of,
    desc,
    some,
)
from tests.backends import Backend
from tests.contract.colours import define
from tests.contract.shop import Card, Cash, Payment


class Colour(Enum):
    RED = "r"
    BLUE = "b"


class Line(Embedded):
    sku: str
    parts: list[int] = []


class Address(Embedded):
    city: str = Field(alias="town")


class Item(Document[int], collection="items"):
    colour: Colour = Colour.RED
    price: Annotated[Decimal, Field(ge=0)] = Decimal(0)
    key: UUID = UUID(int=0)
    day: date = date(2024, 1, 1)
    seen: datetime | None = None
    owner: ObjectId | None = None
    address: Address | None = None
    lines: list[Line] = []
    tags: set[str] = set()
    grid: list[list[int]] = []
    extra: Any = None


MOMENT = datetime(2024, 2, 29, 12, tzinfo=UTC)


@pytest.fixture
async def items(database: Any, colour: str) -> Any:
    shop = define(colour, database, items=Item)
    async with shop as uow:
        uow.items.add_all(
            [
                Item(id=1, colour=Colour.BLUE, price=Decimal("1.50"), tags={"a", "b"}, address=Address(town="Oslo")),
                Item(id=2, price=Decimal("1.50"), key=UUID(int=7), seen=MOMENT, lines=[Line(sku="x", parts=[1, 2])]),
                Item(id=3, day=date(2024, 5, 5), tags={"b"}, lines=[Line(sku="x"), Line(sku="y", parts=[2])]),
                Item(id=4, address=Address(town="Bonn"), grid=[[1, 2], [3]], extra=[1, "x"]),
            ]
        )
    return shop


async def test_one_is_the_only_document(items: Any) -> None:
    async with items as uow:
        assert (await uow.items.find(Item.colour == Colour.BLUE).one()).id == 1
        assert await uow.items.find(Item.id == 1).one_or_none() is await uow.items.get(1)
        assert await uow.items.find(Item.id == 9).one_or_none() is None
        assert (await uow.items.find().sort(desc(Item.id)).limit(1).one()).id == 4


async def test_one_of_none_and_one_of_many_say_so_and_the_unit_goes_on(items: Any) -> None:
    async with items as uow:
        with pytest.raises(DocumentNotFound, match="No Item in collection 'items' meets the conditions") as missing:
            await uow.items.find(Item.id == 9).one()
        with pytest.raises(MultipleDocumentsFound, match="More than one Item in collection 'items'") as many:
            await uow.items.find().one_or_none()
        with pytest.raises(MultipleDocumentsFound):
            await uow.items.find().limit(3).one()
        (await uow.items.get(1)).price = Decimal(9)
    assert (missing.value.model, missing.value.collection, missing.value.id) == ("Item", "items", None)
    assert (many.value.model, many.value.collection) == ("Item", "items")
    async with items as uow:
        assert (await uow.items.get(1)).price == Decimal(9)


def comparable(values: list[Any]) -> list[Any]:
    return sorted(values, key=lambda value: (type(value).__name__, str(value)))


@pytest.mark.parametrize(
    ("place", "values"),
    [
        (Item.id, [1, 2, 3, 4]),
        (Item.colour, [Colour.BLUE, Colour.RED]),
        (Item.price, [Decimal(0), Decimal("1.5")]),
        (Item.key, [UUID(int=0), UUID(int=7)]),
        (Item.day, [date(2024, 1, 1), date(2024, 5, 5)]),
        (Item.seen, [None, MOMENT]),
        (Item.owner, [None]),
        (any_of(Item.tags), ["a", "b"]),
        (any_of(Item.grid), [[1, 2], [3]]),
        (Item.lines[0].sku, ["x"]),
        (Item.extra, [None, 1, "x"]),
    ],
)
async def test_distinct_lists_the_values_of_a_field_as_python_has_them(
    items: Any, place: Any, values: list[Any]
) -> None:
    async with items as uow:
        assert comparable(await uow.items.find().distinct(place)) == comparable(values)


async def test_distinct_reaches_through_lists_of_models(items: Any, backend: Backend) -> None:
    async with items as uow:
        skus = await uow.items.find().distinct(any_of(Item.lines).sku)
        parts = await uow.items.find().distinct(any_of(any_of(Item.lines).parts))
    if backend.name == "embedded":
        assert (skus, parts) == ([], []), "the embedded server does not look there; say so in the guide no longer"
    else:
        assert (sorted(skus), sorted(parts)) == (["x", "y"], [1, 2])


async def test_distinct_reads_embedded_models_and_respects_the_conditions(items: Any) -> None:
    async with items as uow:
        found = await uow.items.find(Item.id > 1).distinct(Item.address)
        assert comparable(found) == comparable([None, Address(town="Bonn")])
        assert set(await uow.items.find().distinct(some(Item.address).city)) == {"Oslo", "Bonn"}
        (await uow.items.get(1)).address = Address(town="Rome")
        assert set(await uow.items.find().distinct(some(Item.address).city)) == {"Rome", "Bonn"}


async def test_distinct_keeps_to_the_models_of_its_repository(database: Any, colour: str) -> None:
    till = define(colour, database, payments=Payment, cards=Card)
    async with till as uow:
        uow.payments.add_all([Card(id=1, amount=5, holder="Ann"), Cash(id=2, amount=6)])
        assert await uow.cards.find().distinct(Card.amount) == [5]
        assert sorted(await uow.payments.find().distinct(Payment.amount)) == [5, 6]


async def test_distinct_refuses_what_it_cannot_mean(items: Any) -> None:
    async with items as uow:
        with pytest.raises(TypeError, match=r"Write any_of\(Item.tags\)"):
            await uow.items.find().distinct(Item.tags)
        with pytest.raises(TypeError, match="a list in a list"):
            await uow.items.find().distinct(any_of(any_of(Item.grid)))
        with pytest.raises(TypeError, match="takes a field of the class"):
            await uow.items.find().distinct("colour")
        with pytest.raises(TypeError, match="not a field of Item"):
            await uow.items.find().distinct(Card.amount)
        with pytest.raises(ValueError, match="leave skip and limit out"):
            await uow.items.find().limit(1).distinct(Item.id)
        with pytest.raises(ValueError, match="no hint"):
            await uow.items.find().hint("_id_").distinct(Item.id)
    assert uow.receipt.commands == 0


async def test_a_value_that_does_not_fit_the_field_is_named_without_it(database: Any, colour: str, items: Any) -> None:
    class Loose(Document[int], collection="items"):
        price: Any = None

    async with define(colour, database, loose=Loose) as uow:
        (await uow.loose.get(1)).price = "secret"
    async with items as uow:
        with pytest.raises(InvalidDocument, match=r"Item\.price") as caught:
            await uow.items.find().distinct(Item.price)
        assert await uow.items.count() == 4
    assert "secret" not in str(caught.value)


async def test_what_distinct_saw_is_compared_by_a_replay(items: Any) -> None:
    for rival_changes, fits in ((False, True), (True, False)):
        async with items.unit() as uow:
            assert sorted(await uow.items.find(Item.id < 3).distinct(Item.id)) == [1, 2]
            if rival_changes:
                async with items.independent() as rival:
                    rival.items.remove(await rival.items.get(2))
            await uow.core.restart()
            if fits:
                assert sorted(await uow.items.find(Item.id < 3).distinct(Item.id)) == [1, 2]
            else:
                with pytest.raises(UnitDoomed) as doomed:
                    await uow.items.count()
                assert isinstance(doomed.value.__cause__, StaleDocument)
                await uow.rollback()


async def test_options_change_how_a_query_is_carried_out_and_not_what_it_finds(items: Any) -> None:
    async with items as uow:
        query = uow.items.find(Item.id > 1).comment("nightly").max_time(5).hint("_id_")
        assert [item.id for item in await query.sort(Item.id).to_list()] == [2, 3, 4]
        assert (await query.hint(Item.id).first()).id in {2, 3, 4}
        assert await query.count() == 3
        assert await query.exists()
        assert (await query.sort(Item.id).limit(1).one()).id == 2
        assert set(await uow.items.find().comment("x").max_time(0.5).distinct(Item.colour)) == set(Colour)


async def test_a_collation_compares_text_as_a_language_does_or_is_refused_by_name(items: Any, backend: Backend) -> None:
    async with items.unit() as uow:
        query = uow.items.find(any_of(Item.tags) == "A").collation("en", strength=2)
        if backend.name == "memory":
            with pytest.raises(TransactionFailed, match="does not know collation in queries"):
                await query.to_list()
            await uow.rollback()
            return
        assert [item.id for item in await query.to_list()] == [1]
        assert await query.count() == 1
        assert await query.distinct(Item.id) == [1]
        assert (await query.first()).id == 1


async def test_a_collation_is_that_of_an_index_or_short_for_one(items: Any, backend: Backend) -> None:
    if backend.name == "memory":
        pytest.skip("it knows no collations")
    upper = Collation(locale="en", strength=3, case_first="upper", numeric_ordering=True)
    async with items as uow:
        uow.items.add_all([Item(id=id_, extra=name) for id_, name in ((21, "a10"), (22, "A2"), (23, "a2"))])
        found = uow.items.find(Item.id > 20).sort(Item.extra)
        assert [item.id for item in await found.collation(upper).to_list()] == [22, 23, 21]
        short = found.collation("en", strength=1, numeric_ordering=True)
        assert [item.id for item in await short.sort(Item.extra, Item.id).to_list()] == [22, 23, 21]


async def test_an_index_that_is_not_there_fails_the_unit(items: Any) -> None:
    with pytest.raises(TransactionFailed):
        async with items as uow:
            await uow.items.find().hint("nowhere").to_list()


async def test_nonsense_options_are_refused_where_they_are_written(items: Any) -> None:
    async with items as uow:
        query = uow.items.find()
        for wrong in (
            lambda: query.max_time(0),
            lambda: query.max_time(float("nan")),
            query.hint,
            lambda: query.hint(""),
        ):
            with pytest.raises(ValueError, match=r"hint takes|max_time takes"):
                wrong()
        with pytest.raises(ValueError, match="a strength is 1 to 5"):
            query.collation("en", strength=9)
        with pytest.raises(TypeError, match="says everything itself"):
            query.collation(Collation(locale="en"), strength=2)
        for word in (query.comment, query.collation):
            with pytest.raises(TypeError, match="takes a str"):
                word({"$where": "1"})


async def test_a_number_from_a_request_is_one_before_it_is_sent(items: Any) -> None:
    async with items as uow:
        query = uow.items.find()
        for word in ("skip", "limit", "page", "stream", "max_time"):
            for wrong in ("5", {"$gt": 1}, None, True):
                with pytest.raises(TypeError, match=f"{word} takes a .*number .*, not {type(wrong).__name__}"):
                    await _asked(query, word, wrong)
            for beyond in (-1, 2**64):
                with pytest.raises(ValueError, match=f"{word} takes a .*number"):
                    await _asked(query, word, beyond)
        assert await query.limit(2**63 - 1).count() == 4


async def _asked(query: Any, word: str, number: Any) -> None:
    if word == "page":
        await query.page(number)
    else:
        getattr(query, word)(number)


async def test_a_query_is_explained_outside_the_transaction(items: Any, backend: Backend) -> None:
    async with items as uow:
        await uow.items.get(1)
        query = uow.items.find(Item.id > 1).sort(Item.id).limit(1)
        if backend.name == "memory":
            with pytest.raises(BoundworkError, match=r"could not be explained.*goes on"):
                await query.explain()
        else:
            assert "queryPlanner" in await query.explain()
            assert "executionStats" in await query.explain("executionStats")
            with pytest.raises(BoundworkError, match=r"could not be explained.*goes on"):
                await query.explain("nonsense")
        (await uow.items.get(1)).price = Decimal(3)
    async with items as uow:
        assert (await uow.items.get(1)).price == Decimal(3)


async def test_queries_are_reusable_and_are_not_changed_by_their_words(items: Any) -> None:
    async with items as uow:
        base = uow.items.find(Item.id > 1)
        base.hint("nowhere")
        base.collation("en")
        base.max_time(1).comment("x")
        assert [item.id async for item in base.sort(Item.id)] == [2, 3, 4]
        assert await base.count() == 3
        assert await base.count() == 3
