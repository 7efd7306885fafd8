"""The process between us and a server that we started: it decides when the server ends.

It runs by its path, with nothing but the standard library. Its standard input is a pipe from the starter: a byte
says that the server is not needed any more, and so does the end of the pipe, which comes when the starter is killed.
Then the server is ended and its scratch folder removed. Arguments: seconds of grace before the server is killed, the
scratch folder, the server's command.
"""

import os
import shutil
import signal
import subprocess
import sys
from threading import Event, Thread
from types import FrameType


def main() -> int:
    """Run the server until it ends or nobody needs it; tell its process id on standard output."""
    grace, scratch, *command = sys.argv[1:]
    server = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)  # noqa: S603 - our own

    def terminated(_: int, __: FrameType | None) -> None:
        server.terminate()

    signal.signal(signal.SIGTERM, terminated)
    sys.stdout.write(f"{server.pid}\n")
    sys.stdout.flush()
    dismissed = Event()
    Thread(target=_end_when_dismissed, args=(server, float(grace), dismissed), daemon=True).start()
    code = server.wait()
    # The log of a server that ended by itself is what its starter wants to read.
    if dismissed.is_set():
        shutil.rmtree(scratch, ignore_errors=True)
    return code


def _end_when_dismissed(server: subprocess.Popen[bytes], grace: float, dismissed: Event) -> None:
    # Not sys.stdin: its lock would be held by this thread when the interpreter shuts down.
    os.read(0, 1)
    dismissed.set()
    if grace:
        server.terminate()
        try:
            server.wait(grace)
        except subprocess.TimeoutExpired:
            server.kill()
    else:
        server.kill()


if __name__ == "__main__":
    sys.exit(main())
