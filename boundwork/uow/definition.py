"""What a definition and its units have in common, whatever the colour.

A definition is immutable and shared by threads and tasks. Entering it makes a unit: another object of the same
class, which holds a core `Unit`. On a definition every word means the innermost unit that is open here; on a unit
it means that unit.
"""

from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import replace
from functools import partial
from types import FrameType
from typing import Any, ClassVar, Self, TypeGuard, TypeVar, cast

from boundwork.errors import NestedUnitOfWork, NoActiveUnitOfWork, TransactionFailed, UnitClosed, UnitUsedElsewhere
from boundwork.models import Document
from boundwork.models.scope import Everyone, Tenant, TenantChoice, checked_tenant
from boundwork.uow.failures import SessionFailure
from boundwork.uow.hooks import Hook, Moment
from boundwork.uow.idempotency import valid_key
from boundwork.uow.keyed_unit import KeyedUnit
from boundwork.uow.left_early import lost_work
from boundwork.uow.levels import Level, level_by_hand, level_of_block, refuse_suspended
from boundwork.uow.open_units import OpenUnit, ended_here, is_open_here, mine, pop, push, step_aside, unit_of
from boundwork.uow.origin import origin_of_caller
from boundwork.uow.port import SessionFactory
from boundwork.uow.queued_unit import QueuedKeyedUnit, QueuedUnit
from boundwork.uow.receipt import Receipt
from boundwork.uow.scoped_session import ScopedSession
from boundwork.uow.scopes import Scopes, refuse_another_tenant, scopes_for
from boundwork.uow.settings import Settings
from boundwork.uow.states import State
from boundwork.uow.turns import Turns
from boundwork.uow.unit import Unit

TwinT = TypeVar("TwinT")


class UnitDefinition:
    """The words that are never awaited, and how units are made from definitions."""

    models: ClassVar[frozenset[type[Document[Any]]]] = frozenset()
    _awaits: ClassVar[bool]
    _has_scopes: ClassVar[bool] = False
    _sessions: SessionFactory
    _settings: Settings
    _opened: OpenUnit | None = None
    _waiting: Sequence[Unit] = ()

    def __init_subclass__(cls, **keywords: Any) -> None:
        """Collect the models of the repositories that the class declares; TypeError for one of the other colour."""
        super().__init_subclass__(**keywords)
        attributes = _attributes(cls)
        _refuse_other_colour(cls, attributes)
        declared: set[object] = {getattr(value, "model", None) for value in attributes.values()}
        cls.models = frozenset(model for model in declared if is_document(model))
        cls._has_scopes = any(not model.__boundwork_scope__.is_open for model in cls.models)

    def __repr__(self) -> str:
        """Tell a definition from a unit, and where the unit stands."""
        what = "definition" if self._opened is None else f"unit that {self._opened.unit.state.value}"
        return f"<{type(self).__name__}: {what}>"

    @property
    def core(self) -> Unit:
        """The core of this unit, or of the innermost unit of this definition that is open here."""
        return unit_of(self) if self._opened is None else self._opened.unit

    @property
    def is_unit(self) -> bool:
        """Tell whether this is a unit, made by entering a definition."""
        return self._opened is not None

    @property
    def receipt(self) -> Receipt:
        """What the unit did, complete after its end."""
        return self.core.receipt

    @property
    def database(self) -> Any:
        """The database of the driver, for calls of your own: they join the transaction.

        The handle has a neutral write concern, because the server takes none inside a transaction. What such a
        call reads is what has been flushed; what it writes is not seen by documents already loaded (refresh them).
        """
        core = self.core
        core.check()
        if self._opened is not None and not is_open_here(self._opened):
            raise UnitUsedElsewhere(
                f"The unit of work {core.name} was opened in another context: calls of the driver made here would not "
                "be part of its transaction. Use its repositories, or open the unit where the driver is called.",
            )
        try:
            return core.session.database
        except SessionFailure as failure:
            raise TransactionFailed(str(failure)) from failure

    def add(self, document: Document[Any]) -> None:
        """Register a new document; its model needs no repository in the unit."""
        self.core.workspace.add(document, origin_of_caller())

    def remove(self, document: Document[Any]) -> None:
        """Register the removal of a document of this unit; with `soft_delete` it is only marked as removed."""
        self.core.workspace.remove(document)

    def restore(self, document: Document[Any]) -> None:
        """Undo a soft removal; TypeError for a model without `soft_delete`."""
        self.core.workspace.restore(document)

    def erase(self, document: Document[Any]) -> None:
        """Register the removal of a document of this unit for good, be its model one with `soft_delete` or not."""
        self.core.workspace.remove(document, softly=False)

    def for_tenant(self, tenant: Tenant) -> Self:
        """Return another definition, whose units work with the documents of one tenant; nothing is sent."""
        return self._with_tenant(checked_tenant(tenant))

    def for_all_tenants(self) -> Self:
        """Return another definition, whose units work with the documents of all tenants.

        New documents must say whose they are.
        """
        return self._with_tenant(Everyone.ALL)

    def _with_tenant(self, tenant: TenantChoice) -> Self:
        definition = twin(self._definition())
        definition._settings = replace(self._settings, tenant=tenant)
        return definition

    def _scopes(self) -> Scopes | None:
        """Return the default filters of a unit that is opened now; TenantMissing if it was not told its tenant."""
        if self._settings.tenant is None and not self._has_scopes:
            return None
        return scopes_for(type(self).__name__, self.models, self._settings.tenant)

    def _named(self, key: str) -> str:
        """Return an idempotency key as the one that is stored."""
        scopes = self._scopes()
        return key if scopes is None else scopes.named(key)

    def before_commit(self, hook: Hook) -> None:
        """Register a function to be called in the transaction, before the last flush of the next commit.

        What it changes is committed too, and what it raises rolls back. It cannot commit or roll back itself. In an
        asynchronous unit it may be a coroutine function.
        """
        self._register(Moment.BEFORE_COMMIT, hook)

    def on_commit(self, hook: Hook) -> None:
        """Register a function to be called once the next commit is known to have happened, outside of the unit.

        What it raises is logged and kept on the receipt. It is dropped by a rollback, by the failure of the nested
        unit that it was registered in, and where the outcome of the commit stays unknown.
        """
        self._register(Moment.ON_COMMIT, hook)

    def on_rollback(self, hook: Hook) -> None:
        """Register a function to be called once the transaction is known to be rolled back, outside of the unit.

        It is dropped by a commit, and otherwise as those of `on_commit` are.
        """
        self._register(Moment.ON_ROLLBACK, hook)

    def _register(self, moment: Moment, hook: Hook) -> None:
        core = self.core
        core.check()
        core.hooks.register(moment, hook, awaits=self._awaits)

    async def _end(self, core: Unit, end: Coroutine[Any, Any, None]) -> None:
        """Await what ends a transaction, and then run the hooks that are due."""
        try:
            await end
        finally:
            if core.hooks.due:
                await step_aside(core.hooks.run_due(core.name, core.receipt))

    def _outer(self) -> Self | None:
        """Return the open unit that entering this would be nested in; NestedUnitOfWork if it is of another definition."""
        if self._opened is not None:
            self._opened.unit.check()
            return self
        stack = mine()
        if not stack:
            return None
        if stack[-1].definition is not self:
            raise NestedUnitOfWork(
                f"A unit of {type(self).__name__} was opened inside the open unit {stack[-1].unit.name}, which was opened "
                "from another definition object. Do the work in that one, share one definition object, or open a "
                "separate unit by independent().",
            )
        refuse_suspended(stack[-1].unit)
        return cast("Self", stack[-1].shell)

    def _refuse_inside(self, word: str) -> None:
        """Raise NestedUnitOfWork inside an open unit, for what cannot be nested."""
        stack = mine()
        if stack:
            raise NestedUnitOfWork(
                f"{word} was used inside the open unit {stack[-1].unit.name}. Use it outside, "
                "or nest a unit by entering the definition.",
            )

    def _prepare(self, *, handover: bool = False, idempotency_key: str | None = None) -> Self:
        """Return a new unit, not yet entered; a key given here comes before that of the definition."""
        definition = self._definition()
        key = self._settings.idempotency_key if idempotency_key is None else valid_key(idempotency_key)
        scopes = self._scopes()
        queues = self._settings.concurrency == "serialize"
        plain, keyed = (QueuedUnit, QueuedKeyedUnit) if queues or handover else (Unit, KeyedUnit)
        kind = plain if key is None else partial(keyed, key if scopes is None else scopes.named(key))
        session = self._sessions()
        if scopes is not None and scopes.binds:
            session = ScopedSession(session, scopes)
        core = kind(type(self).__name__, session, self._settings, handover=handover)
        core.scopes = scopes
        core.models = type(self).models
        if isinstance(core, QueuedUnit):
            core.turns = Turns(core, awaits=self._awaits, queues=queues)
        unit = twin(definition)
        unit._opened = OpenUnit(definition, type(self).models, core, unit)
        return unit

    def _definition(self) -> Self:
        return self if self._opened is None else cast("Self", self._opened.definition)

    async def _enter_independent(self, level: Level) -> None:
        """Enter a second unit: the one that could be used here until now is refused meanwhile."""
        outer = [opened.unit for opened in mine() if not opened.unit.is_suspended]
        key = self.core.key
        if key is not None and any(unit.key == key for unit in outer):
            raise NestedUnitOfWork(
                f"The independent unit of {type(self).__name__} has the idempotency key {key!r}, and so has the unit "
                "around it: only one of them could commit. Use a definition without a key for it.",
            )
        self.core.around = tuple(opened.unit for opened in mine())
        await self._enter(level)
        for unit in outer:
            unit.suspend(f"while the independent unit {type(self).__name__} is open")
        self._waiting = outer

    async def _leave_independent(self, error: BaseException | None) -> None:
        try:
            await self._leave(error)
        finally:
            for unit in self._waiting:
                unit.suspend(None)

    async def _enter(self, level: Level) -> None:
        """Enter this unit."""
        for left in ended_here():
            await left.unit.session.unbind()
        opened = self._held()
        await opened.unit.enter()
        push(opened)
        level.stand_in(opened)

    async def _nest(self, level: Level) -> None:
        """Open a savepoint in this unit."""
        opened = self._held()
        refuse_another_tenant(opened.unit, self._settings.tenant)
        await opened.unit.open_savepoint()
        level.stand_in(opened)

    async def _leave(self, error: BaseException | None) -> None:
        """Leave this unit; an error of the block goes on where the unit has ended already."""
        opened = self._held()
        if error is not None and opened.unit.state is State.CLOSED:
            return
        await self._end(opened.unit, _left(opened, error))

    async def _leave_level(self, level: Level, error: BaseException | None) -> None:
        """Leave a level that a `with` over this definition, or this unit, entered; with other levels in it, the unit."""
        opened = level.opened()
        levels = [] if opened is None else opened.unit.levels
        if opened is None or level not in levels:
            if error is None:
                raise UnitClosed(
                    f"A block of {type(self).__name__} in {level.name} ended after its unit: what the block did after "
                    "that end is not written. Blocks must end in the reverse order of their beginnings.",
                )
        elif level is levels[0] or level is not levels[-1] or not opened.unit.is_mine:
            await self._end(opened.unit, _left(opened, error))
        else:
            levels.pop()
            lost = lost_work(opened.unit, level, error)
            await opened.unit.leave_savepoint(error)
            if lost is not None:
                opened.unit.doom(lost)

    def _level(self, frame: FrameType) -> Level:
        """Return the level that a `with` over this definition entered in a frame, or else the one that is meant."""
        level = level_of_block(frame, self)
        if level is None and self._opened is not None:
            level = level_by_hand([self._opened], None)
        elif level is None:
            level = level_by_hand([opened for opened in mine() if opened.definition is self], self)
        if level is not None:
            return level
        name = type(self).__name__
        raise NoActiveUnitOfWork(
            f"A unit of {name} was left in another task, thread or context than it was entered in, by a call of a "
            "manager. Hold the unit where that is needed: with shop.unit() as uow: ...",
        )

    def _held(self) -> OpenUnit:
        if self._opened is None:
            raise TypeError(f"{type(self).__name__} is a definition and not a unit")
        return self._opened


async def _left(opened: OpenUnit, error: BaseException | None) -> None:
    unit = opened.unit
    lost = lost_work(unit, unit.levels[0], error) if unit.levels else None
    try:
        await unit.leave(error)
    finally:
        unit.levels.clear()
        pop(opened)
    if lost is not None:
        raise lost from error


def twin(original: TwinT) -> TwinT:
    """Return another object of the same class with the same attributes; copy.copy() takes ten times longer."""
    other = object.__new__(type(original))
    vars(other).update(vars(original))
    return other


def is_document(model: object) -> TypeGuard[type[Document[Any]]]:
    """Tell whether an object is a class of documents."""
    return isinstance(model, type) and issubclass(model, Document)


def _attributes(cls: type) -> Mapping[str, Any]:
    merged: dict[str, Any] = {}
    for base in reversed(cls.__mro__):
        merged.update(vars(base))
    return merged


def _refuse_other_colour(cls: type[UnitDefinition], attributes: Mapping[str, Any]) -> None:
    awaits = attributes.get("_awaits")
    for name, value in attributes.items():
        if getattr(value, "is_awaited", awaits) is not awaits:
            right = "AsyncRepository" if awaits else "Repository"
            raise TypeError(
                f"{cls.__name__}.{name} is a repository of the other colour. Make it, or its class, of {right}."
            )
