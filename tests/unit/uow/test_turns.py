"""Turns are taken in the order of the calls, whatever becomes of those that wait."""

import asyncio
import threading
import time
from typing import Any

import pytest

from boundwork import AsyncUnitOfWork, UnitClosed, UnitOfWork, UnitUsedElsewhere
from boundwork.uow.run_sync import run_sync
from boundwork.uow.sessions.memory import MemoryDatabase
from boundwork.uow.turns import Turn, Turns

TIMEOUT = 60.0


def turns_of(kind: Any, *, queues: bool = True) -> Turns:
    """Return the turns of a unit that was never entered."""
    definition = kind(MemoryDatabase("turns"), concurrency="serialize" if queues else "exclusive")
    turns: Turns = definition._prepare(handover=not queues)._opened.unit.turns
    return turns


@pytest.mark.parametrize("kind", [UnitOfWork, AsyncUnitOfWork])
def test_an_unknown_concurrency_is_refused_when_a_definition_is_made(kind: Any) -> None:
    with pytest.raises(ValueError, match=r"no concurrency 'parallel'\. Write 'exclusive' or 'serialize'"):
        kind(MemoryDatabase("turns"), concurrency="parallel")


async def test_tasks_take_turns_in_the_order_of_their_calls() -> None:
    turns, order = turns_of(AsyncUnitOfWork), list[int]()

    async def work(number: int) -> None:
        async with Turn(turns), Turn(turns):
            order.append(number)
            await asyncio.sleep(0)
            order.append(number)

    await asyncio.gather(*map(work, range(10)))
    assert order == [number for number in range(10) for _ in range(2)]


@pytest.mark.parametrize("given", [False, True])
async def test_a_task_that_is_cancelled_while_it_waits_or_when_its_turn_comes_holds_up_nobody(given: bool) -> None:
    turns, done = turns_of(AsyncUnitOfWork), list[int]()

    async def work(number: int) -> None:
        async with Turn(turns):
            done.append(number)

    await turns.take()
    tasks = [asyncio.create_task(work(number)) for number in range(3)]
    await asyncio.sleep(0)
    if given:
        turns.give()  # to the first, which has not run yet
    tasks[0].cancel()
    if not given:
        turns.give()
    await asyncio.wait(tasks, timeout=TIMEOUT)
    assert (tasks[0].cancelled(), done) == (True, [1, 2])
    assert await turns.take()


async def test_closing_refuses_who_waits_and_who_comes_later_but_not_the_one_who_closes() -> None:
    turns = turns_of(AsyncUnitOfWork)
    entered = asyncio.Event()

    async def first() -> str:
        async with Turn(turns):
            entered.set()
            await asyncio.sleep(0.01)
            return "done"

    tasks = [asyncio.create_task(first()) for _ in range(2)]
    await entered.wait()
    await turns.close()
    assert tasks[0].done()
    assert await tasks[0] == "done"
    for waiting in (tasks[1], asyncio.create_task(first())):
        with pytest.raises(UnitClosed, match="being left"):
            await waiting
    async with Turn(turns):
        assert turns.is_mine()


def test_threads_wait_for_each_other_and_nothing_is_done_twice_at_once() -> None:
    turns, inside, most = turns_of(UnitOfWork), 0, 0

    async def work() -> None:
        nonlocal inside, most
        for _ in range(200):
            async with Turn(turns):
                inside += 1
                most = max(most, inside)
                inside -= 1

    threads = [threading.Thread(target=lambda: run_sync(work())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(TIMEOUT)
    assert (most, inside) == (1, 0)


def test_a_unit_that_may_be_handed_over_refuses_what_overlaps_and_its_leaving_as_well() -> None:
    turns = turns_of(UnitOfWork, queues=False)
    taken, end = threading.Event(), threading.Event()

    async def work() -> None:
        async with Turn(turns):
            taken.set()
            end.wait(TIMEOUT)

    thread = threading.Thread(target=lambda: run_sync(work()))
    thread.start()
    assert taken.wait(TIMEOUT)
    with pytest.raises(UnitUsedElsewhere, match="another operation of it was running"):
        run_sync(turns.take())

    def end_when_it_is_waited_for() -> None:
        while thread.is_alive() and not turns._waiting:
            time.sleep(0.001)
        end.set()

    threading.Thread(target=end_when_it_is_waited_for).start()
    with pytest.raises(UnitUsedElsewhere):
        run_sync(turns.close())
    thread.join(TIMEOUT)
    assert not thread.is_alive()
