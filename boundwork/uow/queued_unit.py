"""A unit that several tasks or threads may use: its operations take turns.

With `concurrency="serialize"` the children of the owner may use it and wait for their turn; with `handover=True`
anybody may, and overlaps are refused. Where a unit of neither kind is opened, nothing of this is paid for. To commit, to
roll back, to nest and to leave stay with the owner.
"""

from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

from boundwork.errors import UnitClosed, UnitUsedElsewhere
from boundwork.uow.keyed_unit import KeyedUnit
from boundwork.uow.queued_workspace import QueuedWorkspace
from boundwork.uow.refusals import overlapping, unusable
from boundwork.uow.states import State
from boundwork.uow.turns import Turn
from boundwork.uow.unit import Unit

if TYPE_CHECKING:
    from boundwork.uow.turns import Turns

ReplyT = TypeVar("ReplyT")


class QueuedUnit(Unit):
    """The core of a unit whose operations take turns; `turns` is set before it is entered."""

    turns: "Turns"
    workspace_kind = QueuedWorkspace

    def check(self) -> None:
        """Raise unless the unit may be used here: as for any unit, but its operations may wait for each other."""
        if self.owner is not None and not self._may_be_used_here():
            self.refuse_place(self.owner)
        if self.busy and not self.turns.queues:
            raise overlapping(self)
        if self.state is not State.ACTIVE or self.is_suspended:
            raise unusable(self)

    @property
    def is_usable(self) -> bool:
        """Tell whether the unit is open and operations of this task or thread may wait for their turn in it."""
        return self.is_open and self._may_be_used_here()

    def turn(self) -> Turn:
        """Return the turn of one operation. Raises what `check` raises, before anything waits."""
        self.check()
        if self.hooks.running and not self.turns.is_mine():
            raise UnitUsedElsewhere(
                f"The unit of work {self.name} was used by another task or thread while a before_commit hook of it was "
                "running. The commit goes on when the hook has ended: do the work in the hook itself, or before.",
            )
        return Turn(self.turns)

    async def whole(self, operation: Coroutine[Any, Any, ReplyT]) -> ReplyT:
        """Await an operation in turn."""
        try:
            async with self.turn():
                return await operation
        finally:
            operation.close()  # or Python would complain of one that was refused

    def being_left(self) -> UnitClosed:
        """Return the error of an operation that comes while the unit is being left."""
        owner = self.owner
        return UnitClosed(
            f"The unit of work {self.name} is being left by {'its owner' if owner is None else owner.name}, and an operation of it was still "
            "waiting: nothing of that was done. Await all operations inside the block.",
        )

    async def commit(self) -> None:
        """Commit as any unit, in turn."""
        self._require_owner()
        async with self.turn():
            await super().commit()

    async def rollback(self) -> None:
        """Roll back as any unit, in turn."""
        self._require_owner()
        async with Turn(self.turns):
            await super().rollback()

    async def leave(self, error: BaseException | None) -> None:
        """Leave as any unit, once the operation under way is over."""
        if self.owner is None or self.owner.is_inherited():
            await super().leave(error)
            return
        try:
            await self.turns.close()
        except BaseException as problem:
            self.interrupted = not isinstance(problem, Exception)  # then somebody's operation is still under way
            await super().leave(problem)
            raise
        await super().leave(error)

    async def open_savepoint(self) -> None:
        """Begin a nested unit, in turn."""
        self._require_owner()
        async with self.turn():
            await super().open_savepoint()

    async def leave_savepoint(self, error: BaseException | None) -> None:
        """End a nested unit, in turn; if the wait is interrupted nothing can be undone alone, and the unit is doomed."""
        try:
            taken = await self.turns.take()
        except BaseException as interruption:
            self.savepoints.pop()
            self.doom(interruption)
            raise
        try:
            await super().leave_savepoint(error)
        finally:
            if taken:
                self.turns.give()

    async def step_out(self) -> None:
        """Refuse use, in turn."""
        self._require_owner()
        async with self.turn():
            await super().step_out()

    def _may_be_used_here(self) -> bool:
        owner = self.owner
        if owner is None or not self.turns.queues:
            return owner is None or owner.is_here()
        return owner.is_near(threads=not self.turns.awaits)

    def _require_owner(self) -> None:
        if self.owner is not None:
            self.owner.check(self.name)


class QueuedKeyedUnit(QueuedUnit, KeyedUnit):
    """A unit with an idempotency key whose operations take turns."""
