"""Ctrl-C that is not lost.

Python drops an exception that is raised in a finalizer, and the driver's sessions have one, which runs where they are
freed. A Ctrl-C that comes in that moment would end nothing, so it waits until the work asks for it.
"""

import signal
import threading
from types import FrameType, TracebackType
from typing import Self


class Interruption:
    """Remembers Ctrl-C while the block runs; where a program handles it in its own way, nothing is changed."""

    def __init__(self) -> None:
        """Know of none yet."""
        self._wished = False
        self._watches = False

    def __enter__(self) -> Self:
        usual = signal.getsignal(signal.SIGINT) is signal.default_int_handler
        self._watches = usual and threading.current_thread() is threading.main_thread()
        if self._watches:
            signal.signal(signal.SIGINT, self._remember)
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        if self._watches:
            signal.signal(signal.SIGINT, signal.default_int_handler)

    def check(self) -> None:
        """Raise the KeyboardInterrupt of a Ctrl-C that has ended nothing so far."""
        if self._wished:
            raise KeyboardInterrupt

    def _remember(self, _: int, frame: FrameType | None) -> None:
        self._wished = True
        while frame is not None:
            if frame.f_code.co_name == "__del__":
                return
            frame = frame.f_back
        raise KeyboardInterrupt
