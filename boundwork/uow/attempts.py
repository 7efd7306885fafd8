"""When a body is run again, and how long to wait before.

Only a failure that wrote nothing and may not come back is worth another attempt: `TransientFailure` and its kinds.
The series ends after 120 seconds, as the drivers' convenient transactions API has it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from time import monotonic

from boundwork.errors import TransientFailure, UnitClosed, UnitDoomed
from boundwork.uow.waits import wait_before

DEADLINE_SECONDS = 120.0


@dataclass
class Attempts:
    """The state of one series of attempts."""

    seconds: float = DEADLINE_SECONDS
    number: int = 0
    over: bool = False
    _entered: int = 0
    _began: float = field(default_factory=monotonic)

    def numbers(self) -> Iterator[int]:
        """Iterate over the numbers of the attempts, from 1, until one of them settles the matter."""
        while not self.over:
            self.number += 1
            self.over = True  # an attempt that is never entered, or whose start fails, must not be followed by another
            yield self.number

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
        *,
        committed: bool,
        transient: bool = False,
        goes_round: Callable[[], bool] = lambda: True,
    ) -> bool:
        """Tell whether the body is to be run again after an attempt that ended with `error`, or one of the driver's.

        Never after a commit in the middle of the body has succeeded: what it wrote would be written twice. Nor where
        swallowing the error would not lead to the next round (`goes_round`, asked last).
        """
        late = monotonic() - self._began >= self.seconds
        first = error.__cause__ if isinstance(error, UnitDoomed) else error
        repeat = (transient or isinstance(first, TransientFailure)) and not committed and not late and goes_round()
        self.over = not repeat
        return repeat
