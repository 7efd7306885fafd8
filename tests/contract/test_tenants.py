"""A unit of one tenant neither sees nor changes the documents of another one, and cannot forget to."""

from typing import Any

import pytest

from boundwork import (
    AlreadyCommitted,
    DocumentNotFound,
    DuplicateKey,
    InvalidDocument,
    StaleDocument,
    UnitDoomed,
    inc,
    set_,
)
from tests.backends import Backend
from tests.contract.colours import define
from tests.contract.tenants import MODELS, Cat, Invoice, Note


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


async def test_every_read_sees_the_documents_of_the_tenant_alone(acme: Any) -> None:
    async with acme as uow:
        assert [invoice.tenant for invoice in await uow.invoices.find().to_list()] == ["acme"] * 3
        assert await uow.invoices.find_by_id(11) is None
        with pytest.raises(DocumentNotFound):
            await uow.invoices.get(11)
        with pytest.raises(DocumentNotFound) as missing:
            await uow.invoices.get_many([1, 11, 12], for_update=True)
        assert missing.value.ids == (11, 12)
        assert await uow.invoices.count() == 3
        assert not await uow.invoices.exists(Invoice.id >= 11)
        assert await uow.invoices.find(Invoice.id >= 11).first() is None
        assert await uow.invoices.find().distinct(Invoice.tenant) == ["acme"]
        assert [invoice.id async for invoice in uow.invoices.find().sort(Invoice.id).stream(2)] == [1, 2, 3]
        page = await uow.invoices.find().page(2)
        assert page.next is not None
        assert [invoice.id for invoice in (await uow.invoices.find().page(5, after=page.next)).items] == [3]
        assert await uow.invoices.find(Invoice.tenant == "globex").to_list() == []
        assert [cat.id for cat in await uow.cats.find().to_list()] == [1]
        assert [cat.id for cat in await uow.animals.find().to_list()] == [1]


async def test_new_documents_get_the_tenant_and_lose_it_again_with_a_rollback(acme: Any) -> None:
    invoice, absent, cat = Invoice(id=4), Invoice(id=5), Cat(id=4)
    async with acme.unit() as uow:
        uow.invoices.add(invoice)
        assert await uow.invoices.add_if_absent(absent)
        uow.add(cat)
        assert (invoice.tenant, absent.tenant, cat.zoo) == ("acme", "acme", "acme")
        assert await uow.invoices.count() == 5
        await uow.rollback()
        assert (invoice.tenant, absent.tenant, cat.zoo) == ("", "", "")
        assert "tenant" not in invoice.model_fields_set | absent.model_fields_set
    async with acme.for_tenant("globex") as uow:
        uow.invoices.add_all([invoice, absent])
        uow.cats.add(cat)
    async with acme.for_all_tenants() as uow:
        assert [(await uow.invoices.get(number)).tenant for number in (4, 5)] == ["globex"] * 2
        assert (await uow.cats.get(4)).zoo == "globex"


async def test_a_document_of_another_tenant_is_refused_before_anything_is_written(acme: Any) -> None:
    theirs = Invoice(id=4, t="globex")
    async with acme as uow:
        for add in (uow.invoices.add, uow.add):
            with pytest.raises(InvalidDocument, match="tenant: is not the tenant of the unit") as refused:
                add(theirs)
            assert "globex" not in str(refused.value)
        with pytest.raises(InvalidDocument, match="tenant: is not the tenant"):
            await uow.invoices.add_if_absent(theirs)
        assert uow.receipt.commands == 0 or await uow.invoices.count() == 3
        uow.invoices.add(Invoice(id=5, t="acme"))
    async with acme.for_all_tenants() as uow:
        assert await uow.invoices.count() == 7


async def test_a_document_stays_with_its_tenant(acme: Any) -> None:
    async with acme.unit() as uow:
        old, new = await uow.invoices.get(1), uow.invoices.add(Invoice(id=4))
        old.tenant = "globex"
        with pytest.raises(InvalidDocument, match="a document stays with its tenant"):
            await uow.flush()
        old.tenant, new.tenant = "acme", "globex"
        with pytest.raises(InvalidDocument, match="a document stays with its tenant"):
            await uow.flush()
        new.tenant = "acme"
    async with acme.for_all_tenants() as uow:
        assert (await uow.invoices.get(1)).tenant == "acme"
        (await uow.invoices.get(1)).tenant = "globex"
        with pytest.raises(InvalidDocument, match="a document stays with its tenant"):
            await uow.flush()
        await uow.rollback()


async def test_an_id_of_another_tenant_is_a_duplicate_key_and_not_an_answer(acme: Any) -> None:
    for word in ("add", "add_if_absent"):
        async with acme.unit() as uow:
            with pytest.raises(DuplicateKey) as taken:
                if word == "add":
                    uow.invoices.add(Invoice(id=11))
                    await uow.flush()
                else:
                    await uow.invoices.add_if_absent(Invoice(id=11))
            assert taken.value.id == 11
            assert ("Use add_if_absent" in str(taken.value)) is (word == "add")
            assert ("another tenant's" in str(taken.value)) is (word == "add_if_absent")
            await uow.rollback()
            assert not await uow.invoices.add_if_absent(Invoice(id=1))


async def test_what_is_written_is_written_to_the_tenant_s_document(acme: Any) -> None:
    async with acme as uow:
        first, second = await uow.invoices.get_many([1, 2])
        first.number = 100
        first.lines.append("x")
        uow.invoices.remove(second)
    async with acme.for_all_tenants() as uow:
        assert (await uow.invoices.get(1)).number == 100
        assert sorted([invoice.id for invoice in await uow.invoices.find().to_list()]) == [1, 3, 11, 12, 13]


async def test_a_query_of_all_tenants_gives_copies_that_the_unit_does_not_keep(acme: Any) -> None:
    async with acme as uow:
        mine = await uow.invoices.get(1)
        query = uow.invoices.find().sort(Invoice.id).all_tenants()
        found = await query.to_list()
        assert [invoice.tenant for invoice in found] == ["acme"] * 3 + ["globex"] * 3
        assert found[0] is not mine
        assert (await query.count(), await query.exists()) == (6, True)
        assert sorted(await query.distinct(Invoice.tenant)) == ["acme", "globex"]
        assert len((await query.page(5)).items) == 5
        assert len([invoice async for invoice in query.stream(4, track=True)]) == 6
        found[3].number = 99
        assert await uow.invoices.find_by_id(11) is None
        with pytest.raises(InvalidDocument, match="is not the tenant of the unit"):
            uow.invoices.add(found[3])
        with pytest.raises(TypeError, match="Town declares no tenant_field"):
            uow.towns.find().all_tenants()
    async with acme.for_tenant("globex") as uow:
        assert (await uow.invoices.get(11)).number == 0


async def test_a_query_of_all_tenants_locks_nothing(database: Any, colour: str) -> None:
    shop = define(colour, database, {"isolation": "locked_reads", "tenant": "acme"}, invoices=Invoice)
    async with shop as uow:
        uow.invoices.add(Invoice(id=1))
        query = uow.invoices.find().all_tenants()
        with pytest.raises(ValueError, match="A query of all tenants locks nothing"):
            await query.to_list()
        with pytest.raises(ValueError, match="A query of all tenants locks nothing"):
            await query.page(1)
        assert [invoice.id for invoice in await uow.invoices.find().to_list()] == [1]


async def test_a_unit_of_all_tenants_says_whose_its_new_documents_are(acme: Any) -> None:
    async with acme.for_all_tenants() as uow:
        with pytest.raises(InvalidDocument, match="tenant: must be given in a unit of all tenants"):
            uow.invoices.add(Invoice(id=20))
        uow.invoices.add(Invoice(id=21, t="third"))
        (await uow.invoices.get(11)).number = 5
        uow.invoices.remove(await uow.invoices.get(1))
    async with acme.for_tenant("globex") as uow:
        assert (await uow.invoices.get(11)).number == 5
    async with acme.for_tenant("third") as uow:
        assert [invoice.id for invoice in await uow.invoices.find().to_list()] == [21]


async def test_keys_and_locks_of_tenants_have_names_of_their_own(acme: Any) -> None:
    async with acme.unit(idempotency_key="k") as uow:
        uow.invoices.add(Invoice(id=4))
    async with acme.for_tenant("globex").unit(idempotency_key="k") as uow:
        uow.invoices.add(Invoice(id=14))
    with pytest.raises(AlreadyCommitted):
        async with acme.unit(idempotency_key="k"):
            raise AssertionError
    assert (await acme.outcome("k")).inserted == 1
    assert await acme.for_tenant("third").outcome("k") is None
    async with acme as uow:
        await uow.lock("month")
        async with acme.for_tenant("globex").independent() as other:
            await other.lock("month")


@pytest.mark.parametrize("rival_changes", [False, True])
async def test_a_replay_keeps_to_the_tenant(acme: Any, rival_changes: bool) -> None:
    """What another tenant changes meanwhile is nothing that the unit has read."""
    async with acme.unit() as uow:
        assert await uow.invoices.count() == 3
        (await uow.invoices.get(1)).number = 7
        await uow.flush()
        rival = acme if rival_changes else acme.for_tenant("globex")
        async with rival.independent() as other:
            other.invoices.add(Invoice(id=50))
        await uow.core.restart()
        if rival_changes:
            with pytest.raises(UnitDoomed) as doomed:
                await uow.invoices.count()
            assert isinstance(doomed.value.__cause__, StaleDocument)
            await uow.rollback()
            return
        assert await uow.invoices.count() == 3
    async with acme as uow:
        assert (await uow.invoices.get(1)).number == 7


async def test_a_savepoint_and_a_commit_in_the_middle_keep_to_the_tenant(acme: Any) -> None:
    async with acme as uow:
        first = await uow.invoices.get(1)
        with pytest.raises(KeyError):
            async with uow:
                first.number = 9
                await uow.flush()
                raise KeyError
        assert first.number == 0
        first.number = 1
        await uow.commit()
        first.number = 2
        await uow.refresh(first)
        await uow.commit()
        first.number = 3  # guarded: it is compared with the database before it is written
    async with acme as uow:
        assert (await uow.invoices.get(1)).number == 3


@pytest.mark.on_servers
async def test_a_collation_makes_no_tenant_equal_to_another_one(acme: Any, backend: Backend) -> None:
    if backend.name == "embedded":
        return  # it compares without regard to collations
    for tenant in ("ACME", "acmé"):
        async with acme.for_tenant(tenant) as uow:
            uow.invoices.add(Invoice(id=ord(tenant[-1])))
    async with acme as uow:
        query = uow.invoices.find().collation("en", strength=1)
        assert sorted([invoice.id for invoice in await query.to_list()]) == [1, 2, 3]
        assert await query.count() == 3
        assert await query.distinct(Invoice.tenant) == ["acme"]


async def test_changes_on_the_server_reach_the_tenant_s_documents_alone(acme: Any) -> None:
    async with acme as uow:
        known = await uow.invoices.get(1)
        assert (await uow.invoices.find().update(inc(Invoice.number, 10))).modified == 3
        assert known.number == 10
        assert await uow.invoices.delete_where(Invoice.id >= 3) == 1
        assert await uow.invoices.find_and_update(Invoice.id == 11, inc(Invoice.number, 1)) is None
        with pytest.raises(ValueError, match=r"Invoice\.tenant cannot be changed"):
            await uow.invoices.update_where(Invoice.id == 1, set_(Invoice.tenant, "globex"))
        with pytest.raises(ValueError, match="delete is for the tenant of the unit"):
            await uow.invoices.find().all_tenants().delete()
        with pytest.raises(InvalidDocument, match="is not the tenant of the unit"):
            await uow.invoices.upsert(Invoice.id == 9, inc(Invoice.number, 1), on_insert=Invoice(id=9, t="globex"))
        new = await uow.invoices.upsert(Invoice.id == 9, inc(Invoice.number, 1), on_insert=Invoice(id=9))
        assert new.tenant == "acme"
        new.number = 4
    async with acme.for_all_tenants() as uow:
        numbers = {invoice.id: invoice.number for invoice in await uow.invoices.find().to_list()}
        assert numbers == {1: 10, 2: 11, 9: 4, 11: 0, 12: 1, 13: 2}
        assert await uow.invoices.find(Invoice.number < 5).delete() == 4
