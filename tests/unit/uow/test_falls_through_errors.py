"""Whether swallowing an error of the block leads to the next round, or to code that takes it for success."""

import asyncio
import re
import sys
from typing import Any, Self

import pytest

from boundwork import Repository, TransientFailure, UnitOfWork
from boundwork.uow.falls_through import falls_through
from boundwork.uow.sessions.memory import MemoryDatabase
from tests.unit.uow.people import Person
from tests.unit.uow.snippets import AGAIN, ENOUGH
from tests.unit.uow.test_falls_through import compiled

BEHIND = {
    name: body
    for name, body in ENOUGH.items()
    if "behind" in name or "while" in name or "no loop" in name or "around" in name or "inside the loop" in name
}


class Failing:
    """A manager that notes, after an error in the block, where swallowing it would lead."""

    def __init__(self, answers: list[bool]) -> None:
        self._answers = answers

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        assert kind is ZeroDivisionError
        self._answers.append(falls_through(sys._getframe(1)))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: object, *_: object) -> None:
        await asyncio.sleep(0)
        assert kind is ZeroDivisionError
        self._answers.append(falls_through(sys._getframe(1)))


def failing(body: str) -> str:
    return re.sub(r"(WITH one.*:\n)( +)", r"\1\2fail()\n\2", body)


def answer(body: str, head: str, statement: str) -> bool:
    answers: list[bool] = []
    function: Any = compiled(failing(body), head, statement)

    def fail() -> None:
        raise ZeroDivisionError

    function.__globals__["fail"] = fail
    with pytest.raises(ZeroDivisionError):
        result = function(iter([Failing(answers)]))
        asyncio.run(result)
    return answers == [True]


@pytest.mark.parametrize("name", AGAIN)
def test_an_error_in_a_block_that_is_the_rest_of_the_loop_may_be_swallowed(name: str) -> None:
    assert answer(AGAIN[name], "def", "with")
    assert answer(AGAIN[name], "async def", "async with")


@pytest.mark.parametrize("name", BEHIND)
def test_an_error_in_a_block_with_code_behind_it_may_not_be_swallowed(name: str) -> None:
    assert not answer(BEHIND[name], "def", "with")
    assert not answer(BEHIND[name], "async def", "async with")


class Shop(UnitOfWork):
    people = Repository(Person)


def test_code_behind_the_block_never_runs_after_an_attempt_that_failed() -> None:
    mails: list[str] = []

    def sends_mail() -> None:
        for attempt in Shop(MemoryDatabase()).attempts():
            with attempt:
                raise TransientFailure("a rival")
            mails.append("shipped")

    with pytest.raises(TransientFailure):
        sends_mail()
    assert mails == []
