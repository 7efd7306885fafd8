"""Every public word, said in a unit of a tenant: the cases, and the words that have none on purpose."""

from datetime import datetime
from typing import Any

import pytest
from pydantic import BaseModel

from boundwork import Document, DocumentNotFound, Ref, desc, inc
from tests.contract.colours import step

TENANT, OTHER = "acme", "globex"


class Bill(Document[int], collection="bills", tenant_field="tenant", soft_delete="gone", versioned=True):
    tenant: str = ""
    number: int = 0
    before: Ref["Bill", int] | None = None
    gone: datetime | None = None


class Row(BaseModel, frozen=True):
    id: int


async def all_of(query: Any) -> list[Any]:
    return [item async for item in query]


async def _get(uow: Any) -> None:
    await uow.bills.get(1)
    await uow.bills.get(2, for_update=True)


async def _many(uow: Any) -> None:
    await uow.bills.get_many([1, 2])
    await uow.bills.get_many([3], for_update=True)


async def _by_id(uow: Any) -> None:
    await uow.bills.find_by_id(1)
    assert await uow.bills.find_by_id(11, for_update=True) is None


async def _add(uow: Any) -> None:
    uow.bills.add(Bill(id=4))
    uow.add(Bill(id=5))


async def _add_all(uow: Any) -> None:
    uow.bills.add_all([Bill(id=number) for number in range(4, 9)])


async def _if_absent(uow: Any) -> None:
    assert await uow.bills.add_if_absent(Bill(id=4))
    assert not await uow.bills.add_if_absent(Bill(id=1))


async def _change(uow: Any) -> None:
    for bill in await uow.bills.get_many([1, 2]):
        bill.number += 10
    await uow.flush()


async def _remove(uow: Any) -> None:
    uow.bills.remove(await uow.bills.get(1))
    uow.remove(await uow.bills.get(2))


async def _restore(uow: Any) -> None:
    for way in (uow, uow.bills):
        bill = await uow.bills.get(1)
        way.remove(bill)
        await uow.flush()
        way.restore(bill)
        await uow.flush()


async def _erase(uow: Any) -> None:
    uow.bills.erase(await uow.bills.get(1))
    uow.erase(await uow.bills.get(2))


async def _refresh(uow: Any) -> None:
    await uow.refresh(await uow.bills.get(1))


async def _guarded(uow: Any) -> None:
    first, second = await uow.bills.get_many([1, 2])
    await uow.commit()
    first.number = 5
    uow.bills.erase(second)
    await uow.commit()


async def _aggregate(uow: Any) -> None:
    lookup = {"from": "bills", "localField": "number", "foreignField": "number", "as": "x"}
    await uow.bills.aggregate([{"$match": Bill.number >= 0}, {"$lookup": lookup}], into=Row)
    await uow.bills.aggregate([], into=Row)


async def _find(uow: Any) -> None:
    await uow.bills.find(Bill.number > -1).to_list()
    await uow.bills.find({"$or": [{"tenant": OTHER}, {"number": 1}]}).to_list()
    await all_of(uow.bills.find())


async def _narrowed(uow: Any) -> None:
    query = uow.bills.find().sort(desc(Bill.id)).skip(1).limit(2).hint("_id_").comment("c").max_time(9)
    await query.to_list()
    await query.project(Row).to_list()
    await query.collation("en", strength=1).to_list()
    await uow.bills.find().including_removed().to_list()


async def _page(uow: Any) -> None:
    page = await uow.bills.find().page(1)
    await uow.bills.find().page(1, after=page.next)


async def _stream(uow: Any) -> None:
    await all_of(uow.bills.find().stream(1, track=True))
    stream = uow.bills.find().stream(1)
    await step(stream)
    await stream.close()


async def _lock(uow: Any) -> None:
    await uow.lock("month")


async def _explain(uow: Any) -> None:
    await uow.bills.find().explain()


async def _one(uow: Any) -> None:
    query = uow.bills.find(Bill.id == 1)
    await query.one()
    await query.one_or_none()
    await query.first()
    await uow.bills.first()


async def _count(uow: Any) -> None:
    for asked in (uow.bills, uow.bills.find()):
        assert await asked.count() == 3
        assert await asked.exists()


async def _distinct(uow: Any) -> None:
    assert await uow.bills.find().distinct(Bill.tenant) == [TENANT]


async def _update_where(uow: Any) -> None:
    bill = await uow.bills.get(1)
    await uow.bills.update_where(Bill.number >= 0, inc(Bill.number, 1))
    await uow.bills.find().update(inc(Bill.number, 1))
    assert bill.number == 11 + 2


async def _delete_where(uow: Any) -> None:
    assert await uow.bills.delete_where(Bill.id > 1) == 2
    assert await uow.bills.find().delete() == 1
    assert await uow.bills.count() == 0


async def _find_and_update(uow: Any) -> None:
    found = await uow.bills.find_and_update(Bill.number >= 0, inc(Bill.number, 1), sort=desc(Bill.id))
    assert found.id == 3
    assert await uow.bills.find_and_update(Bill.id == 11, inc(Bill.number, 1)) is None


async def _upsert(uow: Any) -> None:
    new = Bill(id=4)
    assert await uow.bills.upsert(Bill.number == 50, inc(Bill.number, 1), on_insert=new) is new
    assert new.tenant == TENANT
    assert (await uow.bills.upsert(Bill.id == 1, inc(Bill.number, 1), on_insert=Bill(id=5))).id == 1


async def _merge(uow: Any) -> None:
    copy = (await uow.bills.get(1)).model_copy(update={"number": 50, "version": 0})
    assert (await uow.bills.merge(copy)).number == 50
    with pytest.raises(DocumentNotFound):
        await uow.bills.merge(Bill(id=11, number=1))
    assert (await uow.bills.merge(Bill(id=4), missing="add")).tenant == TENANT


async def _load(uow: Any) -> None:
    first, second = Ref(Bill, 1), Ref(Bill, 2)
    assert uow.loaded(Ref.to(await uow.load(first))).id == 1
    assert [bill.id for bill in await uow.load_all([first, second])] == [1, 2]
    assert await uow.load(Ref(Bill, 11), missing="none") is None
    assert await uow.load_all([Ref(Bill, 3), Ref(Bill, 12)], missing="none") == [await uow.bills.get(3), None]
    await uow.load(first, for_update=True)


async def _include(uow: Any) -> None:
    for bill in await uow.bills.find().to_list():
        bill.before = Ref(Bill, bill.id + 10)
    await uow.flush()
    query = uow.bills.find().include(Bill.before, missing="none")
    assert [bill.id for bill in await query.to_list()] == [1, 2, 3]
    await query.page(2)
    if not uow.core.settings.locks_reads:
        await all_of(query.stream(1))
    with pytest.raises(DocumentNotFound):
        await uow.bills.find().include(Bill.before).to_list()


CASES: dict[Any, set[str]] = {
    _get: {"Repository.get"},
    _many: {"Repository.get_many"},
    _by_id: {"Repository.find_by_id"},
    _add: {"Repository.add", "UnitOfWork.add"},
    _add_all: {"Repository.add_all"},
    _if_absent: {"Repository.add_if_absent"},
    _change: {"UnitOfWork.flush"},
    _remove: {"Repository.remove", "UnitOfWork.remove"},
    _restore: {"Repository.restore", "UnitOfWork.restore"},
    _erase: {"Repository.erase", "UnitOfWork.erase"},
    _refresh: {"UnitOfWork.refresh"},
    _guarded: {"UnitOfWork.commit"},
    _aggregate: {"Repository.aggregate"},
    _find: {"Repository.find", "Query.to_list", "Query.__iter__"},
    _narrowed: {f"Query.{word}" for word in ("sort", "skip", "limit", "hint", "collation", "comment", "max_time")}
    | {"Query.project", "Query.including_removed"},
    _page: {"Query.page"},
    _stream: {"Query.stream", "Stream.__iter__", "Stream.__next__", "Stream.close"},
    _lock: {"UnitOfWork.lock"},
    _explain: {"Query.explain"},
    _one: {"Query.one", "Query.one_or_none", "Query.first", "Repository.first"},
    _count: {"Repository.count", "Repository.exists", "Query.count", "Query.exists"},
    _distinct: {"Query.distinct"},
    _update_where: {"Repository.update_where", "Query.update"},
    _delete_where: {"Repository.delete_where", "Query.delete"},
    _find_and_update: {"Repository.find_and_update"},
    _upsert: {"Repository.upsert"},
    _merge: {"Repository.merge"},
    _load: {"UnitOfWork.load", "UnitOfWork.load_all", "UnitOfWork.loaded"},
    _include: {"Query.include"},
}
ELSEWHERE = {
    "Query.all_tenants": "lifts the tenant aloud: test_tenants",
    "UnitOfWork.for_tenant": "makes a definition",
    "UnitOfWork.for_all_tenants": "makes a definition that lifts the tenant aloud: test_tenants",
    "UnitOfWork.outcome": "asks for a key, which holds the tenant: test_tenants",
    "UnitOfWork.rollback": "undoes",
    "UnitOfWork.database": "the driver's own, outside of all this; the guide says so",
    **dict.fromkeys(
        (
            f"UnitOfWork.{word}"
            for word in [
                "__enter__",
                "__exit__",
                "unit",
                "independent",
                "outside",
                "run",
                "attempts",
                "before_commit",
                "on_commit",
                "on_rollback",
                "core",
                "is_unit",
                "receipt",
            ]
        ),
        "names no document",
    ),
    "Repository.mapper": "names no document",
    "Repository.unit": "names no document",
}
