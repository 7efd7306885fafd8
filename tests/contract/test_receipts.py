"""What the receipt of a unit says of its commits."""

from typing import Any

import pytest

from tests.contract.shop import Account


async def test_the_receipt_has_the_operation_time_of_the_last_commit(shop: Any, backend_name: str) -> None:
    async with shop as uow:
        pass
    assert uow.receipt.operation_time is None
    times: list[Any] = []
    async with shop as uow:
        uow.accounts.add(Account(id=1))
        await uow.commit()
        times.append(uow.receipt.operation_time)
        uow.accounts.add(Account(id=2))
    times.append(uow.receipt.operation_time)
    assert times == [None, None] if backend_name == "memory" else times[0] < times[1]


async def test_a_document_that_is_updated_by_two_flushes_counts_once(shop: Any) -> None:
    async with shop as uow:
        uow.accounts.add_all([Account(id=1), Account(id=2)])
    async with shop as uow:
        first, second = [await uow.accounts.get(1), await uow.accounts.get(2)]
        first.balance = 1
        await uow.flush()
        first.balance, second.balance = 2, 2
        await uow.flush()
        with pytest.raises(ZeroDivisionError):
            async with uow:
                first.balance, second.balance = 3, 3
                await uow.flush()
                raise ZeroDivisionError
    assert uow.receipt.updated == 2
