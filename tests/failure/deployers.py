"""Deployers in processes of their own: each line of standard input, an order as JSON, forks one, and prints its id.

What became of a deployer is in a file that is named by its id, in the folder `ends`. It can stop or kill itself before
the command of a number, and faults can be planted in its engine.
"""

import json
import os
import signal
import sys
import threading
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.monitoring import CommandFailedEvent, CommandListener, CommandStartedEvent, CommandSucceededEvent

from boundwork import BoundworkError
from boundwork.alembic_like_migrations.engine import batches
from boundwork.alembic_like_migrations.engine.errors import DatabaseDirty, LeaseLost, LockHeld, NothingToResume
from boundwork.alembic_like_migrations.engine.ledger import Place, StepRecord
from boundwork.alembic_like_migrations.engine.server import LEDGER, Server
from boundwork.alembic_like_migrations.migrator import Migrator

PAUSE_SECONDS = 0.05
PATIENCE_SECONDS = 200.0


@dataclass(frozen=True)
class Order:
    """What a deployer is to do: once, or until nothing is left to be done."""

    uri: str
    database: str
    revisions: str
    ends: str
    until_done: bool = False
    at: int = 0
    signal: int = 0
    fault: str = ""
    lease_seconds: float = 30.0
    batch_seconds: float = 0.02
    word: str = "upgrade"

    def line(self) -> str:
        return json.dumps(asdict(self)) + "\n"


class AtCommand(CommandListener):
    """Sends the process a signal before the command of a number; those of the heartbeat are not counted."""

    def __init__(self, at: int, number: int) -> None:
        self.left = at
        self.number = number

    def started(self, event: CommandStartedEvent) -> None:  # noqa: ARG002 - any command
        if threading.current_thread() is threading.main_thread():
            self.left -= 1
            if not self.left:
                os.kill(os.getpid(), self.number)

    def succeeded(self, event: CommandSucceededEvent) -> None:
        """Do nothing."""

    def failed(self, event: CommandFailedEvent) -> None:
        """Do nothing."""


def name_of(pid: int) -> str:
    """Return the name that the server knows a deployer by."""
    return f"deployer {pid}"


def until_done(migrator: Migrator) -> None:
    """Upgrade, and resume what others left, until nothing is left to be done."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        try:
            migrator.upgrade()
        except DatabaseDirty:
            with suppress(NothingToResume, LockHeld, LeaseLost):
                migrator.resume()
        except (LockHeld, LeaseLost):
            pass
        else:
            return
        time.sleep(PAUSE_SECONDS)
    raise TimeoutError("there was always something left to be done")


def plant(fault: str, client: MongoClient[dict[str, Any]], database: str) -> None:
    """Break the engine."""
    if fault == "no fence":

        async def unfenced(*_: object) -> None:
            """Touch nothing."""

        pytest.MonkeyPatch().setattr(Server, "_touch_fence", unfenced)
    if fault == "checkpoint apart":

        async def apart(_: object, place: Place, record: StepRecord) -> None:
            change = {"$set": {f"{place.direction}.{place.number}": record.stored()}}
            statement = {"q": {"_id": f"revision {place.revision}"}, "u": change}
            with client.start_session() as session:
                client[database].command({"update": LEDGER, "updates": [statement]}, session=session)

        pytest.MonkeyPatch().setattr(batches, "write_step", apart)


def deploy(order: Order) -> str:
    """Carry out an order, and return how it ended."""
    listener = AtCommand(order.at, order.signal)
    with MongoClient[dict[str, Any]](order.uri, event_listeners=[listener], appname=name_of(os.getpid())) as client:
        plant(order.fault, client, order.database)
        migrator = Migrator(
            client[order.database],
            order.revisions,
            lease_seconds=order.lease_seconds,
            batch_seconds=order.batch_seconds,
        )
        try:
            if order.until_done:
                until_done(migrator)
            else:
                getattr(migrator, order.word)()
        except BoundworkError as error:
            return type(error).__name__ if isinstance(error, LeaseLost) else f"{type(error).__name__}: {error}"
    return "done"


def main() -> None:
    """Fork a deployer for each order."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them
    for line in sys.stdin:
        child = os.fork()
        if not child:
            order = Order(**json.loads(line))
            half = Path(order.ends) / f"{os.getpid()}.half"
            half.with_suffix(".end").unlink(missing_ok=True)  # of one that had the same id
            try:
                end = deploy(order)
            except BaseException as error:
                end = f"{type(error).__name__}: {error}"
            half.write_text(end)
            half.rename(half.with_suffix(".end"))
            os._exit(0)
        sys.stdout.write(f"{child}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
