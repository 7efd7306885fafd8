"""How set-based operations are said to a server: as plain commands, which carry all options of a query.

Collation and hint belong to a statement of `update` and `delete`, comment and limit of time to the whole command.
"""

from collections.abc import Mapping
from typing import Any

from bson import SON

from boundwork.uow.commands import DeleteMany, FindAndUpdate, Options, SetBased, UpdateMany, Write

OF_THE_COMMAND = {"comment", "maxTimeMS"}


def server_options(options: Options) -> dict[str, Any]:
    """Return the options as they stand in a command."""
    hint = SON(options.hint) if isinstance(options.hint, tuple) else options.hint
    named = {"hint": hint, "collation": options.collation, "comment": options.comment, "maxTimeMS": options.max_time_ms}
    return {name: value for name, value in named.items() if value is not None}


def set_based_statement(write: SetBased) -> tuple[str, dict[str, Any]]:
    """Return the command and the statement in it."""
    options = {name: value for name, value in server_options(write.options).items() if name not in OF_THE_COMMAND}
    if isinstance(write, DeleteMany):
        return "delete", {"q": write.filter, "limit": 0, **options}
    if write.array_filters:
        options["arrayFilters"] = list(write.array_filters)
    return "update", {"q": write.filter, "u": write.update, "multi": True, **options}


def of_the_command(write: Write) -> dict[str, Any]:
    """Return the options of a write that stand beside its statement."""
    if not isinstance(write, UpdateMany | DeleteMany):
        return {}
    return {name: value for name, value in server_options(write.options).items() if name in OF_THE_COMMAND}


def find_and_update_command(command: FindAndUpdate) -> dict[str, Any]:
    """Return the command that updates one document and returns it as it was before."""
    asked: dict[str, Any] = {"findAndModify": command.collection, "query": command.filter, "update": command.update}
    if command.sort:
        asked["sort"] = SON(command.sort)
    if command.array_filters:
        asked["arrayFilters"] = list(command.array_filters)
    return asked | server_options(command.options)


def changed_by(reply: Mapping[str, Any]) -> list[bytes]:
    """Return the document that this command found, still encoded; nothing if there was none."""
    return [] if reply.get("value") is None else [reply["value"].raw]
