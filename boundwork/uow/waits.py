"""How long to wait before something is tried again.

The waits follow the drivers' convenient transactions API: 5 ms growing by half each time up to 500 ms, with jitter.
"""

import random

FIRST_WAIT = 0.005
GROWTH = 1.5
LONGEST_WAIT = 0.5

_chance = random.Random()  # noqa: S311 - jitter guards nothing


def wait_before(attempt: int) -> float:
    """Return the seconds to wait before the n-th repetition, n from 1; none before the first attempt, n of 0."""
    if attempt < 1:
        return 0.0
    return _chance.random() * min(LONGEST_WAIT, FIRST_WAIT * GROWTH ** (attempt - 1))
