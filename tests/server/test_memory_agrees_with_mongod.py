"""The in-memory database against a real mongod: the same documents byte for byte, or both refuse.

Filters, sorts, projections, updates and unique keys are drawn from a seeded generator over documents that are
awkward on purpose: missing and null fields, nested and empty arrays, numbers of all types, numeric names.
"""

from functools import partial
from typing import Any

import pytest
from bson.raw_bson import RawBSONDocument
from pymongo.collection import Collection

from boundwork.uow.commands import (
    Count,
    Distinct,
    Find,
    InsertOne,
    UpdateMany,
    UpdateOne,
)
from boundwork.uow.sessions.memory import MemoryDatabase, MemorySession
from boundwork.uow.sessions.memory.encoding import decode
from boundwork.uow.sessions.memory.ordering import order_key
from boundwork.uow.sessions.pymongo_commands import listed_by
from tests.server.both_databases import (
    as_raw,
    compare,
    filled,
    found_in_memory,
    in_memory,
    on_server,
    outcome,
    shown,
    write_in_memory,
)
from tests.server.random_documents import (
    PATHS,
    Document,
    condition,
    documents,
    seeded,
    set_based_update,
    update,
    value,
)

pytestmark = pytest.mark.server


def test_filters_select_the_same_documents(real: Collection[RawBSONDocument]) -> None:
    draw = seeded(1)
    database = filled(real, documents(draw, 60))
    by_id = (("_id", 1),)
    compare(real, database, [Find("compared", condition(draw), by_id) for _ in range(1500)])


def test_counts_with_skip_and_limit_are_the_same(real: Collection[RawBSONDocument]) -> None:
    draw = seeded(2)
    database = filled(real, documents(draw, 30))
    for _ in range(100):
        asked, skip, limit = condition(draw, 0), draw.choice([0, 1, 40]), draw.choice([0, 1, 5])
        window: dict[str, Any] = {"skip": skip, **({"limit": limit} if limit else {})}
        expected = outcome(partial(real.count_documents, asked, **window))
        assert outcome(partial(counted_in_memory, database, Count("compared", asked, skip, limit))) == expected, asked


def counted_in_memory(database: MemoryDatabase, command: Count) -> int:
    return in_memory(database, lambda session: session.count(command))


def test_the_different_values_of_a_path_are_the_same(real: Collection[RawBSONDocument]) -> None:
    draw = seeded(7)
    database = filled(real, documents(draw, 60))
    different: list[str] = []
    for _ in range(400):
        some, path = {"_id": {"$in": draw.sample(range(60), draw.choice([1, 3, 20]))}}, draw.choice(PATHS)
        expected = listed_by({"values": real.distinct(path, some)})
        found = in_memory(database, partial(listed_in_memory, Distinct("compared", path, some)))
        if sorted(map(keyed, expected)) != sorted(map(keyed, found)):
            different.append(f"{path} {some}\n  mongod: {shown(expected)}\n  memory: {shown(found)}")
    assert not different, f"{len(different)} differ\n" + "\n".join(different[:10])


async def listed_in_memory(command: Distinct, session: MemorySession) -> list[bytes]:
    return await session.distinct(command)


def keyed(listed: bytes) -> Any:
    """Return what makes a value different: of equal numbers of two types either may stand for both."""
    return order_key(decode(listed)["v"])


def test_sorts_give_the_same_order(real: Collection[RawBSONDocument]) -> None:
    draw = seeded(3)
    database = filled(real, documents(draw, 60))
    commands: list[Find] = []
    for _ in range(600):
        some = {"_id": {"$in": draw.sample(range(60), draw.choice([3, 6, 20]))}}
        paths = draw.sample(PATHS[:-1], draw.choice([1, 1, 2, 3]))
        sort = (*((path, draw.choice([1, -1])) for path in paths), ("_id", draw.choice([1, -1])))
        commands.append(Find("compared", some, sort, draw.choice([0, 0, 2]), draw.choice([0, 0, 4])))
    compare(real, database, commands)


def test_projections_leave_the_same_fields(real: Collection[RawBSONDocument]) -> None:
    draw = seeded(4)
    database = filled(real, documents(draw, 60))
    commands: list[Find] = []
    for _ in range(300):
        keep = draw.choice([1, 0, True, False])
        projection: Document = dict.fromkeys(draw.sample(PATHS[:-1], draw.choice([0, 1, 2, 3])), keep)
        if draw.random() < 0.4:
            projection["_id"] = draw.choice([0, 1, False, True])
        if draw.random() < 0.05:
            projection["b"] = draw.choice([0, 1])
        commands.append(Find("compared", {}, (("_id", 1),), 0, 0, projection))
    compare(real, database, commands)


def test_updates_make_the_same_documents(real: Collection[RawBSONDocument]) -> None:
    draw = seeded(5)
    database = filled(real, documents(draw, 60))
    different: list[str] = []
    for _ in range(2000):
        which, change = {"_id": draw.randrange(60)}, update(draw)
        before = on_server(real, Find("compared", which))
        expected = outcome(partial(updated_on_server, real, which, change))
        found = outcome(partial(updated_in_memory, database, which, change))
        if expected != found:
            different.append(f"{shown(before)} {change}\n  mongod: {expected!r}\n  memory: {found!r}")
            break
    assert not different, "\n".join(different)


def test_set_based_changes_make_the_same_documents(real: Collection[RawBSONDocument]) -> None:
    draw = seeded(8)
    database = filled(real, documents(draw, 60))
    different: list[str] = []
    for _ in range(2000):
        which, (change, filters) = (
            {"_id": {"$in": draw.sample(range(60), draw.choice([1, 1, 2]))}},
            set_based_update(draw),
        )
        before = on_server(real, Find("compared", which))
        expected = outcome(partial(changed_on_server, real, which, change, filters))
        found = outcome(partial(changed_in_memory, database, which, change, filters))
        if expected != found:
            different.append(f"{shown(before)} {change} {filters}\n  mongod: {expected!r}\n  memory: {found!r}")
            break
    assert not different, "\n".join(different)


def changed_on_server(
    real: Collection[RawBSONDocument], which: Document, change: Document, filters: tuple[Document, ...]
) -> tuple[Any, ...]:
    with real.database.client.start_session() as session, session.start_transaction():
        result = real.update_many(which, change, array_filters=list(filters) or None, session=session)
    return result.matched_count, result.modified_count, on_server(real, Find("compared", which, (("_id", 1),)))


def changed_in_memory(
    database: MemoryDatabase, which: Document, change: Document, filters: tuple[Document, ...]
) -> tuple[Any, ...]:
    result = write_in_memory(database, UpdateMany(which, change, filters))
    return result.matched, result.modified, found_in_memory(database, Find("compared", which, (("_id", 1),)))


def updated_on_server(real: Collection[RawBSONDocument], which: Document, change: Document) -> tuple[Any, ...]:
    result = real.update_one(which, change)
    return result.matched_count, result.modified_count, on_server(real, Find("compared", which))


def updated_in_memory(database: MemoryDatabase, which: Document, change: Document) -> tuple[Any, ...]:
    result = write_in_memory(database, UpdateOne(which, change))
    return result.matched, result.modified, found_in_memory(database, Find("compared", which))


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("paths", [("a",), ("a.b",), ("a.0",), ("a", "b"), ("a.b", "a.c")])
def test_unique_keys_refuse_the_same_documents(
    real: Collection[RawBSONDocument], paths: tuple[str, ...], sparse: bool
) -> None:
    draw = seeded(6)
    database = MemoryDatabase("compared")
    real.create_index([(path, 1) for path in paths], unique=True, sparse=sparse)
    database.create_unique_index("compared", *paths, sparse=sparse)
    for document in documents(draw, 150):
        expected = outcome(partial(real.insert_one, as_raw(document))) == "refused"
        found = outcome(partial(write_in_memory, database, InsertOne(document))) == "refused"
        assert found == expected, document
    for _ in range(150):
        which, change = {"_id": draw.randrange(150)}, {"$set": {draw.choice(["a", "a.b", "b"]): value(draw)}}
        answer = outcome(partial(updated_on_server, real, which, change))
        assert outcome(partial(updated_in_memory, database, which, change)) == answer, change
