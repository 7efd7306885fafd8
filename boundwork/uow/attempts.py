"""When a body is run again, and how long to wait before.

Only a failure that wrote nothing and may not come back is worth another attempt: `TransientFailure` and its kinds, and a
server that is gone after it was there. The series ends after 120 seconds, as the drivers' convenient transactions API
has it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from time import monotonic

from boundwork.errors import ServerUnavailable, TransientFailure, UnitClosed, UnitDoomed
from boundwork.uow.port import BoundSession
from boundwork.uow.waits import wait_before

DEADLINE_SECONDS = 120.0
NO_SUCH_TRANSACTION = 251
LOSSES = 3
SWALLOWED = (
    "The server had ended the transaction of each of the last {losses} attempts, and each made calls of the driver. If the "
    "block catches errors of such calls, that is why: the server aborts a transaction with its first error. Let the "
    "error leave the block, or use add_if_absent."
)
CUT_SHORT = (
    "This attempt was to be repeated, and no other one was asked for: nothing was written. Let the loop go over attempts() "
    "itself until it ends; attempts(seconds) limits it."
)


@dataclass
class Attempts:
    """The state of one series of attempts."""

    seconds: float = DEADLINE_SECONDS
    number: int = 0
    over: bool = False
    _entered: int = 0
    _losses: int = 0
    _failure: BaseException | None = None
    _began: float = field(default_factory=monotonic)

    def numbers(self) -> Iterator[int]:
        """Iterate over the numbers of the attempts, from 1, until one of them settles the matter."""
        while not self.over:
            self.number += 1
            self.over = True  # an attempt that is never entered, or whose start fails, must not be followed by another
            try:
                yield self.number
            except GeneratorExit:
                if self._failure is not None and not self.over:
                    self._failure.add_note(CUT_SHORT)
                    raise self._failure from None
                raise

    def begin(self) -> None:
        """Note that the present attempt was entered; UnitClosed if it was before."""
        if self._entered == self.number:
            raise UnitClosed("An attempt can be entered once. Let the loop go round, and put all work into one block.")
        self._entered = self.number

    def wait(self) -> float:
        """Return the seconds to wait before the present attempt: none before the first."""
        return wait_before(self.number - 1)

    def again(
        self,
        error: BaseException | None,
        session: BoundSession,
        *,
        committed: bool,
        transient: bool = False,
        goes_round: Callable[[], bool] = lambda: True,
    ) -> bool:
        """Tell whether the body is to be run again after an attempt in `session` that ended with `error`.

        `transient` says that an error which is none of ours permits it.

        Never after a commit in the middle of the body has succeeded: what it wrote would be written twice. Nor where
        swallowing the error would not lead to the next round (`goes_round`, asked last).
        """
        late = monotonic() - self._began >= self.seconds
        first = error.__cause__ if isinstance(error, UnitDoomed) else error
        worth_it = transient or (isinstance(first, TransientFailure) and first.may_pass) or self._away(first, session)
        repeat = worth_it and not committed and not late and not self._swallows(first, session) and goes_round()
        self.over = not repeat
        self._failure = error if repeat else None
        return repeat

    def _away(self, error: BaseException | None, session: BoundSession) -> bool:
        """Tell whether no server could be selected though there was one in an earlier attempt."""
        return self.number > 1 and isinstance(error, ServerUnavailable) and session.may_repeat(error.__cause__)

    def _swallows(self, error: BaseException | None, session: BoundSession) -> bool:
        """Tell whether the body seems to swallow errors of the driver, which no repetition can mend; `error` says so then.

        The server tells of an error once, and afterwards only that there is no transaction. A failover is told in the
        same words, but not again and again.
        """
        lost = session.foreign and getattr(error, "code", None) == NO_SUCH_TRANSACTION
        self._losses = self._losses + 1 if lost else 0
        if self._losses < LOSSES or error is None:
            return False
        error.add_note(SWALLOWED.format(losses=LOSSES))
        return True
