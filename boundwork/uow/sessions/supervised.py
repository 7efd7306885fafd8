"""How a server of our own is started and ended.

The server is not our child but that of a supervisor (`supervisor.py`), which ends it when we are gone, however we
went. Ctrl-C does not reach the two: units roll back first, and need the server for it. Log and other files of a run
are in a scratch folder that does not outlive the server.
"""

import atexit
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Lock

SUPERVISOR = Path(__file__).with_name("supervisor.py")
PATIENCE_SECONDS = 10.0


class SupervisedServer:
    """A server process that ends with us at the latest; `grace_seconds=0` kills it without asking.

    `command` is given the scratch folder and returns the words of the command; `scratch_in` is where the scratch
    folder is made. What the server writes to standard error is in `log`.
    """

    def __init__(
        self,
        command: Callable[[Path], Sequence[str]],
        *,
        grace_seconds: float,
        scratch_in: Path | None = None,
    ) -> None:
        """Start the supervisor and the server."""
        self.scratch = Path(tempfile.mkdtemp(prefix=f"boundwork-{os.getpid()}-", dir=scratch_in))
        self.log = self.scratch / "server.log"
        self._grace = grace_seconds
        self._owner = os.getpid()
        self._ending = Lock()
        try:
            self._supervisor = self._start(command(self.scratch))
        except BaseException:
            shutil.rmtree(self.scratch, ignore_errors=True)
            raise
        atexit.register(self.close)
        self.pid = self._told_pid()

    @property
    def running(self) -> bool:
        """Tell whether the server has not ended."""
        return self._supervisor.poll() is None

    def log_text(self) -> str:
        """Return what the server wrote, empty once the scratch folder is gone."""
        try:
            return self.log.read_text(errors="replace")
        except FileNotFoundError:
            return ""

    def close(self) -> None:
        """End the server and wait for it; a second call and one in a forked process do nothing."""
        atexit.unregister(self.close)
        if os.getpid() != self._owner:
            return
        with self._ending:
            self._dismiss()
            try:
                self._supervisor.wait(self._grace + PATIENCE_SECONDS)
            except subprocess.TimeoutExpired:
                self._kill_both()
            if self._supervisor.stdout:
                self._supervisor.stdout.close()
            shutil.rmtree(self.scratch, ignore_errors=True)

    def _start(self, command: Sequence[str]) -> subprocess.Popen[bytes]:
        with self.log.open("wb") as log:
            return subprocess.Popen(  # noqa: S603 - our own command
                [sys.executable, "-I", "-S", str(SUPERVISOR), str(self._grace), str(self.scratch), *command],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                cwd=self.scratch,
                start_new_session=True,
            )

    def _told_pid(self) -> int | None:
        line = self._supervisor.stdout.readline() if self._supervisor.stdout else b""
        return int(line) if line else None

    def _dismiss(self) -> None:
        """Write a byte: the end of the pipe would not come while a forked process holds it too."""
        pipe = self._supervisor.stdin
        if pipe and not pipe.closed:
            with suppress(OSError):
                os.write(pipe.fileno(), b"\n")
            pipe.close()

    def _kill_both(self) -> None:
        if sys.platform != "win32":
            with suppress(ProcessLookupError):
                os.killpg(self._supervisor.pid, signal.SIGKILL)
        self._supervisor.kill()
        self._supervisor.wait()
