"""Hooks: what a program wants done before a commit and after an outcome, in both colours."""

import logging
from typing import Any

import pytest

from boundwork import InvalidDocument, NestedUnitOfWork, UnitClosed
from tests.contract.colours import define
from tests.contract.hooking import hook, ids
from tests.contract.shop import Account, Customer, Order


async def test_hooks_run_after_the_outcome_in_the_order_of_their_registration(shop: Any) -> None:
    done: list[str] = []
    async with shop as uow:
        uow.on_commit(lambda: done.append("first"))
        uow.on_rollback(lambda: done.append("never"))
        shop.on_commit(lambda: done.append(f"second, {uow.receipt.inserted} inserted"))
        uow.before_commit(lambda: done.append("before"))
        uow.accounts.add(Account(id=1))
        assert done == []
    assert done == ["before", "first", "second, 1 inserted"]
    assert uow.receipt.failed_hooks == ()


async def test_after_a_rollback_only_its_hooks_run_and_the_objects_are_rewound_by_then(shop: Any) -> None:
    async with shop as uow:
        account = uow.accounts.add(Account(id=1))
    done: list[int] = []
    with pytest.raises(ZeroDivisionError):
        async with shop as uow:
            account = await uow.accounts.get(1)
            account.balance = 7
            uow.before_commit(lambda: done.append(-1))
            uow.on_commit(lambda: done.append(-2))
            uow.on_rollback(lambda: done.append(account.balance))
            raise ZeroDivisionError
    assert done == [0]


async def test_hooks_run_also_where_nothing_was_done(shop: Any) -> None:
    done: list[str] = []
    async with shop as uow:
        uow.on_commit(lambda: done.append("committed"))
    assert done == ["committed"]
    assert uow.receipt.commands == 0


async def test_hooks_of_a_failed_nested_unit_are_dropped(shop: Any) -> None:
    done: list[str] = []
    async with shop as uow:
        uow.on_commit(lambda: done.append("outer"))
        with pytest.raises(ZeroDivisionError):
            async with uow:
                uow.on_commit(lambda: done.append("failed"))
                uow.on_rollback(lambda: done.append("failed"))
                uow.before_commit(lambda: done.append("failed"))
                raise ZeroDivisionError
        async with shop:
            uow.on_commit(lambda: done.append("inner"))
        uow.accounts.add(Account(id=1))
        assert done == []
    assert done == ["outer", "inner"]


async def test_hooks_belong_to_the_transaction_that_they_were_registered_in(shop: Any) -> None:
    done: list[str] = []
    async with shop as uow:
        uow.before_commit(lambda: done.append("before 1"))
        uow.on_commit(lambda: done.append("committed 1"))
        uow.on_rollback(lambda: done.append("rolled back 1"))
        uow.accounts.add(Account(id=1))
        await uow.commit()
        assert done == ["before 1", "committed 1"]
        uow.on_commit(lambda: done.append("committed 2"))
        uow.on_rollback(lambda: done.append("rolled back 2"))
        uow.accounts.add(Account(id=2))
        await uow.rollback()
        uow.on_commit(lambda: done.append("committed 3"))
    assert done == ["before 1", "committed 1", "rolled back 2", "committed 3"]
    assert await ids(shop) == [1]


async def test_a_hook_may_open_a_unit_of_the_same_definition(shop: Any) -> None:
    async with shop as uow:

        async def audit() -> None:
            async with shop as own:
                assert own.core is not uow.core
                own.accounts.add(Account(id=await own.accounts.count() + 100))

        uow.accounts.add(Account(id=1))
        uow.on_commit(hook(uow, audit))
        await uow.commit()
        assert await uow.accounts.count() == 2
        uow.on_commit(hook(uow, audit))
    assert await ids(shop) == [1, 101, 102]


async def test_the_unit_itself_is_refused_in_its_hooks(shop: Any) -> None:
    async with shop as uow:
        uow.on_commit(hook(uow, uow.accounts.count))
        await uow.commit()
        (failed,) = uow.receipt.failed_hooks
        assert isinstance(failed.error, NestedUnitOfWork)
        assert "while hooks run" in str(failed.error)
        assert await uow.accounts.count() == 0
        uow.on_commit(hook(uow, uow.accounts.count))
    assert isinstance(uow.receipt.failed_hooks[1].error, UnitClosed)


async def test_a_failing_hook_changes_nothing_and_is_reported(shop: Any, caplog: pytest.LogCaptureFixture) -> None:
    done: list[str] = []

    def notify() -> None:
        raise ZeroDivisionError("no such address")

    async with shop as uow:
        uow.accounts.add(Account(id=1))
        uow.on_commit(notify)
        uow.on_commit(lambda: done.append("second"))
    assert done == ["second"]
    (failed,) = uow.receipt.failed_hooks
    assert failed.name.endswith("notify")
    assert isinstance(failed.error, ZeroDivisionError)
    (record,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert "notify" in record.getMessage()
    assert record.exc_info is not None
    assert record.exc_info[1] is failed.error
    assert await ids(shop) == [1]


async def test_a_failing_hook_after_a_rollback_does_not_hide_the_error_of_the_body(shop: Any) -> None:
    def notify() -> None:
        raise OSError

    units: list[Any] = []
    with pytest.raises(ZeroDivisionError):
        async with shop as uow:
            units.append(uow)
            uow.on_rollback(notify)
            raise ZeroDivisionError
    assert [type(failed.error) for failed in units[0].receipt.failed_hooks] == [OSError]


async def test_an_interruption_of_a_hook_goes_on_and_the_outcome_is_not_lost(shop: Any) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    done: list[str] = []
    units: list[Any] = []
    with pytest.raises(KeyboardInterrupt):
        async with shop as uow:
            units.append(uow)
            uow.accounts.add(Account(id=1))
            uow.on_commit(interrupted)
            uow.on_commit(lambda: done.append("later"))
    assert done == []
    receipt = units[0].receipt
    assert [type(failed.error) for failed in receipt.failed_hooks] == [KeyboardInterrupt] * 2
    assert (receipt.inserted, receipt.commits) == (1, 1)
    assert not units[0].core.is_open
    assert await ids(shop) == [1]


async def test_a_unit_goes_on_after_an_interruption_of_its_hooks(shop: Any) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    async with shop as uow:
        uow.accounts.add(Account(id=1))
        uow.on_commit(interrupted)
        with pytest.raises(KeyboardInterrupt):
            await uow.commit()
        uow.accounts.add(Account(id=2))
    assert await ids(shop) == [1, 2]


async def test_a_failed_flush_is_a_rollback(shop: Any) -> None:
    done: list[str] = []
    with pytest.raises(InvalidDocument):
        async with shop as uow:
            uow.on_commit(lambda: done.append("committed"))
            uow.on_rollback(lambda: done.append("rolled back"))
            order = uow.orders.add(Order(number="1"))
            order.number = 1
    assert done == ["rolled back"]


async def test_each_run_of_a_body_has_its_own_hooks(shop: Any, database: Any, colour: str) -> None:
    rival = define(colour, database, accounts=Account)
    async with shop as uow:
        uow.accounts.add(Account(id=1))
    done: list[str] = []

    async def deposit(uow: Any) -> None:
        run = f"run {uow.receipt.attempts}"
        uow.on_commit(lambda: done.append(f"{run} committed"))
        uow.on_rollback(lambda: done.append(f"{run} rolled back"))
        account = await uow.accounts.get(1)
        if run == "run 1":
            async with rival.independent() as other:
                (await other.accounts.get(1)).balance = 100
        account.balance += 1

    await shop.run(deposit)
    assert done == ["run 1 rolled back", "run 2 committed"]


async def test_hooks_of_an_independent_unit_follow_its_own_outcome(shop: Any, database: Any, colour: str) -> None:
    audit = define(colour, database, customers=Customer)
    done: list[str] = []
    with pytest.raises(ZeroDivisionError):
        async with shop as uow:
            uow.on_rollback(lambda: done.append("outer rolled back"))
            async with audit.independent() as log:
                log.customers.add(Customer(id="ann", name="Ann"))
                log.on_commit(lambda: done.append("inner committed"))
            assert done == ["inner committed"]
            assert await uow.customers.count() == 1
            raise ZeroDivisionError
    assert done == ["inner committed", "outer rolled back"]


async def test_a_hook_is_registered_on_an_open_unit(shop: Any) -> None:
    async with shop as uow:
        pass
    with pytest.raises(UnitClosed):
        uow.on_commit(print)


async def test_what_cannot_be_called_is_no_hook(shop: Any) -> None:
    async with shop as uow:
        with pytest.raises(TypeError, match=r"on_commit\(\) takes a function"):
            uow.on_commit("notify")


async def test_a_coroutine_function_is_awaited_in_the_asynchronous_colour_only(shop: Any, colour: str) -> None:
    done: list[str] = []

    async def notify() -> None:
        done.append("notified")

    async with shop as uow:
        if colour == "sync":
            with pytest.raises(TypeError, match="nobody would await it"):
                uow.on_commit(notify)
        else:
            uow.on_commit(notify)
        uow.on_commit(lambda: notify())  # noqa: PLW0108 - a plain function that returns a coroutine
    if colour == "sync":
        assert [type(failed.error) for failed in uow.receipt.failed_hooks] == [TypeError]
    assert done == ([] if colour == "sync" else ["notified", "notified"])
