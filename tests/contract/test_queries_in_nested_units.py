"""A query in a nested unit sends what the outer unit had pending: that belongs to the outer one, whatever comes after."""

from contextlib import nullcontext
from typing import Any

import pytest

from boundwork import UnitDoomed, in_
from tests.contract.shop import Account, Line, Order, Status


async def test_the_pending_work_of_the_outer_unit_that_a_query_inside_sent_stays(shop: Any) -> None:
    async with shop as uow:
        old = uow.orders.add(Order(number="old", lines=[Line(sku="x")]))
        gone = uow.accounts.add(Account(id=9))
    async with shop as uow:
        order = await uow.orders.get(old.id)
        order.lines[0].quantity = 2
        uow.accounts.remove(await uow.accounts.get(gone.id))
        kept = uow.accounts.add(Account(id=1, balance=1))
        with pytest.raises(ZeroDivisionError):
            async with uow as inner:
                assert await inner.accounts.count() == 1
                order.lines[0].quantity = 3
                order.number = "inner"
                kept.balance = 7
                inner.accounts.add(Account(id=2))
                raise ZeroDivisionError
        assert (order.number, order.lines[0].quantity, kept.balance) == ("old", 2, 1)
        assert [account.id for account in await uow.accounts.find().to_list()] == [1]
    async with shop as uow:
        order = await uow.orders.get(old.id)
        assert (order.number, order.lines[0].quantity) == ("old", 2)
        assert [(account.id, account.balance) for account in await uow.accounts.find().to_list()] == [(1, 1)]


async def test_it_stays_as_well_where_the_nested_unit_has_sent_something_since(shop: Any) -> None:
    async with shop as uow:
        kept = uow.accounts.add(Account(id=1, balance=1))
        with pytest.raises(ZeroDivisionError):
            async with uow as inner:
                assert await inner.accounts.count() == 1
                kept.balance = 7
                inner.accounts.add(Account(id=2))
                await inner.flush()
                raise ZeroDivisionError
        assert kept.balance == 1
    async with shop as uow:
        assert [(account.id, account.balance) for account in await uow.accounts.find().to_list()] == [(1, 1)]


async def test_rows_of_an_import_are_taken_or_left_one_by_one(shop: Any) -> None:
    async def take(inner: Any, number: int) -> None:
        balances = [account.balance for account in await inner.accounts.find().to_list()]
        inner.accounts.add(Account(id=10 + len(balances), balance=number))
        if number in balances or number < 0:
            raise ValueError

    left: list[int] = []
    async with shop as uow:
        for number in (1, 2, 2, -1, 3):
            try:
                async with shop as inner:
                    await take(inner, number)
            except ValueError:
                left.append(number)
    assert left == [2, -1]
    async with shop as uow:
        assert sorted(account.balance for account in await uow.accounts.find().to_list()) == [1, 2, 3]


async def test_of_units_nested_in_each_other_the_one_that_had_changed_something_is_not_undone_alone(shop: Any) -> None:
    with pytest.raises(UnitDoomed):
        async with shop as uow:
            uow.accounts.add(Account(id=1))
            with pytest.raises(ZeroDivisionError):
                async with uow as middle:
                    middle.accounts.add(Account(id=2))
                    with pytest.raises(ZeroDivisionError):
                        async with middle as innermost:
                            assert await innermost.accounts.count() == 2
                            innermost.accounts.add(Account(id=3))
                            raise ZeroDivisionError
                    assert await middle.accounts.count() == 2
                    raise ZeroDivisionError
    async with shop as uow:
        assert await uow.accounts.count() == 0


@pytest.mark.parametrize("change", ["private", "list", "field"])
async def test_a_query_after_a_change_inside_has_seen_it(shop: Any, change: str) -> None:
    order = Order(number="old", lines=[Line(sku="x")])
    with pytest.raises(UnitDoomed):
        async with shop as uow:
            uow.orders.add(order)
            await uow.flush()
            order.status = Status.SHIPPED
            with pytest.raises(ZeroDivisionError):
                async with uow as inner:
                    if change == "private":
                        order._seen = 1
                    elif change == "list":
                        order.lines.append(Line(sku="y"))
                    else:
                        order.number = "new"
                    assert await inner.orders.count() == 1
                    raise ZeroDivisionError
            assert (order.number, order._seen, len(order.lines), order.status) == ("old", 0, 1, Status.SHIPPED)


async def test_reading_by_ids_what_the_nested_unit_has_not_written_does_no_harm(shop: Any) -> None:
    async with shop as uow:
        uow.accounts.add_all([Account(id=number, balance=number) for number in (1, 2, 3)])
    async with shop as uow:
        first, second = await uow.accounts.get_many([1, 2])
        await uow.commit()
        with pytest.raises(ZeroDivisionError):
            async with uow as inner:
                first.balance = 10
                await inner.flush()
                second.balance = 20  # not read since the commit, so the flush compares it
                await inner.flush()
                assert [account.id for account in await inner.accounts.get_many([2, 3])] == [2, 3]
                raise ZeroDivisionError
        assert (first.balance, second.balance) == (1, 2)
        second.balance = 21
    async with shop as uow:
        assert [account.balance for account in await uow.accounts.find().sort("_id").to_list()] == [1, 21, 3]


@pytest.mark.parametrize(("ids", "doomed"), [([2, 3], False), ([1, 2], True)])
async def test_a_query_by_ids_may_name_what_the_nested_unit_has_not_written(
    shop: Any, ids: list[int], doomed: bool
) -> None:
    async with shop as uow:
        uow.accounts.add_all([Account(id=number) for number in (1, 2, 3)])
    with pytest.raises(UnitDoomed) if doomed else nullcontext():
        async with shop as uow:
            first = await uow.accounts.get(1)
            with pytest.raises(ZeroDivisionError):
                async with uow as inner:
                    first.balance = 10
                    assert len(await inner.accounts.find(in_(Account.id, ids)).to_list()) == 2
                    raise ZeroDivisionError
            uow.accounts.add(Account(id=4))
    async with shop as uow:
        assert await uow.accounts.count() == (3 if doomed else 4)
        assert (await uow.accounts.get(1)).balance == 0
