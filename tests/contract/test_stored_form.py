"""What reaches the database, and what is kept of it."""

from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from ipaddress import IPv4Address
from pathlib import PurePosixPath
from typing import Any
from uuid import UUID, uuid4

import pytest
from bson import ObjectId
from pydantic import Field

from boundwork import Document, InvalidDocument
from boundwork.uow.commands import BulkWrite, InsertOne
from boundwork.uow.sessions.memory import MemorySession
from tests.contract.colours import define
from tests.contract.shop import Address, Line, Order

Stored = dict[str, Any]
Put = Callable[[str, Stored], Awaitable[None]]
Look = Callable[[str], Awaitable[list[Stored]]]


@pytest.fixture
def put(backend: Any, database: Any, colour: str) -> Put:
    """Write a document past boundwork."""

    async def insert(collection: str, document: Stored) -> None:
        if backend.name == "memory":
            session = MemorySession(database)
            await session.open()
            await session.write([BulkWrite(collection, (InsertOne({"_id": ObjectId(), **document}),))])
            await session.commit()
            await session.close()
        elif colour == "sync":
            database[collection].insert_one(document)
        else:
            await database[collection].insert_one(document)

    return insert


@pytest.fixture
def look(backend: Any, database: Any, colour: str) -> Look:
    """Read documents past boundwork."""

    async def find(collection: str) -> list[Stored]:
        if backend.name == "memory":
            found: list[Stored] = database.documents(collection)
        elif colour == "sync":
            found = database[collection].find().to_list()
        else:
            found = await database[collection].find().to_list()
        return found

    return find


async def test_fields_that_the_model_does_not_know_survive_an_update(shop: Any, put: Put, look: Look) -> None:
    await put(
        "orders",
        {
            "number": "A-1",
            "legacy": {"kept": True},
            "lines": [{"sku": "x", "quantity": 1, "colour": "red"}, {"sku": "y", "quantity": 1}],
            "address": {"street": "s", "town": "Oslo", "door": 5},
        },
    )
    async with shop as uow:
        order = await uow.orders.first()
        order.number = "A-2"
        order.lines[0].quantity = 2
        order.address.city = "Bergen"
    (stored,) = await look("orders")
    assert stored["number"] == "A-2"
    assert stored["legacy"] == {"kept": True}
    assert stored["lines"][0] == {"sku": "x", "quantity": 2, "colour": "red"}
    assert stored["address"] == {"street": "s", "town": "Bergen", "door": 5}
    async with shop as uow:
        order = await uow.orders.first()
        order.lines.insert(0, Line(sku="z"))
    (stored,) = await look("orders")
    assert stored["lines"][1] == {"sku": "x", "quantity": 2, "colour": "red"}


async def test_only_the_fields_that_changed_are_written(shop: Any) -> None:
    async with shop as uow:
        order = uow.orders.add(
            Order(number="A-1", lines=[Line(sku="x"), Line(sku="y")], address=Address(street="s", town="Oslo"))
        )
    async with shop as uow:
        order = await uow.orders.get(order.id)
        order.lines[1].quantity = 5
        order.notes["k"] = "v"
        order.address.city = "Bergen"
        order.number = "A-1"
        await uow.flush()
        (write,) = uow.core.workspace.log.records[-1].bulks[0].writes
        assert write.update == {"$set": {"lines.1.quantity": 5, "notes.k": "v", "address.town": "Bergen"}}
        order.lines.append(Line(sku="z"))
        await uow.flush()
        (write,) = uow.core.workspace.log.records[-1].bulks[0].writes
        assert write.update == {"$push": {"lines": {"$each": [{"sku": "z", "quantity": 1}]}}}
        order.address = None
        await uow.flush()
        (write,) = uow.core.workspace.log.records[-1].bulks[0].writes
        assert write.update == {"$set": {"address": None}}
    async with shop as uow:
        assert await uow.orders.get(order.id) == order


async def test_reading_writes_nothing(shop: Any) -> None:
    async with shop as uow:
        order = uow.orders.add(Order(number="A-1", lines=[Line(sku="x")], notes={"a": "1"}))
    async with shop as uow:
        order = await uow.orders.get(order.id)
        assert order.lines[0].sku == "x"
        assert dict(order.notes) == {"a": "1"}
        order.number = str(order.number)
        await uow.flush()
        assert [type(record).__name__ for record in uow.core.workspace.log.records] == ["ReadRecord"]


class Everything(Document[UUID], collection="everything"):
    id: UUID = Field(default_factory=uuid4)
    price: Decimal
    day: date
    hour: time
    moment: datetime
    span: timedelta
    tags: set[str]
    pair: tuple[int, str]
    address: IPv4Address
    path: PurePosixPath
    by_key: dict[UUID, int]
    other: UUID


async def test_types_that_bson_lacks_come_back_as_they_were(database: Any, colour: str) -> None:
    shop = define(colour, database, everything=Everything)
    one = Everything(
        price=Decimal("12345678901234567890.123456789"),
        day=date(2026, 2, 28),
        hour=time(12, 30, 1, 5),
        moment=datetime(2026, 1, 1, 12, 0, 0, 5000, tzinfo=UTC),
        span=timedelta(days=-1, microseconds=1),
        tags={"a", "b"},
        pair=(1, "x"),
        address=IPv4Address("10.0.0.1"),
        path=PurePosixPath("/a/b"),
        by_key={uuid4(): 1},
        other=uuid4(),
    )
    async with shop as uow:
        uow.everything.add(one)
    async with shop as uow:
        assert await uow.everything.get(one.id) == one
        assert await uow.everything.find(Everything.other == one.other).to_list() == [one]
        assert await uow.everything.count(Everything.day <= date(2026, 2, 28), Everything.price > 1) == 1


async def test_a_stored_document_that_does_not_fit_names_its_fields_and_no_contents(shop: Any, put: Put) -> None:
    await put("orders", {"_id": "wrong", "number": "secret", "total": "secret", "lines": [{"quantity": "secret"}]})
    async with shop as uow:
        with pytest.raises(InvalidDocument) as caught:
            await uow.orders.find().to_list()
    assert caught.value.collection == "orders"
    assert caught.value.id == "wrong"
    assert {"_id", "total", "lines.0.sku"} <= set(caught.value.fields) | {"_id"}
    assert "secret" not in str(caught.value)


async def test_a_value_that_does_not_fit_is_refused_before_anything_is_written(shop: Any) -> None:
    async with shop as uow:
        kept = uow.orders.add(Order(number="A-1"))
    with pytest.raises(InvalidDocument) as caught:
        async with shop as uow:
            uow.customers.add_all([])
            order = await uow.orders.get(kept.id)
            sent = uow.core.session.commands
            order.total = "many"
            try:
                await uow.flush()
            finally:
                assert uow.core.session.commands == sent
    assert caught.value.fields == ("total",)
    assert "many" not in str(caught.value)
    async with shop as uow:
        assert (await uow.orders.get(kept.id)).total == 0


async def test_the_id_of_a_stored_document_cannot_change(shop: Any) -> None:
    async with shop as uow:
        order = uow.orders.add(Order(number="A-1"))
    with pytest.raises(InvalidDocument, match="id"):
        async with shop as uow:
            (await uow.orders.get(order.id)).id = Order(number="x").id
