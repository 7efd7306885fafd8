"""What a frame is doing while it calls a manager or drives a generator, and that no frame is kept for it."""

import gc
import sys
import weakref
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import AsyncExitStack, ExitStack, contextmanager
from typing import Any, Self

import pytest

from boundwork import UnitOfWork, connect
from boundwork.uow.frames import enters_block, is_iterated, is_running
from boundwork.uow.levels import _BY_HAND, _OF_BLOCKS


class Asked:
    """A manager of both kinds that notes whether it is entered by a block."""

    by_block: bool

    def __enter__(self) -> Self:
        frame = sys._getframe(1)
        self.by_block = enters_block(frame.f_code.co_code, frame.f_lasti)
        return self

    def __exit__(self, *_: object) -> None:
        pass

    async def __aenter__(self) -> Self:
        frame = sys._getframe(1)
        self.by_block = enters_block(frame.f_code.co_code, frame.f_lasti)
        return self

    async def __aexit__(self, *_: object) -> None:
        pass


def test_a_with_is_told_from_a_call() -> None:
    with Asked() as asked:
        assert asked.by_block
    with Asked() as one, Asked() as other:
        assert (one.by_block, other.by_block) == (True, True)
    assert not Asked().__enter__().by_block
    with ExitStack() as stack:
        assert not stack.enter_context(Asked()).by_block


async def test_an_async_with_is_told_from_an_await() -> None:
    async with Asked() as asked:
        assert asked.by_block
    assert not (await Asked().__aenter__()).by_block
    async with AsyncExitStack() as stack:
        assert not (await stack.enter_async_context(Asked())).by_block


async def test_a_with_is_told_in_a_function_of_many_constants() -> None:
    names = ", ".join(f"'constant {number}'" for number in range(600))
    source = f"async def work(asked):\n    print({names}, file=None) if not asked else 0\n"
    source += (
        "    with asked:\n        one = asked.by_block\n    async with asked:\n        return one, asked.by_block\n"
    )
    made: dict[str, Any] = {}
    exec(source, made)  # noqa: S102 - nobody writes such a function by hand
    assert await made["work"](Asked()) == (True, True)


def test_a_caller_without_bytecode_makes_a_call() -> None:
    assert not enters_block(b"", -1)


def answers() -> Generator[bool]:
    yield is_iterated(sys._getframe())


def through() -> Generator[bool]:
    yield from answers()


async def async_answers() -> AsyncGenerator[bool]:
    yield is_iterated(sys._getframe())


@pytest.mark.parametrize("generator", [answers, through])
def test_a_loop_is_told_from_a_call_of_next(generator: Callable[[], Generator[bool]]) -> None:
    assert [answer for answer in generator() if answer]
    for answer, _ in zip(generator(), (1,), strict=True):
        assert answer
    assert not next(generator())
    with contextmanager(generator)() as answer:
        assert not answer


async def test_an_asynchronous_loop_is_told_from_an_await() -> None:
    assert [answer async for answer in async_answers()] == [True]
    assert not await anext(async_answers())


def test_a_generator_runs_only_while_it_is_on_the_stack() -> None:
    def generator() -> Generator[tuple[int, bool]]:
        identity = id(sys._getframe())
        yield identity, is_running(identity)

    identity, inside = next(suspended := generator())
    assert (inside, is_running(identity)) == (True, False)
    suspended.close()


def test_neither_frames_nor_units_are_kept() -> None:
    class Local:
        """What a frame holds."""

    shop = UnitOfWork(connect("memory://kept"))
    alive: list[Callable[[], object]] = []

    def by_hand() -> UnitOfWork:
        local = Local()
        alive.append(weakref.ref(local))
        return shop.__enter__()

    gc.collect()  # what failures of other tests have kept goes first
    before = len(_BY_HAND)
    by_hand()
    assert alive[0]() is None
    assert len(_BY_HAND) == before + 1
    shop.__exit__(None, None, None)
    with pytest.raises(ZeroDivisionError), shop as uow, shop, uow:
        raise ZeroDivisionError
    gc.collect()
    assert (_OF_BLOCKS, len(_BY_HAND)) == ({}, before)
