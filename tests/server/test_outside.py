"""Stepping out of a unit's session for a moment."""

from typing import Any

import pytest
from pymongo import MongoClient

from boundwork import NestedUnitOfWork
from tests.server.bank import raw, settled


async def test_what_is_written_outside_stays_whatever_becomes_of_the_unit(banks: Any, stored: Any) -> None:
    audit = stored.database["audit"]
    with pytest.raises(ZeroDivisionError):
        async with banks() as uow:
            (await uow.accounts.get(1)).balance = 7
            await uow.flush()
            database = raw(uow)
            async with uow.outside():
                await settled(database["audit"].insert_one({"_id": "seen"}))
            raise ZeroDivisionError
    assert stored.find_one() == {"_id": 1, "balance": 0}
    assert audit.find_one() == {"_id": "seen"}


async def test_the_unit_is_refused_outside_and_bound_again_afterwards(banks: Any, stored: Any) -> None:
    with pytest.raises(ZeroDivisionError):
        async with banks() as uow:
            database = raw(uow)
            async with uow.outside():
                with pytest.raises(NestedUnitOfWork, match=r"outside\(\)"):
                    await uow.accounts.count()
            assert await uow.accounts.count() == 1
            await settled(database["accounts"].insert_one({"_id": 5}))
            raise ZeroDivisionError
    assert stored.count_documents({}) == 1


async def test_a_second_client_works_outside(banks: Any, stored: Any, mongod_uri: str, database_name: str) -> None:
    async with banks() as uow:
        (await uow.accounts.get(1)).balance = 7
        async with uow.outside():
            with MongoClient[Any](mongod_uri) as other:
                assert other[database_name]["accounts"].find_one() == {"_id": 1, "balance": 0}
    assert stored.find_one() == {"_id": 1, "balance": 7}


async def test_outside_of_an_independent_unit_is_outside_of_the_one_around_it_too(banks: Any, stored: Any) -> None:
    audit = stored.database["audit"]
    shop = banks()
    with pytest.raises(ZeroDivisionError):
        async with shop as uow:
            await uow.accounts.get(1)
            async with shop.independent() as inner:
                await inner.accounts.get(1)
                database = raw(inner)
                async with inner.outside():
                    await settled(database["audit"].insert_one({"_id": "seen"}))
                await settled(database["accounts"].insert_one({"_id": 5, "balance": 0}))
            await settled(raw(uow)["accounts"].insert_one({"_id": 6, "balance": 0}))
            raise ZeroDivisionError
    assert audit.find_one() == {"_id": "seen"}
    assert sorted(found["_id"] for found in stored.find()) == [1, 5]
