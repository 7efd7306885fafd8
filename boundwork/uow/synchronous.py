"""The synchronous shell: `with shop as uow`."""

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from types import FrameType, TracebackType
from typing import Any, Concatenate, Generic, ParamSpec, Self, TypeVar

from boundwork.models import Document
from boundwork.models.scope import Tenant
from boundwork.uow.attempts import DEADLINE_SECONDS, Attempts
from boundwork.uow.bodies import carried_out, check_plain
from boundwork.uow.falls_through import falls_through
from boundwork.uow.idempotency import OUTCOME_SECONDS, outcome, valid_key
from boundwork.uow.levels import Level
from boundwork.uow.open_units import bind_again, unbind_all
from boundwork.uow.receipt import Receipt
from boundwork.uow.reference_words import Loads
from boundwork.uow.run_sync import run_sync
from boundwork.uow.sessions.choice import synchronous_sessions
from boundwork.uow.settings import Concurrency, Isolation, Settings
from boundwork.uow.single_reads import SINGLE_READS
from boundwork.uow.unit import Unit

P = ParamSpec("P")
ResultT = TypeVar("ResultT")
UnitT = TypeVar("UnitT", bound="UnitOfWork")


class UnitOfWork(Loads):
    """A definition of units of work on one database; `with shop as uow` opens one.

    `database` is a PyMongo `Database`, or what `connect()` returned. `autoflush=False` leaves it to `flush()` to
    send pending changes before a query, which then leaves out only what the unit removes. `commit_seconds` is how long a commit of unknown outcome is resent,
    `replay_seconds` how long a unit repeats its transaction after a transient failure (0 for never).
    `isolation="locked_reads"` locks each document that a unit reads, so that no two units decide on the same ones.
    Of the units with an `idempotency_key` at most one commits; the others raise AlreadyCommitted, with its receipt.
    `concurrency="serialize"` lets other threads use the unit: operations follow each other in the order
    of their calls. Otherwise they raise UnitUsedElsewhere. To commit, roll back, nest and leave stays with the owner.
    Documents of models with a `tenant_field` are those of the `tenant`, or of what it returns when a unit is opened.
    A loop that reads documents one by one raises the warning ManySingleReads after `single_reads`; None is for never.
    A clean exit commits, an exception rolls back. Raises TypeError for a database of the other colour,
    ValueError for another isolation or concurrency and for times below 0.
    """

    _awaits = False

    def __init__(  # noqa: PLR0913 - the choices of a definition, all by keyword
        self,
        database: object,
        *,
        autoflush: bool = True,
        commit_seconds: float = 30.0,
        replay_seconds: float = 30.0,
        isolation: Isolation = "snapshot",
        idempotency_key: str | None = None,
        concurrency: Concurrency = "exclusive",
        tenant: Tenant | Callable[[], Tenant] | None = None,
        single_reads: int | None = SINGLE_READS,
    ) -> None:
        """Define units on a database; nothing is sent."""
        self._sessions = synchronous_sessions(database)
        key = None if idempotency_key is None else valid_key(idempotency_key)
        self._settings = Settings(
            autoflush, commit_seconds, replay_seconds, isolation, key, concurrency, single_reads, tenant
        )

    def __enter__(self) -> Self:
        """Open a unit; inside an open unit of this definition, a nested one: a savepoint."""
        level = Level(sys._getframe(1), self)
        outer = self._outer()
        if outer is not None:
            run_sync(outer._nest(level))
            return outer
        unit = self._prepare()
        run_sync(unit._enter(level))
        return unit

    def __exit__(self, _: type[BaseException] | None, error: BaseException | None, __: TracebackType | None) -> None:
        """Commit on a clean exit, roll back otherwise, and end the unit."""
        run_sync(self._leave_level(self._level(sys._getframe(1)), error))

    def unit(self, *, handover: bool = False, idempotency_key: str | None = None) -> AbstractContextManager[Self]:
        """Return a single-use manager that holds its unit, for fixtures, generators and frameworks.

        With `handover=True` other tasks and threads may use the unit, one after another. At most one unit with an
        `idempotency_key` commits.
        """
        return _Held(self._prepare(handover=handover, idempotency_key=idempotency_key))

    def independent(self) -> AbstractContextManager[Self]:
        """Return a manager of a second, separate unit; the units open here are refused meanwhile."""
        return _Independent(self)

    def outside(self) -> AbstractContextManager[None]:
        """Return a manager that steps out of the session: calls of the driver are not part of the unit meanwhile.

        For an audit record that must stay whatever becomes of the unit, or a second client. The unit is refused
        inside the block.
        """
        return _Outside(self.core)

    def flush(self) -> None:
        """Send pending changes now, inside the transaction."""
        run_sync(self.core.workspace.flush())

    def refresh(self, document: Document[Any]) -> None:
        """Read a document again into the same object; pending changes are flushed first."""
        run_sync(self.core.workspace.refresh(document))

    def lock(self, name: str) -> None:
        """Lock a name until the transaction ends: units that lock the same one follow each other.

        As the first word of a unit it waits for a rival, up to `replay_seconds`, and reads what the rival committed.
        """
        run_sync(self.core.workspace.lock_name(name))

    def commit(self) -> None:
        """Flush and commit; the next operation begins a new transaction."""
        core = self.core
        run_sync(self._end(core, core.commit()))

    def rollback(self) -> None:
        """Undo everything since the last commit, in the database and in the objects; the unit goes on."""
        core = self.core
        run_sync(self._end(core, core.rollback()))

    def run(self, body: Callable[Concatenate[Self, P], ResultT], *args: P.args, **keywords: P.kwargs) -> ResultT:
        """Call `body(uow, ...)` in a unit, again with a fresh one after a transient failure, and return its result."""
        check_plain(body)
        results: list[ResultT] = []
        for attempt in self.attempts():
            results.clear()
            with attempt as uow:
                results.append(carried_out(body(uow, *args, **keywords)))
        return results[0]

    def outcome(self, key: str, seconds: float = OUTCOME_SECONDS) -> Receipt | None:
        """Return the receipt of the unit with this idempotency key that has committed; None if none ever will.

        The question decides: where no unit has committed, the key is fenced, and a unit that uses it raises
        UnitFenced. It waits for a transaction of the key that is still open, since its client may only be slow.
        Raises CommitOutcomeUnknown if the server gave no answer in `seconds`.
        """
        return run_sync(outcome(self._sessions(), self._named(valid_key(key)), seconds))

    def attempts(
        self, seconds: float = DEADLINE_SECONDS, *, idempotency_key: str | None = None
    ) -> "Iterator[Attempt[Self]]":
        """Iterate over attempts until one succeeds: `for attempt in shop.attempts(): with attempt as uow: ...`.

        The block must be the whole body of the loop and may not leave it by `return` or `break`, else a failure
        is raised instead of repeated; use `run` for values. All attempts have the `idempotency_key`.
        """
        series = Attempts(seconds)
        key = None if idempotency_key is None else valid_key(idempotency_key)
        return (Attempt(self, series, key) for _ in series.numbers())


class Attempt(Generic[UnitT]):
    """One attempt of a series, to be entered once; it swallows the failure that the next attempt may mend."""

    def __init__(self, definition: UnitT, series: Attempts, key: str | None = None) -> None:
        """Prepare an attempt."""
        self._definition = definition
        self._series = series
        self._key = key
        self._unit: UnitT

    def __enter__(self) -> UnitT:
        """Wait as long as the series says, and open a unit."""
        self._definition._refuse_inside("An attempt")
        self._series.begin()
        time.sleep(self._series.wait())
        self._unit = self._definition._prepare(idempotency_key=self._key)
        self._unit.receipt.attempts = self._series.number
        run_sync(self._unit._enter(Level(sys._getframe(1))))
        return self._unit

    def __exit__(self, _: type[BaseException] | None, error: BaseException | None, __: TracebackType | None) -> bool:
        """End the unit; True if the body is to be run again."""
        frame = sys._getframe(1)
        try:
            run_sync(self._unit._leave(error))
        except BaseException as failure:
            if self._again(failure, frame):
                return True
            raise
        return self._again(error, frame)

    def _again(self, error: BaseException | None, frame: FrameType) -> bool:
        """Tell whether another attempt follows."""
        core = self._unit.core
        return self._series.again(
            error,
            core.session,
            committed=core.committed,
            transient=core.may_repeat(error),
            goes_round=lambda: falls_through(frame),
        )


class _Held(Generic[UnitT]):
    """A manager that holds its unit instead of looking for it."""

    def __init__(self, unit: UnitT) -> None:
        """Hold a unit that has not been entered."""
        self._unit = unit

    def __enter__(self) -> UnitT:
        """Open the unit."""
        self._unit._refuse_inside("unit()")
        run_sync(self._unit._enter(Level(sys._getframe(1))))
        return self._unit

    def __exit__(self, _: type[BaseException] | None, error: BaseException | None, __: TracebackType | None) -> None:
        """Commit on a clean exit, roll back otherwise; elsewhere than where it was opened, roll back and say so."""
        run_sync(self._unit._leave(error))


class _Independent(Generic[UnitT]):
    """A manager of a unit beside those that are open here."""

    def __init__(self, definition: UnitT) -> None:
        """Prepare a unit."""
        self._unit = definition._prepare()

    def __enter__(self) -> UnitT:
        """Open the unit."""
        run_sync(self._unit._enter_independent(Level(sys._getframe(1))))
        return self._unit

    def __exit__(self, _: type[BaseException] | None, error: BaseException | None, __: TracebackType | None) -> None:
        """Commit on a clean exit, roll back otherwise."""
        run_sync(self._unit._leave_independent(error))


class _Outside:
    """A manager of the time that a program spends outside of a unit's session."""

    def __init__(self, core: Unit) -> None:
        """Prepare to step out of a unit."""
        self._core = core
        self._bound: Sequence[Unit] = ()

    def __enter__(self) -> None:
        """Step out."""
        run_sync(self._core.step_out())
        self._bound = run_sync(unbind_all())

    def __exit__(self, _: type[BaseException] | None, error: BaseException | None, __: TracebackType | None) -> None:
        """Step in again."""
        self._core.suspend(None)
        run_sync(bind_again(self._bound))
