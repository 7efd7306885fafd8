"""How a test orders deployers, and looks at what they leave: each document, and each record of the ledger."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from pymongo.errors import AutoReconnect, OperationFailure

from boundwork.alembic_like_migrations.engine.lease import LEASE
from boundwork.alembic_like_migrations.engine.server import FENCE, LEDGER
from tests.failure.deployers import Order, name_of

ROOT = Path(__file__).parent.parent.parent
SECONDS = 240.0
ARRIVAL_SECONDS = 0.03
REVISION = """revision, down_revision = {name!r}, {after!r}
from boundwork.alembic_like_migrations import op

def up():
    op.update("counters", {{"$inc": {{"number": 1}}}}, undo={{"$inc": {{"number": -1}}}})
"""
DOWN = """
def down():
    op.revert()
"""
Stored = dict[str, Any]


class Deployers:
    """A process that forks deployers."""

    def __init__(self, process: subprocess.Popen[str], ends: Path) -> None:
        self._process = process
        self._ends = ends

    def start(self, order: Order) -> int:
        """Start a deployer and return its process id."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(order.line())
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def end(self, pid: int) -> str | None:
        """Return how a deployer ended; None if it has not, or was killed."""
        file = self._ends / f"{pid}.end"
        return file.read_text() if file.exists() else None

    def waited_for(self, pid: int) -> str | None:
        """Wait until a deployer has ended, and return how; None if it was killed."""
        wait_until(lambda: not self.is_alive(pid))
        return self.end(pid)

    def stopped(self, pid: int) -> bool:
        """Wait until a deployer has stopped itself or ended, and tell whether it stopped."""
        wait_until(lambda: self._state_of(pid) in {"T", None})
        return self._state_of(pid) == "T"

    def is_alive(self, pid: int) -> bool:
        """Tell whether a deployer has not ended."""
        return self._state_of(pid) is not None

    def send(self, pid: int, number: signal.Signals) -> None:
        """Send a signal to a deployer that may have ended."""
        if self.is_alive(pid):
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    def _state_of(self, pid: int) -> str | None:
        """Return the letter that the system has for the state of a deployer; None if there is none.

        Ids come round again: a process with the id of a deployer that is gone is somebody else's.
        """
        try:
            letter, parent = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[:2]
        except (FileNotFoundError, ProcessLookupError):
            return None
        return letter if letter != "Z" and int(parent) == self._process.pid else None


@contextmanager
def deployers(ends: Path) -> Generator[Deployers]:
    """Start the process that forks deployers; at the end none is left."""
    command = [sys.executable, "-m", "tests.failure.deployers"]
    with subprocess.Popen(  # noqa: S603 - our own script
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        try:
            yield Deployers(process, ends)
        finally:
            os.killpg(process.pid, signal.SIGKILL)


def wait_until(true: Any) -> None:
    deadline = time.monotonic() + SECONDS
    while not true():
        assert time.monotonic() < deadline, "a deployer did not come to an end"
        time.sleep(0.005)


def write_revisions(folder: Path, *names: str, down: bool = False) -> Path:
    """Write a revision for each name, one after another, that counts each document once; perhaps with the way back."""
    folder.mkdir(exist_ok=True)
    for after, name in zip([None, *names], names, strict=False):
        (folder / f"{name}.py").write_text(REVISION.format(name=name, after=after) + DOWN * down)
    return folder


def counted(database: Any) -> set[int]:
    """Return how often documents were counted."""
    return set(database.counters.distinct("number"))


def records(database: Any) -> list[Stored]:
    """Return the records of the revisions."""
    return list(database[LEDGER].find({"revision": {"$exists": True}}, sort=[("_id", 1)]))


def forget(database: Any, pid: int) -> None:
    """Let the server give up the transaction of a dead or stopped deployer now, and not after a minute."""
    time.sleep(ARRIVAL_SECONDS)  # what it sent last may be under way
    stages = [{"$currentOp": {"idleSessions": True, "allUsers": True}}, {"$match": {"appName": name_of(pid)}}]
    with suppress(AutoReconnect, OperationFailure):
        idle = [one for one in database.client.admin.aggregate(stages) if one["type"] == "idleSession"]
        if idle:
            database.client.admin.command("killAllSessionsByPattern", [{"lsid": one["lsid"]} for one in idle])


def written_by_an_old_epoch(database: Any, since: Any) -> list[Stored]:
    """Return the changes of records that were made under another epoch than that of the fence in their moment."""
    fence = 0
    wrong: list[Stored] = []
    with database[LEDGER].watch(start_at_operation_time=since, max_await_time_ms=20) as stream:
        while (event := stream.try_next()) is not None:
            changed = event.get("fullDocument") or event.get("updateDescription", {}).get("updatedFields", {})
            if event["documentKey"]["_id"] == FENCE:
                fence = changed.get("epoch", fence)
            elif event["documentKey"]["_id"] != LEASE and changed.get("epoch", fence) != fence:
                wrong.append(event)
    return wrong
