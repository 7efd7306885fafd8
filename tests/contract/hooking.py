"""How a test registers a hook of either colour, and sees what was stored."""

from typing import Any

from boundwork.uow.run_sync import run_sync
from tests.contract.colours import Blue


def hook(uow: Any, work: Any) -> Any:
    """Return a hook of the unit's colour that does what a coroutine function does."""
    return (lambda: run_sync(work())) if isinstance(uow, Blue) else work


async def ids(shop: Any) -> list[int]:
    async with shop as uow:
        return sorted(account.id for account in await uow.accounts.find().to_list())
