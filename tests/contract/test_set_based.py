"""Operations on all documents that match: what they count, and what becomes of the objects of the unit."""

import asyncio
from decimal import Decimal
from typing import Any

import pytest

from boundwork import (
    Document,
    Embedded,
    InvalidDocument,
    StaleDocument,
    TransactionFailed,
    UnitDoomed,
    any_of,
    each,
    in_,
    inc,
    push,
    set_,
)
from tests.backends import Backend
from tests.contract.accounts import balances
from tests.contract.colours import define
from tests.contract.shop import Account, Card, Cash, Customer, Line, Order, Payment, Status


async def test_update_changes_all_that_match_and_counts_them(shop: Any, accounts: None) -> None:
    async with shop as uow:
        result = await uow.accounts.update_where(Account.balance > 20, set_(Account.balance, 50))
        assert (result.matched, result.modified) == (3, 2)
        result = await uow.accounts.find().update(inc(Account.balance, 1))
        assert (result.matched, result.modified) == (5, 5)
        assert (await uow.accounts.update_where(Account.id == 9, inc(Account.balance, 1))).matched == 0
    assert await balances(shop) == {1: 11, 2: 21, 3: 51, 4: 51, 5: 51}
    assert (uow.receipt.inserted, uow.receipt.updated, uow.receipt.removed) == (0, 7, 0)
    assert uow.receipt.commits == 1


async def test_delete_deletes_all_that_match_and_counts_them(shop: Any, accounts: None) -> None:
    async with shop as uow:
        assert await uow.accounts.delete_where(Account.balance > 30) == 2
        assert await uow.accounts.delete_where(Account.balance > 30) == 0
    assert await balances(shop) == {1: 10, 2: 20, 3: 30}
    assert uow.receipt.removed == 2
    async with shop as uow:
        assert await uow.accounts.find().delete() == 3
    assert await balances(shop) == {}


async def test_objects_of_the_unit_have_the_new_values_at_once(shop: Any, accounts: None) -> None:
    async with shop as uow:
        first, second = await uow.accounts.get_many([1, 2])
        added = uow.accounts.add(Account(id=7, balance=7))
        await uow.accounts.update_where(in_(Account.id, [1, 7]), inc(Account.balance, 100))
        assert (first.balance, second.balance, added.balance) == (110, 20, 107)
        first.balance += 1
        assert await uow.accounts.get(1) is first
    assert (await balances(shop))[1] == 111
    assert (await balances(shop))[7] == 107


async def test_pending_changes_are_flushed_first_even_without_autoflush(database: Any, colour: str, shop: Any) -> None:
    quiet = define(colour, database, {"autoflush": False}, accounts=Account)
    async with quiet as uow:
        account = uow.accounts.add(Account(id=1, balance=1))
        gone = uow.accounts.add(Account(id=2, balance=1))
        await uow.flush()
        account.balance = 5
        uow.accounts.remove(gone)
        uow.accounts.add(Account(id=3, balance=1))
        assert (await uow.accounts.update_where(Account.balance < 9, inc(Account.balance, 1))).matched == 2
        assert account.balance == 6
        account.balance += 1
    assert await balances(shop) == {1: 7, 3: 2}


async def test_parts_that_are_held_stay_true_where_they_did_not_change(shop: Any) -> None:
    async with shop as uow:
        order = uow.orders.add(Order(number="1", lines=[Line(sku="x"), Line(sku="y")], notes={"a": "1"}))
        await uow.flush()
        notes, lines = order.notes, order.lines
        await uow.orders.find().update(push(Order.lines, Line(sku="z")), set_(Order.status, Status.SHIPPED))
        assert order.notes is notes
        assert [line.sku for line in order.lines] == ["x", "y", "z"]
        assert lines[0] is order.lines[0]
        notes["b"] = "2"
        order.lines[0].quantity = 9
    async with shop as uow:
        order = await uow.orders.find().one()
        assert (order.notes, order.lines[0].quantity, len(order.lines)) == ({"a": "1", "b": "2"}, 9, 3)
        assert order.status is Status.SHIPPED


async def test_a_rollback_rewinds_the_objects_that_an_operation_changed(shop: Any, accounts: None) -> None:
    found: list[Any] = []
    order = Order(number="1", lines=[Line(sku="x")])
    with pytest.raises(ZeroDivisionError):
        async with shop as uow:
            found += await uow.accounts.find().sort("_id").to_list()
            found.append(uow.accounts.add(Account(id=8, balance=8)))
            uow.orders.add(order)
            await uow.accounts.find().update(inc(Account.balance, 1))
            await uow.orders.find().update(set_(each(Order.lines).quantity, 7))
            await uow.accounts.delete_where(Account.id == 5)
            assert [account.balance for account in found] == [11, 21, 31, 41, 51, 9]
            raise ZeroDivisionError
    assert [account.balance for account in found] == [10, 20, 30, 40, 50, 8]
    assert order.lines[0].quantity == 1
    assert await balances(shop) == {1: 10, 2: 20, 3: 30, 4: 40, 5: 50}
    async with shop as uow:
        uow.accounts.add(found[5])
        uow.orders.add(order)
    assert (await balances(shop))[8] == 8


async def test_a_rollback_in_the_block_makes_deleted_objects_those_of_the_unit_again(shop: Any, accounts: None) -> None:
    async with shop as uow:
        account = await uow.accounts.get(1)
        await uow.accounts.update_where(Account.id == 1, inc(Account.balance, 1))
        await uow.accounts.delete_where(Account.balance > 0)
        assert await uow.accounts.find_by_id(1) is None
        await uow.rollback()
        assert account.balance == 10
        assert await uow.accounts.get(1) is account
        account.balance = 3
    assert (await balances(shop))[1] == 3


async def test_deleted_objects_are_removed_ones(shop: Any, accounts: None) -> None:
    async with shop as uow:
        first, second = await uow.accounts.get_many([1, 2])
        assert await uow.accounts.delete_where(in_(Account.id, [1, 2, 3])) == 3
        assert await uow.accounts.find_by_id(1) is None
        uow.accounts.remove(first)
        uow.accounts.add(first)
        other = uow.accounts.add(Account(id=2, balance=-2))
        assert await uow.accounts.get(2) is other
        assert second is not other
    assert await balances(shop) == {1: 10, 2: -2, 4: 40, 5: 50}
    assert (uow.receipt.inserted, uow.receipt.removed) == (2, 3)
    with pytest.raises(StaleDocument, match="deleted by an operation of this unit on all that match") as caught:
        async with shop as uow:
            gone = await uow.accounts.get(1)
            await uow.accounts.find().delete()
            gone.balance = 5
    assert (caught.value.id, caught.value.may_pass) == (1, False)
    assert (await balances(shop))[1] == 10


async def test_objects_of_before_a_commit_are_brought_up_to_date_as_well(shop: Any, accounts: None) -> None:
    async with shop as uow:
        first, second = await uow.accounts.get_many([1, 2])
        await uow.commit()
        await uow.accounts.update_where(Account.id == 1, inc(Account.balance, 1))
        assert first.balance == 11
        first.balance += 1
        assert await uow.accounts.delete_where(Account.id == 2) == 1
        assert await uow.accounts.find_by_id(2) is None
        await uow.flush()
        await uow.rollback()
        assert await uow.accounts.get(2) is second
        assert await uow.accounts.get(1) is first
        assert first.balance == 10


async def test_objects_that_do_not_match_are_left_alone(shop: Any, accounts: None) -> None:
    async with shop as uow:
        account, customer = await uow.accounts.get(1), await uow.customers.get("ann")
        before = uow.receipt, uow.core.session.commands
        await uow.accounts.update_where(Account.id == 2, inc(Account.balance, 1))
        assert uow.core.session.commands - before[1] == 2
        await uow.orders.find().update(set_(Order.number, "n"))
        assert uow.core.session.commands - before[1] == 3
        await uow.accounts.update_where(Account.id == 1, inc(Account.balance, 1))
        assert uow.core.session.commands - before[1] == 6
        assert id(customer) not in uow.core.workspace.tracker.touched
        assert account.balance == 11


async def test_a_forgotten_condition_does_not_mean_all_documents(shop: Any, accounts: None) -> None:
    async with shop as uow:
        for word in (uow.accounts.update_where, uow.accounts.find_and_update):
            with pytest.raises(TypeError, match=r"takes a condition. To mean all documents write find\(\)"):
                await word(inc(Account.balance, 1))
        with pytest.raises(TypeError, match="delete_where takes a condition"):
            await uow.accounts.delete_where()
        with pytest.raises(TypeError, match="delete_where takes a condition"):
            await uow.accounts.delete_where({})
        with pytest.raises(TypeError, match="update_where takes a condition"):
            await uow.accounts.update_where({}, inc(Account.balance, 1))
        with pytest.raises(TypeError, match="upsert takes a condition"):
            await uow.accounts.upsert(inc(Account.balance, 1), on_insert=Account(id=1))
        with pytest.raises(TypeError, match="worked out to False"):
            await uow.accounts.delete_where(False)
        with pytest.raises(ValueError, match="nothing to change"):
            await uow.accounts.update_where(Account.id == 1)
    assert len(await balances(shop)) == 5


async def test_a_part_of_a_result_cannot_be_changed(shop: Any, accounts: None) -> None:
    async with shop as uow:
        query = uow.accounts.find()
        for part, text in (
            (query.limit(1), "skip and limit"),
            (query.skip(1), "skip and limit"),
            (query.sort("balance"), "has no order"),
            (query.project(View), "leave project out"),
        ):
            with pytest.raises(ValueError, match=text):
                await part.update(inc(Account.balance, 1))
            with pytest.raises(ValueError, match=text):
                await part.delete()


class View(Embedded, frozen=True):
    balance: int


async def test_a_family_changes_only_its_own(database: Any, colour: str) -> None:
    shop = define(colour, database, payments=Payment, cards=Card, cash=Cash)
    async with shop as uow:
        uow.payments.add_all([Card(id=1, amount=1, holder="h"), Cash(id=2, amount=1), Cash(id=3, amount=1)])
        card = await uow.payments.get(1)
        assert (await uow.cash.find().update(inc(Cash.amount, 1))).matched == 2
        assert (await uow.cards.update_where(Card.holder == "h", set_(Card.holder, "i"))).matched == 1
        assert (card.amount, card.holder) == (1, "i")
        assert await uow.cash.find().delete() == 2
        assert await uow.payments.count() == 1


async def test_plain_filters_and_aliases_are_welcome(shop: Any) -> None:
    async with shop as uow:
        uow.orders.add(Order(number="A", total=Decimal(5), lines=[Line(sku="x"), Line(sku="y")]))
        line = any_of(Order.lines)
        result = await uow.orders.update_where({"number": "A"}, line.sku == "y", inc(Order.total, Decimal("0.5")))
        assert result.modified == 1
        with pytest.raises(ValueError, match="Did you mean 'number'"):
            await uow.orders.update_where({"nmber": "A"}, inc(Order.total, Decimal(1)))
        assert (await uow.orders.find().one()).total == Decimal("5.5")


async def test_what_a_change_makes_unreadable_dooms_the_unit(shop: Any, colour: str, database: Any) -> None:
    class Capped(Document[int], collection="accounts"):
        balance: int = 0

        def model_post_init(self, _: object) -> None:
            if self.balance > 10:
                raise ValueError("too much")

    capped = define(colour, database, accounts=Capped)
    async with capped as uow:
        uow.accounts.add(Capped(id=1, balance=9))
    with pytest.raises(InvalidDocument, match="accounts"):
        async with capped as uow:
            await uow.accounts.get(1)
            await uow.accounts.find().update(inc(Capped.balance, 5))
    with pytest.raises(UnitDoomed):
        async with capped as uow:
            await uow.accounts.get(1)
            with pytest.raises(InvalidDocument):
                await uow.accounts.find().update(inc(Capped.balance, 5))
    assert await balances(shop) == {1: 9}


async def test_units_that_lock_what_they_read_change_sets_as_well(database: Any, colour: str, accounts: None) -> None:
    locking = define(colour, database, {"isolation": "locked_reads"}, accounts=Account)
    async with locking as uow:
        account = await uow.accounts.get(1)
        await uow.accounts.find().update(inc(Account.balance, 1))
        taken = await uow.accounts.find_and_update(Account.id == 2, inc(Account.balance, 1))
        assert (account.balance, taken.balance) == (11, 22)
        await uow.accounts.delete_where(Account.id == 5)
    assert await balances(locking) == {1: 11, 2: 22, 3: 31, 4: 41}


async def test_operations_of_children_take_turns(database: Any, colour: str, shop: Any, accounts: None) -> None:
    serial = define(colour, database, {"concurrency": "serialize"}, accounts=Account)
    async with serial as uow:
        account = await uow.accounts.get(1)
        await asyncio.gather(
            *(uow.accounts.update_where(Account.id < 3, inc(Account.balance, 1)) for _ in range(5)),
            *(uow.accounts.find_and_update(Account.id == 1, inc(Account.balance, 1)) for _ in range(5)),
            uow.accounts.delete_where(Account.id == 5),
        )
        assert account.balance == 20
    assert await balances(shop) == {1: 20, 2: 25, 3: 30, 4: 40}


async def test_a_query_says_how_an_operation_is_carried_out(shop: Any, accounts: None, backend: Backend) -> None:
    async with shop as uow:
        query = uow.accounts.find(Account.id > 1).hint("_id_").comment("nightly").max_time(5)
        assert (await query.update(inc(Account.balance, 1))).matched == 4
        assert await query.delete() == 4
        assert (await uow.customers.find(Customer.id == "ann").update(set_(Customer.name, "Ben"))).matched == 1
    if backend.name == "memory":
        with pytest.raises(TransactionFailed, match="collation"):
            async with shop as uow:
                await uow.customers.find().collation("en").delete()
        return
    async with shop as uow:
        ann = await uow.customers.get("ann")
        result = (
            await uow.customers.find(Customer.name == "BEN")
            .collation("en", strength=2)
            .update(set_(Customer.name, "Cat"))
        )
        assert (result.matched, ann.name) == (1, "Cat")
        assert await uow.customers.find(Customer.name == "CAT").collation("en", strength=2).delete() == 1
