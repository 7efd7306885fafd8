"""A TCP proxy on the loopback interface that understands the frames of MongoDB's wire protocol.

It can take a reply away, or put another one in its place, after the server has acted, which no fail point can. Clients
connect to it directly.
"""

import socket
import struct
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from threading import Thread
from types import TracebackType
from typing import Any, Self

import bson

HEADER = struct.Struct("<iiii")
OP_MSG = 2013
MORE_TO_COME = 2
# After the header: flags, the kind of section, the length of the body, the type of its first element.
NAME = HEADER.size + 4 + 1 + 4 + 1


@dataclass
class Fault:
    """What happens to replies of a command: `skip` are let through, then `times` are lost, late, or another.

    `delay` is for how many seconds they are held, `reply` what the client gets in their place.
    """

    command: str
    times: int
    skip: int = 0
    delay: float | None = None
    reply: dict[str, Any] | None = None

    @property
    def cuts(self) -> bool:
        """Tell whether the reply is lost, and the connection with it."""
        return self.delay is None and self.reply is None

    def hits(self, command: str) -> bool:
        """Tell whether this reply is one of them, and count it."""
        if command != self.command or not self.times:
            return False
        hit = not self.skip
        self.skip, self.times = (self.skip, self.times - 1) if hit else (self.skip - 1, self.times)
        return hit


class Proxy:
    """A proxy before one server, with a thread for each connection; `lost` names the commands without a reply."""

    def __init__(self, host: str, port: int) -> None:
        """Listen at once on a port of its own."""
        self._server = (host, port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.lost: list[str] = []
        self.faults: list[Fault] = []
        self._open: list[socket.socket] = []
        self._opens = 0.0
        self._threads = [Thread(target=self._accept)]
        self._threads[0].start()

    def cut(self) -> None:
        """Cut all connections of this moment."""
        for end in list(self._open):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def shut(self, seconds: float) -> None:
        """Cut all connections and take no new one for a while, as if the server were gone."""
        self._opens = time.monotonic() + seconds
        self.cut()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._threads[0].join()
        self._listener.close()
        self.cut()
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                if time.monotonic() < self._opens:
                    client.close()
                    continue
                self._open.append(client)
                self._threads.append(Thread(target=self._serve, args=(client,)))
                self._threads[-1].start()

    def _serve(self, client: socket.socket) -> None:
        with client, suppress(OSError), socket.create_connection(self._server) as server:
            while (request := _frame(client)) and self._answered(request, client, server):
                pass

    def _answered(self, request: bytes, client: socket.socket, server: socket.socket) -> bool:
        """Forward a request and what comes back; False if the connection is to be cut."""
        server.sendall(request)
        command, expected = command_name(request), not _more_to_come(request)
        while expected:
            reply = _frame(server)
            fault = next((fault for fault in self.faults if fault.hits(command)), None)
            if fault is not None and fault.cuts:
                self.lost.append(command)
            if not reply or (fault is not None and fault.cuts):
                return False
            time.sleep(fault.delay or 0.0 if fault else 0.0)
            client.sendall(reply if fault is None or fault.reply is None else _in_place_of(reply, fault.reply))
            expected = _more_to_come(reply)
        return True


def command_name(frame: bytes) -> str:
    """Return the first key of the body of a message; empty for the old kind that only handshakes use."""
    return frame[NAME : frame.index(b"\0", NAME)].decode() if HEADER.unpack_from(frame)[3] == OP_MSG else ""


def _in_place_of(frame: bytes, reply: dict[str, Any]) -> bytes:
    """Return a message with another body that answers the same request."""
    body = bytes(5) + bson.encode(reply)
    _, own, answered, kind = HEADER.unpack_from(frame)
    return HEADER.pack(HEADER.size + len(body), own, answered, kind) + body


def _more_to_come(frame: bytes) -> bool:
    return HEADER.unpack_from(frame)[3] == OP_MSG and bool(frame[HEADER.size] & MORE_TO_COME)


def _frame(end: socket.socket) -> bytes:
    """Return the next whole message, b"" when the connection ended."""
    head = b"".join(_parts(end, HEADER.size))
    return head + b"".join(_parts(end, HEADER.unpack(head)[0] - HEADER.size)) if len(head) == HEADER.size else b""


def _parts(end: socket.socket, length: int) -> Iterator[bytes]:
    while length and (part := end.recv(length)):
        yield part
        length -= len(part)
