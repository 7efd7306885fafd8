"""What the lab does to a replica set while units run: step the primary down, kill it, freeze it, again and again."""

import time
from collections.abc import Callable

from tests.failure.replica_set import ReplicaSet

FROZEN_SECONDS = 4.0
DEAD_SECONDS = 1.5
QUIET_SECONDS = 2.0
ENOUGH_SECONDS = 60.0
Fault = Callable[[ReplicaSet], None]


def step_down(replica_set: ReplicaSet) -> None:
    """Let the primary step down."""
    replica_set.stepdown()


def kill_and_restart(replica_set: ReplicaSet) -> None:
    """Kill the primary's process, and start it again when there is another primary."""
    member = replica_set.kill_primary()
    time.sleep(DEAD_SECONDS)
    member.restart()


def freeze(replica_set: ReplicaSet) -> None:
    """Stop the primary's process for longer than an election takes, and let it go on."""
    member = replica_set.stop_primary()
    time.sleep(FROZEN_SECONDS)
    member.resume()


FAULTS: dict[str, Fault] = {"stepdown": step_down, "kill -9": kill_and_restart, "SIGSTOP": freeze}


def repeat(fault: Fault, replica_set: ReplicaSet, seconds: float) -> int:
    """Let a fault happen for some seconds, each time to a healthy set; return how often."""
    began = last = time.monotonic()
    times, longest = 0, 0.0
    while last + longest < began + seconds:
        time.sleep(QUIET_SECONDS)
        fault(replica_set)
        replica_set.wait_until_healthy()
        times += 1
        now = time.monotonic()
        longest, last = max(longest, now - last), now
    time.sleep(max(0.0, began + seconds - last))
    return times


def until(enough: Callable[[], bool]) -> None:
    """Wait until the load has done enough to tell by, however slow the machine is; give up after a minute."""
    deadline = time.monotonic() + ENOUGH_SECONDS
    while not enough() and time.monotonic() < deadline:
        time.sleep(0.1)
