"""What the tests share that leave a unit elsewhere than where it was opened."""

from contextlib import AbstractContextManager
from typing import Any

from tests.server.bank import BALANCE, Account, Bank
from tests.server.commands_seen import CommandsSeen, names


def begin(manager: AbstractContextManager[Bank]) -> tuple[Bank, Account]:
    """Open a unit and flush a change in it."""
    uow = manager.__enter__()
    account = uow.accounts.get(1)
    account.balance = 0
    uow.flush()
    return uow, account


def check_rolled_back(uow: Any, account: Account, accounts: Any, seen: CommandsSeen) -> None:
    assert names(seen.take())[:3] == ["find", "update", "abortTransaction"]
    assert uow.core.session._session.has_ended
    assert account.balance == BALANCE
    assert accounts.find_one({"_id": 1})["balance"] == BALANCE
    assert accounts.database.client.admin.command("serverStatus")["transactions"]["currentOpen"] == 0
