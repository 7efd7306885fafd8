"""Exchanging values of a unique key where the collection does not let a document be without one for a moment."""

from collections.abc import Iterator
from typing import Any

import pytest
from pymongo import MongoClient

from boundwork import Repository, TransactionFailed, UnitOfWork
from tests.contract.shop import Customer


class Shop(UnitOfWork):
    customers = Repository(Customer)


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
