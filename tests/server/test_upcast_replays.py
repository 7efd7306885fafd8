"""A finisher migrates what an open unit has read: the unit goes on, since what it read is what is stored now."""

from typing import Any

import pytest
from pymongo import MongoClient

from boundwork import StaleDocument, set_
from boundwork.models.upcasts.lineage import Lineage
from boundwork.uow.sessions.memory.encoding import CODEC
from boundwork.uow.upcasting.documents import opened, update_of
from tests.contract.colours import define
from tests.server.bank import in_a_thread
from tests.server.lazy_shop import TO_2, TO_3, Account, old_accounts

pytestmark = pytest.mark.server
LINEAGE = Lineage(3, (TO_2, TO_3))


@pytest.fixture
def accounts(mongod_client: MongoClient[dict[str, Any]], database_name: str) -> Any:
    accounts = mongod_client[database_name].get_collection("lazy_accounts", codec_options=CODEC)
    accounts.insert_many({"_id": one["_id"], "zone": 1, **one} for one in old_accounts(20))
    return accounts


@pytest.fixture
def backend_name() -> str:
    return "mongod"


@pytest.fixture(params=["sync", "async"])
def shop(request: pytest.FixtureRequest, accounts: Any, backend: Any) -> Any:
    database = getattr(backend, f"{request.param}_database")(accounts.database.name)
    return define(request.param, database, accounts=Account)


def finish(accounts: Any, *ids: int) -> None:
    """Migrate documents as the finisher does."""

    def work() -> None:
        for stored in accounts.find({"_id": {"$in": list(ids)}}):
            accounts.update_one({"_id": stored["_id"]}, update_of(stored, opened("", LINEAGE, stored).fields, 3))

    in_a_thread(work)


async def test_a_unit_goes_on_when_what_it_read_and_changes_was_migrated(shop: Any, accounts: Any) -> None:
    async with shop as uow:
        account = await uow.accounts.get(5)
        by_mail = await uow.accounts.find(Account.mail == "a7@x.org").to_list()
        finish(accounts, 5, 7)
        account.visits += 1
        by_mail[0].visits += 2
    assert uow.receipt.replays == 1
    found = {one["_id"]: one for one in accounts.find({"_id": {"$in": [5, 7]}})}
    assert found[5] == {
        "_id": 5,
        "zone": 1,
        "mail": "a5@x.org",
        "age": 5,
        "plan": "basic",
        "label": "A5@X.ORG",
        "visits": 1,
        "_sv": 3,
    }
    assert found[7]["visits"] == 2


async def test_a_unit_that_changed_all_at_once_goes_on_as_well(shop: Any, accounts: Any) -> None:
    async with shop as uow:
        assert await uow.accounts.count(Account.plan == "basic") == 20
        finish(accounts, *range(10))
        assert (await uow.accounts.update_where(Account.plan == "basic", set_(Account.visits, 3))).modified == 20
    assert uow.receipt.replays == 1
    assert accounts.count_documents({"visits": 3, "_sv": 3}) == 20


async def test_a_document_that_somebody_changed_while_migrating_it_is_stale(shop: Any, accounts: Any) -> None:
    with pytest.raises(StaleDocument):
        async with shop as uow:
            account = await uow.accounts.get(5)
            finish(accounts, 5)
            in_a_thread(lambda: accounts.update_one({"_id": 5}, {"$set": {"plan": "gold"}}))
            account.visits += 1
    assert accounts.find_one({"_id": 5})["visits"] == 0


async def test_the_first_write_of_an_old_document_is_one_update_that_asks_for_its_version(
    shop: Any, accounts: Any, mongod_client: MongoClient[dict[str, Any]]
) -> None:
    with mongod_client[accounts.database.name].watch() as stream:
        async with shop as uow:
            (await uow.accounts.get(3)).visits += 1
        change = next(stream)
    assert change["operationType"] == "update"
    assert set(change["updateDescription"]["removedFields"]) == {"login"}
    wanted = {"mail": "a3@x.org", "plan": "basic", "age": 3, "label": "A3@X.ORG", "visits": 1, "_sv": 3}
    assert change["updateDescription"]["updatedFields"] == wanted
