"""Right uses of structure, tenants, changes and references, none of which a type checker may complain about."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID, uuid4

from bson import ObjectId

from boundwork import (
    Capped,
    Change,
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
    connect,
    contains_all,
    current_date,
    desc,
    each,
    ensure_schema,
    ensure_schema_async,
    in_,
    inc,
    max_,
    min_,
    mul,
    not_,
    pop,
    pull,
    push,
    set_,
    some,
    unset,
    via,
)
from tests.typing.shop import (
    Address,
    AsyncShop,
    Chart,
    Country,
    Customer,
    Delivery,
    Line,
    Order,
    OrderNumber,
    Parcel,
    Point,
    Shop,
    Status,
    Voucher,
)


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
    shop.orders.find().collation(Collation(locale="de", case_first="upper")).collation("de", strength=2)
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


def changes_are_gathered(shop: Shop, delivery: Delivery, chart: Chart, order: Order) -> None:
    made: list[Change] = [set_(Delivery.customer, Ref(Customer, "ada")), set_(Delivery.voucher, None)]
    made.append(push(Delivery.orders, Ref.to(order)))
    made += [add_to_set(Delivery.orders, Ref.to(order)), pull(Delivery.orders, Ref.to(order))]
    shop.deliveries.update_where(Delivery.customer == "ada", *made)
    shop.deliveries.find(in_(Delivery.customer, [delivery.customer]))
    push(Chart.points, Point(1, 2), keep=-10)
    set_(Chart.points[0].x, 1.5)
    inc(each(Chart.points, any_of(Chart.points).x > 1).y, 1)
    set_(Chart.ends, (chart.points[0], Point(0, 0)))
    in_(any_of(Chart.points), [Point(1, 2)])
