"""Five accounts and a customer, which set-based operations change."""

from typing import Any


async def balances(shop: Any) -> dict[int, int]:
    async with shop as uow:
        return {account.id: account.balance for account in await uow.accounts.find().to_list()}
