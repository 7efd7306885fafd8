"""The embedded server: SecantusDB in a process of its own, for a first run and for tests.

It listens on the loopback interface only, on a port that the system chooses. A given folder keeps its data, written
through on every commit; without one the data lives in a temporary folder and goes with the server. Never imported,
and not imported by anything that does not need it: it comes with the extra `embedded`.
"""

import re
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Self

from boundwork.errors import BoundworkError
from boundwork.uow.sessions.supervised import SupervisedServer

INSTALL = 'pip install "boundwork[embedded]"'
START_SECONDS = 60.0
GRACE_SECONDS = 15.0
POLL_SECONDS = 0.02
LISTENING = re.compile(r"listening on 127\.0\.0\.1:(\d+)\s")


def require_embedded() -> None:
    """Raise BoundworkError if the extra is not installed."""
    if find_spec("secantus") is None:
        raise BoundworkError(f"The embedded server is not installed. Install it: {INSTALL}")


class EmbeddedServer:
    """A running server of this process; use it with `with`, or call `close()`.

    `folder` keeps the data between runs and is made if it is missing; None means a temporary one. Raises
    BoundworkError if the extra is missing, another server has the folder open, or the server does not start.
    """

    def __init__(self, folder: str | Path | None = None) -> None:
        """Start the server and wait until it answers."""
        require_embedded()
        self.folder = None if folder is None else Path(folder).expanduser().absolute()
        if self.folder is not None:
            _make(self.folder)
        self._server = SupervisedServer(self._command, grace_seconds=GRACE_SECONDS if self.folder else 0)
        try:
            self.port = self._port()
        except BaseException:
            self._server.close()
            raise

    @property
    def uri(self) -> str:
        """The address for a MongoDB client."""
        return f"mongodb://127.0.0.1:{self.port}/?replicaSet=secantus"

    @property
    def pid(self) -> int | None:
        """The process id of the server."""
        return self._server.pid

    @property
    def running(self) -> bool:
        """Tell whether the server has not ended."""
        return self._server.running

    def close(self) -> None:
        """End the server and wait for it; a second call does nothing."""
        self._server.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        self.close()

    def _command(self, scratch: Path) -> list[str]:
        # An empty configuration: otherwise the server looks for one in the home and the working folder.
        configuration = scratch / "secantusd.toml"
        configuration.touch()
        storage = self.folder or scratch / "data"
        command = [sys.executable, "-P", "-m", "secantus", "--config", str(configuration), "--host", "127.0.0.1"]
        command += ["--port", "0", "--storage-path", str(storage), "--log-level", "INFO"]
        return [*command, "--sync-on-commit"] if self.folder else command

    def _port(self) -> int:
        """Wait for the line that names the port: the server listens from then on."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            running = self._server.running
            log = self._server.log_text()
            if found := LISTENING.search(log):
                return int(found[1])
            if not running:
                raise BoundworkError(self._failure(log))
            time.sleep(POLL_SECONDS)
        raise BoundworkError(f"The embedded server did not start within {START_SECONDS:.0f} seconds. Try again.")

    def _failure(self, log: str) -> str:
        last = log.strip().rpartition("\n")[2] or "it said nothing"
        if "resource busy" in last:
            return (
                f"The folder {self.folder} is in use by another server. "
                "End that one, connect to it by its mongodb:// address, or choose another folder."
            )
        where = f" on the folder {self.folder}" if self.folder else ""
        return f"The embedded server did not start{where}: {last}"


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BoundworkError(f"The folder {folder} cannot be made: {error.strerror}. Choose another one.") from error
