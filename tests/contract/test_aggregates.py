"""Aggregations into read models: they see the unit's changes, are recorded like queries, and never write.

The in-memory database has none, and says so; the other tests need a server.
"""

from decimal import Decimal
from enum import Enum
from typing import Any, cast

import pytest
from pydantic import BaseModel, Field

from boundwork import (
    Document,
    Embedded,
    InvalidDocument,
    StaleDocument,
    TransactionFailed,
    UnitDoomed,
    any_of,
    in_,
    raw,
)
from tests.backends import Backend
from tests.contract.colours import define
from tests.contract.shop import Card, Cash, Payment


class Status(Enum):
    OPEN = "o"
    SENT = "s"


class Line(Embedded):
    sku: str
    price: Decimal = Field(default=Decimal(0), alias="p")


class Sale(Document[int], collection="sales"):
    buyer: str = Field(alias="b")
    status: Status = Status.OPEN
    lines: list[Line] = []


class Turnover(BaseModel, frozen=True):
    id: str
    total: Decimal
    sales: int


class Counted(BaseModel, frozen=True):
    n: int


class Named(BaseModel, frozen=True):
    id: str
    n: int


class Row(BaseModel, frozen=True):
    id: int
    status: Status


TURNOVER: list[dict[str, Any]] = [
    {"$match": in_(Sale.status, list(Status))},
    {"$unwind": Sale.lines},
    {"$group": {"_id": Sale.buyer, "total": {"$sum": any_of(Sale.lines).price}, "sales": {"$addToSet": Sale.id}}},
    {"$set": {"sales": {"$size": "$sales"}}},
    {"$sort": {"_id": 1}},
]


@pytest.fixture
async def sales(database: Any, colour: str) -> Any:
    shop = define(colour, database, sales=Sale, payments=Payment, cards=Card)
    async with shop as uow:
        uow.sales.add_all(
            [
                Sale(id=1, b="ann", lines=[Line(sku="x", p=Decimal("1.5")), Line(sku="y", p=Decimal(2))]),
                Sale(id=2, b="bob", lines=[Line(sku="x", p=Decimal(5))], status=Status.SENT),
                Sale(id=3, b="ann", lines=[Line(sku="z", p=Decimal(1))]),
            ]
        )
    return shop


async def test_the_fake_refuses_by_the_name_of_the_stage(sales: Any, backend: Backend) -> None:
    async with sales.unit() as uow:
        if backend.name != "memory":
            assert len(await uow.sales.aggregate([{"$project": {"status": 1}}], into=Row)) == 3
            return
        with pytest.raises(TransactionFailed, match=r"does not know \$project in aggregations"):
            await uow.sales.aggregate([{"$project": {"status": 1}}], into=Row)
        await uow.rollback()


@pytest.mark.on_servers
async def test_rows_become_instances_and_fields_of_the_class_stand_for_paths(sales: Any) -> None:
    async with sales as uow:
        assert await uow.sales.aggregate(TURNOVER, into=Turnover) == [
            Turnover(id="ann", total=Decimal("4.5"), sales=2),
            Turnover(id="bob", total=Decimal(5), sales=1),
        ]


@pytest.mark.on_servers
async def test_pending_changes_are_seen(sales: Any) -> None:
    async with sales as uow:
        (await uow.sales.get(2)).buyer = "ann"
        uow.sales.add(Sale(id=4, b="eve"))
        (turnover,) = await uow.sales.aggregate(TURNOVER, into=Turnover)
        assert turnover == Turnover(id="ann", total=Decimal("9.5"), sales=3)


@pytest.mark.on_servers
async def test_an_aggregation_keeps_to_the_models_of_its_repository(sales: Any) -> None:
    async with sales as uow:
        uow.payments.add_all([Card(id=1, amount=5, holder="Ann"), Cash(id=2, amount=6)])
        for pipeline in (
            [{"$count": "n"}],
            [{"$match": Payment.amount > 0}, {"$count": "n"}],
            [{"$match": {"amount": {"$gt": 0}}}, {"$match": {"amount": {"$gt": 1}}}, {"$count": "n"}],
        ):
            assert await uow.cards.aggregate(pipeline, into=Counted) == [Counted(n=1)]
        assert await uow.payments.aggregate([{"$count": "n"}], into=Counted) == [Counted(n=2)]


async def test_what_writes_or_runs_javascript_is_refused_before_the_server_is_asked(sales: Any) -> None:
    script: Any = {"$function": {"body": "function() { return 1 }", "args": [], "lang": "js"}}
    refused: list[tuple[Any, str]] = [
        ({"$out": "elsewhere"}, r"\$out is refused: it writes"),
        ({"$merge": "elsewhere"}, r"\$merge is refused: it writes"),
        ({"$project": {"n": script}}, r"\$function is refused"),
        ({"$match": {"$expr": script}}, r"\$function is refused"),
        ({"$match": {"$where": "true"}}, r"\$where is refused"),
        ({"$group": {"_id": 1, "n": {"$accumulator": 1}}}, r"\$accumulator is refused"),
        ({"$match": {"buyer": "ann"}}, "Did you mean 'b'"),
    ]
    nonsense: list[Any] = [{}, {"match": 1}, {"$match": 1, "$limit": 1}, "x"]
    async with sales as uow:
        for stage, text in refused:
            with pytest.raises(ValueError, match=text):
                await uow.sales.aggregate([stage], into=Row)
        for stage in nonsense:
            with pytest.raises(TypeError, match="Stage 1 of the pipeline"):
                await uow.sales.aggregate([stage], into=Row)
        with pytest.raises(TypeError, match="not a field of Sale"):
            await uow.sales.aggregate([{"$sort": {"a": Card.amount}}], into=Row)
        with pytest.raises(TypeError, match="frozen=True"):
            await uow.sales.aggregate([], into=Line)
    assert uow.receipt.commands == 0


async def test_javascript_runs_where_it_is_allowed(sales: Any, backend: Backend) -> None:
    if backend.name != "mongod":
        return  # no other backend has a script engine
    script = {"$function": {"body": "function(b) { return b.length }", "args": [Sale.buyer], "lang": "js"}}
    async with sales as uow:
        rows = await uow.sales.aggregate([{"$project": {"n": script}}], into=Counted, allow_javascript=True)
        assert rows == [Counted(n=3)] * 3
        found = await uow.sales.find(raw({"$where": "this.b == 'bob'"}, allow_javascript=True)).to_list()
        assert [sale.id for sale in found] == [2]


@pytest.mark.on_servers
async def test_values_in_a_pipeline_are_stored_ones_and_an_object_of_the_program_is_a_literal(sales: Any) -> None:
    class Shown(BaseModel, frozen=True):
        id: int
        line: Line

    hostile = Line(sku="$b")
    async with sales as uow:
        rows = await uow.sales.aggregate(
            [
                {"$match": {"status": Status.SENT}},
                {"$match": {"lines.p": {"$gt": Decimal(1)}}},
                {"$project": {"line": hostile}},
            ],
            into=Shown,
        )
    assert [(row.id, row.line.sku) for row in rows] == [(2, "$b")]


@pytest.mark.on_servers
async def test_rows_that_do_not_fit_are_named_without_their_values(sales: Any) -> None:
    async with sales as uow:
        with pytest.raises(InvalidDocument, match="n: ") as caught:
            await uow.sales.aggregate([{"$project": {"n": "$b"}}], into=Counted)
        assert await uow.sales.count() == 3
    assert "ann" not in str(caught.value)


@pytest.mark.on_servers
@pytest.mark.parametrize("rival_changes", [False, True])
async def test_what_an_aggregation_saw_is_compared_by_a_replay(sales: Any, rival_changes: bool) -> None:
    async with sales.unit() as uow:
        await uow.sales.aggregate(TURNOVER, into=Turnover)
        if rival_changes:
            async with sales.independent() as rival:
                (await rival.sales.get(3)).lines[0].price = Decimal(8)
        await uow.core.restart()
        if not rival_changes:
            assert await uow.sales.count() == 3
            return
        with pytest.raises(UnitDoomed) as doomed:
            await uow.sales.count()
        assert isinstance(doomed.value.__cause__, StaleDocument)
        await uow.rollback()


class Bought(BaseModel, frozen=True):
    id: int | None
    n: list[str] | int


THIRDS: dict[str, Any] = {"$mod": [Sale.id, 20]}
OF_NO_ORDER: dict[str, list[dict[str, Any]]] = {
    "groups": [{"$group": {"_id": THIRDS, "n": {"$sum": 1}}}],
    "groups and what is made of each": [{"$group": {"_id": THIRDS, "m": {"$sum": 1}}}, {"$set": {"n": "$m"}}],
    "counted groups": [
        {"$sortByCount": THIRDS},
        {"$set": {"n": "$count"}},
        {"$group": {"_id": "$_id", "n": {"$sum": "$n"}}},
    ],
    "groups that a sort finds equal": [
        {"$group": {"_id": THIRDS, "n": {"$sum": 1}}},
        {"$sort": {"n": -1}},
        {"$limit": 50},
    ],
    "sets": [{"$group": {"_id": None, "n": {"$addToSet": {"$toString": Sale.id}}}}],
}


@pytest.mark.on_servers
@pytest.mark.parametrize("pipeline", OF_NO_ORDER.values(), ids=OF_NO_ORDER.keys())
@pytest.mark.parametrize("rival_changes", [False, True])
async def test_rows_that_come_in_another_order_each_time_are_the_same_for_a_replay(
    sales: Any, pipeline: list[dict[str, Any]], rival_changes: bool
) -> None:
    async with sales as uow:
        uow.sales.add_all([Sale(id=number, b="eve") for number in range(10, 50)])
    async with sales.unit() as uow:
        await uow.sales.aggregate(pipeline, into=Bought)
        for _ in range(10):
            await uow.core.restart()
        if not rival_changes:
            assert await uow.sales.count() == 43
            return
        async with sales.independent() as rival:
            rival.sales.add(Sale(id=60, b="eve"))
        await uow.core.restart()
        with pytest.raises(UnitDoomed) as doomed:
            await uow.sales.count()
        assert isinstance(doomed.value.__cause__, StaleDocument)
        await uow.rollback()


@pytest.mark.on_servers
async def test_an_order_that_only_a_sort_told_is_compared_by_a_replay(sales: Any) -> None:
    async with sales.unit() as uow:
        by_number = [{"$group": {"_id": Sale.buyer, "n": {"$sum": 1}}}, {"$sort": {"n": -1}}]
        await uow.sales.aggregate([*by_number, {"$project": {"n": {"$literal": 1}}}], into=Named)
        async with sales.independent() as rival:
            rival.sales.add_all([Sale(id=4, b="bob"), Sale(id=5, b="bob")])
        await uow.core.restart()
        with pytest.raises(UnitDoomed):
            await uow.sales.count()
        await uow.rollback()


UNSTEADY: list[dict[str, Any]] = [
    {"$sample": {"size": 2}},
    {"$set": {"x": "$$NOW"}},
    {"$match": {"$expr": {"$lt": [{"$rand": cast("Any", {})}, 2]}}},
]


@pytest.mark.on_servers
@pytest.mark.parametrize("stage", UNSTEADY, ids=str)
async def test_a_unit_that_drew_lots_is_not_repeated(sales: Any, stage: dict[str, Any]) -> None:
    async with sales.unit() as uow:
        await uow.sales.aggregate([stage], into=Row)
        assert not uow.core.workspace.log.repeatable
        await uow.rollback()
        assert uow.core.workspace.log.repeatable


@pytest.mark.on_servers
async def test_a_nested_unit_that_aggregated_what_it_wrote_cannot_be_undone_alone(sales: Any) -> None:
    async with sales.unit() as uow:
        with pytest.raises(KeyError):
            async with uow:
                (await uow.sales.get(1)).buyer = "eve"
                await uow.sales.aggregate(TURNOVER, into=Turnover)
                raise KeyError("inner")
        with pytest.raises(UnitDoomed) as doomed:
            await uow.sales.count()
        assert "it had read what it had written itself" in str(doomed.value.__cause__)
        await uow.rollback()
