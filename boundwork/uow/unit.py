"""One unit of work: one session, one transaction at a time, one identity map.

This is the core that both colours share: coroutines that await only the session. The life of a unit, its
transactions and its failures are decided here; what it reads and writes lies in `Workspace`.
"""

import logging
from collections.abc import Awaitable, Coroutine
from time import perf_counter
from typing import TypeVar

from boundwork.errors import BoundworkError, CommitOutcomeUnknown, UnitClosed, UnitDoomed, UnitUsedElsewhere
from boundwork.uow.committing import commit
from boundwork.uow.failures import SessionFailure
from boundwork.uow.ownership import Owner
from boundwork.uow.port import BoundSession
from boundwork.uow.receipt import Receipt
from boundwork.uow.reporting import public_error
from boundwork.uow.settings import Settings
from boundwork.uow.states import Move, State, moved
from boundwork.uow.workspace import Workspace

logger = logging.getLogger("boundwork.unit")
ReplyT = TypeVar("ReplyT")


class Unit:
    """The core of an open unit; the shells `UnitOfWork` and `AsyncUnitOfWork` drive it."""

    def __init__(self, name: str, session: BoundSession, settings: Settings, *, handover: bool = False) -> None:
        """Prepare a unit; nothing is opened yet. With `handover` any task or thread of the process may use it."""
        self.name = name
        self.session = session
        self.settings = settings
        self.receipt = Receipt()
        self.state = State.READY
        self.workspace = Workspace(self)
        self.committed = False
        self._settled = False
        self._handover = handover
        self._owner: Owner | None = None
        self._busy = False
        self._interrupted = False
        self._doom: BaseException | None = None
        self._began = 0.0

    def check(self) -> None:
        """Raise unless the unit may be used here and now: UnitClosed, UnitUsedElsewhere, UnitDoomed."""
        if self._owner is not None:
            self._owner.check(self.name)
        if self._busy:
            raise self._overlap()
        if self.state is State.ACTIVE:
            return
        if self.state is State.DOOMED:
            raise UnitDoomed(
                f"The unit of work {self.name} was ended by an earlier failure and wrote nothing; "
                "the first error is the cause. Leave the block, or call rollback() and begin again.",
            ) from self._doom
        if self.state is State.UNSETTLED:
            raise UnitDoomed(
                f"The unit of work {self.name} sent a commit of unknown outcome; the first error is the cause. "
                "Leave the block and read what it wrote in a new unit.",
            ) from self._doom
        opened = "" if self._owner is None else f" It was opened and closed by {self._owner.name}."
        raise UnitClosed(f"The unit of work {self.name} {self.state.value}.{opened} Open a new one.")

    @property
    def is_mine(self) -> bool:
        """Tell whether the unit is open and belongs to the present task, thread and process."""
        return self.is_open and self._owner is not None and self._owner.is_here()

    @property
    def is_open(self) -> bool:
        """Tell whether the unit has been entered and not left."""
        return self.state not in {State.READY, State.CLOSED}

    async def enter(self) -> None:
        """Open the session and bind it; nothing is sent."""
        self.state = moved(self.state, Move.ENTER)
        self._owner = Owner.here(handover=self._handover)
        self._began = perf_counter()
        try:
            await self.session.open()
        except SessionFailure as failure:
            await self._end()
            raise public_error(failure) from failure.__cause__
        except BaseException:
            await self._end()
            raise

    async def leave(self, error: BaseException | None) -> None:
        """Commit, or roll back when `error` is given, and end the session whatever happens.

        Raises what the commit raises; UnitDoomed if the program swallowed the error that doomed the unit;
        UnitUsedElsewhere, after a rollback, if this is not where the unit was entered.
        """
        if self._owner is not None and self._owner.is_inherited():
            await self._forsake()
            self._owner.check(self.name)
        try:
            if self._owner is not None:
                self._owner.check(self.name)
            if error is None and self.state is State.ACTIVE:
                await self._commit()
            elif error is None:
                self.check()
        finally:
            try:
                if self.state in {State.DOOMED, State.ACTIVE} and not self._settled:
                    await self._undo()
            finally:
                await self._end()

    async def send(self, command: Awaitable[ReplyT]) -> ReplyT:
        """Await one command of the session; a failure dooms the unit and is raised as a public error."""
        try:
            return await self.alone(command)
        except SessionFailure as failure:
            error = public_error(failure)
            self.doom(error)
            raise error from failure.__cause__

    async def alone(self, command: Awaitable[ReplyT]) -> ReplyT:
        """Await one command while no other one runs; an interruption dooms the unit."""
        if self._busy:
            close_unawaited(command)
            raise self._overlap()
        self._busy = True
        try:
            return await command
        except SessionFailure:
            raise
        except BaseException as interruption:
            self._interrupted = True
            self.doom(interruption)
            raise
        finally:
            self._busy = False

    def _overlap(self) -> UnitUsedElsewhere:
        return UnitUsedElsewhere(
            f"The unit of work {self.name} was used while another operation of it was running. "
            "Its operations must follow one another.",
        )

    def doom(self, error: BaseException) -> None:
        """Refuse further work: the transaction cannot be trusted any more. After the end there is none."""
        if self.state in {State.UNSETTLED, State.CLOSED}:
            return
        if self._doom is None:
            self._doom = error
        self.state = moved(self.state, Move.FAIL)

    async def commit(self) -> None:
        """Flush, commit and begin the next transaction; on failure nothing was written and the objects are rewound."""
        self.check()
        await self._commit()
        self.committed = True  # even if boundwork sent nothing: calls of the driver may have written
        await self.send(self.session.begin())
        self._settled = False

    async def _commit(self) -> None:
        await self.workspace.flush()
        self._busy = True
        try:
            await commit(self.session, self.settings.commit_seconds)
        except CommitOutcomeUnknown as error:
            self._lose(error)
            raise
        except BoundworkError as error:
            self.doom(error)
            raise
        except BaseException as interruption:
            self._lose(interruption)
            raise
        finally:
            self._busy = False
        self._settled = True
        self.committed = self.workspace.settle() or self.committed

    def _lose(self, error: BaseException) -> None:
        self._doom = error
        self.state = moved(self.state, Move.LOSE)

    async def rollback(self) -> None:
        """Abort, rewind the objects and begin the next transaction; allowed in a doomed unit too."""
        if self.state is not State.DOOMED:
            self.check()
        elif self._owner is not None:
            self._owner.check(self.name)
        try:
            await self._undo()
        except BaseException as interruption:
            self.doom(interruption)
            raise
        self._doom = None
        self.state = moved(self.state, Move.RESTART)
        await self.send(self.session.begin())

    async def _undo(self) -> None:
        busy, self._busy = self._busy, True
        try:
            self.workspace.rewind()
        finally:
            try:
                await self._clean_up("abort", self.session.abort())
                if self._interrupted:
                    self._interrupted = False
                    await self._clean_up("overtaking", self.session.overtake())
            finally:
                self._busy = busy

    async def _forsake(self) -> None:
        """Let go of the unit in a forked child and send nothing: transaction and session are the parent's."""
        self.state = moved(self.state, Move.LEAVE)
        self.workspace.close()
        await self.session.unbind()

    async def _end(self) -> None:
        self.state = moved(self.state, Move.LEAVE)
        self.receipt.commands = self.session.commands
        self.receipt.seconds = perf_counter() - self._began
        self._doom = None
        try:
            self.workspace.close()
        finally:
            try:
                await self._clean_up("unbind", self.session.unbind())
            finally:
                await self._clean_up("close", self.session.close())

    async def _clean_up(self, what: str, command: Awaitable[None]) -> None:
        """Await one step of the end; a failure is logged, so that it never hides the outcome."""
        try:
            await command
        except SessionFailure as failure:
            logger.warning("unit %s: the %s failed: %s: %s", self.name, what, failure, failure.detail.get("text", ""))


def close_unawaited(command: Awaitable[object]) -> None:
    """Close a coroutine that will not be awaited."""
    if isinstance(command, Coroutine):
        command.close()
