"""What a program wants done before a commit, and after an outcome that is known.

A hook belongs to the transaction in which it was registered and runs once: those before the commit inside it, as its
last part; those after it when the unit has let go of its session. What fails after the outcome cannot change it: it
is logged, kept on the receipt, and the other hooks run.
"""

import inspect
import logging
from collections.abc import Callable
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING

from boundwork.uow.receipt import FailedHook, Receipt

if TYPE_CHECKING:
    from boundwork.uow.unit import Unit

logger = logging.getLogger("boundwork.unit")
Hook = Callable[[], object]


class Moment(Enum):
    """When a hook runs."""

    BEFORE_COMMIT = "before_commit"
    ON_COMMIT = "on_commit"
    ON_ROLLBACK = "on_rollback"


class Hooks:
    """The hooks of one unit: `registered` in the present transaction, and `due` since it ended."""

    __slots__ = ("due", "registered", "running")

    def __init__(self) -> None:
        """Begin with none."""
        self.registered: list[tuple[Moment, Hook]] = []
        self.due: list[Hook] = []
        self.running = False

    def register(self, moment: Moment, hook: Hook, *, awaits: bool) -> None:
        """Add a hook; TypeError for what cannot be called, or cannot be awaited in this colour."""
        if not callable(hook):
            raise TypeError(f"{moment.value}() takes a function without arguments and was given {type(hook).__name__}.")
        if not awaits and inspect.iscoroutinefunction(hook):
            raise TypeError(
                f"{moment.value}() of a synchronous unit takes a plain function, and {_name(hook)} is a coroutine "
                "function: nobody would await it. Use AsyncUnitOfWork for it.",
            )
        self.registered.append((moment, hook if awaits else partial(_plain, hook)))

    def ended(self, moment: Moment | None) -> None:
        """Note how the transaction ended: the hooks of that moment are due, all others are dropped."""
        if self.registered:
            self.due += [hook for wanted, hook in self.registered if wanted is moment]
            self.registered = []

    async def before_commit(self, unit: "Unit") -> None:
        """Run what is to be done before the commit; what one of them raises dooms the unit."""
        while hook := self._next_before_commit():
            self.running = True
            try:
                await _call(hook)
            except BaseException as error:
                unit.fail(error)
                raise
            finally:
                self.running = False

    def _next_before_commit(self) -> Hook | None:
        for place, (moment, hook) in enumerate(self.registered):
            if moment is Moment.BEFORE_COMMIT:
                del self.registered[place]
                return hook
        return None

    async def run_due(self, unit: str, receipt: Receipt) -> None:
        """Run what is due, in order; an interruption goes on at once, after what it kept from running is noted."""
        due, self.due = self.due, []
        for place, hook in enumerate(due):
            try:
                await _call(hook)
            except Exception as error:
                logger.exception("unit %s: the hook %s failed; the outcome of the unit stands", unit, _name(hook))
                receipt.failed_hooks += (FailedHook(_name(hook), error),)
            except BaseException as interruption:
                missed = tuple(FailedHook(_name(left), interruption) for left in due[place:])
                names = ", ".join(hook.name for hook in missed)
                logger.exception("unit %s: interrupted in its hooks; these did not run to their end: %s", unit, names)
                receipt.failed_hooks += missed
                raise


async def _call(hook: Hook) -> None:
    result = hook()
    if inspect.isawaitable(result):
        await result


def _plain(hook: Hook) -> None:
    """Call a hook of a synchronous unit, where nothing can be awaited."""
    result = hook()
    if inspect.isawaitable(result):
        if inspect.iscoroutine(result):
            result.close()
        raise TypeError(f"The hook {_name(hook)} of a synchronous unit returned something that is to be awaited.")


def _name(hook: Hook) -> str:
    """Return the name of a function; never its arguments, which may be documents."""
    while isinstance(hook, partial):
        hook = hook.args[0] if hook.func is _plain else hook.func
    return getattr(hook, "__qualname__", type(hook).__name__)
