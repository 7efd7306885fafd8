"""Operations on one document: the first that matches is changed and returned, or another one is inserted."""

from decimal import Decimal
from typing import Any

import pytest

from boundwork import (
    DuplicateKey,
    InvalidDocument,
    NotInUnit,
    desc,
    inc,
    set_,
)
from boundwork.models.expressions import Change
from tests.backends import Backend
from tests.contract.accounts import balances
from tests.contract.shop import Account, Line, Order


async def test_find_and_update_returns_the_object_of_the_unit_as_it_is_after(shop: Any, accounts: None) -> None:
    async with shop as uow:
        known = await uow.accounts.get(5)
        taken = await uow.accounts.find_and_update(
            Account.balance > 0, inc(Account.balance, 1000), sort=desc(Account.balance)
        )
        assert taken is known
        assert taken.balance == 1050
        fresh = await uow.accounts.find_and_update(Account.id == 1, inc(Account.balance, 1), sort=[Account.balance])
        assert fresh.balance == 11
        assert await uow.accounts.get(1) is fresh
        fresh.balance += 1
        assert await uow.accounts.find_and_update(Account.id == 99, inc(Account.balance, 1)) is None
    assert await balances(shop) == {1: 12, 2: 20, 3: 30, 4: 40, 5: 1050}
    assert uow.receipt.updated == 3


async def test_find_and_update_can_return_what_was_before(shop: Any, accounts: None) -> None:
    async with shop as uow:
        known = await uow.accounts.get(1)
        before = await uow.accounts.find_and_update(Account.id == 1, inc(Account.balance, 1), before=True)
        assert (before.balance, known.balance) == (10, 11)
        assert before is not known
        before.balance = 99
        other = await uow.accounts.find_and_update(Account.id == 2, inc(Account.balance, 1), before=True)
        assert other.balance == 20
        assert (await uow.accounts.get(2)).balance == 21
        with pytest.raises(NotInUnit):
            uow.accounts.remove(other)
    assert (await balances(shop))[1] == 11


async def test_what_find_and_update_returned_is_rewound_to_what_was_before(shop: Any, accounts: None) -> None:
    known: Any = None
    fresh: Any = None
    with pytest.raises(ZeroDivisionError):
        async with shop as uow:
            known = await uow.accounts.get(1)
            known = await uow.accounts.find_and_update(Account.id == 1, inc(Account.balance, 1))
            fresh = await uow.accounts.find_and_update(Account.id == 2, inc(Account.balance, 1))
            assert (known.balance, fresh.balance) == (11, 21)
            raise ZeroDivisionError
    assert (known.balance, fresh.balance) == (10, 20)


async def test_upsert_changes_what_is_there_or_inserts_what_is_given(shop: Any) -> None:
    async with shop as uow:
        new = Account(id=1, balance=1)
        first = await uow.accounts.upsert(Account.id == 1, inc(Account.balance, 1), on_insert=new)
        assert first is new
        assert first.balance == 1
        unused = Account(id=1, balance=1)
        again = await uow.accounts.upsert(Account.id == 1, inc(Account.balance, 1), on_insert=unused)
        assert again is first
        assert first.balance == 2
        first.balance += 10
    assert await balances(shop) == {1: 12}
    assert (uow.receipt.inserted, uow.receipt.updated) == (1, 1 + 1)
    async with shop as uow:
        uow.accounts.add(unused)
        uow.accounts.remove(unused)
        found = await uow.accounts.upsert(Account.id == 1, inc(Account.balance, 1), on_insert=Account(id=5))
        assert (found.id, found.balance) == (1, 13)


async def test_a_rollback_makes_an_upserted_document_new_again(shop: Any) -> None:
    new = Order(number="1", lines=[Line(sku="x")])
    with pytest.raises(ZeroDivisionError):
        async with shop as uow:
            await uow.orders.upsert(Order.number == "1", set_(Order.total, Decimal(1)), on_insert=new)
            new.lines.append(Line(sku="y"))
            await uow.orders.upsert(Order.number == "1", set_(Order.total, Decimal(1)), on_insert=Order(number="1"))
            assert new.total == 1
            raise ZeroDivisionError
    assert (new.total, len(new.lines)) == (Decimal(0), 1)
    async with shop as uow:
        assert await uow.orders.upsert(Order.number == "1", set_(Order.total, Decimal(1)), on_insert=new) is new
    async with shop as uow:
        assert await uow.orders.count() == 1


async def test_upsert_validates_the_whole_document_and_refuses_one_of_the_unit(shop: Any) -> None:
    async with shop as uow:
        wrong: Any = Order(number="1")
        wrong.number = 5
        with pytest.raises(InvalidDocument, match="number"):
            await uow.orders.upsert(Order.number == "1", set_(Order.total, Decimal(1)), on_insert=wrong)
        with pytest.raises(TypeError, match="was given Account"):
            await uow.orders.upsert(Order.number == "1", set_(Order.total, Decimal(1)), on_insert=Account(id=1))
        mine = uow.orders.add(Order(number="2"))
        with pytest.raises(NotInUnit, match="on_insert"):
            await uow.orders.upsert(Order.number == "1", set_(Order.total, Decimal(1)), on_insert=mine)
    async with shop as uow:
        assert [order.number for order in await uow.orders.find().to_list()] == ["2"]


async def test_a_duplicate_key_of_a_change_or_an_upsert_is_told(
    shop: Any, accounts: None, backend: Backend, database_name: str
) -> None:
    unique = backend.sync_database(database_name)
    if backend.name == "memory":
        unique.create_unique_index("accounts", "balance")
    else:
        unique["accounts"].create_index("balance", unique=True)
    for change in (set_(Account.balance, 7), set_(Account.balance, 20)):
        with pytest.raises(DuplicateKey, match="balance") as taken:
            async with shop as uow:
                await uow.accounts.find().update(change)
        assert (taken.value.collection, taken.value.fields) == ("accounts", ("balance",))
    with pytest.raises(DuplicateKey, match="balance"):
        async with shop as uow:
            await uow.accounts.find_and_update(Account.id == 1, set_(Account.balance, 20))
    new = Account(id=9, balance=20)
    with pytest.raises(DuplicateKey) as taken:
        async with shop as uow:
            await uow.accounts.upsert(Account.id == 9, inc(Account.balance, 0), on_insert=new)
    assert taken.value.id == 9
    assert await balances(shop) == {1: 10, 2: 20, 3: 30, 4: 40, 5: 50}
    async with shop as uow:
        uow.accounts.add(new).balance = 90
    assert (await balances(shop))[9] == 90


CHANGES: list[Change] = [inc(Account.balance, 1), set_(Account.balance, 7)]
