"""Operations on all documents that match: what they count, and what becomes of the objects of the unit."""

import asyncio
from decimal import Decimal
from typing import Any

import pytest

from boundwork import (
    BoundworkError,
    Document,
    DuplicateKey,
    Embedded,
    InvalidDocument,
    NotInUnit,
    StaleDocument,
    TransactionFailed,
    UnitDoomed,
    any_of,
    desc,
    each,
    in_,
    inc,
    push,
    set_,
)
from boundwork.models.expressions import Change
from tests.backends import Backend
from tests.contract.colours import define
from tests.contract.rivals import Rival, elsewhere
from tests.contract.shop import Account, Card, Cash, Customer, Line, Order, Payment, Status


@pytest.fixture
async def accounts(shop: Any) -> None:
    async with shop as uow:
        uow.accounts.add_all([Account(id=number, balance=number * 10) for number in range(1, 6)])
        uow.customers.add(Customer(id="ann", name="Ann"))


async def balances(shop: Any) -> dict[int, int]:
    async with shop as uow:
        return {account.id: account.balance for account in await uow.accounts.find().to_list()}


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
    with pytest.raises(StaleDocument):
        async with shop as uow:
            gone = await uow.accounts.get(1)
            await uow.accounts.find().delete()
            gone.balance = 5
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


async def test_as_the_first_word_an_operation_waits_for_a_rival_and_sees_what_it_committed(
    shop: Any, colour: str, accounts: None
) -> None:
    async def update(uow: Any) -> int:
        return int((await uow.accounts.update_where(Account.id == 1, inc(Account.balance, 1))).modified)

    async def delete(uow: Any) -> int:
        return int(await uow.accounts.delete_where(Account.id == 1, Account.balance > 100))

    async def claim(uow: Any) -> int:
        found = await uow.accounts.find_and_update(Account.id == 1, inc(Account.balance, 1))
        return int(found.balance)

    for work, result, after in ((update, 1, 111), (claim, 212, 212), (delete, 1, None)):
        rival = Rival(shop, colour)
        await rival.start()
        rival.end_soon(commits=True)
        async with shop as uow:
            assert await work(uow) == result
        await rival.finish(commits=True)
        assert uow.receipt.replays > 0
        assert (await balances(shop)).get(1) == after


async def test_an_upsert_finds_what_a_rival_has_inserted_meanwhile(shop: Any, colour: str, accounts: None) -> None:
    async def insert(uow: Any) -> None:
        uow.accounts.add(Account(id=9, balance=100))

    rival = Rival(shop, colour, insert)
    await rival.start()
    rival.end_soon(commits=True)
    async with shop as uow:
        mine = Account(id=9, balance=1)
        found = await uow.accounts.upsert(Account.id == 9, inc(Account.balance, 1), on_insert=mine)
        assert found is not mine
        assert found.balance == 101
    await rival.finish(commits=True)
    assert (await balances(shop))[9] == 101
    assert mine.balance == 1


async def test_a_unit_repeats_its_operations_and_compares_what_they_counted(
    shop: Any, colour: str, accounts: None
) -> None:
    rival = Rival(shop, colour)
    await rival.start()
    bodies = 0
    async with shop as uow:
        bodies += 1
        assert (await uow.accounts.update_where(Account.balance > 20, inc(Account.balance, 1))).modified == 3
        taken = await uow.accounts.find_and_update(Account.id == 2, inc(Account.balance, 1))
        assert await uow.accounts.delete_where(Account.id == 5) == 1
        await uow.accounts.upsert(Account.id == 9, inc(Account.balance, 1), on_insert=Account(id=9))
        rival.end_soon(commits=False)
        (await uow.accounts.get(1)).balance += 1
    await rival.finish(commits=False)
    assert bodies == 1
    assert uow.receipt.replays > 0
    assert taken.balance == 21
    assert await balances(shop) == {1: 11, 2: 21, 3: 31, 4: 41, 9: 0}
    assert (uow.receipt.inserted, uow.receipt.updated, uow.receipt.removed) == (1, 3 + 1 + 1, 1)


async def test_other_documents_in_the_same_number_are_the_same_to_the_body(
    shop: Any, colour: str, accounts: None
) -> None:
    """The rival commits, so that other documents match; the body, which saw the count only, could not tell."""

    async def swap(uow: Any) -> None:
        (await uow.accounts.get(2)).balance = 100
        (await uow.accounts.get(5)).balance = 0
        (await uow.accounts.get(1)).balance = 0

    rival = Rival(shop, colour, swap)
    await rival.start()
    async with shop as uow:
        assert await uow.accounts.count() == 5
        rival.end_soon(commits=True)
        result = await uow.accounts.update_where(Account.balance > 30, inc(Account.balance, 1))
        assert result.modified == 2
    await rival.finish(commits=True)
    assert await balances(shop) == {1: 0, 2: 101, 3: 30, 4: 41, 5: 0}


@pytest.mark.parametrize("word", ["update", "delete", "claim", "upsert"])
async def test_a_unit_whose_operation_would_count_otherwise_is_stale(
    shop: Any, colour: str, accounts: None, word: str
) -> None:
    async def rival_work(uow: Any) -> None:
        (await uow.accounts.get(1)).balance += 100

    async def rival() -> None:
        async with shop as uow:
            (await uow.accounts.get(3)).balance = 0
            (await uow.accounts.get(4)).balance = 0
            uow.accounts.add(Account(id=9))

    blocker = Rival(shop, colour, rival_work)
    with pytest.raises(StaleDocument):
        async with shop as uow:
            if word == "update":
                assert (await uow.accounts.update_where(Account.balance > 45, inc(Account.balance, 1))).matched == 1
                await uow.accounts.update_where(Account.balance == 0, inc(Account.balance, 1))
            elif word == "delete":
                assert await uow.accounts.delete_where(Account.balance == 0) == 0
            elif word == "claim":
                await uow.accounts.find_and_update(Account.balance == 0, inc(Account.balance, 1))
            else:
                await uow.accounts.upsert(Account.balance == 0, inc(Account.balance, 1), on_insert=Account(id=8))
            await elsewhere(colour, rival)
            await blocker.start()
            blocker.end_soon(commits=False)
            await uow.accounts.update_where(Account.id == 1, inc(Account.balance, 1))
    await blocker.finish(commits=False)
    assert await balances(shop) == {1: 10, 2: 20, 3: 0, 4: 0, 5: 50, 9: 0}


@pytest.mark.parametrize("word", ["update", "delete", "claim"])
async def test_a_nested_unit_that_fails_after_an_operation_dooms_the_whole_unit(
    shop: Any, accounts: None, word: str
) -> None:
    account: Any = None
    with pytest.raises(UnitDoomed) as doomed:
        async with shop as uow:
            account = await uow.accounts.get(1)
            with pytest.raises(ZeroDivisionError) as failure:
                async with shop as inner:
                    if word == "update":
                        await inner.accounts.find().update(inc(Account.balance, 1))
                    elif word == "delete":
                        await inner.accounts.find().delete()
                    else:
                        await inner.accounts.find_and_update(Account.id == 1, inc(Account.balance, 1))
                    raise ZeroDivisionError
            assert any("set-based operation" in note for note in failure.value.__notes__)
            await uow.accounts.count()
    assert isinstance(doomed.value.__cause__, BoundworkError)
    assert account.balance == 10
    assert (await balances(shop))[1] == 10


async def test_a_nested_unit_that_fails_leaves_an_operation_before_it_standing(shop: Any, accounts: None) -> None:
    async with shop as uow:
        account = await uow.accounts.get(1)
        await uow.accounts.find().update(inc(Account.balance, 1))
        await uow.accounts.delete_where(Account.id == 5)
        with pytest.raises(ZeroDivisionError):
            async with shop as inner:
                account.balance = 0
                inner.accounts.add(Account(id=9))
                await inner.flush()
                raise ZeroDivisionError
        assert account.balance == 11
    assert await balances(shop) == {1: 11, 2: 21, 3: 31, 4: 41}


async def test_a_nested_unit_that_ends_well_keeps_its_operations(shop: Any, accounts: None) -> None:
    async with shop as uow:
        async with shop as inner:
            await inner.accounts.find().update(inc(Account.balance, 1))
        assert await uow.accounts.count(Account.balance == 11) == 1
    assert (await balances(shop))[1] == 11


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
