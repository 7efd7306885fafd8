"""Three accounts, and definitions of both colours on them: for tests whose frames must be those of the blocks.

The definitions of `colours.py` are entered by calls from frames of their own, as those of any wrapping manager.
"""

from typing import Any

from tests.server.bank import Account, Bank

NUMBERS = 3


def fill(bank: Bank) -> None:
    """Store the accounts, with nothing in them."""
    with bank as uow:
        for number in range(NUMBERS):
            uow.accounts.add(Account(id=number))


def balances(bank: Any) -> Any:
    """Return what is stored, read in a unit of its own; to be awaited of an asynchronous definition."""
    return _read(bank) if isinstance(bank, Bank) else _read_async(bank)


def _read(bank: Bank) -> list[int]:
    with bank as uow:
        assert len(uow.core.levels) == 1
        return [uow.accounts.get(number).balance for number in range(NUMBERS)]


async def _read_async(bank: Any) -> list[int]:
    async with bank as uow:
        assert len(uow.core.levels) == 1
        return [(await uow.accounts.get(number)).balance for number in range(NUMBERS)]
