"""A mongod without a replica set, for the commands that must say so."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from boundwork.uow.sessions.supervised import SupervisedServer
from tests.servers import free_port, mongod_binary

START_SECONDS = 60.0


@pytest.fixture
def standalone_uri() -> Iterator[str]:
    """Return the address of a standalone, as `mongodb://host:port`."""
    port = free_port()

    def command(scratch: Path) -> list[str]:
        words = [str(mongod_binary()), "--dbpath", str(scratch), "--logpath", str(scratch / "mongod.log")]
        words += ["--port", str(port), "--bind_ip", "127.0.0.1", "--nounixsocket"]
        return [*words, "--wiredTigerEngineConfigString", "log=(file_max=2MB,prealloc=false)"]

    server = SupervisedServer(command, grace_seconds=0)
    try:
        uri = f"mongodb://127.0.0.1:{port}"
        with MongoClient[dict[str, Any]](uri, serverSelectionTimeoutMS=int(START_SECONDS * 1000)) as client:
            client.admin.command("ping")
        yield uri
    finally:
        server.close()
