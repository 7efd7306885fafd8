"""Every kind of index and option on a real server: made once, found again as declared, and never dropped."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
from pymongo import AsyncMongoClient, MongoClient
from pymongo.errors import OperationFailure

from boundwork import (
    Capped,
    Collation,
    CollectionOptions,
    Document,
    Index,
    SchemaNotEnsured,
    ServerUnavailable,
    TimeSeries,
    Validation,
    desc,
    ensure_schema,
    ensure_schema_async,
)
from tests.server.commands_seen import CommandsSeen, failing, names

Stored = dict[str, Any]
GERMAN = Collation(locale="de", strength=2)
INDEXES = [
    Index("a"),
    Index("a", desc("b"), unique=True),
    Index("a", sparse=True, name="sparse"),
    Index("a", where={"b": {"$gt": 5}}),
    Index("a", where=lambda model: (model.a > 5) & (model.b == "x")),
    Index("at", expire_after=timedelta(hours=1)),
    Index(("b", "text"), ("c", "text"), weights={"b": 7}, language="german", language_field="tongue"),
    Index("a", ("b", "text"), desc("c")),
    Index(("$**", "text")),
    Index(("place", "2dsphere"), "a"),
    Index(("place", "2d")),
    Index(("a", "hashed"), "b"),
    Index("$**"),
    Index("place.$**"),
    Index("$**", project={"a": True, "b": True}, name="some"),
    Index("a", hidden=True),
    Index("b", collation=Collation(locale="fr_CA", case_first="upper")),
    Index("b", collation=Collation(locale="simple")),
]
OPTIONS = [
    CollectionOptions(capped=Capped(size=1000, documents=9)),
    CollectionOptions(clustered=True, expire_after=60),
    CollectionOptions(change_images=True),
    CollectionOptions(collation=GERMAN),
    CollectionOptions(collation=Collation(locale="fr_CA")),
    CollectionOptions(validation=Validation(level="moderate", action="warn")),
    CollectionOptions(time_series=TimeSeries(time="at", meta="b", granularity="minutes"), expire_after=3600),
]


def model(
    indexes: Sequence[Index] = (), options: CollectionOptions | None = None, collection: str = "things"
) -> type[Document[Any]]:
    class Thing(Document[int], collection=collection, indexes=indexes, options=options):
        a: int = 0
        b: str = ""
        c: str = ""
        at: datetime | None = None
        place: Any = None

    return Thing


@pytest.fixture
def database(mongod_client: MongoClient[Stored], database_name: str) -> Any:
    return mongod_client[database_name]


@pytest.mark.parametrize("collation", [None, GERMAN], ids=["plain", "collated"])
@pytest.mark.parametrize("index", INDEXES, ids=lambda index: str(index.keys))
def test_an_index_is_made_once_and_found_as_declared(database: Any, index: Index, collation: Any) -> None:
    thing = model([index], CollectionOptions(collation=collation))
    assert len(ensure_schema(database, [thing]).created) == 2
    again = ensure_schema(database, [thing])
    assert (again.created, again.differing) == ((), ())


@pytest.mark.parametrize("options", OPTIONS, ids=lambda options: str(options)[:50])
def test_a_collection_is_made_with_its_options_and_found_as_declared(database: Any, options: CollectionOptions) -> None:
    thing = model([Index("a")], options)
    assert ensure_schema(database, [thing]).created == ("things", "things.indexes.a_1")
    again = ensure_schema(database, [thing])
    assert (again.created, again.differing) == ((), ())
    assert not ensure_schema(database, [model([Index("a")])]).matches


@pytest.mark.parametrize("index", INDEXES, ids=lambda index: str(index.keys))
def test_an_index_that_is_no_longer_declared_is_named_and_stays(database: Any, index: Index) -> None:
    ensure_schema(database, [model([index])])
    report = ensure_schema(database, [model()], update=True)
    assert [(one.declared, one.path.startswith("things.indexes.")) for one in report.differing] == [(None, True)]
    assert len(database.things.index_information()) == 2


def test_validators_are_replaced_in_place_when_asked(database: Any) -> None:
    class Narrow(Document[int], collection="things", options=CollectionOptions(validation=Validation())):
        a: int

    class Wide(Document[int], collection="things", options=CollectionOptions(validation=Validation(level="moderate"))):
        a: int | str

    ensure_schema(database, [Narrow])
    report = ensure_schema(database, [Wide])
    paths = {one.path for one in report.differing}
    assert "things.options.validation_level" in paths
    assert "things.options.validator.$jsonSchema.properties.a.anyOf" in paths
    with pytest.raises(OperationFailure):
        database.things.insert_one({"_id": 1, "a": "x"})
    assert ensure_schema(database, [Wide], update=True).matches
    database.things.insert_one({"_id": 1, "a": "x"})


def test_expiry_and_change_images_are_changed_in_place_when_asked(database: Any) -> None:
    ensure_schema(database, [model([Index("at", expire_after=5)])])
    wanted = model([Index("at", expire_after=9)], CollectionOptions(change_images=True))
    assert not ensure_schema(database, [wanted]).matches
    report = ensure_schema(database, [wanted], update=True)
    assert {one.path for one in report.updated} == {
        "things.options.change_images",
        "things.indexes.at_1.expire_after_seconds",
    }
    assert ensure_schema(database, [wanted]).matches


def test_a_validator_that_somebody_else_made_stays(database: Any) -> None:
    database.create_collection("things", validator={"b": {"$exists": True}})
    report = ensure_schema(database, [model()], update=True)
    assert [(one.path, one.declared) for one in report.differing] == [("things.options.validator", None)]
    with pytest.raises(OperationFailure):
        database.things.insert_one({})


def test_a_view_in_the_place_of_a_collection_differs(database: Any) -> None:
    database.command("create", "things", viewOn="others", pipeline=[])
    report = ensure_schema(database, [model([Index("a")])], update=True)
    assert [(one.path, one.declared, one.found) for one in report.differing] == [("things.type", "collection", "view")]


def test_what_stands_in_the_way_of_an_index_differs_and_stays(database: Any) -> None:
    database.things.create_index("a", name="old")
    database.things.create_index([("a", 1), ("b", -1)], name="a_1_b_-1")
    report = ensure_schema(database, [model([Index("a"), Index("a", desc("b"), unique=True)])])
    assert {one.path for one in report.differing} == {
        "things.indexes.a_1.name",
        "things.indexes.a_1_b_-1.unique",
    }
    assert report.created == ()


def test_another_text_index_stands_in_the_way_and_stays(database: Any) -> None:
    database.things.create_index([("c", "text")])
    report = ensure_schema(database, [model([Index(("b", "text"))])], update=True)
    assert report.created == ()
    assert "things.indexes.b_text.weights" in {one.path for one in report.differing}
    assert "c_text" in database.things.index_information()


def test_many_at_once_make_everything_once(database: Any, mongod_uri: str) -> None:
    things = [
        model([*INDEXES[:3], Index("$**")], CollectionOptions(change_images=True), f"c{number}") for number in range(5)
    ]

    def ensure(_: int) -> Any:
        with MongoClient[Stored](mongod_uri) as client:
            return ensure_schema(client[database.name], things)

    with ThreadPoolExecutor(6) as pool:
        reports = list(pool.map(ensure, range(6)))
    assert [report.differing for report in reports] == [()] * 6
    made = [path for report in reports for path in report.created if "." not in path]
    assert sorted(made) == sorted(f"c{number}" for number in range(5))
    assert ensure_schema(database, things).created == ()


def test_a_refusal_of_the_server_names_collection_and_code(database: Any) -> None:
    options = CollectionOptions(collation=Collation(locale="no such place"))
    with pytest.raises(SchemaNotEnsured, match=r"create on collection 'things'.*locale") as caught:
        ensure_schema(database, [model(options=options)])
    assert (caught.value.collection, caught.value.indexes, caught.value.code) == ("things", (), 2)
    assert isinstance(caught.value.__cause__, OperationFailure)


def test_a_server_that_is_not_there_is_said_to_be_so() -> None:
    with (
        MongoClient[Stored]("mongodb://127.0.0.1:9/", serverSelectionTimeoutMS=50) as client,
        pytest.raises(ServerUnavailable),
    ):
        ensure_schema(client["nowhere"], [model()])


def test_a_schema_that_is_as_declared_costs_one_command_and_one_a_collection(
    mongod_uri: str, database_name: str
) -> None:
    seen = CommandsSeen()
    with MongoClient[Stored](mongod_uri, event_listeners=[seen]) as client:
        ensure_schema(client[database_name], [model([Index("a")])])
        seen.take()
        ensure_schema(client[database_name], [model([Index("a")])])
        assert names(seen.take()) == ["listCollections", "listIndexes"]


async def test_a_database_of_the_other_colour_is_refused(database: Any, mongod_uri: str) -> None:
    async with AsyncMongoClient[Stored](mongod_uri) as client:
        with pytest.raises(TypeError, match=r"ensure_schema needs a pymongo Database.*ensure_schema_async"):
            ensure_schema(client["x"], [model()])
    with pytest.raises(TypeError, match=r"ensure_schema_async needs a pymongo AsyncDatabase.*use ensure_schema"):
        await ensure_schema_async(database, [model()])


@pytest.mark.parametrize("command", ["listCollections", "create", "createIndexes"])
def test_after_a_lost_connection_another_call_makes_the_rest(
    mongod_client: MongoClient[Stored], mongod_uri: str, database_name: str, command: str
) -> None:
    things = [model([Index("a"), Index("b")], collection=f"c{number}") for number in range(2)]
    with MongoClient[Stored](mongod_uri, appname=database_name, retryReads=False) as client:
        database = client[database_name]
        with (
            failing(mongod_client, [command], 1, appName=database_name, closeConnection=True),
            pytest.raises(ServerUnavailable, match="call again"),
        ):
            ensure_schema(database, things)
        ensure_schema(database, things)
        assert [len(database[f"c{number}"].index_information()) for number in range(2)] == [3, 3]
        assert ensure_schema(database, things).created == ()


def test_a_refused_index_leaves_what_was_made_before_it(database: Any) -> None:
    database.c1.insert_many([{"a": 1}, {"a": 1}])
    things = [model([Index("a", unique=True)], collection=f"c{number}") for number in range(3)]
    with pytest.raises(SchemaNotEnsured, match=r"for index a_1 \(code 11000\).*same values of \(a\)") as caught:
        ensure_schema(database, things)
    assert (caught.value.collection, caught.value.indexes) == ("c1", ("a_1",))
    assert set(database.list_collection_names()) == {"c0", "c1"}
    database.c1.delete_many({})
    assert ensure_schema(database, things).created == ("c1.indexes.a_1", "c2", "c2.indexes.a_1")
