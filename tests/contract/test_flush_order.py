"""In which order writes reach the server, where unique keys make it matter."""

from typing import Any

import pytest

from boundwork import DuplicateKey, NotInUnit
from tests.contract.shop import Account, Customer, Line, Order


@pytest.fixture
async def unique_email(database: Any, colour: str, backend: Any) -> None:
    if backend.name == "memory":
        database.create_unique_index("customers", "email")
    elif colour == "sync":
        database["customers"].create_index("email", unique=True)
    else:
        await database["customers"].create_index("email", unique=True)


@pytest.fixture
async def two(shop: Any, unique_email: None) -> None:
    async with shop as uow:
        uow.customers.add_all([Customer(id="a", name="A", email="a@x"), Customer(id="b", name="B", email="b@x")])


async def test_a_document_may_be_removed_and_another_added_with_its_id(shop: Any) -> None:
    async with shop as uow:
        uow.accounts.add(Account(id=1, balance=1))
    async with shop as uow:
        uow.accounts.remove(await uow.accounts.get(1))
        uow.accounts.add(Account(id=1, balance=2))
    async with shop as uow:
        assert (await uow.accounts.get(1)).balance == 2


async def test_a_document_may_be_removed_and_added_again(shop: Any) -> None:
    async with shop as uow:
        uow.accounts.add(Account(id=1, balance=1))
    async with shop as uow:
        account = await uow.accounts.get(1)
        uow.accounts.remove(account)
        uow.accounts.add(account)
        account.balance = 5
    async with shop as uow:
        assert (await uow.accounts.get(1)).balance == 5


async def test_a_new_document_that_is_removed_again_is_never_written(shop: Any) -> None:
    async with shop as uow:
        account = uow.accounts.add(Account(id=1))
        uow.accounts.remove(account)
    assert uow.receipt.commands == 0


async def test_a_unique_value_passes_from_a_removed_document_to_a_new_one(shop: Any, two: None) -> None:
    async with shop as uow:
        uow.customers.add(Customer(id="c", name="C", email="a@x"))
        uow.customers.remove(await uow.customers.get("a"))
    async with shop as uow:
        assert (await uow.customers.get("c")).email == "a@x"
        assert await uow.customers.find_by_id("a") is None


async def test_a_unique_value_passes_along_a_chain_of_updates(shop: Any, two: None) -> None:
    async with shop as uow:
        first, second = await uow.customers.get("a"), await uow.customers.get("b")
        first.email = "b@x"
        second.email = "c@x"
        uow.customers.add(Customer(id="d", name="D", email="a@x"))
    async with shop as uow:
        emails = {customer.id: customer.email for customer in await uow.customers.find().to_list()}
    assert emails == {"a": "b@x", "b": "c@x", "d": "a@x"}


async def test_two_documents_may_swap_a_unique_value(shop: Any, two: None) -> None:
    async with shop as uow:
        first, second = await uow.customers.get("a"), await uow.customers.get("b")
        first.email, second.email = second.email, first.email
    assert uow.receipt.updated == 2
    async with shop as uow:
        assert (await uow.customers.get("a")).email == "b@x"
        assert (await uow.customers.get("b")).email == "a@x"


@pytest.fixture
async def unique_sku(database: Any, colour: str, backend: Any) -> None:
    if backend.name == "memory":
        database.create_unique_index("orders", "lines.sku")
    elif colour == "sync":
        database["orders"].create_index("lines.sku", unique=True)
    else:
        await database["orders"].create_index("lines.sku", unique=True)


@pytest.mark.parametrize("how", ["an element", "another list", "a longer list"])
async def test_two_documents_may_swap_a_unique_value_inside_of_their_lists(
    shop: Any, unique_sku: None, how: str
) -> None:
    async with shop as uow:
        uow.orders.add_all([Order(number="x", lines=[Line(sku="a")]), Order(number="y", lines=[Line(sku="b")])])
    async with shop as uow:
        first, second = await uow.orders.find().sort("number").to_list()
        if how == "an element":
            first.lines[0].sku, second.lines[0].sku = second.lines[0].sku, first.lines[0].sku
        else:
            more = [Line(sku="c")] if how == "a longer list" else []
            first.lines, second.lines = [Line(sku="b"), *more], [Line(sku="a")]
    async with shop as uow:
        orders = await uow.orders.find().sort("number").to_list()
    assert [order.lines[0].sku for order in orders] == ["b", "a"]


async def test_a_taken_unique_value_is_a_duplicate_key_and_nothing_is_written(shop: Any, two: None) -> None:
    late = Customer(id="z", name="Z", email="a@x")
    with pytest.raises(DuplicateKey) as caught:
        async with shop as uow:
            uow.accounts.add(Account(id=9))
            uow.customers.add(late)
    assert (caught.value.collection, caught.value.id, caught.value.fields) == ("customers", "z", ("email",))
    assert "a@x" not in str(caught.value)
    assert caught.value.origin is not None
    assert ".py:" in caught.value.origin
    async with shop as uow:
        assert await uow.accounts.find_by_id(9) is None
        late.email = "z@x"
        uow.customers.add(late)
    async with shop as uow:
        assert (await uow.customers.get("z")).email == "z@x"


async def test_add_if_absent_meets_a_taken_id_without_harm(shop: Any) -> None:
    async with shop as uow:
        uow.accounts.add(Account(id=1, balance=1))
    async with shop as uow:
        assert not await uow.accounts.add_if_absent(Account(id=1, balance=5))
        fresh = Account(id=2, balance=2)
        assert await uow.accounts.add_if_absent(fresh)
        assert await uow.accounts.get(2) is fresh
        fresh.balance = 3
    async with shop as uow:
        assert (await uow.accounts.get(1)).balance == 1
        assert (await uow.accounts.get(2)).balance == 3


async def test_two_objects_cannot_stand_for_one_document(shop: Any) -> None:
    async with shop as uow:
        uow.accounts.add(Account(id=1))
        with pytest.raises(NotInUnit, match="another object"):
            uow.accounts.add(Account(id=1))


async def test_a_document_of_another_unit_is_refused(shop: Any) -> None:
    with pytest.raises(NotInUnit, match="Get it from a repository"):
        async with shop as uow:
            uow.orders.remove(Order(number="foreign"))


async def test_collections_are_written_in_the_order_of_their_first_use(shop: Any) -> None:
    async with shop as uow:
        uow.customers.add(Customer(id="a", name="A"))
        uow.accounts.add(Account(id=1))
        uow.customers.add(Customer(id="b", name="B"))
        await uow.flush()
        written = [bulk for record in uow.core.workspace.log.records for bulk in record.bulks]
        assert [(bulk.collection, len(bulk.writes)) for bulk in written] == [("customers", 2), ("accounts", 1)]
