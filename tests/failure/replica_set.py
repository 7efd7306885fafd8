"""Three real mongods as one replica set on the loopback interface, whose members can be stopped, killed and restarted.

Members are mongods of `tests/servers.py`, so each has a supervisor that ends it however this process goes. The data of
a member lies in the scratch folder of its present process and moves on with a restart.
"""

import os
import signal
import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import Context
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from pymongo import MongoClient
from pymongo.errors import AutoReconnect, PyMongoError

from boundwork.uow.sessions.supervised import SupervisedServer
from tests.servers import START_SECONDS, RealMongod

SIZE = 3
HEALTHY_SECONDS = 120.0
SETTINGS = {"electionTimeoutMillis": 1000, "heartbeatIntervalMillis": 500}
PATIENT_MS, LOOKING_MS = 60_000, 1000


class Member(RealMongod):
    """One mongod of a replica set that is initiated as a whole."""

    stopped = False

    @property
    def address(self) -> str:
        """The host and port of the member."""
        return f"127.0.0.1:{self.port}"

    @property
    def running(self) -> bool:
        """Tell whether the process has not ended; a stopped one has not."""
        return self._server.running

    def kill(self) -> None:
        """End the process as a power cut would."""
        self._signal(signal.SIGKILL)
        self.stopped = False
        _wait_until(lambda: not self.running, "the killed mongod to be gone")

    def stop(self) -> None:
        """Freeze the process: its connections stay open and nobody answers."""
        self._signal(signal.SIGSTOP)
        self.stopped = True

    def resume(self) -> None:
        """Let a frozen process go on."""
        self._signal(signal.SIGCONT)
        self.stopped = False

    def restart(self) -> None:
        """Start the process again, after its end, on the same data and port."""
        ended = self._server

        def command(scratch: Path) -> list[str]:
            words = self._command(scratch)
            (ended.scratch / "data").replace(scratch / "data")
            return words

        self._server = SupervisedServer(command, grace_seconds=0, scratch_in=ended.scratch.parent)
        ended.close()
        self._initiate()

    def ask(self, command: dict[str, Any], patience: int = PATIENT_MS) -> dict[str, Any]:
        """Send a command to this member alone; inside a unit as well, where its session is bound."""
        return Context().run(self._ask, command, patience)

    def _ask(self, command: dict[str, Any], patience: int) -> dict[str, Any]:
        limits: dict[str, Any] = dict.fromkeys(
            ("serverSelectionTimeoutMS", "connectTimeoutMS", "socketTimeoutMS"), patience
        )
        with MongoClient[dict[str, Any]]("127.0.0.1", self.port, directConnection=True, **limits) as client:
            return client.admin.command(command)

    def _initiate(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if not self.running:
                raise RuntimeError("a mongod of the replica set ended while it was started")
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return
            time.sleep(0.02)
        raise RuntimeError(f"a mongod of the replica set did not listen within {START_SECONDS:.0f} seconds")

    def _signal(self, number: signal.Signals) -> None:
        if self.pid is not None:
            os.kill(self.pid, number)


class ReplicaSet:
    """A replica set of three; elections take about a second."""

    def __init__(self) -> None:
        """Start the members side by side and wait until the set is healthy."""
        self.members: list[Member] = []
        try:
            with ThreadPoolExecutor(SIZE) as pool:
                for started in [pool.submit(Member) for _ in range(SIZE)]:
                    self.members.append(started.result())
            config = [{"_id": number, "host": member.address} for number, member in enumerate(self.members)]
            self.members[0].ask({"replSetInitiate": {"_id": "rs0", "members": config, "settings": SETTINGS}})
            self.wait_until_healthy()
        except BaseException:
            self.close()
            raise

    @property
    def uri(self) -> str:
        """The address of all members, for clients that notice a new primary soon."""
        hosts = ",".join(member.address for member in self.members)
        return f"mongodb://{hosts}/?replicaSet=rs0&w=majority&heartbeatFrequencyMS=500&serverSelectionTimeoutMS=20000"

    def primary(self) -> Member:
        """Return the member that takes writes, as soon as there is one that says so."""
        found: list[Member] = []

        def look() -> bool:
            found.extend(member for member in self.members if self._status(member).get("isWritablePrimary"))
            return bool(found)

        _wait_until(look, "a primary")
        return found[0]

    def stepdown(self) -> Member:
        """Let the primary step down for two seconds, and return it."""
        member = self.primary()
        with suppress(AutoReconnect):
            member.ask({"replSetStepDown": 2, "secondaryCatchUpPeriodSecs": 1, "force": True})
        return member

    def kill_primary(self) -> Member:
        """Kill the process of the primary, and return the member."""
        member = self.primary()
        member.kill()
        return member

    def stop_primary(self) -> Member:
        """Freeze the primary, and return it."""
        member = self.primary()
        member.stop()
        return member

    def heal(self) -> None:
        """Continue and restart whatever does not run, and wait until the set is healthy."""
        for member in self.members:
            if member.stopped:
                member.resume()
            if not member.running:
                member.restart()
        self.wait_until_healthy()

    def wait_until_healthy(self) -> None:
        """Wait until one member is primary, all others follow it, and all agree on that."""
        _wait_until(self._is_healthy, "the replica set to be healthy")

    def close(self) -> None:
        """Kill all members and remove their data."""
        for member in self.members:
            member.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        self.close()

    def _is_healthy(self) -> bool:
        statuses = [self._status(member) for member in self.members]
        primaries = {status.get("primary") for status in statuses}
        steady = all(status.get("isWritablePrimary") or status.get("secondary") for status in statuses)
        return steady and len(primaries) == 1 and None not in primaries

    @staticmethod
    def _status(member: Member) -> dict[str, Any]:
        if member.stopped or not member.running:
            return {}
        try:
            return member.ask({"hello": 1}, LOOKING_MS)
        except PyMongoError:
            return {}


def _wait_until(true: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + HEALTHY_SECONDS
    while not true():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {HEALTHY_SECONDS:.0f} seconds for {what}")
        time.sleep(0.05)
