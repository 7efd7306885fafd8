"""The door of a unit with a tenant lets through what it knows, with the tenant's condition, and refuses the rest."""

import inspect
from typing import Any, cast

import bson
import pytest
from bson.raw_bson import RawBSONDocument

from boundwork import Document, TenantMissing
from boundwork.models.mapper import mapper_of
from boundwork.uow.commands import (
    BulkResult,
    BulkWrite,
    DeleteMany,
    DeleteOne,
    Find,
    FindAndUpdate,
    InsertOne,
    Options,
    UpdateMany,
    UpdateOne,
    UpsertOne,
)
from boundwork.uow.passing_session import PassingSession
from boundwork.uow.port import BoundSession
from boundwork.uow.run_sync import run_sync
from boundwork.uow.scoped_session import ScopedSession, joint
from boundwork.uow.scopes import Scopes
from boundwork.uow.upcasting.door import UpcastingSession

PASSING = frozenset({
    "abort", "begin", "bind", "close", "commands", "commit", "create_aside", "foreign", "may_repeat", "open",
    "operation_time", "outlast", "overtake", "pause", "probe", "take_escaped", "unbind", "unique_keys", "database",
})  # fmt: skip
"""What no door decides about: it is not about documents, or is the program's own business."""


class Bill(Document[int], collection="bills", tenant_field="tenant"):
    tenant: str = ""


class Town(Document[int], collection="towns"):
    pass


class Inner:
    """Notes what comes through."""

    def __init__(self) -> None:
        self.writes: list[Any] = []
        self.finds: list[Find] = []
        self.changes: list[FindAndUpdate] = []

    async def write(self, bulks: list[BulkWrite]) -> list[BulkResult]:
        self.writes += [write for bulk in bulks for write in bulk.writes]
        return []

    async def find(self, command: Find) -> list[bytes]:
        self.finds.append(command)
        return []

    async def find_and_update(self, command: FindAndUpdate) -> list[bytes]:
        self.changes.append(command)
        return []


@pytest.fixture
def inner() -> Inner:
    return Inner()


@pytest.fixture
def session(inner: Inner) -> ScopedSession:
    scopes = Scopes("Shop", "acme")
    scopes.meet(mapper_of(Bill))
    scopes.meet(mapper_of(Town))
    return ScopedSession(cast("BoundSession", inner), scopes)


def written(session: ScopedSession, inner: Inner, write: Any, collection: str = "bills") -> Any:
    run_sync(session.write([BulkWrite(collection, (write,))]))
    return inner.writes[-1]


def test_each_write_is_bound_to_the_tenant(session: ScopedSession, inner: Inner) -> None:
    update = {"$set": {"number": 1}}
    assert written(session, inner, UpdateOne({"_id": 1}, update)).filter == {"_id": 1, "tenant": "acme"}
    assert written(session, inner, DeleteOne({"_id": 1})).filter == {"_id": 1, "tenant": "acme"}
    stored = {"_id": 1, "tenant": "acme"}
    assert written(session, inner, InsertOne(stored)).document == stored
    assert written(session, inner, UpsertOne(stored)).filter == stored
    assert written(session, inner, UpdateMany({"number": 0}, update)).filter == {"number": 0, "tenant": "acme"}
    assert written(session, inner, DeleteMany({})).filter == {"tenant": "acme"}
    raw = InsertOne(RawBSONDocument(bson.encode(stored)))
    assert written(session, inner, raw) is raw
    assert written(session, inner, UpdateOne({"_id": 1}, update), "towns").filter == {"_id": 1}


REFUSED: list[Any] = [
    InsertOne({"_id": 1}),
    InsertOne({"_id": 1, "tenant": "globex"}),
    InsertOne({"_id": 1, "tenant": ["acme"]}),
    UpsertOne({"_id": 1, "tenant": "globex"}),
    UpdateOne({"_id": 1}, {"$set": {"tenant": "globex"}}),
    UpdateOne({"_id": 1}, {"$unset": {"tenant": ""}}),
    UpdateOne({"_id": 1}, {"$set": {"tenant.x": 1}}),
    UpdateOne({"_id": 1}, {"$rename": {"other": "tenant"}}),
    UpdateMany({}, {"$set": {"tenant": "globex"}}),
    UpdateMany({}, {"$inc": {"number": 1}, "$unset": {"tenant": ""}}),
    InsertOne(RawBSONDocument(bson.encode({"_id": 1}))),
    InsertOne(RawBSONDocument(bson.encode({"_id": 1, "tenant": "globex"}))),
    InsertOne(RawBSONDocument(bson.encode({"_id": 1, "other": {"tenant": "acme"}}))),
    object(),
]


@pytest.mark.parametrize("write", REFUSED, ids=map(str, range(len(REFUSED))))
def test_a_write_that_would_leave_the_tenant_or_is_not_known_is_refused(
    session: ScopedSession, inner: Inner, write: Any
) -> None:
    with pytest.raises(TenantMissing, match="was refused"):
        written(session, inner, write)
    assert inner.writes == []


def test_an_update_that_returns_the_document_is_bound_too(session: ScopedSession, inner: Inner) -> None:
    run_sync(session.find_and_update(FindAndUpdate("bills", {"_id": 1}, {"$inc": {"number": 1}})))
    assert inner.changes[-1].filter == {"_id": 1, "tenant": "acme"}
    with pytest.raises(TenantMissing, match="was refused"):
        run_sync(session.find_and_update(FindAndUpdate("bills", {"_id": 1}, {"$set": {"tenant": "globex"}})))
    assert len(inner.changes) == 1


def test_a_collection_of_which_nothing_is_known_is_refused(session: ScopedSession, inner: Inner) -> None:
    with pytest.raises(TenantMissing, match="nobody said whose"):
        run_sync(session.find(Find("strangers", {})))
    with pytest.raises(TenantMissing, match="nobody said whose"):
        written(session, inner, DeleteOne({"_id": 1}), "strangers")
    with pytest.raises(TenantMissing, match="The command update was refused in a unit with a tenant"):
        run_sync(session.command({"update": "bills"}))
    assert inner.finds == inner.writes == []


def test_a_filter_of_the_program_is_met_as_well(session: ScopedSession, inner: Inner) -> None:
    run_sync(session.find(Find("bills", {"tenant": {"$ne": "x"}})))
    assert inner.finds[-1].filter == {"$and": [{"tenant": "acme"}, {"tenant": {"$ne": "x"}}]}
    run_sync(session.find(Find("bills", {"$or": [{"a": 1}]})))
    assert inner.finds[-1].filter == {"tenant": "acme", "$or": [{"a": 1}]}
    run_sync(session.find(Find("bills", {}, options=Options(collation={"locale": "en"}))))
    assert inner.finds[-1].filter == {"tenant": {"$eq": "acme", "$regex": r"\Aacme\z"}}
    run_sync(session.find(Find("bills", {}, options=Options(all_tenants=True))))
    assert inner.finds[-1].filter == {}


def test_a_condition_that_is_there_already_is_not_named_twice() -> None:
    assert joint({"tenant": "a"}, {"_id": 1, "tenant": "a"}) == {"_id": 1, "tenant": "a"}
    assert joint({"tenant": 1}, {"tenant": True}) == {"$and": [{"tenant": 1}, {"tenant": True}]}
    assert joint({}, {"_id": 1}) == {"_id": 1}


def test_the_door_has_every_word_of_the_port_and_no_other_way_through() -> None:
    def words(kind: type[Any]) -> set[str]:
        return {
            name
            for name, value in vars(kind).items()
            if name[0] != "_" and (inspect.isfunction(value) or isinstance(value, property))
        }

    assert words(PassingSession) == PASSING  # and nothing that is about documents
    for door in (ScopedSession, UpcastingSession):
        assert words(BoundSession) - PASSING <= words(door)
        assert "__getattr__" not in vars(door)
    assert "__getattr__" not in vars(PassingSession)
