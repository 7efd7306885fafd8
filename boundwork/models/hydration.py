"""When the cyclic garbage collector rests.

Decoding and validating many documents allocates many containers and frees none, so every collection in
between is wasted: on CPython 3.11 it is more than half of the time. The pause nests and counts across threads, but
threads that load without a break do not keep the collector of the whole process from its work.
"""

import gc
import threading
from collections.abc import Callable
from time import monotonic
from types import TracebackType
from typing import ParamSpec, TypeVar

ParametersP = ParamSpec("ParametersP")
ResultT = TypeVar("ResultT")
PAUSE_COLLECTION = True
"""Whether loading pauses the collector at all; a process that manages the collector itself may say False."""


FEW = 50
"""Documents below which nothing is paused."""


LONGEST = 1.0
"""Seconds after which the collector has a turn between pauses of several threads that overlap without an end."""


class _Pauses:
    """How many pauses are open, since when the collector is off, and whether it was on before the first of them."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.open = 0
        self.was_enabled = False
        self.since = 0.0

    def enter(self) -> None:
        with self.lock:
            if self.open == 0:
                self.was_enabled = gc.isenabled()
            if gc.isenabled():
                gc.disable()
                self.since = monotonic()
            self.open += 1

    def leave(self) -> None:
        with self.lock:
            self.open -= 1
            if self.was_enabled and (self.open == 0 or monotonic() - self.since > LONGEST):
                gc.enable()


_pauses = _Pauses()


class hydration_pause:  # noqa: N801 - reads as a word: with hydration_pause()
    """Keep the cyclic garbage collector off for the block, unless `PAUSE_COLLECTION` is False."""

    __slots__ = ("_pauses",)

    def __init__(self) -> None:
        """Decide whether to pause."""
        self._pauses = PAUSE_COLLECTION

    def __enter__(self) -> None:
        """Pause, or begin one more pause inside another."""
        if self._pauses:
            _pauses.enter()

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        """Let the collector work again after the last pause."""
        if self._pauses:
            _pauses.leave()


def paused(
    documents: int,
    work: Callable[ParametersP, ResultT],
    *arguments: ParametersP.args,
    **keywords: ParametersP.kwargs,
) -> ResultT:
    """Do some work about so many documents with the collector off; for a few a pause costs more than it saves."""
    if documents < FEW:
        return work(*arguments, **keywords)
    with hydration_pause():
        return work(*arguments, **keywords)
