"""Calls of the driver inside a nested unit that fails: they cannot be undone alone, so nothing of the unit is kept."""

from typing import Any

import pytest

from boundwork import UnitDoomed
from tests.server.bank import Account, raw, settled


async def test_a_driver_write_of_a_failed_nested_unit_is_never_committed(banks: Any, stored: Any) -> None:
    with pytest.raises(UnitDoomed) as caught:
        async with banks() as uow:
            uow.accounts.add(Account(id=2))
            with pytest.raises(ZeroDivisionError):
                async with uow as inner:
                    await settled(raw(inner)["accounts"].insert_one({"_id": 5}))
                    raise ZeroDivisionError
    assert "calls of the driver" in str(caught.value.__cause__)
    assert [document["_id"] for document in stored.find()] == [1]


async def test_a_driver_write_of_a_nested_unit_that_ends_well_is_committed(banks: Any, stored: Any) -> None:
    async with banks() as uow, uow as inner:
        await settled(raw(inner)["accounts"].insert_one({"_id": 5}))
    assert {document["_id"] for document in stored.find()} == {1, 5}
