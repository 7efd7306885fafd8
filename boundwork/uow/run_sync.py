"""How the synchronous shells drive the coroutine core: one step, to the end."""

from collections.abc import Coroutine
from typing import Any, TypeVar

ResultT = TypeVar("ResultT")


def run_sync(coroutine: Coroutine[Any, Any, ResultT]) -> ResultT:
    """Run a coroutine that never suspends; RuntimeError if it does: the session is asynchronous, or has a fault."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        result: ResultT = done.value
        return result
    coroutine.close()
    raise RuntimeError(
        "A synchronous session suspended: inside an AsyncUnitOfWork use an AsyncRepository, and await its words."
    )
