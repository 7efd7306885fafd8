"""Right uses, none of which a type checker may complain about."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID, uuid4

from bson import ObjectId

from boundwork import (
    Capped,
    Collation,
    CollectionOptions,
    Document,
    Index,
    Ref,
    Repository,
    StaleDocument,
    TimeSeries,
    UnitOfWork,
    Validation,
    add_to_set,
    any_of,
    asc,
    connect,
    contains,
    contains_all,
    current_date,
    desc,
    each,
    elem,
    ensure_schema,
    ensure_schema_async,
    exists,
    in_,
    inc,
    is_none,
    max_,
    min_,
    mod,
    mul,
    near,
    not_,
    not_in,
    pop,
    pull,
    push,
    raw,
    regex,
    set_,
    size,
    some,
    starts_with,
    text,
    unset,
    via,
    within,
    within_metres,
)
from tests.typing.shop import (
    Address,
    AsyncShop,
    Cat,
    Country,
    Customer,
    Delivery,
    Dog,
    Fence,
    Iron,
    Line,
    Order,
    OrderNumber,
    Orders,
    Parcel,
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


class Reading(
    Document,
    collection="readings",
    indexes=[
        Index("sensor", desc("at"), unique=True, name="latest"),
        Index(("note", "text"), ("sensor", "hashed"), weights={"note": 2}, language="german"),
        Index("at", expire_after=timedelta(days=1)),
        Index("sensor", where={"note": {"$gt": ""}}, collation=Collation(locale="de", strength=2)),
        Index("note", where=lambda reading: reading.sensor == "x"),
    ],
    options=CollectionOptions(time_series=TimeSeries(time="at", granularity="minutes"), expire_after=60),
):
    sensor: str
    at: datetime
    note: str = ""


class Log(Reading, collection="log", options=CollectionOptions(capped=Capped(size=1000), validation=Validation())):
    pass


class Draft(Document[str], collection="drafts", versioned=True, shard_key=("owner", ("title", "hashed"))):
    version: int = 0
    owner: str
    title: str = ""


class Named(Document[str], collection="named", versioned="revision"):
    revision: int = 0


def copies_are_merged(shop: Shop, order: Order, drafts: Repository[Draft, str], error: StaleDocument) -> None:
    with shop as uow:
        uow.orders.merge(order).ship()
        uow.orders.merge(order, missing="add").ship()
        drafts.merge(Draft.model_validate_json("{}")).title = "x"
    drafts.find(Draft.version > 1, Draft.owner == "x").sort(desc(Draft.version))
    if error.expected_version is not None and error.found_version is not None:
        abs(error.found_version - error.expected_version)


async def the_schema_is_ensured(database: object) -> None:
    report = ensure_schema(database, [Reading, Log, Order], update=True)
    if not report.matches:
        report = await ensure_schema_async(database)
    for difference in report.differing:
        str(difference.path)


class Owned(Document, collection="owned", tenant_field="owner", soft_delete="removed_at"):
    owner: str = ""
    removed_at: datetime | None = None


class Owners(UnitOfWork):
    owned = Repository(Owned)


def tenants() -> None:
    database = connect("memory://shop")
    with Owners(database, tenant="acme") as uow:
        owned = uow.owned.add(Owned())
        uow.owned.remove(owned)
        uow.owned.restore(owned)
        uow.erase(owned)
        uow.owned.find(Owned.owner == "acme").including_removed().all_tenants().count()
    Owners(database, tenant=lambda: UUID(int=1))
    with Owners(database).for_tenant(ObjectId()) as uow, uow.for_all_tenants().independent() as other:
        other.owned.count()


def changes(shop: Shop, customer_id: ObjectId) -> None:
    line = any_of(Order.lines)
    shop.orders.update_where(
        Order.status == Status.OPEN,
        not_(Order.paid),
        {"note": None},
        set_(Order.status, Status.SENT),
        set_(Order.customer_id, customer_id),
        set_(Order.number, OrderNumber("A-17")),
        set_(Order.kind, "shop"),
        set_(Order.total, Decimal("1.5")),
        set_(Order.paid, True),
        set_(Order.created, datetime.now(UTC)),
        set_(Order.created, None),
        set_(Order.address, Address(city="Bonn")),
        set_(Order.address.city, "Bonn"),
        set_(some(Order.billing).city, "Bonn"),
        set_(Order.billing, None),
        set_(Order.lines, [Line(sku="x")]),
        set_(Order.lines[0].quantity, 3),
        set_(each(Order.lines, line.sku == "x", line.quantity > 1).quantity, 3),
        set_(Order.tags, {"new"}),
        set_(Order.labels["colour"], "red"),
        unset(Order.note),
        unset(Order.labels["colour"]),
        inc(Order.total, Decimal(1)),
        inc(Order.weight, 1),
        mul(each(Order.lines).quantity, 2),
        min_(Order.total, Decimal(1)),
        max_(Order.created, datetime.now(UTC)),
        current_date(Order.created),
        push(Order.lines, Line(sku="x"), Line(sku="y"), at=0, keep=-10),
        add_to_set(Order.tags, "new", "red"),
        pull(Order.tags, "old"),
        pull(Order.lines, line.sku == "x", not_(line.quantity > 1)),
        pop(Order.lines, first=True),
    )
    shop.orders.find(Order.paid).hint("paid_1").update(inc(Order.weight, 0.5))
    shop.orders.find(Order.paid).delete()
    shop.orders.delete_where(Order.total > 5, {"note": None})
    shop.orders.find_and_update(Order.paid, inc(Order.total, Decimal(1)), sort=desc(Order.created))
    shop.orders.find_and_update(Order.paid, unset(Order.note), sort=[desc(Order.created), Order.total], before=True)
    voucher = Voucher(id=UUID(int=1))
    shop.vouchers.upsert(Voucher.id == voucher.id, inc(Voucher.percent, 1), on_insert=voucher)


async def asynchronous_changes(shop: AsyncShop) -> None:
    await shop.orders.update_where(Order.paid, unset(Order.note))
    await shop.orders.find(Order.paid).update(unset(Order.note))
    await shop.orders.find(Order.paid).delete()
    voucher = Voucher(id=UUID(int=1))
    await shop.vouchers.upsert(Voucher.percent == 1, inc(Voucher.percent, 1), on_insert=voucher)


def references(shop: Shop, customer: Customer, order: Order, delivery: Delivery) -> None:
    Delivery(customer=Ref.to(customer), country=Ref(Country, "no"), orders=[Ref.to(order)])
    Delivery(customer=Ref(Customer, "ada"), country=Ref(Country, "no"), parcels=[Parcel(order=Ref.to(order))])
    delivery.customer = Ref(Customer, "bob")
    find = shop.deliveries.find
    find(Delivery.customer == customer, Delivery.customer == "ada", Delivery.customer == Ref(Customer, "ada"))
    find(Delivery.customer.id == "ada", in_(Delivery.customer.id, ["ada"]), Delivery.voucher != None)  # noqa: E711
    find(in_(Delivery.customer, [Ref(Customer, "ada"), Ref.to(customer)]), in_(Delivery.voucher, [delivery.voucher]))
    find(any_of(Delivery.orders) == order, any_of(Delivery.parcels).order == order.id)
    find(contains_all(Delivery.orders, [Ref.to(order)]), some(Delivery.voucher) == Ref(Voucher, uuid4()))
    find().sort(desc(Delivery.customer)).include(Delivery.customer, Delivery.voucher, Delivery.orders, missing="none")
    find().include(any_of(Delivery.parcels).order, any_of(Delivery.orders), via(Delivery.before, Delivery.customer))
    with shop as uow:
        uow.load(delivery.customer).name.upper()
        for found in uow.load_all([delivery.customer, Ref(Customer, "bob")]):
            found.name.upper()
        if delivery.voucher is not None:
            uow.named.get(delivery.customer.id)
            uow.vouchers.get(delivery.voucher.id)
