"""Repositories: finding, ordering, counting, and the unit they find by themselves."""

from decimal import Decimal
from typing import Any

import pytest
from bson import ObjectId
from typing_extensions import TypedDict

from boundwork import (
    AsyncRepository,
    Document,
    DocumentNotFound,
    NoActiveUnitOfWork,
    Repository,
    WrongModel,
    any_of,
    desc,
    in_,
    not_,
    some,
)
from tests.contract.colours import Blue, define
from tests.contract.shop import Account, Address, Card, Cash, Customer, Line, Order, Payment, Status


@pytest.fixture
async def three(shop: Any) -> None:
    async with shop as uow:
        uow.orders.add_all(
            [
                Order(number="A-1", total=Decimal("10.50"), lines=[Line(sku="x"), Line(sku="y", quantity=3)]),
                Order(number="A-2", total=Decimal(20), status=Status.SHIPPED, address=Address(street="s", town="Oslo")),
                Order(number="A-3", total=Decimal("5.25"), notes={"a": "1"}),
            ]
        )


async def numbers(query: Any) -> list[str]:
    return [order.number for order in await query.to_list()]


async def test_expressions_and_plain_filters_find_the_same(shop: Any, three: None) -> None:
    async with shop as uow:
        assert await numbers(uow.orders.find(Order.status == Status.SHIPPED)) == ["A-2"]
        assert await numbers(uow.orders.find({"status": "shipped"})) == ["A-2"]
        assert await numbers(uow.orders.find(some(Order.address).city == "Oslo")) == ["A-2"]
        assert await numbers(uow.orders.find({"address.town": "Oslo"})) == ["A-2"]
        assert await numbers(uow.orders.find(any_of(Order.lines).sku == "y")) == ["A-1"]
        assert await numbers(uow.orders.find(not_(Order.total >= Decimal(10)))) == ["A-3"]
        assert await numbers(uow.orders.find(in_(Order.number, ["A-1", "A-3"]), Order.total < Decimal(6))) == ["A-3"]


async def test_results_are_sorted_skipped_and_limited(shop: Any, three: None) -> None:
    async with shop as uow:
        query = uow.orders.find().sort(desc(Order.total))
        assert await numbers(query) == ["A-2", "A-1", "A-3"]
        assert await numbers(query.skip(1).limit(1)) == ["A-1"]
        assert await numbers(uow.orders.find().sort("-number")) == ["A-3", "A-2", "A-1"]
        assert await numbers(query) == ["A-2", "A-1", "A-3"], "a query is not changed by the queries made of it"


async def test_counting_and_existence_respect_the_query(shop: Any, three: None) -> None:
    async with shop as uow:
        assert await uow.orders.count() == 3
        assert await uow.orders.count(Order.status == Status.OPEN) == 2
        assert await uow.orders.find().limit(2).count() == 2
        assert await uow.orders.find().skip(2).count() == 1
        assert await uow.orders.exists(Order.number == "A-1")
        assert not await uow.orders.exists(Order.number == "B-1")


async def test_first_is_one_document_or_none(shop: Any, three: None) -> None:
    async with shop as uow:
        assert (await uow.orders.first(Order.number == "A-2")).total == Decimal(20)
        assert await uow.orders.first(Order.number == "B-1") is None
        assert (await uow.orders.find().sort(Order.total).first()).number == "A-3"


async def test_a_query_can_be_iterated(shop: Any, three: None) -> None:
    async with shop as uow:
        assert [order.number async for order in uow.orders.find().sort(Order.number)] == ["A-1", "A-2", "A-3"]


async def test_what_is_not_there_says_what_was_asked_for(shop: Any) -> None:
    missing = ObjectId()
    async with shop as uow:
        with pytest.raises(DocumentNotFound) as caught:
            await uow.orders.get(missing)
        assert await uow.orders.find_by_id(missing) is None
        uow.orders.add(Order(number="after"))
    assert (caught.value.model, caught.value.collection, caught.value.id) == ("Order", "orders", missing)
    async with shop as uow:
        assert await uow.orders.count() == 1, "an error of our own does not end the unit"


async def test_an_id_of_the_wrong_type_is_refused_instead_of_not_found(shop: Any) -> None:
    async with shop as uow:
        with pytest.raises(TypeError, match="ObjectId"):
            await uow.orders.get(17)


async def test_an_id_may_be_a_typed_dict(database: Any, colour: str) -> None:
    class Key(TypedDict):
        year: int

    class Bill(Document[Key], collection="bills"):
        total: int = 0

    office = define(colour, database, bills=Bill)
    async with office as uow:
        uow.bills.add(Bill(id={"year": 2024}))
    async with office as uow:
        (await uow.bills.get({"year": 2024})).total = 7
    async with office as uow:
        bill = await uow.bills.find(Bill.id == {"year": 2024}).one()
        assert (bill.id, bill.total) == ({"year": 2024}, 7)
        with pytest.raises(TypeError, match="The id of Bill is of type Key"):
            await uow.bills.get(2024)


async def test_ids_may_be_strings_and_numbers(shop: Any) -> None:
    async with shop as uow:
        uow.customers.add(Customer(id="ann", name="Ann"))
        uow.accounts.add(Account(id=7, balance=1))
    async with shop as uow:
        assert (await uow.customers.get("ann")).name == "Ann"
        assert (await uow.accounts.get(7)).balance == 1


async def test_nonsense_limits_are_refused(shop: Any) -> None:
    async with shop as uow:
        with pytest.raises(ValueError, match="positive"):
            uow.orders.find().limit(0)
        with pytest.raises(ValueError, match="number of documents"):
            uow.orders.find().skip(-1)


async def test_models_of_one_collection_are_told_apart(database: Any, colour: str) -> None:
    till = define(colour, database, payments=Payment, cards=Card)
    async with till as uow:
        uow.payments.add_all([Card(id=1, amount=5, holder="Ann"), Cash(id=2, amount=6)])
    async with till as uow:
        assert [type(payment) for payment in await uow.payments.find().sort("_id").to_list()] == [Card, Cash]
        assert await uow.cards.count() == 1
    async with till as uow:
        assert await uow.cards.find_by_id(2) is None
        cash = await uow.payments.get(2)
        assert await uow.cards.find_by_id(2) is None, "the same answer, whether it is known or not"
        for ask in (uow.cards.get(2), uow.cards.get_many([2])):
            with pytest.raises(DocumentNotFound):
                await ask
        await uow.commit()
        assert await uow.cards.find_by_id(2) is None
        cash.amount = 7
    async with till as uow:
        assert (await uow.payments.get(2)).amount == 7


async def test_a_document_is_refused_as_an_unrelated_model(database: Any, colour: str) -> None:
    class Receipt(Document[int], collection="payments"):
        amount: int

    till = define(colour, database, payments=Payment, receipts=Receipt)
    async with till as uow:
        uow.payments.add(Cash(id=2, amount=6))
        with pytest.raises(WrongModel, match="Cash"):
            await uow.receipts.get(2)


async def test_a_repository_of_its_own_finds_the_open_unit(shop: Any, colour: str) -> None:
    orders: Any = Blue(Repository(Order)) if colour == "sync" else AsyncRepository(Order)
    with pytest.raises(NoActiveUnitOfWork, match="no unit of work is open"):
        await orders.count()
    async with shop as uow:
        order = orders.add(Order(number="A-1"))
        assert await uow.orders.get(order.id) is order
        assert await orders.count() == 1


async def test_a_repository_of_an_undeclared_model_finds_no_unit(database: Any, colour: str) -> None:
    shop = define(colour, database, customers=Customer)
    orders: Any = Blue(Repository(Order)) if colour == "sync" else AsyncRepository(Order)
    async with shop:
        with pytest.raises(NoActiveUnitOfWork, match="declares Order"):
            await orders.count()
