"""Exchanging values of a unique key where the collection does not let a document be without one for a moment."""

from collections.abc import Iterator
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.collation import Collation

from boundwork import Document, Embedded, Repository, TransactionFailed, UnitOfWork
from tests.contract.shop import Customer


class Part(Embedded):
    sku: str
    quantity: int = 1


class Box(Document[str], collection="boxes"):
    parts: list[Part] = []


class Shop(UnitOfWork):
    customers = Repository(Customer)
    boxes = Repository(Box)


@pytest.fixture
def database(mongod_uri: str, database_name: str) -> Iterator[Any]:
    with MongoClient[dict[str, Any]](mongod_uri) as client:
        yield client[database_name]


def _swap(shop: Shop) -> None:
    with shop as uow:
        first, second = uow.customers.get("a"), uow.customers.get("b")
        first.email, second.email = second.email, first.email


def _emails(database: Any) -> dict[str, str]:
    return {customer["_id"]: customer.get("email") for customer in database["customers"].find()}


def test_a_validator_that_requires_the_value_refuses_with_a_clear_error(database: Any) -> None:
    database.create_collection("customers", validator={"$jsonSchema": {"required": ["email"]}})
    database["customers"].create_index("email", unique=True)
    shop = Shop(database)
    with shop as uow:
        uow.customers.add_all([Customer(id="a", name="A", email="a@x"), Customer(id="b", name="B", email="b@x")])
    with pytest.raises(TransactionFailed, match=r"exchange values of the unique key \(email\).*in two units"):
        _swap(shop)
    assert _emails(database) == {"a": "a@x", "b": "b@x"}


def test_an_index_that_knows_a_document_without_the_value_refuses_with_a_clear_error(database: Any) -> None:
    database["customers"].create_index("email", unique=True)
    database["customers"].insert_one({"_id": "none", "name": "N"})
    shop = Shop(database)
    with shop as uow:
        uow.customers.add_all([Customer(id="a", name="A", email="a@x"), Customer(id="b", name="B", email="b@x")])
    with pytest.raises(TransactionFailed, match="exchange values"):
        _swap(shop)
    assert _emails(database) == {"a": "a@x", "b": "b@x", "none": None}


def test_a_ring_of_a_hundred_documents_passes_its_values_on(database: Any) -> None:
    database["customers"].create_index("email", unique=True)
    shop = Shop(database)
    with shop as uow:
        uow.customers.add_all([Customer(id=f"{n:03}", name="N", email=f"{n:03}@x") for n in range(100)])
    with shop as uow:
        ring = uow.customers.find().sort("_id").to_list()
        emails = [customer.email for customer in ring]
        for customer, email in zip(ring, [*emails[1:], emails[0]], strict=True):
            customer.email = email
    assert _emails(database) == {f"{n:03}": f"{(n + 1) % 100:03}@x" for n in range(100)}
    assert uow.receipt.updated == 100
    assert uow.receipt.commands == 4, "one query, the unique keys, one bulk, the commit"


PARTIAL: dict[str, dict[str, Any]] = {
    "greater": {"orders": {"$gt": 0}},
    "equal": {"orders": 1},
    "listed": {"orders": {"$in": [1, 2]}},
    "joined": {"$and": [{"orders": {"$gte": 1, "$lt": 9}}, {"name": {"$type": "string"}}]},
}


@pytest.mark.parametrize("condition", PARTIAL.values(), ids=PARTIAL)
@pytest.mark.parametrize("backwards", [False, True])
def test_a_document_enters_a_partial_key_when_another_one_leaves_it(
    database: Any, condition: dict[str, Any], backwards: bool
) -> None:
    database["customers"].create_index("email", unique=True, partialFilterExpression=condition)
    shop = Shop(database)
    with shop as uow:
        uow.customers.add_all([Customer(id=id_, name="N", email="e@x", orders=id_ == "a") for id_ in "ab"])
    with shop as uow:
        leaving, entering = uow.customers.get("a"), uow.customers.get("b")
        if backwards:
            entering.orders = 1
        leaving.orders = 0
        entering.orders = 1
    with shop as uow:
        assert (uow.customers.get("a").orders, uow.customers.get("b").orders) == (0, 1)


def test_documents_of_a_partial_key_exchange_their_values(database: Any) -> None:
    database["customers"].create_index("email", unique=True, partialFilterExpression={"email": {"$exists": True}})
    database["customers"].insert_one({"_id": "none", "name": "N"})
    shop = Shop(database)
    with shop as uow:
        uow.customers.add_all([Customer(id="a", name="A", email="a@x"), Customer(id="b", name="B", email="b@x")])
    _swap(shop)
    assert _emails(database) == {"a": "b@x", "b": "a@x", "none": None}


@pytest.mark.parametrize("of_the_collection", [False, True])
def test_texts_that_a_collation_holds_equal_pass_from_one_document_to_another(
    database: Any, of_the_collection: bool
) -> None:
    collation = Collation("en", strength=1)
    if of_the_collection:
        database.create_collection("customers", collation=collation)
        database["customers"].create_index("email", unique=True)
    else:
        database["customers"].create_index("email", unique=True, collation=collation)
    shop = Shop(database)
    with shop as uow:
        uow.customers.add_all([Customer(id="a", name="A", email="ann"), Customer(id="b", name="B", email="bob")])
    with shop as uow:
        uow.customers.get("a").email = "BOB"
        uow.customers.get("b").email = "\u00c4nn"
    with shop as uow:
        uow.customers.add(Customer(id="c", name="C", email="ann"))
        uow.customers.remove(uow.customers.get("b"))
    assert _emails(database) == {"a": "BOB", "c": "ann"}


def test_an_id_that_the_collation_of_the_collection_holds_equal_may_follow_a_removed_one(database: Any) -> None:
    database.create_collection("customers", collation=Collation("en", strength=2))
    shop = Shop(database)
    with shop as uow:
        uow.customers.add(Customer(id="ann", name="A"))
    with shop as uow:
        uow.customers.remove(uow.customers.get("ann"))
        uow.customers.add(Customer(id="ANN", name="B"))
    assert _emails(database) == {"ANN": None}


def test_elements_of_arrays_exchange_values_while_others_have_none(database: Any) -> None:
    database["boxes"].create_index("parts.sku", unique=True, sparse=True)
    database["boxes"].insert_one({"_id": "empty", "parts": []})
    shop = Shop(database)
    with shop as uow:
        uow.boxes.add_all([Box(id="x", parts=[Part(sku="a"), Part(sku="b")]), Box(id="y", parts=[Part(sku="c")])])
    with shop as uow:
        first, second = uow.boxes.get("x").parts[1], uow.boxes.get("y").parts[0]
        first.sku, second.sku = second.sku, first.sku
    with shop as uow:
        assert [[part.sku for part in box.parts] for box in uow.boxes.find().sort("_id")] == [[], ["a", "c"], ["b"]]


def test_lists_exchange_elements_in_circles_that_share_a_document(database: Any) -> None:
    database["boxes"].create_index("parts.sku", unique=True)
    shop = Shop(database)
    with shop as uow:
        uow.boxes.add_all(
            [
                Box(id=name, parts=[Part(sku=sku) for sku in skus])
                for name, skus in zip("xyz", ("b", "d", "ac"), strict=True)
            ]
        )
    with shop as uow:
        for name, skus in zip("xyz", ("c", "a", "db"), strict=True):
            uow.boxes.get(name).parts = [Part(sku=sku) for sku in skus]
    with shop as uow:
        found = {box.id: "".join(part.sku for part in box.parts) for box in uow.boxes.find()}
    assert found == {"x": "c", "y": "a", "z": "db"}


def test_a_document_loses_its_value_while_two_others_exchange_theirs(database: Any) -> None:
    database["customers"].create_index("email", unique=True)
    shop = Shop(database)
    with shop as uow:
        uow.customers.add_all([Customer(id=id_, name="N", email=f"{id_}@x") for id_ in "abc"])
    with shop as uow:
        uow.customers.get("c").email = None
        first, second = uow.customers.get("a"), uow.customers.get("b")
        first.email, second.email = second.email, first.email
    assert _emails(database) == {"a": "b@x", "b": "a@x", "c": None}
