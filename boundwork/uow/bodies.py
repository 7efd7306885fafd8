"""Which bodies `run` refuses: those of which nothing would be run, and those that the other colour runs."""

import inspect
from collections.abc import Awaitable, Callable
from typing import TypeVar, cast

ResultT = TypeVar("ResultT")
PLAIN = "run() takes a plain function: nothing of a coroutine function or a generator would be run."
NEVER_AWAITED = (
    "run() takes a plain function, and its body returned a coroutine, of which nothing would be run. Use AsyncUnitOfWork "
    "for it."
)


def check_plain(body: Callable[..., object]) -> None:
    """Raise TypeError for a body that a call would not run."""
    if inspect.iscoroutinefunction(body) or inspect.isgeneratorfunction(body):
        raise TypeError(PLAIN)


def carried_out(result: ResultT) -> ResultT:
    """Return what a plain body returned; TypeError for a coroutine, such as a lambda around a coroutine function makes."""
    if inspect.iscoroutine(result):
        result.close()  # else Python warns as well that it was never awaited
        raise TypeError(NEVER_AWAITED)
    return result


def to_await(result: Awaitable[ResultT]) -> Awaitable[ResultT]:
    """Return what a body returned, to be awaited; TypeError for what cannot be."""
    if not inspect.isawaitable(cast("object", result)):
        raise TypeError(
            "run() of an asynchronous unit takes a coroutine function (async def), and its body returned "
            f"{type(result).__name__}, which cannot be awaited.",
        )
    return result
