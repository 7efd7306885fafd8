"""What a program holds of a document is watched: from before it was added, and after it was read again."""

from typing import Any

import pytest

from tests.contract.shop import Line, Order


async def _quantities(shop: Any, order: Order) -> list[int]:
    async with shop as uow:
        return [line.quantity for line in (await uow.orders.get(order.id)).lines]


async def _flush(uow: Any) -> None:
    await uow.flush()


async def _query(uow: Any) -> None:
    await uow.orders.count()


async def _commit(uow: Any) -> None:
    await uow.commit()


@pytest.mark.parametrize("send", [_flush, _query, _commit])
async def test_a_part_that_was_held_before_the_document_was_added_is_written(shop: Any, send: Any) -> None:
    line = Line(sku="a")
    order = Order(number="A-1", lines=[line, Line(sku="b")])
    async with shop as uow:
        uow.orders.add(order)
        await send(uow)
        line.quantity = 5
    assert await _quantities(shop, order) == [5, 1]


async def test_a_part_that_was_held_before_the_document_was_added_is_rewound(shop: Any) -> None:
    line = Line(sku="a")
    order = Order(number="A-1", lines=[line])
    with pytest.raises(ZeroDivisionError):
        async with shop as uow:
            uow.orders.add(order)
            await uow.flush()
            line.quantity = 5
            raise ZeroDivisionError
    assert line.quantity == 1
    assert order.lines[0] is line


async def test_a_part_that_was_held_is_written_after_an_insert_that_was_asked_for_at_once(shop: Any) -> None:
    line = Line(sku="a")
    order = Order(number="A-1", lines=[line])
    async with shop as uow:
        assert await uow.orders.add_if_absent(order)
        line.quantity = 5
    assert await _quantities(shop, order) == [5]


async def _read_again(uow: Any, order: Order) -> None:
    await uow.commit()
    await uow.orders.find().to_list()


async def _get_again(uow: Any, order: Order) -> None:
    await uow.commit()
    await uow.orders.get(order.id)


async def _roll_back(uow: Any, order: Order) -> None:
    await uow.rollback()
    await uow.orders.get(order.id)


async def _refresh(uow: Any, order: Order) -> None:
    await uow.refresh(order)


@pytest.mark.parametrize("again", [_read_again, _get_again, _roll_back, _refresh])
async def test_a_part_that_is_held_while_its_document_is_read_again_is_written(shop: Any, again: Any) -> None:
    async with shop as uow:
        stored = uow.orders.add(Order(number="A-1", lines=[Line(sku="a"), Line(sku="b")]))
    async with shop as uow:
        order = await uow.orders.get(stored.id)
        line = order.lines[0]
        await again(uow, order)
        assert order.lines[0] is line
        line.quantity = 7
    assert await _quantities(shop, stored) == [7, 1]


async def test_what_a_rival_has_changed_is_replaced_and_the_rest_is_kept(shop: Any) -> None:
    async with shop as uow:
        stored = uow.orders.add(Order(number="A-1", lines=[Line(sku="a"), Line(sku="b")]))
    async with shop as uow:
        order = await uow.orders.get(stored.id)
        first, second = order.lines
        await uow.commit()
        async with shop.independent() as rival:
            (await rival.orders.get(stored.id)).lines[1].quantity = 3
        await uow.refresh(order)
        assert order.lines[0] is first
        assert [line.quantity for line in order.lines] == [1, 3]
        assert second.quantity == 1
        first.quantity = 7
    assert await _quantities(shop, stored) == [7, 3]


async def test_a_document_that_nobody_else_holds_a_part_of_is_not_watched(shop: Any) -> None:
    async with shop as uow:
        for number in range(20):
            uow.orders.add(Order(number=str(number), lines=[Line(sku="a")], notes={"a": "1"}))
        await uow.flush()
        assert not uow.core.workspace.tracker.touched
