"""The same shop with asyncio: two customers pay at once, each in a unit of its own.

Run it: python examples/shop_async.py
Only what asks the database is awaited; `add` and `remove` just register.
"""

import asyncio

from boundwork import AsyncRepository, AsyncUnitOfWork, Document, connect


class Account(Document[str], collection="accounts"):
    """An account; its id is the owner's name."""

    balance: int = 0

    def pay(self, amount: int) -> None:
        """Take money out; more than there is cannot be taken."""
        if amount > self.balance:
            raise ValueError(f"{self.id} has only {self.balance}")
        self.balance -= amount


class Bank(AsyncUnitOfWork):
    """All that is changed together."""

    accounts = AsyncRepository(Account)


async def transfer(bank: Bank, payer: str, payee: str, amount: int) -> None:
    """Move an amount from one account to another; run again if a rival changed one of them meanwhile."""
    for attempt in bank.attempts():
        async with attempt as uow:
            (await uow.accounts.get(payee)).balance += amount
            (await uow.accounts.get(payer)).pay(amount)


async def main() -> None:
    """Pay the shop from two accounts at once, and once more than there is."""
    async with connect("memory://bank") as database:
        bank = Bank(database)
        async with bank as uow:
            uow.accounts.add_all([Account(id="Ada", balance=10), Account(id="Bo", balance=10), Account(id="shop")])

        await asyncio.gather(transfer(bank, "Ada", "shop", 7), transfer(bank, "Bo", "shop", 5))
        try:
            await transfer(bank, "Ada", "shop", 100)
        except ValueError as error:
            print(f"nothing was paid: {error}")

        async with bank as uow:
            for account in await uow.accounts.find().sort("_id").to_list():
                print(f"{account.id}: {account.balance}")


if __name__ == "__main__":
    asyncio.run(main())
