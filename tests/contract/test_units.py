"""Units: what is committed, what is rolled back, and what the objects are afterwards."""

import gc
from typing import Any

import pytest

from boundwork import DocumentNotFound, NoActiveUnitOfWork, UnitClosed
from tests.contract.shop import Account, Line, Order, Status


async def test_a_clean_exit_commits_and_another_unit_sees_it(shop: Any) -> None:
    async with shop as uow:
        order = uow.orders.add(Order(number="A-1", lines=[Line(sku="x")]))
    async with shop as uow:
        found = await uow.orders.get(order.id)
        assert found == order
        assert found is not order


async def test_an_exception_writes_nothing_and_reaches_the_caller(shop: Any) -> None:
    order = Order(number="A-1")
    with pytest.raises(ZeroDivisionError):
        async with shop as uow:
            uow.orders.add(order)
            await uow.flush()
            raise ZeroDivisionError
    async with shop as uow:
        assert await uow.orders.find_by_id(order.id) is None


async def test_a_changed_document_is_saved_without_being_told(shop: Any) -> None:
    async with shop as uow:
        order = uow.orders.add(Order(number="A-1", lines=[Line(sku="x")]))
    async with shop as uow:
        (await uow.orders.get(order.id)).ship()
    async with shop as uow:
        assert (await uow.orders.get(order.id)).status is Status.SHIPPED


async def test_a_removed_document_is_gone(shop: Any) -> None:
    async with shop as uow:
        order = uow.orders.add(Order(number="A-1"))
    async with shop as uow:
        uow.orders.remove(await uow.orders.get(order.id))
        assert await uow.orders.find_by_id(order.id) is None
    async with shop as uow:
        with pytest.raises(DocumentNotFound, match=str(order.id)):
            await uow.orders.get(order.id)


async def test_a_document_is_one_object_in_a_unit(shop: Any) -> None:
    async with shop as uow:
        order = uow.orders.add(Order(number="A-1"))
        assert await uow.orders.get(order.id) is order
    async with shop as uow:
        first = await uow.orders.get(order.id)
        assert await uow.orders.get(order.id) is first
        assert await uow.orders.find(Order.number == "A-1").to_list() == [first]
        assert await uow.orders.first({"number": "A-1"}) is first


async def test_a_second_get_sends_no_command(shop: Any) -> None:
    async with shop as uow:
        order = uow.orders.add(Order(number="A-1"))
    async with shop as uow:
        await uow.orders.get(order.id)
        sent = uow.core.session.commands
        await uow.orders.get(order.id)
        assert uow.core.session.commands == sent


async def test_a_unit_that_did_nothing_sends_nothing(shop: Any) -> None:
    async with shop as uow:
        pass
    assert uow.receipt.commands == 0


async def test_queries_see_what_the_unit_has_written(shop: Any) -> None:
    async with shop as uow:
        uow.orders.add(Order(number="A-1"))
        second = uow.orders.add(Order(number="A-2"))
        assert await uow.orders.count() == 2
        second.status = Status.SHIPPED
        assert await uow.orders.find(Order.status == Status.SHIPPED).to_list() == [second]
        uow.orders.remove(second)
        assert not await uow.orders.exists(Order.number == "A-2")


async def test_without_autoflush_queries_see_only_what_was_flushed(quiet_shop: Any) -> None:
    async with quiet_shop as uow:
        uow.orders.add(Order(number="A-1"))
        assert await uow.orders.count() == 0
        await uow.flush()
        assert await uow.orders.count() == 1


async def test_rollback_in_the_middle_undoes_and_the_unit_goes_on(shop: Any) -> None:
    async with shop as uow:
        kept = uow.orders.add(Order(number="kept", notes={"a": "1"}))
    async with shop as uow:
        order = await uow.orders.get(kept.id)
        lost = uow.orders.add(Order(number="lost"))
        order.number = "changed"
        order.notes["b"] = "2"
        await uow.flush()
        await uow.rollback()
        assert (order.number, order.notes) == ("kept", {"a": "1"})
        order.notes["c"] = "3"
    async with shop as uow:
        assert (await uow.orders.get(kept.id)).notes == {"a": "1", "c": "3"}
        assert await uow.orders.find_by_id(lost.id) is None


async def test_commit_in_the_middle_keeps_what_was_done_whatever_follows(shop: Any) -> None:
    order = Order(number="A-1")
    with pytest.raises(ZeroDivisionError):
        async with shop as uow:
            uow.orders.add(order)
            await uow.commit()
            order.number = "lost"
            raise ZeroDivisionError
    assert order.number == "A-1"
    async with shop as uow:
        assert (await uow.orders.get(order.id)).number == "A-1"


async def test_objects_are_what_they_were_after_a_failed_unit(shop: Any) -> None:
    async with shop as uow:
        stored = uow.orders.add(Order(number="A-1", lines=[Line(sku="x")], notes={"a": "1"}))
    new = Order(number="new")
    async with shop as uow:
        order = await uow.orders.get(stored.id)
        before = order.model_copy(deep=True)
    lines = order.lines
    again = order
    with pytest.raises(ZeroDivisionError):
        async with shop as uow:
            again = await uow.orders.get(stored.id)
            again.lines.append(Line(sku="y"))
            again.lines[0].quantity = 7
            again.notes.clear()
            again.status = Status.SHIPPED
            again._seen = 3
            uow.orders.add(new)
            new.number = "newer"
            await uow.flush()
            raise ZeroDivisionError
    assert again == before
    assert again.model_fields_set == before.model_fields_set
    assert new.number == "new"
    assert lines == before.lines
    async with shop as uow:
        uow.orders.add(new)
    async with shop as uow:
        assert (await uow.orders.get(new.id)).number == "new"
        assert (await uow.orders.get(stored.id)).lines == [Line(sku="x")]


async def test_the_receipt_counts_what_was_committed(shop: Any) -> None:
    async with shop as uow:
        accounts = uow.accounts.add_all([Account(id=number) for number in range(5)])
        await uow.flush()
        accounts[0].balance = 1
        uow.accounts.remove(accounts[1])
    assert (uow.receipt.inserted, uow.receipt.updated, uow.receipt.removed) == (5, 1, 1)
    assert uow.receipt.commits == 1


async def test_what_is_rolled_back_is_not_on_the_receipt(shop: Any) -> None:
    async with shop as uow:
        uow.accounts.add(Account(id=1))
        await uow.flush()
        await uow.rollback()
    assert uow.receipt.inserted == 0


async def test_a_unit_refuses_use_after_its_end(shop: Any) -> None:
    async with shop as uow:
        query = uow.orders.find()
    with pytest.raises(UnitClosed, match="Open a new one"):
        await uow.orders.count()
    with pytest.raises(UnitClosed):
        await query.to_list()
    with pytest.raises(UnitClosed):
        uow.orders.add(Order(number="late"))


async def test_a_definition_outside_of_its_block_has_no_unit(shop: Any) -> None:
    with pytest.raises(NoActiveUnitOfWork, match="Enter one"):
        await shop.orders.count()


async def test_a_definition_means_its_open_unit_inside_the_block(shop: Any) -> None:
    async with shop as uow:
        order = shop.orders.add(Order(number="A-1"))
        assert await uow.orders.get(order.id) is order
        await shop.flush()
        assert await shop.orders.count() == 1


async def test_refresh_reads_into_the_same_object(shop: Any) -> None:
    async with shop as uow:
        order = uow.orders.add(Order(number="A-1", notes={"a": "1"}))
        notes = order.notes
        await uow.refresh(order)
        assert order.notes == {"a": "1"}
        order.notes["b"] = "2"
    assert notes is not None
    async with shop as uow:
        assert (await uow.orders.get(order.id)).notes == {"a": "1", "b": "2"}


async def test_a_unit_that_is_held_works_like_any_other(shop: Any) -> None:
    async with shop.unit() as uow:
        order = uow.orders.add(Order(number="A-1"))
    async with shop as uow:
        assert await uow.orders.get(order.id) == order


async def test_what_is_no_document_is_refused_by_its_type(shop: Any) -> None:
    async with shop as uow:
        for word in (uow.add, uow.remove, uow.restore, uow.erase):
            for wrong in ({"number": "A-1"}, None, Order):
                with pytest.raises(TypeError, match=f"A unit takes documents, not {type(wrong).__name__}"):
                    word(wrong)
        with pytest.raises(TypeError, match="A unit takes documents, not NoneType"):
            await uow.refresh(await uow.orders.first())


async def test_nothing_that_a_unit_held_waits_for_the_collector(shop: Any) -> None:
    """It would run in the middle of other units."""

    async def work() -> None:
        async with shop as uow:
            uow.orders.add(Order(number="A-1"))
            await uow.flush()
            await uow.orders.find(Order.number == "A-1").to_list()

    await work()
    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        await work()
        gc.collect()
        found: list[type[Any]] = [type(one) for one in gc.garbage]
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()
    assert [one for one in found if one.__module__.startswith("boundwork.") or one is Order] == []
