"""Which tenant a unit is of, what can be one, and that nobody is left out."""

from contextvars import ContextVar
from types import new_class
from typing import Any

import pytest
from bson import ObjectId

from boundwork import (
    Document,
    NestedUnitOfWork,
    TenantMissing,
)
from tests.contract.colours import define
from tests.contract.tenants import MODELS, Cat, Invoice, Note, Numbered, Task, Town


@pytest.fixture
def shops(database: Any, colour: str) -> Any:
    return define(colour, database, {}, **MODELS)


@pytest.fixture
async def acme(shops: Any) -> Any:
    """Return the definition of one tenant; another one has documents with other ids."""
    for tenant, first in (("acme", 1), ("globex", 11)):
        async with shops.for_tenant(tenant) as uow:
            uow.invoices.add_all([Invoice(id=first + number, number=number) for number in range(3)])
            uow.notes.add(Note(id=first, text="a note"))
            uow.cats.add(Cat(id=first))
    return shops.for_tenant("acme")


async def test_a_unit_that_was_not_told_its_tenant_is_not_opened(database: Any, shops: Any, colour: str) -> None:
    with pytest.raises(TenantMissing, match="was not told whose documents it works with"):
        async with shops:
            raise AssertionError
    with pytest.raises(TenantMissing):
        async with shops.unit():
            raise AssertionError
    towns = define(colour, database, towns=Town)
    async with towns as uow:
        with pytest.raises(TenantMissing, match="those of Invoice have tenants"):
            uow.add(Invoice(id=1))
        uow.towns.add(Town(id=1))


async def test_a_definition_without_repositories_learns_whose_documents_are_from_their_models(
    database: Any, colour: str
) -> None:
    anything = define(colour, database)
    async with anything as uow:
        with pytest.raises(TenantMissing):
            uow.add(Invoice(id=1))
    async with anything.for_tenant("acme") as uow:
        uow.add(Invoice(id=1))
        uow.add(Town(id=1))
    async with define(colour, database, invoices=Invoice).for_tenant("acme") as uow:
        assert (await uow.invoices.get(1)).tenant == "acme"


@pytest.mark.parametrize("tenant", ["", None, True, 1.5, ["acme"], {"$ne": 1}])
async def test_what_names_nobody_is_no_tenant(shops: Any, tenant: Any) -> None:
    with pytest.raises((TypeError, ValueError), match="tenant"):
        shops.for_tenant(tenant)


async def test_a_tenant_of_another_type_than_the_field_is_refused_and_an_object_id_may_be_one(
    database: Any, colour: str
) -> None:
    shop = define(colour, database, numbered=Numbered)
    with pytest.raises(TypeError, match=r"Numbered\.owner does not take the tenant of the unit, which is of type str"):
        async with shop.for_tenant("acme"):
            raise AssertionError
    mine, theirs = ObjectId(), ObjectId()
    for owner in (mine, theirs):
        async with shop.for_tenant(owner) as uow:
            uow.numbered.add(Numbered())
    async with shop.for_tenant(mine) as uow:
        assert [each.owner for each in await uow.numbered.find().to_list()] == [mine]


async def test_the_tenant_may_be_that_of_the_request(database: Any, colour: str, acme: Any) -> None:
    present: ContextVar[str] = ContextVar("present")
    shop = define(colour, database, {"tenant": present.get}, **MODELS)
    with pytest.raises(LookupError):
        async with shop:
            raise AssertionError
    present.set("globex")
    async with shop as uow:
        assert await uow.invoices.count() == 3
        assert [invoice.id for invoice in await shop.invoices.find().sort(Invoice.id).to_list()] == [11, 12, 13]
        async with shop as nested:
            assert await nested.invoices.count() == 3
        present.set("acme")
        with pytest.raises(NestedUnitOfWork, match="of another tenant"):
            async with shop:
                raise AssertionError
        async with shop.independent() as other:
            assert (await other.invoices.get(1)).tenant == "acme"
        assert await uow.invoices.find_by_id(1) is None


async def test_tasks_of_the_tests_know_no_tenant_where_the_models_know_none(database: Any, colour: str) -> None:
    shop = define(colour, database, {"tenant": "acme"}, towns=Town)
    async with shop as uow:
        uow.towns.add(Town(id=1, name="Bonn"))
    async with define(colour, database, towns=Town, tasks=Task) as uow:
        assert (await uow.towns.get(1)).name == "Bonn"


def test_models_of_one_collection_agree_on_whose_their_documents_are() -> None:
    with pytest.raises(TypeError, match="declared where the collection is named"):
        new_class("Kitten", (Cat,), {"tenant_field": "id"})
    with pytest.raises(TypeError, match="names 'owner', which is not a field"):
        new_class("Wrong", (Document,), {"collection": "wrong", "tenant_field": "owner"})


async def test_two_models_of_a_collection_that_differ_are_not_used_together(database: Any, colour: str) -> None:
    class Bill(Document[int], collection="invoices"):
        number: int = 0

    shop = define(colour, database, {"tenant": "acme"}, invoices=Invoice, bills=Bill)
    with pytest.raises(TypeError, match="differ in tenant_field or soft_delete"):
        async with shop:
            raise AssertionError
