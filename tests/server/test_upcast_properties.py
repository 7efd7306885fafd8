"""Random histories, documents and questions: the answers are the same however many documents are migrated."""

import asyncio
import os
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pymongo import AsyncMongoClient, MongoClient, UpdateOne

from boundwork import MigrationUnfinished
from boundwork.models.upcasts.lineage import Lineage
from boundwork.uow.sessions.memory.encoding import CODEC
from boundwork.uow.upcasting.documents import opened, update_of
from tests.contract.colours import define
from tests.server.random_upcasts import History

pytestmark = pytest.mark.server
LONG = bool(os.environ.get("BOUNDWORK_LONG"))
EXAMPLES = 1500 if LONG else 25
DOCUMENTS, QUESTIONS = 12, 8
REFUSALS = ("another order", "looks at the stored form")
quickly = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def migrate(collection: Any, history: History, share: int) -> None:
    """Bring a share of the documents to the present version, as the finisher does."""
    lineage = Lineage(len(history.upcasts) + 1, tuple(history.upcasts))
    for stored in collection.find():
        one = opened("lazy_things", lineage, stored)
        if one.was is not None and stored["_id"] % 100 * 8 < share:
            collection.bulk_write([UpdateOne({"_id": stored["_id"]}, update_of(one.was, one.fields, lineage.version))])


async def answers(things: Any, question: Any) -> list[Any]:
    """Ask in all ways; a way that is refused says so."""
    condition, order, skip, distinct = question
    found: list[Any] = []

    async def tried(work: Any) -> None:
        try:
            found.append(await work())
        except MigrationUnfinished as refused:
            found.append("refused" if any(why in refused.why for why in REFUSALS) else refused.why)

    async def page_by_page() -> list[int]:
        query = things.find(condition).sort(*order)
        ids: list[int] = []
        page = await query.page(3)
        ids += [one.id for one in page.items]
        while page.next is not None:
            page = await query.page(3, after=page.next)
            ids += [one.id for one in page.items]
        return ids

    async def documents() -> list[Any]:
        return [one.model_dump() for one in await things.find(condition).sort("_id").to_list()]

    async def in_order() -> list[int]:
        return [one.id for one in await things.find(condition).sort(*order).skip(skip).limit(5).to_list()]

    async def values() -> list[str]:
        return sorted(repr(value) for value in await things.find(condition).distinct(distinct))

    async def number() -> int:
        return int(await things.find(condition).count())

    for work in (documents, number, in_order, page_by_page, values):
        await tried(work)
    return found


async def asked(colour: str, database: Any, model: Any, questions: list[Any]) -> list[Any]:
    async with define(colour, database, things=model) as uow:
        return [await answers(uow.things, question) for question in questions]


def compared(history: History, at: dict[int, list[Any]], settled: list[Any]) -> None:
    """Check that the answers are those of plain queries after all was migrated, or refused before."""
    assert at[100] == settled
    for share in (0, 50):
        for number, (one, other) in enumerate(zip(at[share], settled, strict=True)):
            for way, (now, wanted) in enumerate(zip(one, other, strict=True)):
                assert now in ("refused", wanted), (
                    history.upcasts,
                    share,
                    number,
                    way,
                )


@quickly
@given(seed=st.integers(0, 2**32))
def test_answers_are_the_same_at_0_50_and_100_percent(
    mongod_client: MongoClient[dict[str, Any]], database_name: str, seed: int
) -> None:
    chance = Random(seed)
    history = History(chance, "lazy_things")
    database: Any = mongod_client[database_name]
    things = database.get_collection("lazy_things", codec_options=CODEC)
    things.delete_many({})
    things.insert_many(history.documents(DOCUMENTS))
    questions = history.questions(history.model, Random(seed), QUESTIONS)
    at: dict[int, list[Any]] = {}
    for share in (0, 50, 100):
        migrate(things, history, share)
        at[share] = run("sync", database, history.model, questions)
    plain = history.questions(history.settled, Random(seed), QUESTIONS)
    compared(history, at, run("sync", database, history.settled, plain))


def run(colour: str, database: Any, model: Any, questions: list[Any]) -> list[Any]:
    if colour == "async":
        return asyncio.run(_with_a_client(database, model, questions))
    try:
        asked(colour, database, model, questions).send(None)
    except StopIteration as done:
        return list(done.value)
    raise RuntimeError("the questions suspended")


async def _with_a_client(database: Any, model: Any, questions: list[Any]) -> list[Any]:
    async with AsyncMongoClient[Any](*database.client.address) as client:
        return await asked("async", client[database.name], model, questions)


@settings(quickly, max_examples=100 if LONG else 4)
@given(seed=st.integers(0, 2**32))
def test_answers_are_the_same_for_the_other_colour(
    mongod_client: MongoClient[dict[str, Any]], database_name: str, seed: int
) -> None:
    chance = Random(seed)
    history = History(chance, "lazy_things")
    database: Any = mongod_client[database_name]
    things = database.get_collection("lazy_things", codec_options=CODEC)
    things.delete_many({})
    things.insert_many(history.documents(DOCUMENTS))
    migrate(things, history, 50)
    questions = history.questions(history.model, Random(seed), QUESTIONS)
    assert run("async", database, history.model, questions) == run("sync", database, history.model, questions)
