"""One unit of work: one session, one transaction at a time, one identity map.

This is the core that both colours share: coroutines that await only the session. The life of a unit, its
transactions and its failures are decided here; what it reads and writes lies in `Workspace`.
"""

from collections.abc import Callable, Coroutine, Sequence
from time import perf_counter
from typing import Any, ClassVar, TypeVar

from boundwork.errors import BoundworkError
from boundwork.errors.upcasts import UNANSWERED
from boundwork.models import Document
from boundwork.uow.commands import BulkResult, BulkWrite
from boundwork.uow.ending import end, forsake, overtake, roll_back
from boundwork.uow.failures import SessionFailure
from boundwork.uow.hooks import Hooks
from boundwork.uow.levels import Level
from boundwork.uow.ownership import Owner
from boundwork.uow.port import BoundSession
from boundwork.uow.receipt import Receipt
from boundwork.uow.refusals import left_too_early, overlapping, refuse_end, unusable
from boundwork.uow.replaying import Recovery
from boundwork.uow.reporting import note_earlier_commit, public_error
from boundwork.uow.savepoints import Savepoint, begin, tell_doomed, undo
from boundwork.uow.scopes import Scopes
from boundwork.uow.settings import Settings
from boundwork.uow.settling import commit, conclude
from boundwork.uow.states import Move, State, moved
from boundwork.uow.workspace import Workspace

ReplyT = TypeVar("ReplyT")


class Unit:
    """The core of an open unit; the shells `UnitOfWork` and `AsyncUnitOfWork` drive it."""

    workspace_kind: ClassVar[type[Workspace]] = Workspace

    def __init__(self, name: str, session: BoundSession, settings: Settings, *, handover: bool = False) -> None:
        """Prepare a unit; nothing is opened yet. With `handover` any task or thread of the process may use it."""
        self.name = name
        self.session = session
        self.settings = settings
        self.scopes: Scopes | None = None
        self.receipt = Receipt()
        self.state = State.READY
        self.workspace = self.workspace_kind(self)
        self.hooks = Hooks()
        self.committed = self.settled = self.leaving = False
        self._handover = handover
        self.owner: Owner | None = None
        self.busy = self.interrupted = False
        self.first_error: BaseException | None = None
        self.began = 0.0
        self.savepoints: list[Savepoint] = []
        self.levels: list[Level] = []
        self.suspended: str | None = None
        self.around: tuple[Unit, ...] = ()
        self.models: frozenset[type[Document[Any]]] = frozenset()
        self.writing: Sequence[BulkWrite] = ()
        self.closed_by: str | None = None

    def check(self) -> None:
        """Raise unless the unit may be used here and now: UnitClosed, UnitUsedElsewhere, UnitDoomed."""
        if self.owner is not None and not self.owner.is_here():
            self.refuse_place(self.owner)
        if self.busy:
            raise overlapping(self)
        if self.state is not State.ACTIVE or self.suspended is not None:
            raise unusable(self)

    def refuse_place(self, owner: Owner) -> None:
        """Raise that the unit belongs elsewhere; after its end, that it has ended."""
        if self.state is State.CLOSED:
            raise unusable(self)
        owner.check(self.name)

    @property
    def key(self) -> str | None:
        """The idempotency key of the unit."""
        return None

    @property
    def is_mine(self) -> bool:
        """Tell whether the unit is open and belongs to the present task, thread and process."""
        return self.is_open and self.owner is not None and self.owner.is_here()

    @property
    def is_usable(self) -> bool:
        """Tell whether the unit is open and may be used from here, be it somebody else's."""
        return self.is_mine

    @property
    def is_open(self) -> bool:
        """Tell whether the unit has been entered and not left."""
        return self.state is not State.READY and self.state is not State.CLOSED

    async def enter(self) -> None:
        """Open the session and bind it; nothing is sent."""
        self.state = moved(self.state, Move.ENTER)
        self.owner = Owner.here(handover=self._handover)
        self.began = perf_counter()
        try:
            await self.session.open()
        except SessionFailure as failure:
            await end(self)
            raise public_error(failure) from failure.__cause__
        except BaseException:
            await end(self)
            raise

    async def leave(self, error: BaseException | None) -> None:
        """Commit, or roll back when `error` is given, and end the session whatever happens.

        Raises what the commit raises; UnitDoomed if the program swallowed the error that doomed the unit;
        UnitUsedElsewhere, after a rollback, if this is not where the unit was entered; NestedUnitOfWork, after a
        rollback as well, if a nested unit is still open.
        """
        if self.owner is not None and self.owner.is_inherited():
            await forsake(self)
            self.owner.check(self.name)
        try:
            if self.owner is not None and not self.owner.is_here():
                self.closed_by = Owner.here().name
                self.interrupted |= self.busy  # an abort must not overtake what is under way there
                self.owner.check(self.name)
            if error is None and self.savepoints:
                raise left_too_early(self)
            if error is None and self.state is State.ACTIVE:
                self.leaving = True
                await commit(self)
            elif error is None:
                self.check()
            else:
                self._note_interruption(error)
        finally:
            try:
                if self.state in {State.DOOMED, State.ACTIVE} and not self.settled:
                    await roll_back(self)
            finally:
                await end(self)

    def whole(self, operation: Coroutine[Any, Any, ReplyT]) -> Coroutine[Any, Any, ReplyT]:
        """Return an operation to be awaited; a unit that others may use lets it wait for its turn."""
        return operation

    async def send(
        self,
        command: Callable[[], Coroutine[Any, Any, ReplyT]],
        explain: Callable[[SessionFailure], BoundworkError] = public_error,
    ) -> ReplyT:
        """Await one command of the session, again after a transient failure that the unit got over.

        Any other failure dooms the unit and is raised as `explain` puts it.
        """
        recovery: Recovery | None = None
        while True:
            try:
                return await self.alone(command())
            except SessionFailure as failure:
                recovery = recovery or Recovery(self, explain)
                await self.alone(recovery.after(failure))

    def write(self, bulks: Sequence[BulkWrite]) -> Coroutine[Any, Any, list[BulkResult]]:
        """Return the writing of bulks, to be sent as a command; what is written is known if it meets a conflict."""
        self.writing = bulks
        return self.session.write(bulks)

    async def alone(self, work: Coroutine[Any, Any, ReplyT]) -> ReplyT:
        """Await while nothing else of the unit runs; what goes wrong dooms the unit, unless it can be got over."""
        if self.busy:
            work.close()
            raise overlapping(self)
        self.busy = True
        try:
            return await work
        except (SessionFailure, *UNANSWERED):
            raise
        except BaseException as error:
            self.interrupted = not isinstance(error, Exception)
            self.doom(error)
            raise
        finally:
            self.busy = False

    def fail(self, error: BaseException) -> None:
        """Refuse further work after an error of the program inside the unit's own work."""
        self._note_interruption(error)
        self.doom(error)

    def _note_interruption(self, error: BaseException) -> None:
        if not isinstance(error, Exception) and self.session.foreign:
            self.interrupted = True  # it may have been a call of the driver, and still be under way

    def doom(self, error: BaseException) -> None:
        """Refuse further work: the transaction cannot be trusted any more. After the end there is none."""
        if self.state in {State.UNSETTLED, State.CLOSED}:
            return
        if self.first_error is None:
            self.first_error = error
        if self.committed:
            note_earlier_commit(error)
        self.state = moved(self.state, Move.FAIL)

    def lose(self, error: BaseException) -> None:
        """Refuse further work: a commit was sent, and nobody can say how it ended."""
        self.first_error = error
        self.state = moved(self.state, Move.LOSE)
        self.hooks.ended(None)

    def forget(self) -> None:
        """Be left: nothing may use the unit any more, and what doomed it is let go."""
        self.state = moved(self.state, Move.LEAVE)
        self.first_error = None

    def may_repeat(self, error: BaseException | None) -> bool:
        """Tell whether an error that is none of ours permits another attempt."""
        return self.session.may_repeat(error)

    async def open_savepoint(self) -> None:
        """Begin a nested unit; nothing is sent."""
        self.check()
        self.savepoints.append(begin(self.workspace, len(self.hooks.registered)))

    async def leave_savepoint(self, error: BaseException | None) -> None:
        """End the innermost nested unit; undo it when `error` is given or a failure in it was swallowed."""
        savepoint = self.savepoints.pop()
        if error is None and self.state is State.ACTIVE:
            self.check()
            return
        try:
            if error is None:
                self.check()
        finally:
            why = await undo(self, savepoint)
            if why is not None:
                tell_doomed(self, why, error)

    async def restart(self) -> BoundworkError | None:
        """Repeat what is recorded in a new transaction; what cannot be repeated dooms the unit and is returned."""
        if self.interrupted:
            await overtake(self)
        self.first_error = None
        self.state = moved(self.state, Move.RESTART)
        try:
            await self.alone(Recovery(self).restart())
        except BoundworkError as error:
            return error
        return None

    async def step_out(self) -> None:
        """Refuse use while the program works outside of the session, until `suspend(None)`."""
        self.check()
        self.suspend("inside outside()")

    @property
    def is_suspended(self) -> bool:
        """Tell whether the program works past the unit at the moment."""
        return self.suspended is not None

    def suspend(self, why: str | None) -> None:
        """Refuse use for a while, or no longer: the program works past the unit."""
        self.suspended = why

    async def commit(self) -> None:
        """Flush, commit and begin the next transaction; a failure dooms the unit, and leaving it rewinds the objects."""
        self.check()
        refuse_end(self, "commit")
        await commit(self)
        self.committed = True  # even if boundwork sent nothing: calls of the driver may have written
        await self.send(self.session.begin)
        self.settled = False

    async def complete(self) -> None:
        """Do what belongs into the transaction before its commit."""
        if self.hooks.registered:
            await self.hooks.before_commit(self)
        await self.workspace.flush()

    async def conclude(self) -> None:
        """Send the commit until its outcome is known."""
        await conclude(self)

    async def rollback(self) -> None:
        """Abort, rewind the objects and begin the next transaction; allowed in a doomed unit too."""
        if self.state is not State.DOOMED:
            self.check()
        elif self.owner is not None:
            self.owner.check(self.name)
        refuse_end(self, "rollback")
        try:
            await roll_back(self)
        except BaseException as interruption:
            self.doom(interruption)
            raise
        self.first_error = None
        self.state = moved(self.state, Move.RESTART)
        await self.send(self.session.begin)
