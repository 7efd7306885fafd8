"""An abort that fails changes no outcome, and is told in the log where the client has a guard."""

import logging
from typing import Any

import pytest

from tests.server.bank import Account

FAILURES: dict[str, tuple[int, dict[str, Any], str]] = {
    "refused": (1, {"errorCode": 8}, "the abort failed: the server refused the command (code 8): "),
    "lost twice": (2, {"closeConnection": True}, "the abort failed: the connection was lost: "),
}


async def roll_back(bank: Any) -> None:
    with pytest.raises(ZeroDivisionError):
        async with bank as uow:
            (await uow.accounts.get(1)).balance = 7
            uow.accounts.add(Account(id=2))
            await uow.flush()
            raise ZeroDivisionError


@pytest.mark.parametrize("failure", FAILURES.values(), ids=FAILURES)
async def test_an_abort_that_fails_is_logged_with_the_name_of_its_unit(
    banks: Any, stored: Any, server: Any, failure: Any, caplog: pytest.LogCaptureFixture
) -> None:
    times, how, text = failure
    with server(["abortTransaction"], times, how):
        await roll_back(banks())
    [record] = [record for record in caplog.records if record.name == "boundwork.unit"]
    assert record.levelno == logging.WARNING
    assert f"Bank: {text}what it has locked may stay locked" in record.message


async def test_an_abort_that_succeeds_in_the_end_is_not(
    banks: Any, stored: Any, server: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with server(["abortTransaction"], 1, {"closeConnection": True}):
        await roll_back(banks())
    with server(["update"], 1, {"errorCode": 251}):  # there is nothing to abort then
        await roll_back_after_a_failure(banks())
    assert [record for record in caplog.records if record.name == "boundwork.unit"] == []


async def roll_back_after_a_failure(bank: Any) -> None:
    with pytest.raises(Exception, match="code 251"):
        async with bank as uow:
            (await uow.accounts.get(1)).balance = 7
