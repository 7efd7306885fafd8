"""Hooks before the commit: the last part of the transaction."""

from typing import Any

import pytest

from boundwork import CommitRefused, UnitDoomed
from tests.contract.hooking import hook, ids
from tests.contract.shop import Account


async def test_what_a_hook_changes_before_the_commit_is_committed(shop: Any) -> None:
    async with shop as uow:

        async def complete() -> None:
            for account in await uow.accounts.find().to_list():
                account.balance += 1
            uow.accounts.add(Account(id=2))
            uow.before_commit(lambda: uow.accounts.add(Account(id=3)))

        uow.accounts.add(Account(id=1))
        uow.before_commit(hook(uow, complete))
    async with shop as uow:
        stored = {account.id: account.balance for account in await uow.accounts.find().to_list()}
    assert stored == {1: 1, 2: 0, 3: 0}


async def test_what_a_hook_raises_before_the_commit_rolls_back(shop: Any) -> None:
    done: list[str] = []

    def refuse() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        async with shop as uow:
            uow.accounts.add(Account(id=1))
            uow.before_commit(refuse)
            uow.before_commit(lambda: done.append("later"))
            uow.on_rollback(lambda: done.append("rolled back"))
    assert done == ["rolled back"]
    assert await ids(shop) == []


async def test_what_a_hook_raised_in_a_commit_in_the_middle_cannot_be_passed_over(shop: Any) -> None:
    def refuse() -> None:
        raise ZeroDivisionError

    with pytest.raises(UnitDoomed) as caught:
        async with shop as uow:
            uow.accounts.add(Account(id=1))
            uow.before_commit(refuse)
            with pytest.raises(ZeroDivisionError):
                await uow.commit()
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    assert await ids(shop) == []


@pytest.mark.parametrize("word", ["commit", "rollback"])
async def test_a_hook_before_the_commit_cannot_end_the_transaction(shop: Any, word: str) -> None:
    with pytest.raises(CommitRefused, match=rf"{word}\(\) was called in a before_commit hook"):
        async with shop as uow:
            uow.accounts.add(Account(id=1))
            uow.before_commit(hook(uow, getattr(uow, word)))
    assert await ids(shop) == []


async def test_a_nested_unit_in_a_hook_before_the_commit_is_a_savepoint(shop: Any) -> None:
    async with shop as uow:

        async def complete() -> None:
            uow.accounts.add(Account(id=2))
            with pytest.raises(ZeroDivisionError):
                async with uow:
                    uow.accounts.add(Account(id=3))
                    raise ZeroDivisionError

        uow.accounts.add(Account(id=1))
        uow.before_commit(hook(uow, complete))
    assert await ids(shop) == [1, 2]
