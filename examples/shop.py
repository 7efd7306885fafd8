"""An order is shipped, and another one cannot be: a unit of work in one page.

Run it: python examples/shop.py
It keeps its data in memory; with connect("mongodb://localhost/shop") the same program writes to a server.
"""

from bson import ObjectId

from boundwork import Document, Embedded, Repository, UnitOfWork, connect


class Line(Embedded):
    """So many of one article."""

    sku: str
    quantity: int


class Customer(Document, collection="customers"):
    """Who orders; knows how many orders are on their way."""

    name: str
    on_their_way: int = 0


class Order(Document, collection="orders"):
    """What a customer wants."""

    customer_id: ObjectId
    status: str = "open"
    lines: list[Line] = []

    def ship(self) -> None:
        """Send it; an empty order cannot be sent."""
        if not self.lines:
            raise ValueError("an empty order cannot ship")
        self.status = "shipped"


class Orders(Repository[Order]):
    """The orders, and the questions that the shop asks about them."""

    def open_for(self, customer_id: ObjectId) -> list[Order]:
        """Return the open orders of a customer."""
        return self.find(Order.customer_id == customer_id, Order.status == "open").to_list()


class Shop(UnitOfWork):
    """All that is changed together."""

    orders = Orders()
    customers = Repository(Customer)


def ship_all(shop: Shop, customer_id: ObjectId) -> None:
    """Ship every open order of a customer, or none of them."""
    with shop as uow:
        customer = uow.customers.get(customer_id)
        for order in uow.orders.open_for(customer_id):
            customer.on_their_way += 1
            order.ship()


def main() -> None:
    """Ship what can be shipped, and see that a failure leaves nothing behind."""
    with connect("memory://shop") as database:
        shop = Shop(database)
        ada = Customer(name="Ada")
        with shop as uow:
            uow.customers.add(ada)
            uow.orders.add(Order(customer_id=ada.id, lines=[Line(sku="tea", quantity=2)]))

        ship_all(shop, ada.id)

        with shop as uow:
            uow.orders.add(Order(customer_id=ada.id, lines=[Line(sku="cups", quantity=4)]))
            uow.orders.add(Order(customer_id=ada.id))
        try:
            ship_all(shop, ada.id)
        except ValueError as error:
            print(f"nothing was shipped: {error}")

        with shop as uow:
            print(f"on their way to Ada: {uow.customers.get(ada.id).on_their_way}")
            print(f"still open: {len(uow.orders.open_for(ada.id))}")


if __name__ == "__main__":
    main()
