"""Nested units: savepoints that undo their own part, and nothing else."""

from typing import Any

import pytest

from boundwork import DuplicateKey, NestedUnitOfWork, UnitDoomed
from tests.contract.colours import define
from tests.contract.shop import Account, Customer, Line, Order


@pytest.fixture
async def order(shop: Any) -> Any:
    async with shop as uow:
        return uow.orders.add(Order(number="A-1", lines=[Line(sku="x")], notes={"a": "1"}))


async def _fail_inside(shop: Any, work: Any) -> None:
    with pytest.raises(ZeroDivisionError):
        async with shop as inner:
            await work(inner)
            raise ZeroDivisionError


@pytest.mark.parametrize("flushed_outside", [False, True])
@pytest.mark.parametrize("flushed_inside", [False, True])
async def test_a_failed_nested_unit_undoes_its_part_only(
    shop: Any, order: Any, flushed_outside: bool, flushed_inside: bool
) -> None:
    async with shop as uow:
        mine = await uow.orders.get(order.id)
        mine.number = "outer"
        mine.lines.append(Line(sku="outer"))
        kept = uow.accounts.add(Account(id=1, balance=1))
        if flushed_outside:
            await uow.flush()

        async def work(inner: Any) -> None:
            mine.number = "inner"
            mine.lines[0].quantity = 9
            mine.notes.clear()
            kept.balance = 7
            inner.accounts.add(Account(id=2))
            if flushed_inside:
                await inner.flush()

        await _fail_inside(shop, work)
        assert (mine.number, [line.sku for line in mine.lines], mine.notes) == ("outer", ["x", "outer"], {"a": "1"})
        assert (mine.lines[0].quantity, kept.balance) == (1, 1)
        assert await uow.accounts.find_by_id(2) is None
        mine.notes["after"] = "2"
    async with shop as uow:
        mine = await uow.orders.get(order.id)
        assert (mine.number, mine.notes) == ("outer", {"a": "1", "after": "2"})
        assert [line.sku for line in mine.lines] == ["x", "outer"]
        assert mine.lines[0].quantity == 1
        assert [account.id for account in await uow.accounts.find().to_list()] == [1]
        assert (await uow.accounts.get(1)).balance == 1


async def test_a_nested_unit_that_ends_well_is_part_of_the_outer_one(shop: Any, order: Any) -> None:
    async with shop as uow:
        async with uow as inner:
            assert inner.core is uow.core
            (await inner.orders.get(order.id)).number = "inner"
        async with shop:
            uow.accounts.add(Account(id=1))
    assert uow.receipt.commits == 1
    async with shop as uow:
        assert (await uow.orders.get(order.id)).number == "inner"
        assert await uow.accounts.count() == 1


async def test_if_the_outer_unit_fails_the_nested_part_is_gone_too(shop: Any, order: Any) -> None:
    with pytest.raises(ZeroDivisionError):
        async with shop as uow:
            async with uow:
                uow.accounts.add(Account(id=1))
                await uow.flush()
            raise ZeroDivisionError
    async with shop as uow:
        assert await uow.accounts.count() == 0


async def test_nested_units_nest(shop: Any, order: Any) -> None:
    async with shop as uow:
        account = uow.accounts.add(Account(id=1, balance=1))

        async def middle(inner: Any) -> None:
            account.balance = 2

            async def innermost(deepest: Any) -> None:
                account.balance = 3
                deepest.accounts.add(Account(id=3))
                await deepest.flush()

            await _fail_inside(inner, innermost)
            assert account.balance == 2
            inner.accounts.add(Account(id=2))
            await inner.flush()

        await _fail_inside(uow, middle)
        assert account.balance == 1
    async with shop as uow:
        assert [account.id for account in await uow.accounts.find().to_list()] == [1]


async def test_a_removal_inside_is_taken_back(shop: Any, order: Any) -> None:
    async with shop as uow:
        mine = await uow.orders.get(order.id)

        async def work(inner: Any) -> None:
            inner.orders.remove(mine)
            await inner.flush()
            assert await inner.orders.find_by_id(order.id) is None

        await _fail_inside(shop, work)
        assert await uow.orders.get(order.id) is mine
        mine.number = "still here"
    async with shop as uow:
        assert (await uow.orders.get(order.id)).number == "still here"


async def test_a_duplicate_met_inside_leaves_the_outer_unit_working(shop: Any) -> None:
    async with shop as uow:
        uow.accounts.add(Account(id=1, balance=1))
    async with shop as uow:
        uow.customers.add(Customer(id="ann", name="Ann"))
        await uow.flush()
        with pytest.raises(DuplicateKey):
            async with uow as inner:
                inner.accounts.add(Account(id=1, balance=5))
                await inner.flush()
        uow.customers.add(Customer(id="bob", name="Bob"))
    async with shop as uow:
        assert await uow.customers.count() == 2
        assert (await uow.accounts.get(1)).balance == 1


async def test_a_swallowed_error_inside_is_raised_at_the_end_of_the_nested_unit(shop: Any) -> None:
    async with shop as uow:
        uow.accounts.add(Account(id=1))
    async with shop as uow:
        uow.accounts.add(Account(id=2))
        with pytest.raises(UnitDoomed):
            async with uow as inner:
                inner.accounts.add(Account(id=1))
                with pytest.raises(DuplicateKey):
                    await inner.flush()
    async with shop as uow:
        assert await uow.accounts.count() == 2


async def test_a_nested_unit_that_saw_its_own_writes_cannot_be_undone_alone(shop: Any) -> None:
    with pytest.raises(UnitDoomed):
        async with shop as uow:
            uow.accounts.add(Account(id=1))

            async def work(inner: Any) -> None:
                inner.accounts.add(Account(id=2))
                assert await inner.accounts.count() == 2

            await _fail_inside(shop, work)
            await uow.accounts.count()
    async with shop as uow:
        assert await uow.accounts.count() == 0


async def test_a_read_before_the_writes_of_a_nested_unit_is_no_hindrance(shop: Any, order: Any) -> None:
    async with shop as uow:

        async def work(inner: Any) -> None:
            assert await inner.accounts.count() == 0
            inner.accounts.add(Account(id=2))
            await inner.flush()
            await inner.orders.get(order.id)

        await _fail_inside(shop, work)
        assert await uow.accounts.count() == 0
        uow.accounts.add(Account(id=1))
    async with shop as uow:
        assert await uow.accounts.count() == 1


async def test_commit_and_rollback_are_refused_inside(shop: Any) -> None:
    async with shop as uow:
        async with uow:
            with pytest.raises(NestedUnitOfWork, match=r"commit\(\)"):
                await uow.commit()
            with pytest.raises(NestedUnitOfWork, match=r"rollback\(\)"):
                await uow.rollback()
        uow.accounts.add(Account(id=1))
    async with shop as uow:
        assert await uow.accounts.count() == 1


async def test_attempts_and_held_units_are_refused_inside(shop: Any) -> None:
    async with shop as uow:
        for attempt in uow.attempts():
            with pytest.raises(NestedUnitOfWork, match="Use it outside"):
                async with attempt:
                    pass
        with pytest.raises(NestedUnitOfWork, match="Use it outside"):
            async with shop.unit():
                pass


async def test_another_definition_is_refused_inside(database: Any, colour: str, shop: Any) -> None:
    other = define(colour, database, customers=Customer)
    async with shop:
        with pytest.raises(NestedUnitOfWork, match=r"independent\(\)"):
            async with other:
                pass


async def test_an_independent_unit_has_its_own_fate_and_the_outer_one_waits(
    database: Any, colour: str, shop: Any, order: Any
) -> None:
    audit = define(colour, database, customers=Customer)
    with pytest.raises(ZeroDivisionError):
        async with shop as uow:
            mine = await uow.orders.get(order.id)
            async with audit.independent() as log:
                log.customers.add(Customer(id="seen", name="seen"))
                with pytest.raises(NestedUnitOfWork, match="independent unit"):
                    await uow.orders.count()
            mine.number = "lost"
            await uow.flush()
            raise ZeroDivisionError
    async with shop as uow:
        assert (await uow.orders.get(order.id)).number == "A-1"
        assert (await uow.customers.get("seen")).name == "seen"


async def test_independent_units_nest_and_each_outer_one_waits_for_its_own(
    database: Any, colour: str, shop: Any, order: Any
) -> None:
    audit = define(colour, database, customers=Customer)
    async with shop as uow:
        async with audit.independent() as first:
            async with audit.independent() as second:
                second.customers.add(Customer(id="second", name="second"))
                with pytest.raises(NestedUnitOfWork):
                    await first.customers.count()
            with pytest.raises(NestedUnitOfWork):
                await uow.orders.count()
            first.customers.add(Customer(id="first", name="first"))
        assert await uow.orders.count() == 1
    async with shop as uow:
        assert await uow.customers.count() == 2


async def test_the_error_that_leaves_a_nested_unit_says_that_it_dooms_the_whole_one(
    shop: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(UnitDoomed, match="wrote nothing;") as doomed:
        async with shop as uow:
            with pytest.raises(ZeroDivisionError) as caught:
                async with uow:
                    uow.accounts.add(Account(id=1))
                    assert await uow.accounts.count() == 1
                    raise ZeroDivisionError
            assert len(caught.value.__notes__) == 1
            assert "is doomed by this" in caught.value.__notes__[0]
            assert "read what it had written itself" in caught.value.__notes__[0]
            assert "doomed" in caplog.text
            await uow.accounts.count()
    assert "read what it had written itself" in str(doomed.value.__cause__)


async def test_a_nested_unit_that_is_undone_alone_leaves_no_note(shop: Any) -> None:
    async with shop as uow:
        with pytest.raises(ZeroDivisionError) as caught:
            async with uow:
                uow.accounts.add(Account(id=1))
                await uow.flush()
                raise ZeroDivisionError
        assert not hasattr(caught.value, "__notes__")
        assert await uow.accounts.count() == 0


async def test_the_errors_of_a_unit_that_committed_before_say_what_stays(shop: Any) -> None:
    with pytest.raises(UnitDoomed, match="wrote nothing since its last commit") as doomed:
        async with shop as uow:
            uow.customers.add(Customer(id="a", name="A"))
            await uow.commit()
            async with shop.independent() as other:
                other.customers.add(Customer(id="b", name="B"))
            uow.customers.add_all([Customer(id="b", name="B"), Customer(id="c", name="C")])
            with pytest.raises(DuplicateKey) as caught:
                await uow.flush()
            assert any("committed before" in note for note in caught.value.__notes__)
            await uow.customers.count()
    assert isinstance(doomed.value.__cause__, DuplicateKey)
    async with shop as uow:
        assert sorted([customer.id for customer in await uow.customers.find().to_list()]) == ["a", "b"]
