import asyncio
import os
import threading
from collections.abc import Callable
from contextvars import copy_context

import pytest

from boundwork.errors import UnitUsedElsewhere
from boundwork.uow.ownership import Owner, Process, running_task


def elsewhere(call: Callable[[], object]) -> object:
    """Call in a thread with the context of this one, and give what it returned or raised."""
    results: list[object] = []

    def step() -> None:
        try:
            results.append(call())
        except UnitUsedElsewhere as error:
            results.append(error)

    thread = threading.Thread(target=copy_context().run, args=(step,), name="other thread")
    thread.start()
    thread.join()
    return results[0]


def test_there_is_no_task_outside_of_a_loop() -> None:
    assert running_task() is None


async def test_inside_of_a_loop_there_is_one() -> None:
    assert running_task() is asyncio.current_task()


def test_the_thread_that_opened_a_unit_may_use_it() -> None:
    owner = Owner.here()
    assert owner.is_here()
    owner.check("Shop")


def test_another_thread_may_not_and_the_error_names_unit_and_both_sides() -> None:
    owner = Owner.here()
    error = elsewhere(lambda: owner.check("Shop"))
    assert isinstance(error, UnitUsedElsewhere)
    assert "unit of work Shop belongs to thread 'MainThread'" in str(error)
    assert "used by thread 'other thread'" in str(error)
    assert "Open a unit of its own there" in str(error)
    assert "unit(handover=True)" in str(error)


async def test_the_task_that_opened_a_unit_may_use_it_after_a_pause() -> None:
    owner = Owner.here()
    await asyncio.sleep(0)
    assert owner.is_here()


async def test_a_child_task_may_not_use_the_unit_of_its_parent() -> None:
    owner = Owner.here()

    async def child() -> None:
        owner.check("Shop")

    with pytest.raises(UnitUsedElsewhere, match=r"task 'child' of thread 'MainThread'"):
        await asyncio.create_task(child(), name="child")


async def test_a_thread_of_a_task_may_not_use_the_unit_of_the_task() -> None:
    owner = Owner.here()
    assert await asyncio.to_thread(owner.is_here) is False


def test_a_thread_without_a_task_owns_all_that_runs_in_it() -> None:
    owner = Owner.here()

    async def inner() -> bool:
        return owner.is_here()

    assert asyncio.run(inner())


def test_with_handover_other_threads_and_tasks_of_the_process_may_use_a_unit() -> None:
    owner = Owner.here(handover=True)
    assert elsewhere(owner.is_here) is True

    async def inner() -> bool:
        return owner.is_here()

    assert asyncio.run(inner())


@pytest.mark.parametrize("handover", [False, True])
def test_another_process_may_never_use_a_unit(handover: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    owner = Owner.here(handover=handover)
    parent = os.getpid()
    monkeypatch.setattr(Process, "number", parent + 1)
    assert not owner.is_here()
    with pytest.raises(UnitUsedElsewhere, match=f"of process {parent} and was used by .* of process {parent + 1}"):
        owner.check("Shop")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system cannot fork")
def test_a_forked_child_knows_that_it_is_another_process() -> None:
    owner = Owner.here(handover=True)
    child = os.fork()
    if child == 0:
        os._exit(owner.is_here() or not owner.is_inherited())
    assert os.waitpid(child, 0)[1] == 0
    assert owner.is_here()
