"""A loop that reads documents one by one warns once, where it reads, before it reads too many."""

import asyncio
import warnings
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import pytest

from boundwork import ManySingleReads, Ref
from tests.contract.colours import define
from tests.contract.referring import Buyer, Sale

LIMIT = 10
MODELS: dict[str, Any] = {"buyers": Buyer, "sales": Sale}


@pytest.fixture
async def buyers(database: Any, colour: str) -> Any:
    shop = define(colour, database, **MODELS)
    async with shop as uow:
        uow.buyers.add_all([Buyer(id=f"b{number}") for number in range(3 * LIMIT)])
    return shop


@contextmanager
def noticed() -> Generator[list[warnings.WarningMessage]]:
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        yield found


def sent(uow: Any) -> int:
    return len(uow.core.workspace.log.records)


async def read(uow: Any, word: str, number: int) -> Any:
    key = f"b{number}"
    if word == "load":
        return await uow.load(Ref(Buyer, key))
    return await getattr(uow.buyers, word)(key)


async def test_a_loop_of_single_reads_warns_once_with_the_remedy(buyers: Any) -> None:
    for word in ("get", "find_by_id", "load"):
        async with buyers as uow:
            with noticed() as found:
                for number in range(LIMIT - 1):
                    await read(uow, word, number)
                assert found == []
                for number in range(LIMIT - 1, 3 * LIMIT):
                    await read(uow, word, number)
            assert sent(uow) == 3 * LIMIT
        (warning,) = found
        assert warning.category is ManySingleReads
        assert "get_many(ids), or include(...)" in str(warning.message)
        assert "Buyer" in str(warning.message)


async def test_where_warnings_are_errors_nothing_is_sent_and_nothing_is_lost(buyers: Any) -> None:
    async with buyers as uow:
        (await uow.buyers.get("b0")).name = "changed"
        number = 0
        with pytest.raises(ManySingleReads):
            for number in range(1, LIMIT + 5):
                await uow.buyers.get(f"b{number}")
        assert sent(uow) == number
        assert (await uow.buyers.get("b29")).id == "b29"
    assert uow.receipt.updated == 1


async def test_what_the_unit_knows_is_no_read(buyers: Any) -> None:
    async with buyers as uow:
        with noticed() as found:
            await uow.buyers.find().to_list()
            for number in range(3 * LIMIT):
                for word in ("get", "find_by_id", "load"):
                    await read(uow, word, number)
            await uow.buyers.get_many([f"b{number}" for number in range(LIMIT)])
    assert found == []


async def test_other_units_begin_again(buyers: Any) -> None:
    with noticed() as found:
        for number in range(2 * LIMIT):
            async with buyers as uow:
                await uow.buyers.get(f"b{number}")
    assert found == []


async def test_a_definition_says_how_many_are_too_many(database: Any, colour: str, buyers: Any) -> None:
    for single_reads, expected in ((None, 0), (4, 1), (25, 1), (31, 0)):
        shop = define(colour, database, {"single_reads": single_reads}, **MODELS)
        async with shop as uow:
            with noticed() as found:
                for number in range(3 * LIMIT):
                    await uow.buyers.get(f"b{number}")
        assert len(found) == expected, single_reads
    with pytest.raises(ValueError, match="single_reads takes a number of reads, 2 or more"):
        define(colour, database, {"single_reads": 1}, **MODELS)


async def test_tasks_that_read_one_by_one_are_a_loop_as_well(database: Any, colour: str, buyers: Any) -> None:
    if colour == "sync":
        return
    shop = define(colour, database, {"concurrency": "serialize"}, **MODELS)
    async with shop as uow:
        with noticed() as found:
            await asyncio.gather(*(uow.buyers.get(f"b{number}") for number in range(LIMIT)))
    assert [warning.category for warning in found] == [ManySingleReads]
