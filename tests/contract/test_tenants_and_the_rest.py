"""Tenants and soft removal together with versions, shard keys, references, merge and what clients send."""

from datetime import datetime
from typing import Any
from uuid import UUID

import pytest

from boundwork import (
    Document,
    DocumentNotFound,
    DuplicateKey,
    InvalidDocument,
    NotInUnit,
    Ref,
    ReferenceNotLoaded,
    StaleDocument,
    apply_request,
    inc,
)
from boundwork.uow.many_inserts import MANY
from tests.contract.colours import define


class Parcel(
    Document[int],
    collection="parcels",
    tenant_field="owner",
    soft_delete="gone",
    versioned=True,
    shard_key=("owner",),
):
    owner: str = ""
    version: int = 0
    weight: int = 0
    after: Ref["Parcel", int] | None = None
    gone: datetime | None = None


class Depot(Document[int], collection="depots", tenant_field="owner"):
    owner: UUID | None = None
    name: str = ""


class Folder(Document[int], collection="folders", tenant_field="owner"):
    owner: str = ""
    name: str = ""


@pytest.fixture
async def parcels(database: Any, colour: str) -> Any:
    """Return a definition for the tenant acme, which has 1, 2, 3; globex has 11, 12, 13."""
    shop = define(colour, database, {"tenant": "acme"}, parcels=Parcel)
    for tenant, first in (("acme", 1), ("globex", 11)):
        async with shop.for_tenant(tenant) as uow:
            uow.parcels.add_all([Parcel(id=first + number, weight=number) for number in range(3)])
    return shop


async def stored(shop: Any) -> dict[int, Any]:
    async with shop.for_all_tenants() as uow:
        found = await uow.parcels.find().including_removed().to_list()
        return {parcel.id: (parcel.owner, parcel.weight, parcel.version, parcel.gone is None) for parcel in found}


THEIRS = {11: ("globex", 0, 0, True), 12: ("globex", 1, 0, True), 13: ("globex", 2, 0, True)}


async def test_the_version_counts_soft_removals_and_what_brings_back(parcels: Any) -> None:
    async with parcels as uow:
        first, second, third = await uow.parcels.get_many([1, 2, 3])
        uow.parcels.remove(first)
        await uow.flush()
        uow.parcels.restore(first)
        await uow.flush()
        uow.parcels.remove(second)
        assert await uow.parcels.delete_where(Parcel.id == 3) == 1
        assert (first.version, second.version, third.version, third.gone is None) == (2, 1, 1, False)
        uow.parcels.restore(third)
    assert await stored(parcels) == {
        1: ("acme", 0, 2, True),
        2: ("acme", 1, 1, False),
        3: ("acme", 2, 2, True),
        **THEIRS,
    }


async def test_a_document_that_was_removed_on_the_server_meanwhile_is_stale(parcels: Any) -> None:
    async with parcels.unit() as uow:
        first = await uow.parcels.get(1)
        await uow.commit()
        async with parcels.independent() as other:
            assert await other.parcels.delete_where(Parcel.id < 3) == 2
        first.weight = 9
        with pytest.raises(StaleDocument):
            await uow.flush()
        await uow.rollback()


async def test_what_was_removed_keeps_its_time_when_all_are_removed(parcels: Any) -> None:
    async with parcels as uow:
        first = await uow.parcels.get(1)
        uow.parcels.remove(first)
        await uow.flush()
        time = first.gone
        assert await uow.parcels.find().including_removed().delete() == 2
        assert (first.gone, first.version) == (time, 1)


@pytest.mark.parametrize("isolation", ["snapshot", "locked_reads"])
async def test_a_shard_key_may_hold_the_tenant(database: Any, colour: str, parcels: Any, isolation: str) -> None:
    shop = define(colour, database, {"tenant": "acme", "isolation": isolation}, parcels=Parcel)
    async with shop as uow:
        new = uow.parcels.add(Parcel(id=4))
        assert await uow.parcels.add_if_absent(Parcel(id=5))
        assert not await uow.parcels.add_if_absent(Parcel(id=1))
        upserted = await uow.parcels.upsert(Parcel.weight == 50, inc(Parcel.weight, 1), on_insert=Parcel(id=6))
        assert (new.owner, upserted.owner) == ("acme", "acme")
        assert await uow.parcels.upsert(Parcel.id == 5, inc(Parcel.weight, 7), on_insert=Parcel(id=7)) is not None
        locked = await uow.parcels.get(2, for_update=True)
        locked.weight = 20
        await uow.refresh(locked)
        await uow.commit()
        locked.weight, new.weight = 21, 4
        uow.parcels.erase(await uow.parcels.get(3))
        with pytest.raises(InvalidDocument):
            locked.owner = "globex"
    assert await stored(shop) == {
        1: ("acme", 0, 0, True),
        2: ("acme", 21, 2, True),
        4: ("acme", 4, 1, True),
        5: ("acme", 7, 1, True),
        6: ("acme", 0, 0, True),
        **THEIRS,
    }


async def test_a_new_document_loses_the_tenant_of_its_shard_key_with_a_rollback(parcels: Any) -> None:
    new = Parcel(id=4)
    async with parcels as uow:
        uow.parcels.add(new)
        await uow.flush()
        await uow.rollback()
    assert new.owner == ""
    async with parcels.for_tenant("globex") as uow:
        assert uow.parcels.add(new).owner == "globex"


async def test_an_id_of_another_tenant_is_a_duplicate_key_in_a_sharded_collection_too(parcels: Any) -> None:
    async with parcels.unit() as uow:
        with pytest.raises(DuplicateKey):
            await uow.parcels.add_if_absent(Parcel(id=11))
        await uow.rollback()
    async with parcels.unit() as uow:
        with pytest.raises(DuplicateKey):
            await uow.parcels.upsert(Parcel.id == 11, inc(Parcel.weight, 1), on_insert=Parcel(id=11))
        await uow.rollback()
    assert (await stored(parcels))[11] == THEIRS[11]


async def test_a_reference_to_a_document_of_another_tenant_leads_nowhere(parcels: Any) -> None:
    async with parcels as uow:
        assert (await uow.load(Ref(Parcel, 1))).owner == "acme"
        assert await uow.load(Ref(Parcel, 11), missing="none") is None
        with pytest.raises(DocumentNotFound, match="11"):
            await uow.load(Ref(Parcel, 11))
        with pytest.raises(ReferenceNotLoaded):
            uow.loaded(Ref(Parcel, 11))
        with pytest.raises(DocumentNotFound):
            await uow.load(Ref(Parcel, 11), for_update=True)
        found = await uow.load_all([Ref(Parcel, 2), Ref(Parcel, 12)], missing="none")
        assert [None if parcel is None else parcel.id for parcel in found] == [2, None]


async def test_what_is_included_is_present_and_the_tenant_s(parcels: Any) -> None:
    async with parcels as uow:
        for number, other in ((1, 3), (2, 13), (3, 2)):
            (await uow.parcels.get(number)).after = Ref(Parcel, other)
    async with parcels as uow:
        query = uow.parcels.find(Parcel.id < 3).sort(Parcel.id).include(Parcel.after, missing="none")
        assert [parcel.id for parcel in await query.to_list()] == [1, 2]
        assert uow.loaded(Ref(Parcel, 3)).owner == "acme"
        with pytest.raises(ReferenceNotLoaded):
            uow.loaded(Ref(Parcel, 13))
        with pytest.raises(DocumentNotFound, match="13"):
            await uow.parcels.find(Parcel.id == 2).include(Parcel.after).to_list()
        uow.parcels.remove(await uow.parcels.get(3))
        with pytest.raises(DocumentNotFound, match="3"):
            await uow.parcels.find(Parcel.id == 1).include(Parcel.after).to_list()
    async with parcels as uow:
        with pytest.raises(DocumentNotFound, match="3"):
            await uow.parcels.find(Parcel.id == 1).include(Parcel.after).to_list()
        removed = (
            uow.parcels.find(Parcel.id >= 2).sort(Parcel.id).including_removed().include(Parcel.after, missing="none")
        )
        assert [parcel.id for parcel in await removed.to_list()] == [2, 3]
        assert [parcel.id for parcel in await uow.parcels.find().include(Parcel.after, missing="none").to_list()] == [
            1,
            2,
        ]


async def test_documents_of_all_tenants_are_not_included_from(parcels: Any) -> None:
    async with parcels as uow:
        with pytest.raises(ValueError, match="whose references the unit of one tenant does not follow"):
            uow.parcels.find().include(Parcel.after).all_tenants()
        with pytest.raises(ValueError, match="whose references the unit of one tenant does not follow"):
            uow.parcels.find().all_tenants().include(Parcel.after)
    async with parcels.for_all_tenants() as uow:
        (await uow.parcels.get(1)).after = Ref(Parcel, 11)
    async with parcels.for_all_tenants() as uow:
        query = uow.parcels.find(Parcel.id == 1).all_tenants().include(Parcel.after)
        assert (await query.one()).id == 1
        assert uow.loaded(Ref(Parcel, 11)).owner == "globex"


async def test_a_copy_is_merged_into_a_document_of_the_tenant_only(parcels: Any) -> None:
    async with parcels as uow:
        merged = await uow.parcels.merge(Parcel(id=1, weight=5, version=0))
        assert (merged.owner, merged.weight) == ("acme", 5)
        with pytest.raises(DocumentNotFound):
            await uow.parcels.merge(Parcel(id=11, weight=5, version=0))
        with pytest.raises(StaleDocument):
            await uow.parcels.merge(Parcel(id=11, owner="globex", weight=5, version=1))
        with pytest.raises(InvalidDocument, match="owner"):
            await uow.parcels.merge(Parcel(id=2, owner="globex", weight=5, version=0))
        with pytest.raises(InvalidDocument, match="is not the tenant of the unit"):
            await uow.parcels.merge(Parcel(id=4, owner="globex"), missing="add")
        assert (await uow.parcels.merge(Parcel(id=4), missing="add")).owner == "acme"
        assert (await uow.parcels.get(2)).weight == 1
    kept = await stored(parcels)
    assert (kept[1], kept[2], kept[4]) == (("acme", 5, 1, True), ("acme", 1, 0, True), ("acme", 0, 0, True))
    assert {number: kept[number] for number in THEIRS} == THEIRS


async def test_a_copy_of_a_removed_document_is_not_merged(parcels: Any) -> None:
    async with parcels as uow:
        uow.parcels.remove(await uow.parcels.get(1))
        with pytest.raises(DocumentNotFound):
            await uow.parcels.merge(Parcel(id=1, weight=5, version=0))
        with pytest.raises(NotInUnit):
            await uow.parcels.merge(Parcel(id=1, weight=5), missing="add")
    async with parcels as uow:
        with pytest.raises(DocumentNotFound):
            await uow.parcels.merge(Parcel(id=1, weight=5, version=0))
        with pytest.raises(StaleDocument):
            await uow.parcels.merge(Parcel(id=1, weight=5, version=1))


@pytest.mark.parametrize("everybody", [False, True], ids=["one tenant", "all tenants"])
async def test_no_copy_gives_a_document_to_another_tenant(database: Any, colour: str, everybody: bool) -> None:
    shop = define(colour, database, {"tenant": "acme"}, folders=Folder)
    async with shop as uow:
        uow.folders.add(Folder(id=1, name="one"))
    async with shop.for_all_tenants() if everybody else shop.unit() as uow:
        with pytest.raises(InvalidDocument, match="owner: the copy has another tenant"):
            await uow.folders.merge(Folder(id=1, owner="globex", name="two"))
        assert (await uow.folders.get(1)).name == "one"
        assert (await uow.folders.merge(Folder(id=1, owner="acme", name="two"))).name == "two"
        assert (await uow.folders.merge(Folder(id=1, name="three"))).owner == "acme"
    async with shop.unit() as uow:
        apply_request(await uow.folders.get(1), {"owner": "globex"}, allow=("owner",))
        with pytest.raises(InvalidDocument, match="a document stays with its tenant"):
            await uow.flush()
        await uow.rollback()


async def test_many_new_documents_get_the_tenant(database: Any, colour: str) -> None:
    tenant = UUID(int=7)
    shop = define(colour, database, {"tenant": tenant}, depots=Depot)
    async with shop as uow:
        uow.depots.add_all([Depot(id=number) for number in range(MANY)])
    async with shop as uow:
        assert await uow.depots.count() == MANY
        assert await uow.depots.find().distinct(Depot.owner) == [tenant]
