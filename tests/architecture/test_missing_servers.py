"""A run without a server: it says so, and fails where CI is set."""

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


@pytest.fixture
def run_without_mongod(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "test_needy.py").write_text(NEEDY)
    for name in ("MONGODB_URI", "CI"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def run_tests(folder: Path) -> subprocess.CompletedProcess[str]:
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
    command += ["-p", "no:cacheprovider"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 - our own words


def test_tests_that_need_a_missing_server_are_left_out_loudly(run_without_mongod: Path) -> None:
    done = run_tests(run_without_mongod)
    assert done.returncode == 0, done.stdout
    assert "1 passed, 1 skipped" in done.stdout
    assert "NOT TESTED" in done.stdout
    assert "1 tests were left out for want of a server." in done.stdout
    assert "Set MONGODB_URI" in done.stdout


def test_in_ci_a_missing_server_fails_the_run(run_without_mongod: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    done = run_tests(run_without_mongod)
    assert done.returncode == 1
    assert "Set MONGODB_URI" in done.stdout + done.stderr
    assert "passed" not in done.stdout
