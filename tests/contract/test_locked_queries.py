"""What a unit that locks what it reads locks of pages, read models and streams."""

from typing import Any

import pytest

from boundwork import Embedded
from tests.contract.colours import define
from tests.contract.shop import Account


class Balance(Embedded, frozen=True):
    balance: int


@pytest.fixture
async def locking(database: Any, colour: str) -> Any:
    async with define(colour, database, accounts=Account) as uow:
        uow.accounts.add_all([Account(id=number, balance=number) for number in range(6)])
    return define(colour, database, {"isolation": "locked_reads"}, accounts=Account)


def locked(uow: Any) -> set[Any]:
    return {key for _, key in uow.core.workspace.log.locked}


async def test_the_documents_of_a_page_are_locked(locking: Any) -> None:
    async with locking as uow:
        page = await uow.accounts.find().sort(Account.id).page(2)
        assert {account.id for account in page} == {0, 1}
        assert len(locked(uow)) == 3, "and the one that told whether there is another page"


async def test_the_documents_behind_a_read_model_are_locked(locking: Any) -> None:
    async with locking as uow:
        found = await uow.accounts.find(Account.balance > 3).project(Balance).to_list()
        assert sorted(row.balance for row in found) == [4, 5]
        assert len(locked(uow)) == 2


async def test_a_stream_is_refused_because_it_would_lock_nothing(locking: Any) -> None:
    async with locking as uow:
        with pytest.raises(ValueError, match="A stream locks nothing"):
            uow.accounts.find().stream()
