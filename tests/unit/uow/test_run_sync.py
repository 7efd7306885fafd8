import asyncio

import pytest

from boundwork.uow.run_sync import run_sync


def test_the_result_of_a_coroutine_that_never_suspends_is_returned() -> None:
    async def inner() -> int:
        return 7

    async def outer() -> int:
        return await inner() + 1

    assert run_sync(outer()) == 8


def test_an_error_passes_through_with_its_own_traceback() -> None:
    async def failing() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError) as caught:
        run_sync(failing())
    assert caught.traceback[-1].name == "failing"


def test_a_coroutine_that_suspends_is_a_fault_of_the_session_and_is_closed() -> None:
    ended: list[str] = []

    async def suspending() -> None:
        try:
            await asyncio.sleep(0)
        finally:
            ended.append("closed")

    with pytest.raises(RuntimeError, match=r"synchronous session suspended.*AsyncRepository"):
        run_sync(suspending())
    assert ended == ["closed"]


async def test_it_works_inside_a_running_loop() -> None:
    async def inner() -> int:
        return 7

    assert run_sync(inner()) == 7


def test_a_stop_iteration_of_the_body_is_not_taken_for_its_result() -> None:
    async def stopping() -> None:
        raise StopIteration(7)

    with pytest.raises(RuntimeError, match="StopIteration"):
        run_sync(stopping())
