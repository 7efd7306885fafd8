"""What a client may set, sort by and see, through units of work."""

from decimal import Decimal
from typing import Any

import pytest

from boundwork import InvalidDocument, InvalidRequest, any_of, apply_request, fields_from, from_request, some, sort_from
from tests.contract.shop import Address, Customer, Line, Order, Status

ALLOWED = (Order.status, Order.lines, Order.notes, some(Order.address).city)


async def test_an_allowed_body_becomes_a_document(shop: Any) -> None:
    body = {
        "status": "shipped",
        "lines": [{"sku": "a", "quantity": 2}],
        "notes": {"$where": "kept as it is", "a.b": "c"},
    }
    async with shop as uow:
        order = from_request(Order, body, allow=ALLOWED, given={"number": "A-1", "total": Decimal(7)})
        uow.add(order)
    async with shop as uow:
        again = await uow.orders.get(order.id)
        assert (again.number, again.status, again.total) == ("A-1", Status.SHIPPED, Decimal(7))
        assert again.lines == [Line(sku="a", quantity=2)]
        assert again.notes == {"$where": "kept as it is", "a.b": "c"}


async def test_an_allowed_body_changes_what_it_names_and_nothing_else(shop: Any) -> None:
    async with shop as uow:
        order = Order(number="A-1", address=Address(street="Main", town="Bonn"), lines=[Line(sku="a")])
        uow.add(order)
    async with shop as uow:
        found = await uow.orders.get(order.id)
        address = found.address
        apply_request(found, {"address": {"town": "Oslo"}, "status": "shipped"}, allow=ALLOWED)
        assert found.address is address
    async with shop as uow:
        again = await uow.orders.get(order.id)
        assert (again.address, again.status, again.lines) == (
            Address(street="Main", town="Oslo"),
            Status.SHIPPED,
            [Line(sku="a")],
        )


async def test_what_a_body_changed_is_undone_by_a_rollback(shop: Any) -> None:
    async with shop as uow:
        uow.add(order := Order(number="A-1", address=Address(street="Main", town="Bonn")))
    with pytest.raises(ZeroDivisionError):
        async with shop as uow:
            order = await uow.orders.get(order.id)
            apply_request(order, {"address": {"town": "Oslo"}, "notes": {"a": "b"}}, allow=ALLOWED)
            raise ZeroDivisionError
    assert order.address is not None
    assert (order.address.city, order.notes) == ("Bonn", {})


async def test_a_refused_body_changes_nothing(shop: Any) -> None:
    async with shop as uow:
        uow.add(order := Order(number="A-1", address=Address(street="Main", town="Bonn")))
    async with shop as uow:
        order = await uow.orders.get(order.id)
        for body in (
            {"status": "shipped", "total": 1},
            {"status": "shipped", "address": {"town": 5}},
            {"lines": [{"sku": 1}]},
        ):
            with pytest.raises(InvalidRequest):
                apply_request(order, body, allow=ALLOWED)
        assert order.status is Status.OPEN
    assert uow.receipt.updated == 0


async def test_a_sort_from_outside_sorts_by_what_is_allowed(shop: Any) -> None:
    async with shop as uow:
        uow.orders.add_all(
            [Order(number=number, total=Decimal(total)) for number, total in [("a", 2), ("b", 1), ("c", 2)]]
        )
        sort = sort_from("-total,number", allow=(Order.total, Order.number))
        assert [order.number for order in await uow.orders.find().sort(*sort).to_list()] == ["a", "c", "b"]
        with pytest.raises(InvalidRequest, match="'customer_id': is not allowed"):
            sort_from("customer_id", allow=(Order.total, Order.number))


async def test_fields_from_outside_are_those_that_are_allowed(shop: Any) -> None:
    async with shop as uow:
        uow.add(Customer(id="ada", name="Ada", email="ada@example.org"))
        customer = await uow.customers.get("ada")
        shown = fields_from("name", allow=(Customer.id, Customer.name))
        assert customer.model_dump(include=set(shown)) == {"name": "Ada"}
        with pytest.raises(InvalidRequest, match="'email': is not allowed"):
            fields_from("name,email", allow=(Customer.id, Customer.name))


@pytest.mark.parametrize("condition", [{"$gt": ""}, {"$ne": 1}, {"a": 1, "$exists": True}])
async def test_an_id_that_is_a_condition_finds_nothing_and_says_so(shop: Any, condition: Any) -> None:
    async with shop as uow:
        uow.add(Customer(id="ada", name="Ada"))
        await uow.flush()
        for word in ("get", "find_by_id"):
            with pytest.raises((TypeError, InvalidDocument)):
                await getattr(uow.customers, word)(condition)
        with pytest.raises((TypeError, InvalidDocument)):
            await uow.customers.get_many([condition])
        with pytest.raises(TypeError, match="named by a str"):
            await uow.lock(condition)
        assert await uow.customers.find(Customer.name == condition).count() == 0
        assert await uow.orders.find(any_of(Order.lines).sku == condition).count() == 0
