"""What the embedded server takes without a word and does not do, so that it is refused before it is sent.

It ignores `restrictSearchWithMatch` of `$graphLookup`. The tenant of a unit and the condition of soft removal stand there,
so its rows would be those of other tenants.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from pymongo import AsyncMongoClient, MongoClient

from boundwork.models.kinds import is_array, is_mapping
from boundwork.uow.failures import FailureKind, SessionFailure
from boundwork.uow.sessions.pymongo_commands import EMBEDDED_SET

RESTRICTION = "restrictSearchWithMatch"


def refuse_ignored(client: MongoClient[Any] | AsyncMongoClient[Any], pipeline: Iterable[Mapping[str, Any]]) -> None:
    """Raise SessionFailure for an aggregation that the embedded server would carry out without its conditions."""
    if not any(map(_restricts, pipeline)) or not _is_embedded(client):
        return
    text = f"SecantusDB ignores {RESTRICTION} of $graphLookup: its rows would be those of others. Run this on MongoDB."
    failure = SessionFailure(FailureKind.MISUSE, detail={"text": text})
    failure.args = (text,)
    failure.__cause__ = NotImplementedError(text)
    raise failure


def _is_embedded(client: MongoClient[Any] | AsyncMongoClient[Any]) -> bool:
    topology = client.topology_description
    servers = topology.server_descriptions().values()
    return EMBEDDED_SET in {topology.replica_set_name, *(server.replica_set_name for server in servers)}


def _restricts(value: Any) -> bool:
    if is_mapping(value):
        return RESTRICTION in value or any(map(_restricts, value.values()))
    return is_array(value) and any(map(_restricts, value))
