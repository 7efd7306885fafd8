import asyncio
import sys
from collections.abc import Callable
from contextlib import nullcontext
from textwrap import dedent, indent
from types import FrameType
from typing import Any, Self

import pytest

from boundwork.uow.falls_through import falls_through
from tests.unit.uow.snippets import AGAIN, ENOUGH


class Probe:
    """A manager that notes, on a clean exit, whether the frame that is left goes on with its loop."""

    def __init__(self, answers: list[bool]) -> None:
        self._answers = answers

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._answers.append(falls_through(sys._getframe(1)))


class AsyncProbe:
    def __init__(self, answers: list[bool], naps: int) -> None:
        self._answers = answers
        self._naps = naps

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for _nap in range(self._naps):
            await asyncio.sleep(0)
        self._answers.append(falls_through(sys._getframe(1)))


def compiled(body: str, head: str, statement: str) -> Callable[..., Any]:
    source = f"{head} probe(rounds, done=False):\n{indent(dedent(body).replace('WITH', statement), '    ')}"
    names: dict[str, Any] = {"nothing": nullcontext}
    exec(compile(source, "snippet.py", "exec"), names)  # noqa: S102 - the snippets of this test
    function: Callable[..., Any] = names["probe"]
    return function


def answers_of(body: str) -> set[bool]:
    answers: list[bool] = []
    compiled(body, "def", "with")(iter([Probe(answers)]))
    assert answers
    return set(answers)


def async_answers_of(body: str, naps: int) -> set[bool]:
    answers: list[bool] = []
    asyncio.run(compiled(body, "async def", "async with")(iter([AsyncProbe(answers, naps)])))
    assert answers
    return set(answers)


@pytest.mark.parametrize("name", AGAIN)
def test_a_block_that_is_the_rest_of_the_loop_goes_on_with_it(name: str) -> None:
    assert answers_of(AGAIN[name]) == {True}


@pytest.mark.parametrize("name", ENOUGH)
def test_a_block_that_leaves_the_loop_or_has_code_behind_it_does_not(name: str) -> None:
    assert answers_of(ENOUGH[name]) == {False}


@pytest.mark.parametrize("naps", [0, 2])
@pytest.mark.parametrize("name", AGAIN)
def test_an_async_block_that_is_the_rest_of_the_loop_goes_on_with_it(name: str, naps: int) -> None:
    assert async_answers_of(AGAIN[name], naps) == {True}


@pytest.mark.parametrize("naps", [0, 2])
@pytest.mark.parametrize("name", ENOUGH)
def test_an_async_block_that_leaves_the_loop_or_has_code_behind_it_does_not(name: str, naps: int) -> None:
    assert async_answers_of(ENOUGH[name], naps) == {False}


def test_a_frame_that_is_not_there_is_no_loop() -> None:
    assert not falls_through(None)


def test_a_frame_that_is_not_in_a_with_at_all_is_no_loop() -> None:
    def inner() -> FrameType | None:
        return sys._getframe(1)

    assert not falls_through(inner())
