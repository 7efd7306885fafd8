"""What an aggregation of one tenant reads: its own documents, in every collection that the stages name."""

from collections.abc import Awaitable, Callable
from typing import Any, Literal

import pytest

from boundwork import (
    Collation,
    CollectionOptions,
    Document,
    TenantMissing,
    TransactionFailed,
    ensure_schema,
    ensure_schema_async,
)
from tests.backends import Backend
from tests.contract.colours import define
from tests.contract.tenants import MODELS, Cat, Invoice, Note, Row


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


PIPELINES: list[list[dict[str, Any]]] = [
    [{"$project": {"_id": 1}}],
    [{"$match": Invoice.id > 0}, {"$project": {"_id": 1}}],
    [{"$facet": {"all": [{"$project": {"_id": 1}}]}}, {"$unwind": "$all"}, {"$replaceRoot": {"newRoot": "$all"}}],
    [
        {"$limit": 1},
        {"$lookup": {"from": "invoices", "pipeline": [{"$project": {"_id": 1}}], "as": "x"}},
        {"$unwind": "$x"},
        {"$replaceRoot": {"newRoot": "$x"}},
    ],
    [
        {"$limit": 1},
        {"$set": {"any": {"$range": [0, 30]}}},
        {"$lookup": {"from": "invoices", "localField": "any", "foreignField": "_id", "as": "x"}},
        {"$unwind": "$x"},
        {"$replaceRoot": {"newRoot": "$x"}},
    ],
    [{"$match": {"_id": -1}}, {"$unionWith": "invoices"}],
    [{"$match": {"_id": -1}}, {"$unionWith": {"coll": "invoices", "pipeline": [{"$match": {"_id": {"$gt": 0}}}]}}],
    [
        {"$limit": 1},
        {
            "$lookup": {
                "from": "towns",
                "pipeline": [{"$facet": {"x": [{"$unionWith": {"coll": "invoices"}}]}}, {"$unwind": "$x"}],
                "as": "t",
            }
        },
        {"$unwind": "$t"},
        {"$replaceRoot": {"newRoot": "$t.x"}},
    ],
]


@pytest.mark.on_servers
@pytest.mark.parametrize("number", range(len(PIPELINES)))
async def test_an_aggregation_sees_the_tenant_s_documents_in_every_collection(acme: Any, number: int) -> None:
    async with acme.unit() as uow:
        await _or_unknown(uow, lambda: uow.invoices.aggregate(PIPELINES[number], into=Row), [1, 2, 3])


async def _or_unknown(uow: Any, ask: Callable[[], Awaitable[list[Any]]], expected: list[int]) -> None:
    """Compare the ids of rows; a server that does not take a stage, as such or in transactions, says so."""
    try:
        rows = await ask()
    except TransactionFailed:
        await uow.rollback()
    else:
        assert sorted(row.id for row in rows) == expected


@pytest.mark.on_servers
async def test_a_graph_is_searched_among_the_tenant_s_documents(acme: Any, backend: Backend) -> None:
    for tenant, ids in (("acme", (2, 3)), ("globex", (12, 13))):
        async with acme.for_tenant(tenant) as uow:
            uow.notes.add_all([Note(id=number, about=1) for number in ids])
    graph = {"from": "notes", "startWith": 1, "connectFromField": "_id", "connectToField": "about", "as": "x"}
    pipeline: list[dict[str, Any]] = [
        {"$limit": 1},
        {"$graphLookup": graph},
        {"$unwind": "$x"},
        {"$replaceRoot": {"newRoot": "$x"}},
    ]
    if backend.name == "embedded":
        async with acme.unit() as uow:
            with pytest.raises(TransactionFailed, match="SecantusDB ignores restrictSearchWithMatch"):
                await uow.invoices.aggregate(pipeline, into=Row)
            await uow.rollback()
        return
    async with acme.unit() as uow:
        await _or_unknown(uow, lambda: uow.invoices.aggregate(pipeline, into=Row), [2, 3])
        restricted = [{"$limit": 1}, {"$graphLookup": {**graph, "restrictSearchWithMatch": {"_id": 3}}}, *pipeline[2:]]
        await _or_unknown(uow, lambda: uow.invoices.aggregate(restricted, into=Row), [3])
        uow.notes.remove(await uow.notes.get(3))
        await _or_unknown(uow, lambda: uow.invoices.aggregate(pipeline, into=Row), [2])
        await uow.rollback()


INTO_INVOICES: list[dict[str, Any]] = [
    {"$lookup": {"from": "invoices", "pipeline": [], "as": "x"}},
    {"$lookup": {"from": "invoices", "localField": "nothing", "foreignField": "nothing", "as": "x"}},
    {"$graphLookup": {"from": "invoices", "startWith": 0, "connectFromField": "a", "connectToField": "number", "as": "x"}},
]  # fmt: skip


class Letter(Document[int], collection="letters", tenant_field="tenant", discriminator="kind"):
    tenant: str = ""


class Parcel(Letter, options=CollectionOptions(collation=Collation(locale="en", strength=1))):
    kind: Literal["parcel"] = "parcel"


@pytest.mark.on_servers
async def test_a_collation_reaches_no_other_tenant_in_a_joined_collection(
    database: Any, colour: str, backend: Backend
) -> None:
    if backend.name == "embedded":
        return  # it compares without regard to collations
    if colour == "sync":
        ensure_schema(database, [Letter])
    else:
        await ensure_schema_async(database, [Letter])
    shops = define(colour, database, {}, letters=Letter, **MODELS)
    for number, tenant in enumerate(("acme", "ACME")):
        async with shops.for_tenant(tenant) as uow:
            uow.letters.add(Parcel(id=number))
            uow.invoices.add(Invoice(id=number))
    async with shops.for_tenant("ACME") as uow:
        assert await uow.letters.count() == 1
        for stage in INTO_INVOICES:
            rows = await uow.letters.aggregate([stage, {"$unwind": "$x"}, {"$replaceWith": "$x"}], into=Row)
            assert [row.id for row in rows] == [1]


@pytest.mark.on_servers
async def test_an_aggregation_of_all_tenants_says_so(acme: Any) -> None:
    async with acme as uow:
        rows = await uow.invoices.aggregate(PIPELINES[0], into=Row, all_tenants=True)
        assert sorted(row.id for row in rows) == [1, 2, 3, 11, 12, 13]


REFUSED: list[tuple[dict[str, Any], type[Exception], str]] = [
    (
        {"$lookup": {"from": "strangers", "pipeline": [], "as": "x"}},
        TenantMissing,
        "nobody said whose the documents of collection 'strangers' are",
    ),
    ({"$unionWith": "strangers"}, TenantMissing, "nobody said whose the documents of collection 'strangers' are"),
    ({"$lookup": {"from": {"db": "x", "coll": "y"}, "pipeline": [], "as": "x"}}, ValueError, r"\$lookup is refused"),
    ({"$unionWith": {"pipeline": [{"$documents": []}]}}, ValueError, r"\$unionWith is refused"),
    ({"$collStats": {}}, ValueError, r"\$collStats is refused in a unit with a tenant"),
    ({"$searchMeta": {}}, ValueError, r"\$searchMeta is refused"),
    (
        {"$facet": {"x": [{"$unionWith": "strangers"}]}},
        TenantMissing,
        "nobody said whose the documents of collection 'strangers' are",
    ),
]


@pytest.mark.parametrize("number", range(len(REFUSED)))
async def test_a_stage_that_may_read_what_nobody_knows_is_refused_before_the_server_is_asked(
    shops: Any, number: int
) -> None:
    stage, kind, text = REFUSED[number]
    async with shops.for_tenant("acme") as uow:
        with pytest.raises(kind, match=text):
            await uow.invoices.aggregate([{"$limit": 1}, stage], into=Row)
    assert uow.receipt.commands == 0
