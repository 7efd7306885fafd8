"""What a type checker makes of an expression: `# reveals: <type>`, or `<mypy's> // <pyright's>` where they differ."""

from typing import reveal_type
from uuid import UUID

from bson import ObjectId

from boundwork import (
    Ref,
    Upcast,
    any_of,
    asc,
    connect,
    each,
    elem,
    ensure_schema,
    ensure_schema_async,
    fields_from,
    from_request,
    in_,
    inc,
    not_,
    push,
    set_,
    some,
    sort_from,
    stored_schema,
)
from tests.typing.shop import (
    AsyncShop,
    Customer,
    Delivery,
    Line,
    Order,
    Reader,
    Shop,
    Status,
    Summary,
    Voucher,
)


def fields(order: Order, customer: Customer, voucher: Voucher) -> None:
    reveal_type(order.id)  # reveals: ObjectId
    reveal_type(customer.id)  # reveals: str
    reveal_type(voucher.id)  # reveals: UUID
    reveal_type(order.status)  # reveals: Status
    reveal_type(Order.status)  # reveals: Status
    reveal_type(Order.address.city)  # reveals: str
    reveal_type(some(Order.billing))  # reveals: Address
    reveal_type(some(Order.billing).city)  # reveals: str
    reveal_type(any_of(Order.lines))  # reveals: Line
    reveal_type(any_of(Order.lines).quantity)  # reveals: int
    reveal_type(any_of(Order.tags))  # reveals: str


def conditions() -> None:
    reveal_type(Order.total > 5)  # reveals: bool
    reveal_type((Order.total > 5) & Order.paid)  # reveals: bool
    reveal_type(not_(Order.total > 5))  # reveals: Filter
    reveal_type(not_(Order.paid) & (Order.total > 5))  # reveals: Filter
    reveal_type((Order.total > 5) & not_(Order.paid))  # reveals: Filter
    reveal_type((Order.total > 5) | not_(Order.paid))  # reveals: Filter
    reveal_type(in_(Order.kind, ["web"]))  # reveals: Filter
    reveal_type(elem(Order.lines, any_of(Order.lines).sku == "x"))  # reveals: Filter
    reveal_type(asc(Order.total))  # reveals: SortKey


def repositories(shop: Shop, key: ObjectId) -> None:
    reveal_type(shop.orders)  # reveals: Orders
    reveal_type(Shop.orders)  # reveals: Orders
    reveal_type(shop.customers)  # reveals: Repository[Customer, Any]
    with shop as uow:
        reveal_type(uow)  # reveals: Shop
        reveal_type(uow.orders)  # reveals: Orders
        reveal_type(uow.customers)  # reveals: Repository[Customer, Any]
        reveal_type(uow.orders.get(key))  # reveals: Order
        reveal_type(uow.orders.find_by_id(key))  # reveals: Order | None
        reveal_type(uow.orders.get(key, for_update=True))  # reveals: Order
        reveal_type(uow.orders.find_by_id(key, for_update=True))  # reveals: Order | None
        reveal_type(uow.orders.get_many([key], for_update=True))  # reveals: list[Order]
        reveal_type(uow.customers.get("ada"))  # reveals: Customer
        reveal_type(uow.vouchers.get(UUID(int=1)))  # reveals: Voucher
        reveal_type(uow.named)  # reveals: Repository[Customer, str]
        reveal_type(uow.orders.merge(uow.orders.get(key), missing="add"))  # reveals: Order
        reveal_type(uow.orders.open_for(key))  # reveals: list[Order]
        reveal_type(uow.orders.add_if_absent(uow.orders.get(key)))  # reveals: bool
    with shop.unit() as held:
        reveal_type(held.orders)  # reveals: Orders
    for attempt in shop.attempts():
        with attempt as again:
            reveal_type(again.orders)  # reveals: Orders


def queries(shop: Shop) -> None:
    query = shop.orders.find(Order.total > 5)
    reveal_type(query)  # reveals: Query[Order]
    reveal_type(query.sort("total").skip(1).limit(1))  # reveals: Query[Order]
    reveal_type(query.to_list())  # reveals: list[Order]
    reveal_type(query.first())  # reveals: Order | None
    reveal_type(query.count())  # reveals: int
    reveal_type(query.exists())  # reveals: bool
    reveal_type(list(query))  # reveals: list[Order]
    reveal_type(query.one())  # reveals: Order
    reveal_type(query.one_or_none())  # reveals: Order | None
    reveal_type(query.hint("x").collation("en").comment("x").max_time(1))  # reveals: Query[Order]
    reveal_type(query.distinct(Order.status))  # reveals: list[Status]
    reveal_type(query.distinct(Order.note))  # reveals: list[str | None]
    reveal_type(query.distinct(any_of(Order.tags)))  # reveals: list[str]
    reveal_type(query.explain())  # reveals: dict[str, Any]
    reveal_type(query.page(10))  # reveals: Page[Order]
    reveal_type(query.page(10, after=None, key="x").next)  # reveals: str | None
    reveal_type(list(query.page(10)))  # reveals: list[Order]
    reveal_type(query.project(Summary))  # reveals: Query[Summary]
    reveal_type(query.project(Summary).sort("total").one())  # reveals: Summary
    reveal_type(query.project(Summary).page(5).items)  # reveals: list[Summary]
    reveal_type(query.stream(10))  # reveals: Stream[Order]
    reveal_type(next(query.project(Summary).stream(track=True)))  # reveals: Summary
    reveal_type(shop.orders.aggregate([{"$match": Order.paid}], into=Summary))  # reveals: list[Summary]
    reveal_type(shop.customers.find().to_list())  # reveals: list[Customer]


async def asynchronous(shop: AsyncShop, key: ObjectId) -> None:
    reveal_type(shop.orders)  # reveals: AsyncOrders
    async with shop as uow:
        reveal_type(uow)  # reveals: AsyncShop
        reveal_type(uow.orders)  # reveals: AsyncOrders
        reveal_type(uow.customers)  # reveals: AsyncRepository[Customer, Any]
        reveal_type(await uow.orders.get(key))  # reveals: Order
        reveal_type(await uow.orders.find_by_id(key))  # reveals: Order | None
        reveal_type(await uow.orders.get_many([key]))  # reveals: list[Order]
        reveal_type(await uow.orders.find(Order.total > 5).to_list())  # reveals: list[Order]
        reveal_type(await uow.orders.find().first())  # reveals: Order | None
        reveal_type(await uow.orders.find().one())  # reveals: Order
        reveal_type(await uow.orders.find().project(Summary).page(5))  # reveals: Page[Summary]
        reveal_type([order async for order in uow.orders.find().stream()])  # reveals: list[Order]
        reveal_type(await uow.orders.aggregate([], into=Summary))  # reveals: list[Summary]
        reveal_type(await uow.orders.find().distinct(Order.total))  # reveals: list[Decimal]
        reveal_type(await uow.orders.merge(await uow.orders.get(key)))  # reveals: Order
        reveal_type(await uow.orders.open_for(key))  # reveals: list[Order]
        reveal_type([order async for order in uow.orders.find()])  # reveals: list[Order]
    async with shop.unit() as held:
        reveal_type(held.orders)  # reveals: AsyncOrders


def references(shop: Shop, delivery: Delivery, customer: Customer) -> None:
    reveal_type(Delivery.customer)  # reveals: Ref[Customer, str]
    reveal_type(delivery.country)  # reveals: Ref[Country, Any]
    reveal_type(Ref(Customer, "ada"))  # reveals: Ref[Customer, str]
    reveal_type(Ref.to(customer))  # reveals: Ref[Customer, Any]
    reveal_type(delivery.customer.id)  # reveals: str
    reveal_type(delivery.customer.model)  # reveals: type[Customer]
    with shop as uow:
        reveal_type(uow.load(delivery.customer))  # reveals: Customer
        reveal_type(uow.load(delivery.country, missing="none"))  # reveals: Country | None
        reveal_type(uow.load_all(delivery.orders))  # reveals: list[Order]
        reveal_type(uow.load_all(delivery.orders, missing="none"))  # reveals: list[Order | None]
        reveal_type(uow.loaded(delivery.customer))  # reveals: Customer
        reveal_type(uow.deliveries.find().include(Delivery.customer).to_list())  # reveals: list[Delivery]
        reveal_type(uow.deliveries.find().include(Delivery.customer).stream())  # reveals: Stream[Delivery]


async def async_references(shop: AsyncShop, delivery: Delivery) -> None:
    async with shop as uow:
        reveal_type(await uow.load(delivery.customer))  # reveals: Customer
        reveal_type(await uow.load(delivery.country, missing="none"))  # reveals: Country | None
        reveal_type(await uow.load_all(delivery.orders))  # reveals: list[Order]
        reveal_type(uow.loaded(delivery.customer))  # reveals: Customer
        reveal_type(await uow.deliveries.find().include(Delivery.customer).one())  # reveals: Delivery


def bodies(shop: Shop) -> None:
    def count(uow: Shop) -> int:
        return uow.orders.count()

    reveal_type(shop.run(count))  # reveals: int
    reveal_type(Shop(connect("memory://shop")))  # reveals: Shop


async def schemas() -> None:
    reveal_type(ensure_schema(connect("memory://shop")))  # reveals: SchemaReport
    reveal_type(await ensure_schema_async(connect("memory://shop"), [Order]))  # reveals: SchemaReport
    reveal_type(ensure_schema(connect("memory://shop")).differing)  # reveals: tuple[Difference, ...]
    reveal_type(stored_schema(Order).schema)  # reveals: dict[str, Any]


def tenants(shop: Shop, async_shop: AsyncShop) -> None:
    reveal_type(shop.for_tenant("acme"))  # reveals: Shop
    reveal_type(async_shop.for_all_tenants())  # reveals: AsyncShop
    reveal_type(shop.orders.find().including_removed())  # reveals: Query[Order]
    reveal_type(async_shop.orders.find().project(Summary).all_tenants())  # reveals: AsyncQuery[Summary]


def changes(shop: Shop) -> None:
    reveal_type(each(Order.lines))  # reveals: Line
    reveal_type(each(Order.lines, any_of(Order.lines).sku == "x").quantity)  # reveals: int
    reveal_type(set_(Order.status, Status.SENT))  # reveals: Change
    reveal_type(push(Order.lines, Line(sku="x")))  # reveals: Change
    reveal_type(shop.orders.update_where(Order.paid, inc(Order.weight, 1)))  # reveals: UpdateResult
    reveal_type(shop.orders.find(Order.paid).update(inc(Order.weight, 1)).modified)  # reveals: int
    reveal_type(shop.orders.find(Order.paid).delete())  # reveals: int
    reveal_type(shop.orders.delete_where(Order.paid))  # reveals: int
    reveal_type(shop.orders.find_and_update(Order.paid, inc(Order.weight, 1)))  # reveals: Order | None


async def asynchronous_changes(shop: AsyncShop, voucher: Voucher) -> None:
    changed = await shop.vouchers.upsert(Voucher.percent == 1, inc(Voucher.percent, 1), on_insert=voucher)
    reveal_type(changed)  # reveals: Voucher
    reveal_type(await shop.orders.find_and_update(Order.paid, inc(Order.weight, 1)))  # reveals: Order | None
    reveal_type(await shop.orders.find().update(inc(Order.weight, 1)))  # reveals: UpdateResult
    reveal_type(await shop.orders.delete_where(Order.paid))  # reveals: int


def requests(order: Order, body: object) -> None:
    reveal_type(from_request(Order, body, allow=(Order.status, Order.lines, any_of(Order.lines).sku)))  # reveals: Order
    reveal_type(sort_from("-total", allow=(Order.total,)))  # reveals: tuple[SortKey, ...]
    reveal_type(sort_from("-sum", allow={"sum": Order.total}))  # reveals: tuple[SortKey, ...]
    reveal_type(fields_from("total", allow=(Order.total, "status")))  # reveals: tuple[str, ...]


def upcasts(reader: Reader) -> None:
    reveal_type(Upcast(2).rename_field("a", "b").unset_field("c"))  # reveals: Upcast
    reveal_type(reader.name)  # reveals: str
