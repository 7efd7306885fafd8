"""Who may use a unit: the process, thread and asyncio task that opened it.

A driver session must not be used by two at once: commands of a transaction that overlap are lost or applied in
part, without an error. So every operation asks here first.
"""

import asyncio
import os
import threading
from typing import Any, Self

from boundwork.errors import UnitUsedElsewhere
from boundwork.models.data import data


class Process:
    """The number of this process; asking the system each time costs more than all other questions here together."""

    number = os.getpid()

    @classmethod
    def note(cls) -> None:
        """Note the number, in a process that was forked just now."""
        cls.number = os.getpid()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=Process.note)


def running_task() -> asyncio.Task[Any] | None:
    """Return the asyncio task that runs here, None outside of one."""
    try:
        return asyncio.current_task()
    except RuntimeError:
        return None


@data(frozen=True, slots=True)
class Owner:
    """The place where a unit was opened."""

    process: int
    thread: threading.Thread
    task: asyncio.Task[Any] | None
    handover: bool = False

    @classmethod
    def here(cls, *, handover: bool = False) -> Self:
        """Return the present place; with `handover` other tasks and threads of the process count as well."""
        return cls(Process.number, threading.current_thread(), running_task(), handover)

    @property
    def name(self) -> str:
        """The place, for the texts of errors."""
        task = "" if self.task is None else f"task {self.task.get_name()!r} of "
        return f"{task}thread {self.thread.name!r} of process {self.process}"

    def is_here(self) -> bool:
        """Tell whether this is the present place; an owner without a task owns its whole thread."""
        if Process.number != self.process:
            return False
        if self.handover:
            return True
        return threading.current_thread() is self.thread and (self.task is None or running_task() is self.task)

    def is_near(self, *, threads: bool) -> bool:
        """Tell whether this is the thread of the place, or with `threads` its process."""
        return not self.is_inherited() and (threads or self.handover or threading.current_thread() is self.thread)

    def is_inherited(self) -> bool:
        """Tell whether this is another process, which got the unit by a fork."""
        return Process.number != self.process

    def check(self, unit: str) -> None:
        """Raise UnitUsedElsewhere unless this is the present place."""
        if not self.is_here():
            raise UnitUsedElsewhere(
                f"The unit of work {unit} belongs to {self.name} and was used by {Owner.here().name}. "
                "Open a unit of its own there, or do the work where the unit was opened. One that is to be handed from place "
                "to place is opened by unit(handover=True).",
            )
