"""Right uses of models, units and queries, none of which a type checker may complain about."""

from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

from bson import ObjectId

from boundwork import (
    Condition,
    Repository,
    UnitOfWork,
    Upcast,
    any_of,
    asc,
    connect,
    contains,
    contains_all,
    desc,
    elem,
    exists,
    in_,
    is_none,
    mod,
    near,
    not_,
    not_in,
    raw,
    regex,
    size,
    some,
    starts_with,
    text,
    within,
    within_metres,
)
from boundwork.alembic_like_migrations import Migrator
from tests.typing.shop import (
    Address,
    AsyncShop,
    Cat,
    Country,
    Customer,
    Dog,
    Fence,
    Iron,
    Line,
    Order,
    OrderNumber,
    Orders,
    Reader,
    Shop,
    Status,
    Voucher,
    Wooden,
)


def documents_are_built() -> None:
    address = Address(city="Bonn", zipCode="53111")
    Order(customer_id=ObjectId(), address=address)
    Order(id=ObjectId(), customer_id=ObjectId(), address=address, lines=[Line(sku="x")], billing=None)
    Customer(id="ada", name="Ada")
    Country(id="no", name="Norway")
    Fence(gates=[Wooden(), Iron(rust=1)])
    Voucher(id=UUID(int=1))


def members_of_a_family_are_told_apart(shop: Shop) -> None:
    with shop as uow:
        for animal in uow.animals.find():
            if isinstance(animal, Cat):
                animal.lives -= 1
        uow.animals.add(Dog(name="Rex"))
        uow.cats.find(Cat.kind == "cat", Cat.lives > 3, Cat.name == "Tom")


def conditions_are_written(orders: Orders) -> None:
    orders.find(Order.status == Status.OPEN, Order.total > 5, Order.address.city == "Bonn")
    orders.find(Order.id == ObjectId(), Order.kind == "web", Order.number == "A-1", Order.weight <= 1)
    orders.find((Order.total >= Decimal("1.5")) & (Order.status != Status.SENT) | Order.paid)
    orders.find(not_(Order.paid) & (Order.status == Status.OPEN), (Order.total > 1) & not_(Order.paid))
    orders.find(not_(Order.paid) | not_(Order.status == Status.OPEN))
    orders.find(some(Order.billing).city == "Bonn", some(Order.created) < datetime.now(UTC))
    orders.find(any_of(Order.lines).sku == "x", any_of(Order.tags) == "new", Order.lines[0].quantity > 1)
    orders.find(Order.labels["colour"] == "red", Order.tags == {"new"}, Order.billing == Address(city="Bonn"))
    orders.find({"status": "open"}, {"total": {"$gt": 5}}, (Order.total > 1) | (Order.total < 0))
    orders.find(not_(Order.paid) & {"status": "open"})
    orders.find()


def membership_takes_values_of_the_field(orders: Orders, numbers: list[OrderNumber]) -> None:
    orders.find(in_(Order.status, [Status.OPEN, Status.SENT]), in_(Order.status, Status))
    orders.find(in_(Order.customer_id, (ObjectId(),)), not_in(Order.total, {Decimal(1)}), not_in(Order.total, []))
    orders.find(in_(Order.number, numbers), in_(Order.kind, ["web", "shop"]), in_(Order.weight, [1, 2.5]))
    orders.find(in_(Order.note, ["x", None]), in_(Order.created, [datetime.now(UTC)]), in_(any_of(Order.tags), ["x"]))
    orders.find(in_(Order.billing, [Address(city="Bonn"), None]), in_(some(Order.billing).city, ["Bonn"]))
    orders.find(in_(Customer.id, (str(number) for number in numbers)))


def text_and_absence(orders: Orders) -> None:
    orders.find(regex(Order.number, "^A", raw=True), contains(Order.note, "x", ignore_case=True))
    orders.find(starts_with(Order.address.city, "B"), is_none(Order.billing), exists(Order.note, flag=False))


def lists_as_a_whole(orders: Orders) -> None:
    line = any_of(Order.lines)
    orders.find(size(Order.lines, 3), size(Order.tags, 0), contains_all(Order.tags, ["new", "red"]))
    orders.find(elem(Order.lines, line.sku == "x", line.quantity > 1), elem(Order.lines, {"sku": "x"}))
    orders.find(elem(Order.lines, line.sku == "x") & not_(Order.paid), mod(Order.total, 2, 1), mod(line.quantity, 2, 0))


def words_and_places(orders: Orders) -> None:
    orders.find(text("tea", language="english"), raw({"anything": 1}, allow_javascript=True))
    orders.find(near(Order.billing, (13.4, 52.5), metres=500), within_metres(some(Order.billing).city, (0, 0), 1))
    orders.find(within(Order.address, [(0, 0), (1, 0), (1, 1)]))


def ids_are_typed(shop: Shop) -> None:
    with shop as uow:
        uow.vouchers.get(UUID(int=1))
        uow.named.get("ada")
        uow.customers.get("ada")


def queries_are_sorted(orders: Orders) -> None:
    orders.find().sort(desc(Order.created), asc(Order.address.city), Order.total, "-created").skip(1).limit(2)


def documents_are_added(shop: Shop, order: Order) -> None:
    with shop as uow:
        uow.orders.add(order).ship()
        uow.orders.add_all([order])
        uow.orders.remove(order)
        uow.add(order)
        uow.flush()
        uow.refresh(order)
        uow.commit()
        uow.rollback()
    for attempt in shop.attempts():
        with attempt as uow:
            uow.orders.get(ObjectId()).ship()


async def documents_are_added_asynchronously(shop: AsyncShop, order: Order) -> None:
    async with shop as uow:
        uow.orders.add(order).ship()
        uow.orders.remove(order)
        uow.add(order)
        await uow.flush()
        await uow.refresh(order)
        await uow.commit()
        await uow.rollback()
    for attempt in shop.attempts():
        async with attempt as uow:
            (await uow.orders.get(ObjectId())).ship()


def documents_are_locked(shop: Shop, numbers: list[ObjectId]) -> None:
    strict = Shop(connect("memory://shop"), isolation="locked_reads")
    with strict as uow:
        uow.lock("orders")
        uow.orders.get(numbers[0], for_update=True).ship()
        uow.orders.get_many(numbers)[0].ship()
        uow.orders.get_many((number for number in numbers), for_update=True)[0].ship()
        shop.lock("orders")


async def documents_are_locked_asynchronously(shop: AsyncShop, numbers: set[ObjectId]) -> None:
    strict = AsyncShop(connect("memory://shop"), isolation="locked_reads")
    async with strict as uow:
        await uow.lock("orders")
        (await uow.orders.get(ObjectId(), for_update=True)).ship()
        (await uow.orders.get_many(numbers, for_update=True))[0].ship()
        await shop.lock("orders")


def a_service_takes_the_definition(uow: Shop) -> None:
    with uow:
        uow.orders.get(ObjectId()).ship()


def a_body_is_run(shop: Shop, number: OrderNumber) -> Order | None:
    def body(uow: Shop, wanted: OrderNumber) -> Order | None:
        return uow.orders.first(Order.number == wanted)

    return shop.run(body, number)


def any_unit_will_do(uow: UnitOfWork, orders: Repository[Order], order: Order) -> None:
    uow.add(order)
    orders.add(order)


def conditions_are_gathered(orders: Orders, ids: list[ObjectId], paid: bool | None) -> None:
    conditions: list[Condition] = [Order.total > 5, {"note": None}]
    if paid is not None:
        conditions.append(Order.paid == paid)
    conditions += [in_(Order.id, ids), not_(Order.paid)]
    orders.find(*conditions)


def upcasts(migrator: Migrator, shop: Shop) -> None:
    Upcast(3).set_field("a", [1, {"b": None}]).convert("b", "date to text").unset_field("c")
    sum(one.migrated for one in migrator.finish("two"))
    [one.left for one in migrator.standing().unfinished]
    with shop:
        Reader(name="Ann").name.upper()
