"""How a repository or a definition finds its unit, and who may use it."""

import asyncio
import threading
from contextvars import copy_context

import pytest

from boundwork import (
    AmbiguousUnitOfWork,
    AsyncRepository,
    AsyncUnitOfWork,
    NestedUnitOfWork,
    NoActiveUnitOfWork,
    Repository,
    UnitClosed,
    UnitOfWork,
    UnitUsedElsewhere,
)
from boundwork.uow.open_units import OpenUnit, mine, pop, push, unit_for
from boundwork.uow.sessions.memory import MemoryDatabase
from boundwork.uow.unit import Unit
from tests.unit.uow.people import Person, Town
from tests.unit.uow.scripted import ScriptedSession, unit_on


class Shop(UnitOfWork):
    people = Repository(Person)


class AsyncShop(AsyncUnitOfWork):
    people = AsyncRepository(Person)


class Register(UnitOfWork):
    people = Repository(Person)
    towns = Repository(Town)


class Anything(UnitOfWork):
    pass


class Aged(Person):
    age: int = 0


people = Repository(Person)
towns = Repository(Town)


@pytest.fixture
def shop() -> Shop:
    return Shop(MemoryDatabase())


@pytest.fixture
def async_shop() -> AsyncShop:
    return AsyncShop(MemoryDatabase())


async def stacked(definition: UnitOfWork) -> OpenUnit:
    """Put an open unit of a definition on the stack, beside others."""
    unit: Unit = unit_on(ScriptedSession())
    await unit.enter()
    opened = OpenUnit(definition, type(definition).models, unit, definition)
    push(opened)
    return opened


def test_an_unbound_repository_without_a_unit_says_so() -> None:
    with pytest.raises(NoActiveUnitOfWork, match="A repository of Person was used, but no unit of work is open"):
        people.count()


def test_an_unbound_repository_takes_the_open_unit(shop: Shop) -> None:
    with shop as uow:
        people.add(Person(id=1))
        assert people.get(1) is uow.people.get(1)
    with pytest.raises(NoActiveUnitOfWork):
        people.count()


def test_an_unbound_repository_of_a_model_that_no_open_unit_declares_says_so(shop: Shop) -> None:
    with shop, pytest.raises(NoActiveUnitOfWork, match="none of the open units declares Town"):
        towns.count()


def test_a_unit_that_declares_nothing_takes_every_model() -> None:
    with Anything(MemoryDatabase()):
        assert towns.count() == people.count() == 0


def test_a_repository_of_a_related_model_finds_the_unit(shop: Shop) -> None:
    with shop as uow:
        assert Repository(Aged).unit is uow.core


async def test_two_open_units_that_declare_the_model_are_ambiguous() -> None:
    first, second = await stacked(Shop(MemoryDatabase())), await stacked(Register(MemoryDatabase()))
    with pytest.raises(AmbiguousUnitOfWork, match="Several open units declare Person"):
        unit_for(Person)
    assert unit_for(Town) is second.unit
    pop(second)
    assert unit_for(Person) is first.unit
    pop(first)
    assert mine() == []


async def test_of_two_open_units_of_one_definition_the_innermost_counts(shop: Shop) -> None:
    first, second = await stacked(shop), await stacked(shop)
    assert unit_for(Person) is second.unit
    assert shop.core is second.unit
    pop(second)
    assert shop.core is first.unit
    pop(first)


async def test_units_that_have_ended_leave_the_stack(shop: Shop) -> None:
    first = await stacked(shop)
    await first.unit.leave(None)
    assert mine() == []
    second = await stacked(shop)
    assert mine() == [second]
    pop(second)


def test_a_definition_outside_of_a_block_says_how_to_open_one(shop: Shop) -> None:
    for word in (shop.flush, shop.commit, shop.rollback, shop.people.count):
        with pytest.raises(NoActiveUnitOfWork, match=r"Enter one: with shop as uow"):
            word()


def test_a_definition_means_its_unit_inside_the_block(shop: Shop) -> None:
    with shop as uow:
        assert shop.core is uow.core
        shop.add(Person(id=1))
        shop.flush()
        assert shop.receipt is uow.receipt
        assert uow.people.count() == 1


def test_another_definition_of_the_same_class_is_not_open(shop: Shop) -> None:
    other = Shop(MemoryDatabase())
    with shop, pytest.raises(NoActiveUnitOfWork):
        other.flush()


def test_a_unit_inside_a_unit_is_refused_and_the_outer_one_goes_on(shop: Shop) -> None:
    with shop as uow:
        with pytest.raises(NestedUnitOfWork, match="inside the open unit Shop"):
            Register(MemoryDatabase()).__enter__()
        uow.people.add(Person(id=1))
    with shop as uow:
        assert uow.people.count() == 1


def test_a_unit_that_was_left_can_not_be_used_by_its_repositories(shop: Shop) -> None:
    with shop as uow:
        kept = uow.people
    with pytest.raises(UnitClosed):
        kept.count()


async def test_a_child_task_may_not_use_the_unit_of_its_parent(async_shop: AsyncShop) -> None:
    async def child() -> None:
        await async_shop.people.count()

    async with async_shop:
        with pytest.raises(UnitUsedElsewhere):
            await asyncio.create_task(child())


async def test_an_unbound_repository_in_a_child_task_may_not_use_the_unit_either(async_shop: AsyncShop) -> None:
    async def child() -> None:
        await AsyncRepository(Person).count()

    async with async_shop:
        with pytest.raises(UnitUsedElsewhere):
            await asyncio.create_task(child())


async def test_a_child_task_may_open_a_unit_of_its_own(async_shop: AsyncShop) -> None:
    async def child(outer: object) -> int:
        async with async_shop as uow:
            assert async_shop.core is uow.core
            assert uow is not outer
            return await AsyncRepository(Person).count()

    async with async_shop as uow:
        uow.people.add(Person(id=1))
        await uow.flush()
        assert await asyncio.create_task(child(uow)) == 0
        assert async_shop.core is uow.core


def test_a_thread_with_the_context_of_the_unit_may_not_use_it_but_may_open_its_own(shop: Shop) -> None:
    results: list[object] = []

    def step() -> None:
        try:
            shop.flush()
        except UnitUsedElsewhere as error:
            results.append(error)
        with shop as uow:
            results.append(uow.people.count())

    with shop as uow:
        uow.people.add(Person(id=1))
        thread = threading.Thread(target=copy_context().run, args=(step,))
        thread.start()
        thread.join()
    assert isinstance(results[0], UnitUsedElsewhere)
    assert results[1] == 0


def test_a_thread_without_the_context_sees_no_unit(shop: Shop) -> None:
    results: list[object] = []

    def step() -> None:
        try:
            people.count()
        except NoActiveUnitOfWork as error:
            results.append(error)

    with shop:
        thread = threading.Thread(target=step)
        thread.start()
        thread.join()
    assert len(results) == 1


async def test_a_block_that_is_left_in_another_task_is_told_how_to_hold_its_unit(async_shop: AsyncShop) -> None:
    async def leave() -> None:
        await async_shop.__aexit__(None, None, None)

    async with async_shop:
        with pytest.raises(NoActiveUnitOfWork, match=r"shop\.unit\(\)"):
            await asyncio.create_task(leave())
