"""Fifty tasks on one `AsyncMongoClient`, against fifty tasks that use the driver by hand."""

import asyncio
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from typing import Any

from bson import ObjectId
from pymongo import AsyncMongoClient
from pymongo.asynchronous.database import AsyncDatabase

from benchmarks.documents import AsyncShop, Order, Stored, order, stored_order
from benchmarks.effort import Effort
from benchmarks.measuring import Action, Side, compare
from benchmarks.place import Place, ids_of
from benchmarks.table import Row, ratio
from benchmarks.writing import MAJORITY, SNAPSHOT

TASKS = 50
GETS = 20
TRANSFERS = 4
Work = Callable[[list[ObjectId], list[Any]], Awaitable[object]]
"""What one task does, with its ids and its new documents."""


def concurrent_get(place: Place, effort: Effort) -> list[Row]:
    """Compare tasks that get distinct orders, each task in a unit of its own."""

    def raw(database: AsyncDatabase[Stored]) -> Work:
        async def work(ids: list[ObjectId], _: list[Stored]) -> object:
            collection = database["orders"]
            return [await collection.find_one({"_id": key}) for key in ids]

        return work

    def ours(database: AsyncDatabase[Stored]) -> Work:
        shop = AsyncShop(database, single_reads=None)

        async def work(ids: list[ObjectId], _: list[Order]) -> object:
            async with shop as uow:
                return [await uow.orders.get(key) for key in ids]

        return work

    found = _compare(place, effort, (raw, ours), each=GETS, new=0)
    return [ratio(f"{TASKS} tasks: {GETS} gets each, one unit a task", 1.15, found, per=TASKS * GETS)]


def concurrent_transfer(place: Place, effort: Effort) -> list[Row]:
    """Compare tasks that carry out transfers between orders of their own."""

    def raw(database: AsyncDatabase[Stored]) -> Work:
        async def work(ids: list[ObjectId], new: list[Stored]) -> None:
            for giver, taker, document in zip(ids[::2], ids[1::2], new, strict=True):
                await _transfer(database, giver, taker, document)

        return work

    def ours(database: AsyncDatabase[Stored]) -> Work:
        shop = AsyncShop(database)

        async def work(ids: list[ObjectId], new: list[Order]) -> None:
            for giver, taker, document in zip(ids[::2], ids[1::2], new, strict=True):
                async with shop as uow:
                    first, second = await uow.orders.get(giver), await uow.orders.get(taker)
                    first.lines[0].quantity -= 1
                    second.lines[0].quantity += 1
                    uow.orders.add(document)

        return work

    found = _compare(place, effort, (raw, ours), each=2 * TRANSFERS, new=TRANSFERS)
    return [ratio(f"{TASKS} tasks: {TRANSFERS} transfers each", 1.05, found, per=TASKS * TRANSFERS)]


async def _transfer(database: AsyncDatabase[Stored], giver: ObjectId, taker: ObjectId, document: Stored) -> None:
    collection = database["orders"]
    async with database.client.start_session() as session, await session.start_transaction(SNAPSHOT, MAJORITY):
        for key, change in ((giver, -1), (taker, 1)):
            found = await collection.find_one({"_id": key}, session=session)
            assert found is not None
            update = {"$set": {"lines.0.quantity": found["lines"][0]["quantity"] + change}}
            await collection.update_one({"_id": key}, update, session=session)
        await collection.insert_one(document, session=session)


def _compare(
    place: Place,
    effort: Effort,
    works: tuple[Callable[[AsyncDatabase[Stored]], Work], Callable[[AsyncDatabase[Stored]], Work]],
    *,
    each: int,
    new: int,
) -> Any:
    database = place.holding(TASKS * max(each, GETS), "tasks")
    ids = ids_of(database, TASKS * each)
    shares = [ids[start : start + each] for start in range(0, len(ids), each)]
    with asyncio.Runner() as runner, _client(runner, place.uri) as client:
        raw, ours = (make(client[database.name]) for make in works)

        def side(work: Work, build: Callable[[int], object]) -> Side:
            @contextmanager
            def prepared() -> Generator[Action]:
                documents = [[build(number) for number in range(new)] for _ in shares]
                yield lambda: runner.run(_all(work, shares, documents))

            return prepared

        return compare(side(raw, stored_order), side(ours, order), effort.rounds)


async def _all(work: Work, shares: list[list[ObjectId]], documents: list[list[Any]]) -> list[object]:
    return await asyncio.gather(*(work(*given) for given in zip(shares, documents, strict=True)))


@contextmanager
def _client(runner: asyncio.Runner, uri: str) -> Generator[AsyncMongoClient[Stored]]:
    """Give a client of the runner's loop."""

    async def connected() -> AsyncMongoClient[Stored]:
        client = AsyncMongoClient[Stored](uri, w="majority")
        await client.aconnect()
        return client

    client = runner.run(connected())
    try:
        yield client
    finally:
        runner.run(client.close())
