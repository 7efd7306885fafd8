"""When the cyclic garbage collector rests.

Decoding and validating many documents allocates many containers and frees none, so every collection in
between is wasted: on CPython 3.11 it is more than half of the time. The pause nests and counts across threads.
"""

import gc
import threading
from collections.abc import Generator
from contextlib import contextmanager

PAUSE_COLLECTION = True
"""Whether loading pauses the collector at all; a process that manages the collector itself may say False."""


class _Pauses:
    """How many pauses are open, and whether the collector was on before the first of them."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.open = 0
        self.was_enabled = False

    def enter(self) -> None:
        with self.lock:
            if self.open == 0:
                self.was_enabled = gc.isenabled()
                gc.disable()
            self.open += 1

    def leave(self) -> None:
        with self.lock:
            self.open -= 1
            if self.open == 0 and self.was_enabled:
                gc.enable()


_pauses = _Pauses()


@contextmanager
def hydration_pause() -> Generator[None, None, None]:
    """Keep the cyclic garbage collector off for the block, unless `PAUSE_COLLECTION` is False."""
    if not PAUSE_COLLECTION:
        yield
        return
    _pauses.enter()
    try:
        yield
    finally:
        _pauses.leave()
