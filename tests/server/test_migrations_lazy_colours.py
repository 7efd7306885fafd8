"""Lazy migration for each colour of the driver, on a real server and on the embedded one."""

import inspect
from pathlib import Path
from typing import Any

import pytest

from boundwork.alembic_like_migrations import AsyncMigrator, Finished, Migrator, Unfinished
from tests.backends import Backend
from tests.contract.colours import define
from tests.server.lazy_shop import Account, old_accounts, write

pytestmark = pytest.mark.filterwarnings("ignore:Motor is deprecated")


@pytest.fixture(params=["embedded", pytest.param("mongod", marks=pytest.mark.server)])
def backend_name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize("colour", ["sync", "async", "motor"])
async def test_units_and_finishers_of_every_colour_agree(
    colour: str, backend: Backend, database_name: str, tmp_path: Path
) -> None:
    accounts = backend.sync_database(database_name).lazy_accounts
    accounts.insert_many(old_accounts(60))
    write(tmp_path, "two", None, "op.lazy('lazy_accounts', TO_2)")
    write(tmp_path, "three", "two", "op.lazy('lazy_accounts', TO_3)")
    database = getattr(backend, f"{colour}_database")(database_name)

    async def of(word: str, *arguments: Any) -> Any:
        kind: Any = Migrator if colour == "sync" else AsyncMigrator
        result = getattr(kind(database, tmp_path), word)(*arguments)
        return await result if inspect.isawaitable(result) else result

    await of("upgrade")
    shop = define("sync" if colour == "sync" else "async", database, accounts=Account)
    async with shop as uow:
        [account] = await uow.accounts.find(Account.mail == "a7@x.org", Account.plan == "basic").to_list()
        account.visits = 2
    assert (await of("standing")).unfinished[0] == Unfinished("two", "lazy_accounts", 2, 59)
    assert await of("finish", "two") == (Finished("two", "lazy_accounts", 2, 59, 0),)
    assert await of("finish") == (
        Finished("two", "lazy_accounts", 2, 0, 0),
        Finished("three", "lazy_accounts", 3, 59, 0),
    )
    async with shop as uow:
        assert [one.visits for one in await uow.accounts.find(Account.label == "A7@X.ORG").to_list()] == [2]
    await of("downgrade", "base")
    assert sorted(accounts.find({"_id": {"$lt": 7}}), key=lambda one: one["_id"]) == old_accounts(7)
