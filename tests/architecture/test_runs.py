"""What a run of the tests says at its end, in one process and in several, and when it fails."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
NEEDY = """
import pytest

def test_needs_a_server(mongod_uri: str) -> None:
    raise AssertionError("this ran")

def test_needs_none() -> None:
    pass
"""
# The real conftest, and no mongod on this machine.
CONFTEST = """
from tests import servers
servers.WHEEL = "no-such-wheel"
from tests.conftest import *
"""
RECORDING = """
from tests.failure.conftest import Record

def test_records(record: Record) -> None:
    record(transfers=17)
"""
LEAKING = """
import socket

def test_leaves_a_socket_to_the_collector() -> None:
    class Knot:
        pass
    knot = Knot()
    knot.itself, knot.socket = knot, socket.socket()
"""
PROCESSES = pytest.mark.parametrize("options", [[], ["-n", "2"]], ids=["one process", "two processes"])


@pytest.fixture
def run_without_mongod(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "test_needy.py").write_text(NEEDY)
    for name in ("MONGODB_URI", "CI"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def run_tests(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-c",
        str(ROOT / "pyproject.toml"),
        "--rootdir",
        str(folder),
        str(folder),
    ]
    command += ["-p", "no:cacheprovider", *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 - our own words


@PROCESSES
def test_tests_that_need_a_missing_server_are_left_out_loudly(run_without_mongod: Path, options: list[str]) -> None:
    done = run_tests(run_without_mongod, *options)
    assert done.returncode == 0, done.stdout
    assert "1 passed, 1 skipped" in done.stdout
    assert "NOT TESTED" in done.stdout
    assert "1 tests were left out for want of a server." in done.stdout
    assert "Set MONGODB_URI" in done.stdout


@PROCESSES
def test_in_ci_a_missing_server_fails_the_run(
    run_without_mongod: Path, monkeypatch: pytest.MonkeyPatch, options: list[str]
) -> None:
    monkeypatch.setenv("CI", "true")
    done = run_tests(run_without_mongod, *options)
    assert done.returncode == 1
    assert "Set MONGODB_URI" in done.stdout + done.stderr
    assert "passed" not in done.stdout


def test_processes_hand_over_their_figures_and_what_only_the_collector_closes_is_an_error(tmp_path: Path) -> None:
    lab = tmp_path / "lab"
    lab.mkdir()
    (tmp_path / "conftest.py").write_text("from tests.conftest import *")
    (lab / "conftest.py").write_text("from tests.failure.conftest import record")
    (lab / "test_figures.py").write_text(RECORDING)
    (tmp_path / "test_leaks.py").write_text(LEAKING)
    done = run_tests(tmp_path, "-n", "2")
    assert done.returncode == 1
    assert "test_records: transfers 17" in done.stdout
    assert "ResourceWarning: unclosed <socket.socket" in done.stdout
