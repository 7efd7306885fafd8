"""Operations on all documents that match, in the second transaction of a unit: what a rollback leads back to."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from boundwork import inc
from tests.contract.accounts import balances
from tests.contract.shop import Account

ADD = inc(Account.balance, 7)
OPERATIONS: dict[str, Callable[[Any], Awaitable[Any]]] = {
    "update_where": lambda uow: uow.accounts.update_where(Account.id == 1, ADD),
    "update of a query": lambda uow: uow.accounts.find().update(ADD),
    "find_and_update": lambda uow: uow.accounts.find_and_update(Account.id == 1, ADD),
    "find_and_update, before": lambda uow: uow.accounts.find_and_update(Account.id == 1, ADD, before=True),
    "upsert": lambda uow: uow.accounts.upsert(Account.id == 1, ADD, on_insert=Account(id=9)),
}


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
@pytest.mark.parametrize("ended", ["commit", "rollback"])
async def test_an_object_of_before_is_what_it_was_then_and_can_be_written(
    shop: Any, accounts: None, operation: Callable[[Any], Awaitable[Any]], ended: str
) -> None:
    async with shop as uow:
        account = await uow.accounts.get(1)
        await getattr(uow, ended)()
        await operation(uow)
        assert account.balance == 17
        await uow.rollback()
        assert account.balance == 10
        account.balance += 1
    assert (await balances(shop))[1] == 11


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
async def test_after_an_error_as_well(shop: Any, accounts: None, operation: Callable[[Any], Awaitable[Any]]) -> None:
    found: list[Any] = []
    with pytest.raises(ZeroDivisionError):
        async with shop as uow:
            account = await uow.accounts.get(1)
            found.append(account)
            account.balance = 12
            await uow.commit()
            await operation(uow)
            raise ZeroDivisionError
    assert [account.balance for account in found] == [12]
    assert (await balances(shop))[1] == 12
