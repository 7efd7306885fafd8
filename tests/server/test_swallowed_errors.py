"""Programs that catch the errors of their own calls of the driver in `run`, and errors that hide in a bulk."""

from contextlib import suppress
from typing import Any

import pytest
from pymongo.errors import DuplicateKeyError

from boundwork import TransactionFailed, TransientFailure
from tests.server.bank import Account, raw, settled
from tests.server.commands_seen import CommandsSeen, names

NOT_ENOUGH = {"writeConcernError": {"code": 100, "errmsg": "not enough members"}}


@pytest.mark.parametrize("then", ["nothing", "our own read", "another call"])
async def test_run_gives_up_where_a_swallowed_error_of_the_driver_ends_each_attempt(
    banks: Any, seen: CommandsSeen, stored: Any, then: str
) -> None:
    bodies = 0

    async def body(uow: Any) -> None:
        nonlocal bodies
        bodies += 1
        uow.accounts.add(Account(id=2))
        await uow.flush()
        with suppress(DuplicateKeyError):
            await settled(raw(uow).accounts.insert_one({"_id": 1}))
        if then == "our own read":
            await uow.accounts.count()
        elif then == "another call":
            await settled(raw(uow).accounts.find_one())

    with pytest.raises(Exception, match=r"251|has been aborted") as caught:
        await banks(replay_seconds=20.0).run(body)
    assert bodies == 3
    assert "catches errors of such calls" in caught.value.__notes__[-1]
    assert stored.count_documents({}) == 1
    assert names(seen.take()).count("insert") == 2 * bodies


async def test_run_goes_on_where_transactions_are_lost_for_other_reasons(banks: Any, stored: Any, server: Any) -> None:
    bodies = 0

    async def body(uow: Any) -> None:
        nonlocal bodies
        bodies += 1
        await settled(raw(uow).accounts.update_one({"_id": 1}, {"$inc": {"balance": 1}}))
        lost = {"errorCode": 251 if bodies % 3 else 112}
        if bodies < 6:
            with server(["aggregate"], 1, lost):
                await uow.accounts.count()

    await banks().run(body)
    assert bodies == 6
    assert stored.find_one()["balance"] == 1


@pytest.mark.usefixtures("stored")
async def test_one_lost_transaction_of_a_body_with_calls_of_the_driver_is_repeated(banks: Any, server: Any) -> None:
    bodies = 0

    async def body(uow: Any) -> None:
        nonlocal bodies
        bodies += 1
        await settled(raw(uow).accounts.find_one())
        (await uow.accounts.get(1)).balance += 1

    with server(["update"], 2, {"errorCode": 251}):
        await banks().run(body)
    assert bodies == 3


@pytest.mark.parametrize("writes", [1, 2, 3, 40])
@pytest.mark.usefixtures("stored")
async def test_a_write_concern_error_has_its_own_code_however_many_writes_there_are(
    banks: Any, server: Any, writes: int
) -> None:
    with server(["insert"], 1, NOT_ENOUGH), pytest.raises(TransactionFailed) as caught:
        async with banks() as uow:
            for number in range(writes):
                uow.accounts.add(Account(id=10 + number))
    assert caught.value.code == 100
    assert not isinstance(caught.value, TransientFailure)
