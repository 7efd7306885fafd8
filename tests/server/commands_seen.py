"""What a client sends, seen from the driver's own command events."""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from contextvars import Context
from typing import Any

from pymongo import MongoClient
from pymongo.monitoring import CommandFailedEvent, CommandListener, CommandStartedEvent, CommandSucceededEvent


class CommandsSeen(CommandListener):
    """Keeps every command from its start; threads may share it."""

    def __init__(self) -> None:
        self._commands: list[Mapping[str, Any]] = []

    def started(self, event: CommandStartedEvent) -> None:
        self._commands.append(event.command)

    def succeeded(self, event: CommandSucceededEvent) -> None:
        """Nothing is decided by the reply."""

    def failed(self, event: CommandFailedEvent) -> None:
        """Nothing is decided by the reply."""

    def take(self) -> list[Mapping[str, Any]]:
        """Return the commands since the last call."""
        taken, self._commands = self._commands, []
        return taken

    def take_named(self, name: str) -> list[Mapping[str, Any]]:
        """Return those commands since the last call that have a name."""
        return [command for command in self.take() if name_of(command) == name]


def name_of(command: Mapping[str, Any]) -> str:
    """Return the name of a command: its first key."""
    return next(iter(command))


def names(commands: list[Mapping[str, Any]]) -> list[str]:
    """Return the names of commands."""
    return [name_of(command) for command in commands]


def in_transaction_of(command: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Tell whether a command is part of the transaction that another command is part of."""
    same = all(command.get(key) == other[key] for key in ("lsid", "txnNumber"))
    return same and command.get("autocommit") is False


def session_id(uow: Any) -> Any:
    """Return the `lsid` of a unit's own session."""
    return uow.core.session._session.session_id


def with_options(uri: str, options: str) -> str:
    """Return an address with further options."""
    return f"{uri}{'&' if '?' in uri else '/?'}{options}" if options else uri


@contextmanager
def failing(client: MongoClient[dict[str, Any]], commands: list[str], times: int, **data: Any) -> Generator[None]:
    """Let a server refuse commands, `times` in all; `data` says how, and `appName` whose."""

    def configure(mode: Any, **keywords: Any) -> None:
        # In a context of its own: inside a unit no other client is for use.
        Context().run(lambda: client.admin.command("configureFailPoint", "failCommand", mode=mode, **keywords))

    configure({"times": times}, data={"failCommands": commands, **data})
    try:
        yield
    finally:
        configure("off")
