"""Objects that a unit had before, and read again after a call of the driver changed their documents, are rolled back too."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.server.bank import BALANCE, raw, settled

READINGS: dict[str, Callable[[Any], Any]] = {
    "get": lambda uow: uow.accounts.get(1),
    "get_many": lambda uow: uow.accounts.get_many([1, 2]),
    "find": lambda uow: uow.accounts.find({"_id": 1}).to_list(),
}


@pytest.mark.parametrize("read", READINGS.values(), ids=READINGS)
@pytest.mark.parametrize("calls", [True, False])
async def test_an_object_of_before_a_commit_is_what_it_was_then(
    banks: Callable[..., Any], accounts: Any, read: Callable[[Any], Any], calls: bool
) -> None:
    found: list[Any] = []
    with pytest.raises(ZeroDivisionError):
        async with banks() as uow:
            account = await uow.accounts.get(1)
            found.append(account)
            await uow.commit()
            if calls:
                await settled(raw(uow)["accounts"].update_one({"_id": 1}, {"$inc": {"balance": 7}}))
            await read(uow)
            assert account.balance == BALANCE + 7 * calls
            raise ZeroDivisionError
    assert [account.balance for account in found] == [BALANCE]
    assert accounts.find_one({"_id": 1})["balance"] == BALANCE
