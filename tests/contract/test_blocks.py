"""Each exit leaves its own block: in whatever order, task, thread or context it comes."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, ExitStack
from contextvars import Context
from typing import Any

import pytest

from boundwork import NestedUnitOfWork, NoActiveUnitOfWork, UnitClosed, UnitUsedElsewhere
from tests.contract.banks import balances, fill
from tests.server.bank import AsyncBank, Bank


@pytest.fixture
def threads() -> Generator[Callable[[str, Callable[[], Any]], Any]]:
    """Return a function that runs something in the thread of a name and returns its result."""
    with ThreadPoolExecutor(1) as one, ThreadPoolExecutor(1) as other:
        pools = {"A": one, "B": other}
        yield lambda name, work: pools[name].submit(work).result()


def writing(bank: Bank, number: int, error: Exception | None = None) -> Generator[None]:
    with bank as uow:
        uow.accounts.get(number).balance = 7
        uow.flush()
        yield
        if error is not None:
            raise error


async def async_writing(bank: AsyncBank, number: int, error: Exception | None = None) -> AsyncGenerator[None]:
    async with bank as uow:
        (await uow.accounts.get(number)).balance = 7
        await uow.flush()
        yield
        if error is not None:
            raise error


class ToldToTheLoop:
    """What goes wrong in the tasks in which the loop of asyncio closes generators that nobody holds."""

    def __init__(self) -> None:
        self.errors: list[type[BaseException]] = []
        self._told = asyncio.Event()
        asyncio.get_running_loop().set_exception_handler(self._note)

    def _note(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error: BaseException = context["exception"]
        self.errors.append(type(error))
        self._told.set()

    async def once(self) -> list[type[BaseException]]:
        await self._told.wait()
        return self.errors


def test_an_outer_block_that_fails_first_takes_the_inner_one_with_it_and_that_one_says_so(bank: Bank) -> None:
    outer, inner = writing(bank, 1, KeyError()), writing(bank, 2)
    next(outer)
    next(inner)
    with pytest.raises(KeyError):
        next(outer)
    with pytest.raises(UnitClosed, match=r"writing\(\) ended after its unit"):
        next(inner)
    assert balances(bank) == [0, 0, 0]


def test_an_outer_block_that_ends_first_is_refused_and_nothing_is_written(bank: Bank) -> None:
    outer, inner = writing(bank, 1), writing(bank, 2)
    next(outer)
    next(inner)
    with pytest.raises(NestedUnitOfWork, match=r"a nested unit in writing\(\) was still open"):
        next(outer)
    with pytest.raises(UnitClosed):
        next(inner)
    assert balances(bank) == [0, 0, 0]


def test_an_inner_block_that_fails_after_its_unit_keeps_its_own_error(bank: Bank) -> None:
    outer, inner = writing(bank, 1, KeyError()), writing(bank, 2, ZeroDivisionError())
    next(outer)
    next(inner)
    with pytest.raises(KeyError):
        next(outer)
    with pytest.raises(ZeroDivisionError):
        next(inner)
    assert balances(bank) == [0, 0, 0]


def test_blocks_of_generators_that_end_in_order_are_nested(bank: Bank) -> None:
    outer, inner, failing = writing(bank, 0), writing(bank, 1), writing(bank, 2, KeyError())
    for each in (outer, inner, failing):
        next(each)
    with pytest.raises(KeyError):
        next(failing)
    assert [next(each, "ended") for each in (inner, outer)] == ["ended", "ended"]
    assert balances(bank) == [7, 7, 0]


def test_several_blocks_of_one_frame_end_one_by_one(bank: Bank) -> None:
    with bank as uow:
        uow.accounts.get(0).balance = 7
        with bank, bank, uow:
            uow.accounts.get(1).balance = 7
        with pytest.raises(KeyError), bank, uow, bank:
            uow.accounts.get(2).balance = 7
            raise KeyError
    assert balances(bank) == [7, 7, 0]


def test_a_held_unit_that_is_left_before_a_block_in_it_is_rolled_back(bank: Bank) -> None:
    inner = writing(bank, 2)
    with pytest.raises(NestedUnitOfWork), bank.unit() as uow:
        uow.accounts.get(1).balance = 7
        next(inner)
    with pytest.raises(UnitClosed):
        next(inner)
    assert balances(bank) == [0, 0, 0]


def test_a_block_that_is_left_in_another_thread_is_rolled_back(bank: Bank, threads: Any) -> None:
    generator = writing(bank, 1)
    threads("A", lambda: next(generator))
    with pytest.raises(UnitUsedElsewhere, match=r"belongs to thread .* used by thread"):
        threads("B", lambda: next(generator))
    assert threads("A", lambda: balances(bank)) == [0, 0, 0]
    assert threads("B", lambda: balances(bank)) == [0, 0, 0]


def test_a_nested_block_that_is_left_in_another_thread_rolls_the_whole_unit_back(bank: Bank, threads: Any) -> None:
    outer, inner = writing(bank, 1), writing(bank, 2)
    threads("A", lambda: (next(outer), next(inner)))
    with pytest.raises(UnitUsedElsewhere):
        threads("B", lambda: next(inner))
    with pytest.raises(UnitClosed):
        threads("A", lambda: next(outer))
    assert threads("A", lambda: balances(bank)) == [0, 0, 0]


def test_two_blocks_of_one_frame_that_are_left_in_another_thread_say_so_once(bank: Bank, threads: Any) -> None:
    def twice() -> Generator[None]:
        with bank as uow, bank:
            uow.accounts.get(1).balance = 7
            yield

    generator = twice()
    threads("A", lambda: next(generator))
    with pytest.raises(UnitUsedElsewhere):
        threads("B", lambda: next(generator))
    assert threads("A", lambda: balances(bank)) == [0, 0, 0]


def test_a_held_unit_that_was_ended_by_a_block_in_it_keeps_the_error_of_its_own(bank: Bank, threads: Any) -> None:
    inner = writing(bank, 1)
    with pytest.raises(ZeroDivisionError), bank.unit():
        next(inner)
        with pytest.raises(UnitUsedElsewhere):
            threads("B", lambda: next(inner))
        raise ZeroDivisionError
    assert balances(bank) == [0, 0, 0]


def test_a_block_of_another_context_is_ended_by_its_own_exit(bank: Bank) -> None:
    generator = writing(bank, 1)
    Context().run(next, generator)
    with bank as uow:
        uow.accounts.get(2).balance = 7
        assert next(generator, "ended") == "ended"
    assert balances(bank) == [0, 7, 7]


def test_a_unit_entered_by_a_stack_is_ended_by_it_in_another_thread(bank: Bank, threads: Any) -> None:
    stack = ExitStack()

    def begin() -> None:
        stack.enter_context(bank).accounts.get(1).balance = 7

    threads("A", begin)
    with bank as uow:
        uow.accounts.get(2).balance = 7
        with pytest.raises(UnitUsedElsewhere):
            stack.close()
    assert threads("A", lambda: balances(bank)) == [0, 0, 7]


def test_an_exit_by_hand_that_may_mean_several_units_elsewhere_ends_none(bank: Bank, threads: Any) -> None:
    first, second = ExitStack(), ExitStack()
    threads("A", lambda: first.enter_context(bank))
    threads("B", lambda: second.enter_context(bank))
    with pytest.raises(NoActiveUnitOfWork, match="by a call of a manager"):
        bank.__exit__(None, None, None)

    def close_inside() -> None:
        with pytest.raises(UnitClosed), bank, pytest.raises(NestedUnitOfWork):
            first.close()

    threads("A", close_inside)
    threads("B", second.close)


def test_an_exit_of_a_unit_by_hand_means_that_unit(bank: Bank, threads: Any) -> None:
    stack = ExitStack()
    threads("A", lambda: setattr(stack.enter_context(bank).accounts.get(1), "balance", 7))
    with pytest.raises(UnitClosed), bank as uow:
        uow.accounts.get(2).balance = 7
        uow.__exit__(None, None, None)
    threads("A", stack.close)
    assert balances(bank) == [0, 7, 7]


def test_stacks_nest_with_blocks_and_with_each_other(bank: Bank) -> None:
    with ExitStack() as outer:
        uow = outer.enter_context(bank)
        uow.accounts.get(0).balance = 7
        with bank:
            uow.accounts.get(1).balance = 7
            with pytest.raises(KeyError), ExitStack() as inner:
                inner.enter_context(bank).accounts.get(2).balance = 7
                inner.enter_context(uow)
                raise KeyError
    assert balances(bank) == [7, 7, 0]


def test_a_stack_that_is_closed_before_a_block_in_it_rolls_back(bank: Bank) -> None:
    stack = ExitStack()
    stack.enter_context(bank).accounts.get(1).balance = 7
    with pytest.raises(UnitClosed), bank, pytest.raises(NestedUnitOfWork):
        stack.close()
    assert balances(bank) == [0, 0, 0]


async def test_asynchronous_blocks_end_as_synchronous_ones_do(async_bank: AsyncBank) -> None:
    outer, inner = async_writing(async_bank, 1, KeyError()), async_writing(async_bank, 2)
    await anext(outer)
    await anext(inner)
    with pytest.raises(KeyError):
        await anext(outer)
    with pytest.raises(UnitClosed):
        await anext(inner)
    async with async_bank as uow:
        async with async_bank, uow:
            (await uow.accounts.get(0)).balance = 9
        with pytest.raises(ZeroDivisionError):
            async with uow, async_bank:
                (await uow.accounts.get(1)).balance = 9
                raise ZeroDivisionError
    assert await balances(async_bank) == [9, 0, 0]


async def test_a_block_that_is_left_in_another_task_is_rolled_back(async_bank: AsyncBank) -> None:
    generator = async_writing(async_bank, 1)
    await anext(generator)
    with pytest.raises(UnitUsedElsewhere, match=r"belongs to task .* used by task"):
        await asyncio.create_task(generator.aclose())
    async with async_bank as uow:
        (await uow.accounts.get(2)).balance = 7
    assert await balances(async_bank) == [0, 0, 7]


async def test_a_generator_that_a_loop_left_ends_its_unit_and_takes_no_later_one(async_bank: AsyncBank) -> None:
    told = ToldToTheLoop()
    async for _ in async_writing(async_bank, 1):
        break
    assert await told.once() == [UnitUsedElsewhere]
    async with async_bank as uow:
        (await uow.accounts.get(2)).balance = 7
    assert await balances(async_bank) == [0, 0, 7]


async def test_until_it_is_closed_a_generator_that_a_loop_left_refuses_other_units(async_bank: AsyncBank) -> None:
    told = ToldToTheLoop()
    async for _ in async_writing(async_bank, 1):
        break
    with pytest.raises(NestedUnitOfWork, match=r"the generator async_writing\(\)"):
        await async_bank.__aenter__()
    assert await told.once() == [UnitUsedElsewhere]
    assert await balances(async_bank) == [0, 0, 0]


async def test_a_unit_that_one_task_entered_by_hand_is_ended_by_the_exit_in_another(async_bank: AsyncBank) -> None:
    async def enter() -> AsyncBank:
        uow = await async_bank.__aenter__()
        (await uow.accounts.get(1)).balance = 7
        await uow.flush()
        return uow

    async def leave() -> None:
        await async_bank.__aexit__(None, None, None)

    uow = await asyncio.create_task(enter())
    with pytest.raises(UnitUsedElsewhere):
        await asyncio.create_task(leave())
    assert not uow.core.is_open
    assert await balances(async_bank) == [0, 0, 0]


async def test_asynchronous_stacks_nest(async_bank: AsyncBank) -> None:
    async with AsyncExitStack() as outer:
        uow = await outer.enter_async_context(async_bank)
        (await uow.accounts.get(1)).balance = 7
        with pytest.raises(KeyError):
            async with AsyncExitStack() as inner:
                (await (await inner.enter_async_context(async_bank)).accounts.get(2)).balance = 7
                raise KeyError
    assert await balances(async_bank) == [0, 7, 0]


@pytest.fixture(autouse=True)
async def filled(bank: Bank) -> None:
    fill(bank)
