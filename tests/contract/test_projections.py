"""Read models: what they need is fetched and nothing else, and the unit does not know them."""

from decimal import Decimal
from enum import Enum
from typing import Any

import pytest
from bson import ObjectId
from pydantic import BaseModel, Field, ValidationError

from boundwork import Document, DocumentNotFound, Embedded, InvalidDocument, MultipleDocumentsFound, desc
from tests.contract.colours import define


class Status(Enum):
    OPEN = "o"
    SENT = "s"


class Line(Embedded):
    sku: str
    price: Decimal = Field(default=Decimal(0), alias="p")
    note: str = ""


class Address(Embedded):
    city: str = Field(alias="town")
    street: str = ""


class Sale(Document, collection="sales"):
    number: str = Field(alias="no")
    status: Status = Status.OPEN
    total: Decimal = Decimal(0)
    lines: list[Line] = []
    address: Address | None = None
    notes: dict[str, str] = {}


class Money(BaseModel, frozen=True):
    price: Decimal


class Place(BaseModel, frozen=True):
    city: str


class Summary(Embedded, frozen=True):
    id: ObjectId
    number: str
    status: Status
    address: Place | None = None
    lines: tuple[Money, ...] = ()

    @property
    def worth(self) -> Decimal:
        return sum((line.price for line in self.lines), Decimal(0))


class Bare(BaseModel, frozen=True, extra="forbid"):
    whole: Address | None = Field(default=None, alias="address")
    total: Decimal


@pytest.fixture
async def sales(database: Any, colour: str) -> Any:
    shop = define(colour, database, sales=Sale)
    async with shop as uow:
        uow.sales.add_all(
            [
                Sale(no="A", lines=[Line(sku="x", p=Decimal(2)), Line(sku="y", p=Decimal("1.5"))], notes={"a": "b"}),
                Sale(no="B", status=Status.SENT, total=Decimal(7), address=Address(town="Oslo", street="s")),
            ]
        )
    return shop


async def test_a_read_model_is_made_of_the_fields_that_it_names(sales: Any) -> None:
    async with sales as uow:
        first, second = await uow.sales.find().sort(Sale.number).project(Summary).to_list()
        assert (first.number, first.status, first.worth, first.address) == ("A", Status.OPEN, Decimal("3.5"), None)
        assert (second.number, second.status, second.address) == ("B", Status.SENT, Place(city="Oslo"))
        assert first.id == (await uow.sales.find(Sale.number == "A").one()).id
        (bare,) = await uow.sales.find(Sale.status == Status.SENT).project(Bare).to_list()
        assert bare == Bare(address=Address(town="Oslo", street="s"), total=Decimal(7))


async def test_only_what_is_needed_is_fetched(sales: Any) -> None:
    async with sales as uow:
        await uow.sales.find().project(Summary).to_list()
        await uow.sales.find().project(Bare).to_list()
        asked = [record.command.projection for record in uow.core.workspace.log.records]
    assert asked == [
        {"_id": 1, "address.town": 1, "lines.p": 1, "no": 1, "status": 1},
        {"address": 1, "total": 1, "_id": 0},
    ]


async def test_a_read_model_is_read_only_and_unknown_to_the_unit(sales: Any) -> None:
    async with sales as uow:
        known = await uow.sales.find(Sale.number == "A").one()
        summary = await uow.sales.find(Sale.number == "A").project(Summary).one()
        assert not isinstance(summary, Document)
        with pytest.raises(ValidationError, match="frozen"):
            summary.number = "Z"
        with pytest.raises(TypeError, match="was given Summary"):
            uow.sales.remove(summary)
        assert await uow.sales.get(known.id) is known
    assert (uow.receipt.updated, uow.receipt.removed) == (0, 0)


async def test_a_read_model_sees_the_unit_s_own_changes(sales: Any) -> None:
    async with sales as uow:
        (await uow.sales.find(Sale.number == "A").one()).status = Status.SENT
        assert {summary.status for summary in await uow.sales.find().project(Summary).to_list()} == {Status.SENT}


async def test_the_words_of_a_query_go_on_after_a_projection(sales: Any) -> None:
    async with sales as uow:
        query = uow.sales.find().project(Summary)
        assert [summary.number async for summary in query.sort(desc(Sale.number))] == ["B", "A"]
        assert (await query.sort(Sale.number).first()).number == "A"
        assert await query.count() == 2
        assert await uow.sales.find(Sale.number == "C").project(Summary).one_or_none() is None
        with pytest.raises(DocumentNotFound):
            await uow.sales.find(Sale.number == "C").project(Summary).one()
        with pytest.raises(MultipleDocumentsFound):
            await query.one()
        assert set(await query.distinct(Sale.status)) == set(Status)


async def test_pages_of_a_read_model_fetch_what_their_tokens_need(sales: Any) -> None:
    async with sales as uow:
        query = uow.sales.find().sort(desc(Sale.number)).project(Bare)
        first = await query.page(1)
        second = await query.page(1, after=first.next)
        assert [bare.total for bare in (*first, *second)] == [Decimal(7), Decimal(0)]
        assert isinstance(first.items[0], Bare)
        assert (await query.page(1, after=second.previous)).items == first.items
        assert uow.core.workspace.log.records[0].command.projection == {"_id": 1, "address": 1, "no": 1, "total": 1}


async def test_a_read_model_that_does_not_fit_is_refused_before_the_server_is_asked(sales: Any) -> None:
    class Misspelt(BaseModel, frozen=True):
        totl: int

    class Deep(BaseModel, frozen=True):
        class Inner(BaseModel, frozen=True):
            cty: str

        address: Inner

    class Open(BaseModel):
        total: int

    async with sales as uow:
        for model, text in (
            (Misspelt, r"Misspelt\.totl: Sale has no such field.*Did you mean 'total'"),
            (Deep, r"Deep\.address\.cty: Address has no such field.*Did you mean 'city'"),
            (Open, r"class Open\(BaseModel, frozen=True\)"),
            (Sale, "is a Document"),
            (dict, "is a pydantic model class"),
        ):
            with pytest.raises(TypeError, match=text):
                uow.sales.find().project(model)
    assert uow.receipt.commands == 0


async def test_stored_values_that_do_not_fit_are_named_without_them(sales: Any, database: Any, colour: str) -> None:
    class Wrong(BaseModel, frozen=True):
        number: int

    async with sales as uow:
        (await uow.sales.find(Sale.number == "A").one()).number = "secret"
    async with sales as uow:
        with pytest.raises(InvalidDocument) as caught:
            await uow.sales.find().project(Wrong).to_list()
        assert await uow.sales.count() == 2
    assert caught.value.fields == ("number",)
    assert "secret" not in str(caught.value)


async def test_what_is_no_read_model_is_named_by_its_type(sales: Any) -> None:
    async with sales as uow:
        query = uow.sales.find()
        for wrong, name in (({"a": "secret"}, "dict"), ("secret", "str"), (int, "int")):
            with pytest.raises(TypeError, match=f"A read model is a pydantic model class, not {name}.$"):
                query.project(wrong)


class Stop(Embedded, frozen=True):
    place: str = Field(alias="pl")
    note: str = ""


class Rest(Embedded, frozen=True):
    note: str = ""
    where: Stop | None = None


START = Stop(pl="start")


class Trip(Document[int], collection="trips"):
    first: Stop | None = Field(default=None, alias="f")
    usual: Stop | None = START
    stops: list[Stop | None] = []
    named: dict[str, Stop] = {}
    many: list[dict[str, Stop]] = []
    either: Stop | Rest | None = None
    rest: Rest = Rest()


class At(Embedded, frozen=True):
    place: str


class Way(Embedded, frozen=True):
    where: At | None


class Told(Embedded, frozen=True):
    first: At | None
    usual: At | None
    stops: list[At | None]
    named: dict[str, At]
    many: list[dict[str, At]]
    rest: Way


async def test_a_part_that_is_null_is_none_whatever_is_fetched_of_it(database: Any, colour: str) -> None:
    stop = Stop(pl="x", note="long")
    whole = Trip(id=2, f=stop, usual=stop, stops=[stop, None], named={"a.b": stop}, many=[{"c": stop}])
    async with define(colour, database, trips=Trip) as uow:
        uow.trips.add_all([Trip(id=1, usual=None, stops=[None]), whole])
    async with define(colour, database, trips=Trip) as uow:
        empty, full = await uow.trips.find().sort(Trip.id).project(Told).to_list()
        (record,) = uow.core.workspace.log.records
    way = Way(where=None)
    assert empty == Told(first=None, usual=None, stops=[None], named={}, many=[], rest=way)
    at = At(place="x")
    assert full == Told(first=at, usual=at, stops=[at, None], named={"a.b": at}, many=[{"c": at}], rest=way)
    assert sorted(record.command.projection) == ["_id", "f.pl", "many", "named", "rest.where.pl", "stops", "usual"]


async def test_what_may_be_one_of_two_models_is_taken_apart_as_either(database: Any, colour: str) -> None:
    class Seen(Embedded, frozen=True):
        place: str | None = None
        note: str

    class Notes(Embedded, frozen=True):
        either: Seen | None

    async with define(colour, database, trips=Trip) as uow:
        uow.trips.add_all([Trip(id=1, either=Stop(pl="x", note="a")), Trip(id=2, either=Rest(note="b")), Trip(id=3)])
        rows = await uow.trips.find().sort(Trip.id).project(Notes).to_list()
    assert rows == [Notes(either=Seen(place="x", note="a")), Notes(either=Seen(note="b")), Notes(either=None)]
