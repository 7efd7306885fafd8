"""Streams: batch by batch, inside their transaction, and never outside of it."""

import gc
from typing import Any

import pytest

from boundwork import Document, Embedded, StaleDocument, UnitClosed, UnitDoomed, desc
from tests.contract.colours import define, step

NUMBER = 25


class Reading(Document[int], collection="readings"):
    value: int = 0
    text: str = ""


class Value(Embedded, frozen=True):
    value: int


@pytest.fixture
async def readings(database: Any, colour: str) -> Any:
    shop = define(colour, database, readings=Reading)
    async with shop as uow:
        uow.readings.add_all([Reading(id=number, value=number % 5, text="x" * 50) for number in range(NUMBER)])
    return shop


@pytest.mark.parametrize("batch_size", [1, 4, 25, 26, 1000])
async def test_a_stream_gives_the_result_in_order(readings: Any, batch_size: int) -> None:
    async with readings as uow:
        query = uow.readings.find(Reading.id < 20).sort(desc(Reading.id))
        assert [reading.id async for reading in query.stream(batch_size)] == list(range(19, -1, -1))
        assert [reading.id async for reading in query.skip(2).limit(5).stream(batch_size)] == [17, 16, 15, 14, 13]
        assert [reading.id async for reading in uow.readings.find(Reading.id > 90).stream(batch_size)] == []


async def test_a_stream_sees_pending_changes_and_its_documents_belong_to_nobody(readings: Any) -> None:
    async with readings as uow:
        (await uow.readings.get(1)).value = 77
        async for reading in uow.readings.find().stream(10):
            if reading.id == 1:
                assert reading.value == 77
                assert reading is not await uow.readings.get(1)
            reading.value = -1
    async with readings as uow:
        assert await uow.readings.count(Reading.value == -1) == 0
        assert (await uow.readings.get(1)).value == 77


async def test_a_stream_tracks_its_documents_when_asked(readings: Any) -> None:
    async with readings as uow:
        known = await uow.readings.get(3)
        async for reading in uow.readings.find().sort(Reading.id).stream(10, track=True):
            reading.value += 100
            assert reading.id != 3 or reading is known
    assert uow.receipt.updated == NUMBER
    async with readings as uow:
        assert await uow.readings.count(Reading.value >= 100) == NUMBER


async def test_a_read_model_can_be_streamed(readings: Any) -> None:
    async with readings as uow:
        values = [row.value async for row in uow.readings.find().project(Value).stream(3)]
        assert sorted(values) == sorted(number % 5 for number in range(NUMBER))


async def test_a_stream_that_outlives_its_unit_raises_even_with_documents_left(readings: Any) -> None:
    async with readings as uow:
        stream = uow.readings.find().stream(10)
        unused = uow.readings.find().stream(10)
        await step(stream)
    for late in (stream, unused):
        with pytest.raises(UnitClosed, match=r"has ended|was closed"):
            await step(late)
    await stream.close()


async def test_a_stream_ends_with_its_transaction(readings: Any) -> None:
    async with readings as uow:
        stream = uow.readings.find().stream(10)
        await step(stream)
        await uow.commit()
        with pytest.raises(UnitClosed, match="belongs to a transaction that has ended"):
            await step(stream)
        again = uow.readings.find().stream(10)
        await step(again)
        await uow.rollback()
        with pytest.raises(UnitClosed, match="belongs to a transaction that has ended"):
            await step(again)
        assert await uow.readings.count() == NUMBER


async def test_a_stream_that_is_given_up_leaves_the_unit_in_order(readings: Any) -> None:
    async with readings as uow:
        stream = uow.readings.find().stream(5)
        await step(stream)
        await stream.close()
        await stream.close()
        assert await step(stream) is None
        (await uow.readings.get(1)).value = 9
        async for _ in uow.readings.find().stream(5):
            break
        gc.collect()
    async with readings as uow:
        assert (await uow.readings.get(1)).value == 9


async def test_writes_go_on_while_a_stream_is_open(readings: Any) -> None:
    async with readings as uow:
        seen = 0
        async for reading in uow.readings.find(Reading.id < NUMBER).sort(Reading.id).stream(4):
            uow.readings.add(Reading(id=1000 + reading.id))
            await uow.flush()
            seen += 1
        assert seen == NUMBER
    async with readings as uow:
        assert await uow.readings.count() == 2 * NUMBER


@pytest.mark.parametrize("rival_changes", [False, True])
@pytest.mark.parametrize("taken", [NUMBER, 7])
async def test_what_a_stream_saw_is_compared_by_a_replay(readings: Any, rival_changes: bool, taken: int) -> None:
    async with readings.unit() as uow:
        stream = uow.readings.find().sort(Reading.id).stream(5)
        for _ in range(taken):
            await step(stream)
        await stream.close()
        if rival_changes:
            async with readings.independent() as rival:
                (await rival.readings.get(8)).value = 1000
                (await rival.readings.get(20)).value += taken == NUMBER
        await uow.core.restart()
        if not rival_changes:
            assert await uow.readings.count() == NUMBER
            return
        with pytest.raises(UnitDoomed) as doomed:
            await uow.readings.count()
        assert isinstance(doomed.value.__cause__, StaleDocument)
        await uow.rollback()


async def test_what_comes_after_the_part_that_was_taken_does_not_matter_to_a_replay(readings: Any) -> None:
    async with readings.unit() as uow:
        stream = uow.readings.find().sort(Reading.id).stream(5)
        await step(stream)
        await stream.close()
        async with readings.independent() as rival:
            (await rival.readings.get(20)).value = 1000
        await uow.core.restart()
        assert await uow.readings.count() == NUMBER


async def test_a_unit_with_an_open_stream_is_not_repeated(readings: Any) -> None:
    async with readings.unit() as uow:
        stream = uow.readings.find().stream(5)
        assert uow.core.workspace.log.repeatable
        await step(stream)
        assert not uow.core.workspace.log.repeatable
        del stream
        gc.collect()
        assert uow.core.workspace.log.repeatable, "nobody can go on with it"
        async for _ in uow.readings.find().stream(5):
            pass
        assert uow.core.workspace.log.repeatable
        assert len(uow.core.workspace.log.records) == 2


async def test_nonsense_batches_are_refused(readings: Any) -> None:
    async with readings as uow:
        with pytest.raises(ValueError, match="positive number"):
            uow.readings.find().stream(0)
