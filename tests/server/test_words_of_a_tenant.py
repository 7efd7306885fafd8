"""Whatever word a program says in a unit of a tenant, the tenant is in each command that a real server gets.

The words are those that the classes have, so that a new one without a case here fails.
"""

import inspect
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from boundwork import Query, Repository, Stream, UnitOfWork
from tests.contract.colours import define
from tests.server.commands_seen import CommandsSeen, name_of
from tests.server.tenant_words import CASES, ELSEWHERE, OTHER, TENANT, Bill, _stream

AWAY = {
    "commitTransaction",
    "abortTransaction",
    "endSessions",
    "killCursors",
    "getMore",
    "listIndexes",
    "create",
    "hello",
}
"""Commands that name no document: a cursor has the filter of the command that opened it."""
OWN = ("boundwork_units", "boundwork_locks")


def words_of(kind: type[Any]) -> Iterator[str]:
    """Iterate over the public words of a class and of its bases, and those that `with` and `for` say."""
    said = {"__enter__", "__exit__", "__iter__", "__next__"}
    for base in kind.__mro__:
        if base.__module__.startswith("boundwork."):
            for name, value in vars(base).items():
                if (name[0] != "_" or name in said) and (inspect.isroutine(value) or isinstance(value, property)):
                    yield f"{kind.__name__}.{name}"


def test_every_public_word_has_a_case() -> None:
    cased = {word for words in CASES.values() for word in words} | ELSEWHERE.keys()
    public = {word for kind in (UnitOfWork, Repository, Query, Stream) for word in words_of(kind)}
    assert public - cased == set()
    assert cased - public == set()


def filters_in(command: Mapping[str, Any]) -> Iterator[Any]:
    """Iterate over what says which documents a command reads or writes."""
    match name_of(command):
        case "find" | "distinct" | "findAndModify":
            yield command["filter" if "filter" in command else "query"]
        case "aggregate":
            yield command["pipeline"][0]["$match"]
            for stage in command["pipeline"]:
                if "$lookup" in stage:
                    yield stage["$lookup"]["pipeline"][0]["$match"]
        case "update":
            yield from (update["q"] for update in command["updates"])
        case "delete":
            yield from (delete["q"] for delete in command["deletes"])
        case "insert":
            yield from command["documents"]
        case "explain":
            yield from filters_in(command["explain"])
        case other:
            raise AssertionError(f"{other} is not known to this test")


def demands(condition: Any) -> bool:
    """Tell whether a filter can only be met by documents of the tenant."""
    exactly = {"$eq": TENANT, "$regex": rf"\A{TENANT}\z"}
    if condition.get("tenant") in (TENANT, exactly):
        return True
    return any(demands(part) for part in condition.get("$and", ()))


@pytest.mark.parametrize("locks", [False, True], ids=["snapshot", "locked_reads"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__.strip("_"))
async def test_the_tenant_is_in_every_command(
    opened: Any, colour: str, seen: CommandsSeen, mongod_client: Any, database_name: str, case: Any, locks: bool
) -> None:
    bills = mongod_client[database_name].bills
    theirs: list[dict[str, Any]] = [
        {"_id": number, "tenant": OTHER, "number": number, "gone": None} for number in (11, 12, 13)
    ]
    bills.insert_many(theirs + [{**bill, "_id": bill["_id"] - 10, "tenant": TENANT} for bill in theirs])
    if case is _stream and locks:
        return  # a stream locks nothing, and says so
    isolation = "locked_reads" if locks else "snapshot"
    shop = define(colour, opened(), {"tenant": TENANT, "isolation": isolation}, bills=Bill)
    async with shop.unit() as uow:
        await case(uow)
    commands = [command for command in seen.take() if name_of(command) not in AWAY]
    assert commands
    for command in commands:
        if command.get(name_of(command)) in OWN:
            assert TENANT in str(command)
            continue
        assert all(map(demands, filters_in(command))), command
    assert list(bills.find({"tenant": OTHER}).sort("_id")) == theirs
