"""Wrong uses, each of which both type checkers must refuse: `# error: <mypy's code> / <pyright's rule>`.

A `-` in place of a code says that this checker does not see the mistake.
"""

from bson import ObjectId

from boundwork import (
    Collation,
    CollectionOptions,
    Index,
    Ref,
    TimeSeries,
    Upcast,
    add_to_set,
    any_of,
    apply_request,
    connect,
    contains,
    contains_all,
    current_date,
    each,
    elem,
    ensure_schema,
    ensure_schema_async,
    from_request,
    in_,
    inc,
    mod,
    mul,
    near,
    not_,
    pop,
    pull,
    push,
    regex,
    set_,
    size,
    some,
    sort_from,
    text,
    via,
)
from tests.typing.shop import (
    Address,
    AsyncShop,
    Cat,
    Country,
    Customer,
    Delivery,
    Line,
    Order,
    Shop,
    Status,
    Summary,
    Voucher,
)


def constructors(address: Address) -> None:
    Order(address=address)  # error: call-arg / reportCallIssue
    Order(customer_id="x", address=address)  # error: arg-type / reportArgumentType
    Order(customer_id=ObjectId(), address=address, colour="red")  # error: call-arg / reportCallIssue
    Order(customer_id=ObjectId(), address=address, status="open")  # error: arg-type / reportArgumentType
    Order(ObjectId(), address)  # error: arg-type, call-arg / reportCallIssue
    Order(id="x", customer_id=ObjectId(), address=address)  # error: arg-type / reportArgumentType
    Customer(id=1, name="Ada")  # error: arg-type / reportArgumentType
    Country(name="Norway")  # error: call-arg / reportCallIssue
    Cat(kind="dog")  # error: arg-type / reportArgumentType
    Address()  # error: call-arg / reportCallIssue
    Line(sku=1)  # error: arg-type / reportArgumentType


def assignments(order: Order, customer: Customer) -> None:
    order.status = "open"  # error: assignment / reportAttributeAccessIssue
    order.statsu = Status.OPEN  # error: attr-defined / reportAttributeAccessIssue
    customer.id = ObjectId()  # error: assignment / reportAttributeAccessIssue


def conditions(shop: Shop) -> None:
    find = shop.orders.find
    find(~(Order.total > 5))  # error: arg-type / reportArgumentType, reportDeprecated
    find(Order.created > Order.total)  # error: operator / reportOperatorIssue
    find().sort(Order.statsu)  # error: attr-defined / reportAttributeAccessIssue
    find(Order.id.in_([]))  # error: attr-defined / reportAttributeAccessIssue
    find(Order.statsu == "open")  # error: attr-defined / reportAttributeAccessIssue
    find(Order.address.town == "Bonn")  # error: attr-defined / reportAttributeAccessIssue
    find(Order.billing.city == "Bonn")  # error: union-attr / reportOptionalMemberAccess
    find(Order.lines.sku == "x")  # error: attr-defined / reportAttributeAccessIssue
    find(any_of(Order.total) == 1)  # error: arg-type / reportArgumentType
    find(some(Order.billing).town == "Bonn")  # error: attr-defined / reportAttributeAccessIssue
    find(Order.status == "open")  # error: comparison-overlap / reportUnnecessaryComparison
    find(Order.address.city == 5)  # error: comparison-overlap / reportUnnecessaryComparison
    find(Order.kind == "wbe")  # error: comparison-overlap / reportUnnecessaryComparison
    find(any_of(Order.lines).sku == 5)  # error: comparison-overlap / reportUnnecessaryComparison
    find(Order.total > "5")  # error: operator / reportOperatorIssue
    find(Order.created > 5)  # error: operator / reportOperatorIssue
    find(Order.note)  # error: arg-type / reportArgumentType
    find("status")  # error: arg-type / reportArgumentType
    find(not_(Order.paid) & "status")  # error: operator / reportOperatorIssue
    find(not_("status"))  # error: arg-type / reportArgumentType


def functions() -> None:
    in_(Order.status, ["open"])  # error: type-var / reportArgumentType
    in_(Order.customer_id, ["x"])  # error: type-var / reportArgumentType
    in_(Order.address.city, [5])  # error: type-var / reportArgumentType
    in_(Order.total, 5)  # error: arg-type / reportArgumentType
    contains(Order.total, "5")  # error: arg-type / reportArgumentType
    contains(Order.tags, "new")  # error: arg-type / reportArgumentType
    regex(Order.note, 5)  # error: arg-type / reportArgumentType
    size(Order.total, 3)  # error: arg-type / reportArgumentType
    size(Order.lines, "3")  # error: arg-type / reportArgumentType
    contains_all(Order.tags, [5])  # error: type-var / reportArgumentType
    contains_all(Order.total, [5])  # error: arg-type / reportArgumentType
    elem(Order.lines, any_of(Order.lines).skew == "x")  # error: attr-defined / reportAttributeAccessIssue
    elem(Order.lines, any_of(Order.lines).sku == 5)  # error: comparison-overlap / reportUnnecessaryComparison
    mod(Order.note, 3, 0)  # error: arg-type / reportArgumentType
    text(5)  # error: arg-type / reportArgumentType
    near(Order.note, 5)  # error: arg-type / reportArgumentType


def references(shop: Shop, delivery: Delivery, customer: Customer, voucher: Voucher) -> None:
    Delivery(customer=Ref(Customer, 5), country=Ref(Country, "no"))  # error: arg-type / reportArgumentType
    Delivery(customer=Ref.to(voucher), country=Ref(Country, "no"))  # error: arg-type / reportArgumentType
    Delivery(customer="ada", country=Ref(Country, "no"))  # error: arg-type / reportArgumentType
    delivery.customer = Ref(Voucher, "ada")  # error: arg-type / reportAttributeAccessIssue
    delivery.customer = customer  # error: assignment / reportAttributeAccessIssue
    delivery.customer.id = "bob"  # error: misc / reportAttributeAccessIssue
    Ref(Line, "x")  # error: type-var / reportArgumentType
    find = shop.deliveries.find
    find(Delivery.customer.name == "Ada")  # error: attr-defined / reportAttributeAccessIssue
    find(Delivery.customer.id == 5)  # error: comparison-overlap / reportUnnecessaryComparison
    find().include(Order.total)  # error: arg-type / reportArgumentType
    find().include(Delivery.customer, missing="ignore")  # error: arg-type / reportArgumentType
    find().include(via(Order.total))  # error: arg-type / reportArgumentType
    with shop as uow:
        uow.load("ada")  # error: call-overload / reportArgumentType
        uow.load(delivery.customer).percent.upper()  # error: attr-defined / reportAttributeAccessIssue
        uow.load(delivery.voucher)  # error: arg-type / reportArgumentType
        uow.load(delivery.customer, missing="none").name.upper()  # error: union-attr / reportOptionalMemberAccess
        uow.loaded(customer)  # error: arg-type / reportArgumentType


def repositories(shop: Shop, customer: Customer) -> None:
    with shop as uow:
        uow.orders.add(customer)  # error: arg-type / reportArgumentType
        uow.orders.remove(customer)  # error: arg-type / reportArgumentType
        uow.orders.find_by_id(ObjectId()).ship()  # error: union-attr / reportOptionalMemberAccess
        uow.ordres.get(ObjectId())  # error: attr-defined / reportAttributeAccessIssue
        uow.customers.get("ada").ship()  # error: attr-defined / reportAttributeAccessIssue
        uow.vouchers.get("x")  # error: arg-type / reportArgumentType
        uow.vouchers.find_by_id(ObjectId())  # error: arg-type / reportArgumentType
        uow.named.get(5)  # error: arg-type / reportArgumentType
        uow.orders.find().page("10")  # error: arg-type / reportArgumentType
        uow.orders.find().page(10, "token")  # error: call-arg / reportCallIssue
        uow.orders.find().project(Order.total)  # error: arg-type / reportArgumentType
        uow.orders.find().project(Summary).one().total = 5  # error: misc, assignment / reportAttributeAccessIssue
        uow.orders.find().stream("10")  # error: arg-type / reportArgumentType
        uow.orders.aggregate([], into=5)  # error: arg-type / reportArgumentType
        uow.orders.aggregate({"$match": 1}, into=Summary)  # error: arg-type / reportArgumentType
        uow.orders.find().collation("de", strength=9)  # error: arg-type / reportArgumentType
        uow.orders.find().collation({"locale": "de"})  # error: arg-type / reportArgumentType
        uow.orders.find().max_time("1")  # error: arg-type / reportArgumentType
        uow.orders.find().explain("all")  # error: arg-type / reportArgumentType
        uow.orders.find().one_or_none().ship()  # error: union-attr / reportOptionalMemberAccess
        uow.orders.find().limit("1")  # error: arg-type / reportArgumentType
        uow.orders.get(ObjectId(), True)  # error: call-arg / reportCallIssue
        uow.orders.get_many(ObjectId())  # error: arg-type / reportArgumentType
        uow.orders.find_by_id(ObjectId(), for_update=True).ship()  # error: union-attr / reportOptionalMemberAccess
        uow.orders.merge({"id": ObjectId()})  # error: arg-type / reportArgumentType
        uow.orders.merge(Customer(id="a", name="a"))  # error: arg-type / reportArgumentType
        uow.orders.merge(uow.orders.get(ObjectId()), missing="ignore")  # error: arg-type / reportArgumentType
        uow.lock(5)  # error: arg-type / reportArgumentType
    Shop(uow.database, isolation="serializable")  # error: arg-type / reportArgumentType


async def asynchronous(shop: AsyncShop) -> None:
    async with shop as uow:
        await uow.vouchers.get(1)  # error: arg-type / reportArgumentType
        uow.orders.get(ObjectId()).ship()  # error: attr-defined / reportAttributeAccessIssue
        uow.orders.find().to_list()  # error: unused-coroutine / reportUnusedCoroutine
        uow.lock("orders")  # error: unused-coroutine / reportUnusedCoroutine
        uow.orders.merge(await uow.orders.get(ObjectId()))  # error: unused-coroutine / reportUnusedCoroutine
        for _ in uow.orders.find():  # error: attr-defined / reportGeneralTypeIssues
            pass
    with shop as uow:  # error: attr-defined / reportGeneralTypeIssues
        pass


def structure() -> None:
    Index(5)  # error: arg-type / reportArgumentType
    Index(("title", "fulltext"))  # error: arg-type / reportArgumentType
    Index("title", uniqe=True)  # error: call-arg / reportCallIssue
    Index("title", expire_after="1 day")  # error: arg-type / reportArgumentType
    Index("title", weights=["title"])  # error: arg-type / reportArgumentType
    Index("title", collation="de")  # error: arg-type / reportArgumentType
    Collation(locale="de", strength=9)  # error: arg-type / reportArgumentType
    TimeSeries("at")  # error: call-arg / reportCallIssue
    CollectionOptions(capped=1000)  # error: arg-type / reportArgumentType


async def schemas(database: object) -> None:
    ensure_schema(database, Order)  # error: arg-type / reportArgumentType
    ensure_schema(database, [Address])  # error: list-item / reportArgumentType
    ensure_schema(database, [Order], True)  # error: call-arg / reportCallIssue
    str(ensure_schema(database).differnig)  # error: attr-defined / reportAttributeAccessIssue
    ensure_schema_async(database)  # error: unused-coroutine / reportUnusedCoroutine


def tenants(shop: Shop) -> None:
    Shop(connect("memory://shop"), tenant=1.5)  # error: arg-type / reportArgumentType
    shop.for_tenant(None)  # error: arg-type / reportArgumentType
    shop.find().all_tenants()  # error: attr-defined / reportAttributeAccessIssue
    shop.orders.restore(Customer(id="x", name="Ada"))  # error: arg-type / reportArgumentType


def changes(shop: Shop, voucher: Voucher, line: Line) -> None:
    set_(Order.status, "open")  # error: type-var / reportArgumentType
    set_(Order.number, 5)  # error: type-var / reportArgumentType
    set_(Order.total, 5)  # error: type-var / reportArgumentType
    set_(Order.created, 5)  # error: type-var / reportArgumentType
    set_(Order.address.city, 5)  # error: type-var / reportArgumentType
    set_(Order.billing.city, "Bonn")  # error: union-attr / reportOptionalMemberAccess
    set_(Order.lines, line)  # error: type-var / reportArgumentType
    set_(Order.statsu, Status.OPEN)  # error: attr-defined / reportAttributeAccessIssue
    set_(each(Order.lines).skew, "x")  # error: attr-defined / reportAttributeAccessIssue
    set_(each(Order.lines).sku, 5)  # error: type-var / reportArgumentType
    set_(Order.note)  # error: call-arg / reportCallIssue
    each(Order.total)  # error: arg-type / reportArgumentType
    each(Order.lines, any_of(Order.lines).sku == 5)  # error: comparison-overlap / reportUnnecessaryComparison
    inc(Order.number, 1)  # error: type-var / reportArgumentType
    inc(Order.total, "1")  # error: type-var / reportArgumentType
    mul(Order.total, 1.5)  # error: type-var / reportArgumentType
    push(Order.lines, "x")  # error: type-var / reportArgumentType
    push(Order.total, 5)  # error: arg-type / reportArgumentType
    add_to_set(Order.tags, 5)  # error: type-var / reportArgumentType
    pull(Order.tags, 5)  # error: type-var / reportArgumentType
    pop(Order.total)  # error: arg-type / reportArgumentType
    pop(Order.lines, True)  # error: call-arg / reportCallIssue
    current_date(Order.total)  # error: arg-type / reportArgumentType
    shop.orders.find().update(Order.paid)  # error: arg-type / reportArgumentType
    shop.orders.find().update({"$set": {"note": None}})  # error: arg-type / reportArgumentType
    shop.orders.update_where("open")  # error: arg-type / reportArgumentType
    shop.orders.delete_where(inc(Order.weight, 1))  # error: arg-type / reportArgumentType
    shop.orders.find().delete(Order.paid)  # error: call-arg / reportCallIssue
    shop.orders.upsert(Order.paid, inc(Order.weight, 1))  # error: call-arg / reportCallIssue
    shop.orders.upsert(Order.paid, on_insert=voucher)  # error: arg-type / reportArgumentType
    shop.orders.find_and_update(Order.paid, before=True).ship()  # error: union-attr / reportOptionalMemberAccess
    str(shop.orders.find().update(inc(Order.weight, 1)).modifed)  # error: attr-defined / reportAttributeAccessIssue


async def asynchronous_changes(shop: AsyncShop) -> None:
    shop.orders.find().delete()  # error: unused-coroutine / reportUnusedCoroutine
    shop.orders.delete_where(Order.paid).bit_length()  # error: attr-defined / reportAttributeAccessIssue


def requests(order: Order, customer: Customer, body: object) -> None:
    from_request(Order, body)  # error: call-arg / reportCallIssue
    from_request(order, body, allow=("status",))  # error: arg-type / reportArgumentType
    from_request(Order, body, allow=Status.OPEN)  # error: arg-type / reportArgumentType
    from_request(Order, body, allow=(), given=[("status", 1)])  # error: arg-type / reportArgumentType
    customer = from_request(Order, body, allow=())  # error: assignment / reportAssignmentType
    apply_request(customer, body, ("status",))  # error: call-arg / reportCallIssue
    apply_request(body, body, allow=("status",))  # error: arg-type / reportArgumentType
    sort_from(5, allow=(Order.total,))  # error: arg-type / reportArgumentType


def upcasts(upcast: Upcast) -> None:
    Upcast("2")  # error: arg-type / reportArgumentType
    upcast.rename_field("a")  # error: call-arg / reportCallIssue
    upcast.convert("a", "text to number")  # error: arg-type / reportArgumentType
    upcast.convert("a", {"O": None})  # error: dict-item / reportArgumentType
    upcast.compute(lambda stored: stored["a"].lower() + 1)  # error: call-arg / reportCallIssue
    upcast.compute(len, fields=["a"])  # error: arg-type / reportArgumentType
    upcast.to = 3  # error: misc / reportAttributeAccessIssue
