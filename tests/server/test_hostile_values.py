"""The same hostile values as in tests/properties/hostile, on a real server: what the driver sends has no foreign operator."""

import contextlib
import os
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from bson.errors import BSONError
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from tests.properties.hostile.asking import ASKING
from tests.properties.hostile.changing import CHANGING
from tests.properties.hostile.checking import (
    check_changes,
    check_document,
    check_filter,
    check_no_server_code,
    check_sort,
    check_update,
)
from tests.properties.hostile.joining import JOINING, TENANTS, Estate, Tenants
from tests.properties.hostile.sending import OWN_CHANGES, Sender
from tests.properties.hostile.values import hostile
from tests.properties.hostile.ways import PATHS, PLAIN, TYPED, WRITING, Shop
from tests.server.commands_seen import CommandsSeen, name_of

NUMBER = 3_000 if os.environ.get("BOUNDWORK_LONG") == "1" else 150
LOCKS = {"_", "_id", "taken", "_boundwork_lock"}
JAVASCRIPT: list[dict[str, Any]] = [
    {"$project": {"x": {"$function": {"body": "function(){return 7}", "args": [], "lang": "js"}}}},
    {"$project": {"x": {"$_internalJsEmit": {"this": "$$ROOT", "eval": "function(){emit(1, 7)}"}}}},
    {"$group": {"_id": 1, "x": {"$_internalJsReduce": {"data": {"k": 1, "v": 7}, "eval": "function(k,v){return 7}"}}}},
]


def check(command: Mapping[str, Any], operators: str = "") -> None:
    """Raise Foreign if a command, as the driver's listener sees it, has an operator of somebody else."""
    name = name_of(command)
    known = PATHS.get(command[name], LOCKS) if isinstance(command[name], str) else LOCKS
    if name in {"find", "distinct"}:
        check_filter(command.get("filter", command.get("query", {})), known)
        check_sort(command.get("sort", {}).items(), known)
    elif name == "aggregate":  # a count
        check_filter(command["pipeline"][0]["$match"], known)
    elif name == "insert":
        for document in command["documents"]:
            check_document(document, known | {"secret"})
    elif name == "update":
        for update in command["updates"]:
            _check_update(update, known, {*operators.split(), *OWN_CHANGES})
    elif name == "findAndModify":
        check_filter(command["query"], known)
        check_sort(command.get("sort", {}).items(), known)
        check_changes(command["update"], command.get("arrayFilters", ()), known, {*operators.split(), *OWN_CHANGES})
    elif name == "delete":
        for deletion in command["deletes"]:
            check_filter(deletion["q"], known)


def _check_update(update: Mapping[str, Any], known: set[str], operators: set[str]) -> None:
    check_filter(update["q"], known)
    if update.get("multi"):
        check_changes(update["u"], update.get("arrayFilters", ()), known, operators)
    elif not {"$inc", "$setOnInsert"} & set(update["u"]):  # those of named locks, and of versions
        check_update(update["u"], known | LOCKS)


def test_no_command_on_the_wire_has_an_operator_that_the_program_did_not_write(
    mongod_uri: str,
    database_name: str,
    mongod_client: MongoClient[dict[str, Any]],
    record_property: Callable[[str, object], None],
) -> None:
    for name in PATHS:
        mongod_client[database_name].create_collection(name)
    seen = CommandsSeen()
    checked, sender = 0, Sender()
    with MongoClient[dict[str, Any]](mongod_uri, event_listeners=[seen]) as client:
        shop, tenants = Estate(client[database_name]), Tenants(client[database_name]).for_all_tenants()
        for number, value in enumerate(hostile(1999, NUMBER)):
            plain = PLAIN[number % len(PLAIN)]
            operators, changing = CHANGING[number % len(CHANGING)]
            for way in (
                TYPED[number % len(TYPED)],
                TYPED[(number * 5 + 3) % len(TYPED)],
                WRITING[number % len(WRITING)],
                JOINING[number % len(JOINING)],
                ASKING[number % len(ASKING)],
                changing,
                plain,
            ):
                sender.send(shop, way, value)
                for command in seen.take():
                    with contextlib.suppress(BSONError, UnicodeError, OverflowError, RecursionError):
                        if way is plain:
                            check_no_server_code(command.get("pipeline", command.get("filter", {})))
                        else:
                            check(command, operators)
                        checked += 1
            sender.send(tenants, TENANTS[number % len(TENANTS)], value)
            for command in seen.take():
                check(command, "$set")
                checked += 1
    record_property("values, ways that were taken, commands", f"{NUMBER}, {sender.taken}, {checked}")
    assert checked > NUMBER
    assert not sender.unclear, "\n".join(sender.unclear[:3])


@pytest.mark.parametrize("stage", JAVASCRIPT, ids=lambda stage: next(iter(stage)))
def test_operators_that_are_refused_would_run_javascript(
    stage: dict[str, Any], mongod_client: MongoClient[dict[str, Any]], database_name: str
) -> None:
    collection = mongod_client[database_name].things
    collection.insert_one({"_id": 1})
    try:
        (row,) = collection.aggregate([stage])
    except OperationFailure:  # a newer server may keep the internal ones to itself
        assert "$_internal" in str(stage)
    else:
        assert "7" in str(row["x"])
    from tests.properties.hostile.ways import Row  # noqa: PLC0415 - beside its only use

    with Shop(mongod_client[database_name]) as uow, pytest.raises(ValueError, match="runs JavaScript on the server"):
        uow.things.aggregate([stage], into=Row)
