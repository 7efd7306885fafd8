"""Which units are open here: how a definition or a repository finds its unit without being told.

The stack lives in a context variable, so each task and thread has its own. A child task inherits the stack of its
parent, but not the right to use those units: only units whose owner is here count. Where there is none, a unit that
lets the children of its owner wait for their turn is found as well; nothing is nested in it.
"""

from collections.abc import Coroutine, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from itertools import filterfalse
from operator import attrgetter, is_not
from typing import Any

from boundwork.errors import AmbiguousUnitOfWork, NoActiveUnitOfWork
from boundwork.models import Document
from boundwork.uow.levels import refuse_suspended
from boundwork.uow.unit import Unit


@dataclass(slots=True, eq=False, weakref_slot=True)
class OpenUnit:
    """A unit, the definition object that it was opened from, the models that this declares, and the unit's shell.

    The shell keeps this, and this the shell until the unit is left: a block without a name for it keeps neither.
    """

    definition: object
    models: frozenset[type[Document[Any]]]
    unit: Unit
    shell: object

    def declares(self, model: type[Document[Any]]) -> bool:
        """Tell whether the definition declares a model; one that declares none takes all."""
        return not self.models or any(
            issubclass(model, declared) or issubclass(declared, model) for declared in self.models
        )


HOOKS_RUN = "while hooks run after its outcome"
_is_open = attrgetter("unit.is_open")
_is_mine = attrgetter("unit.is_mine")
_OPEN: ContextVar[tuple[OpenUnit, ...]] = ContextVar("boundwork_open_units", default=())


def push(opened: OpenUnit) -> None:
    """Make a unit the innermost one here."""
    _OPEN.set((*filter(_is_open, _OPEN.get()), opened))


def pop(opened: OpenUnit) -> None:
    """Take a unit that is left out, wherever it stands; nothing happens in a context that never had it."""
    opened.shell = None
    _OPEN.set(tuple(filter(partial(is_not, opened), _OPEN.get())))


def is_open_here(opened: OpenUnit) -> bool:
    """Tell whether a unit was entered in this context, or in one that this one was copied from."""
    return opened in _OPEN.get()


def ended_here() -> list[OpenUnit]:
    """Return the units that were entered in this context and left in another one, the innermost first."""
    return list(filterfalse(_is_open, reversed(_OPEN.get())))


def mine() -> list[OpenUnit]:
    """Return the open units that may be used here, the innermost last."""
    return list(filter(_is_mine, _OPEN.get()))


async def step_aside(work: Coroutine[Any, Any, None]) -> None:
    """Await something as if no unit were open here: their sessions are unbound and they are refused meanwhile."""
    stack = _OPEN.get()
    usable = [opened.unit for opened in mine() if not opened.unit.is_suspended]
    bound = await unbind_all()
    for unit in usable:
        unit.suspend(HOOKS_RUN)
    _OPEN.set(())
    try:
        await work
    finally:
        _OPEN.set(stack)
        for unit in usable:
            unit.suspend(None)
        await bind_again(bound)


async def unbind_all() -> list[Unit]:
    """Unbind the sessions of all units that are open here, and return those units, the innermost first."""
    return [opened.unit for opened in reversed(mine()) if await opened.unit.session.unbind()]


async def bind_again(units: Sequence[Unit]) -> None:
    """Bind the sessions that `unbind_all` unbound, but for those of units that have ended since."""
    for unit in reversed(units):
        if unit.is_open:
            await unit.session.bind()


def any_open() -> OpenUnit | None:
    """Return an open unit that was entered here or in what this context was copied from; None if there is none."""
    return next((opened for opened in reversed(_OPEN.get()) if opened.unit.is_open), None)


def unit_of(definition: object) -> Unit:
    """Return the innermost open unit of a definition object."""
    inherited = [opened for opened in _OPEN.get() if opened.definition is definition and opened.unit.is_open]
    for opened in reversed(inherited):
        if opened.unit.is_mine:
            refuse_suspended(opened.unit)
            return opened.unit
    for opened in reversed(inherited):
        if opened.unit.is_usable:
            return opened.unit
    if inherited:
        inherited[-1].unit.check()
    name = type(definition).__name__
    raise NoActiveUnitOfWork(f"No unit of {name} is open here. Enter one: with {name.lower()} as uow: ...")


def unit_for(model: type[Document[Any]]) -> Unit:
    """Return the only open unit that declares a model."""
    stack = [opened for opened in _OPEN.get() if opened.unit.is_open]
    fitting = [opened for opened in stack if opened.declares(model)]
    candidates = [opened for opened in fitting if opened.unit.is_mine]
    candidates = candidates or [opened for opened in fitting if opened.unit.is_usable]
    if len({opened.definition for opened in candidates}) > 1:
        names = ", ".join(opened.unit.name for opened in candidates)
        raise AmbiguousUnitOfWork(
            f"Several open units declare {model.__name__}: {names}. Use the repository of the unit that is meant.",
        )
    if candidates:
        refuse_suspended(candidates[-1].unit)
        return candidates[-1].unit
    if stack and not mine():
        stack[-1].unit.check()
    which = f"none of the open units declares {model.__name__}" if stack else "no unit of work is open"
    raise NoActiveUnitOfWork(
        f"A repository of {model.__name__} was used, but {which}. "
        "Open a unit (with shop as uow: ...) and declare the repository in it.",
    )
