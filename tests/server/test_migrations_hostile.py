"""Steps over documents and collections that are hostile on purpose: each is visited once, and comes back byte by byte.

Ids are of all types, the least and the greatest included; names have dollars and dots; collections are of every kind.
"""

import datetime as dt
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from bson import SON, Binary, Code, DatetimeMS, Decimal128, Int64, MaxKey, MinKey, ObjectId, Timestamp, encode
from pymongo import MongoClient

from boundwork.alembic_like_migrations import Migrator, StepFailed
from boundwork.alembic_like_migrations.engine.batches import FIRST_SIZE
from boundwork.alembic_like_migrations.engine.unfit import CollectionGone, CollectionUnfit
from boundwork.alembic_like_migrations.steps.errors import ImageTooLarge
from tests.server.random_documents import RAW
from tests.server.test_migrations_documents import WORDS, stored

pytestmark = pytest.mark.server
Written = Callable[[str], Migrator]
LARGEST = 16 * 1024 * 1024
MANY = 230
"""More than the first batch has."""
IDS: list[Any] = [
    MinKey(),
    None,
    float("nan"),
    Int64(2**40),
    Decimal128("3.7"),
    2.5,
    "",
    "a",
    "A",
    {},
    {"a": 1, "b": 2},
    {"b": 2, "a": 1},
    {"a": {"x": [uuid.UUID(int=5)]}},
    Binary(b"x" * 16, 3),
    uuid.UUID(int=7),
    b"xx",
    ObjectId("0123456789abcdef01234567"),
    False,
    dt.datetime(1, 1, 1, tzinfo=dt.UTC),
    Timestamp(0, 0),
    Code("f()"),
    MaxKey(),
]


@pytest.fixture
def database(mongod_client: MongoClient[dict[str, Any]], database_name: str) -> Any:
    return mongod_client[database_name]


@pytest.fixture
def written(database: Any, tmp_path: Path) -> Written:
    """Return a function from the lines of `up` to a migrator, whose way back is derived."""

    def revision(up: str) -> Migrator:
        head = "revision, down_revision = 'one', None\nfrom boundwork.alembic_like_migrations import op\n"
        body = up.replace("\n", "\n    ")
        (tmp_path / "one.py").write_text(f"{head}\ndef up():\n    {body}\n\ndef down():\n    op.revert()\n")
        return Migrator(database, tmp_path)

    return revision


def fill(database: Any) -> list[bytes]:
    odd = [("y.z", 3), ("$x", 4), ("b", {"a": 1, "$q": 2}), ("c", [{"a": {"b": 1}, "k": 2}, 5, None])]
    documents = [SON([("_id", one), ("z", 0), ("a", str(number)), *odd]) for number, one in enumerate(IDS)]
    documents += [SON([("_id", 100 + number), ("a", "1")]) for number in range(MANY)]
    documents += [
        SON([("_id", 1000)]),
        SON([("_id", 1001), ("a", None)]),
        SON([("_id", 1002), ("a", {"b": 1, "$x": 2})]),
    ]
    documents += [SON([("_id", 1003), ("a", 7)])]
    database.get_collection("things", codec_options=RAW).insert_many(documents)
    empty = {"$set": {"at": Timestamp(0, 0)}}  # the server fills it in when it is inserted or replaced
    database.things.update_many({"_id": {"$gte": 100, "$lt": 105}}, empty)
    return stored(database)


MORE = {
    "unset in an array": "op.unset_field('things', 'c.k')",
    "unset at a place": "op.unset_field('things', 'c.1')",
    "unset for good": "op.rename_field('things', 'z', 'zz')\nop.update('things', {'$inc': {'n': 1}}, undo={'$unset': {'n': ''}})",
}


@pytest.mark.parametrize("words", [*WORDS.values(), *MORE.values()], ids=[*WORDS, *MORE])
def test_hostile_documents_are_visited_as_planned_and_come_back_byte_by_byte(
    database: Any, written: Written, words: str
) -> None:
    before = fill(database)
    migrator = written(words)
    (planned,) = migrator.plan().revisions
    migrator.upgrade()
    changed = stored(database)
    assert changed != before
    (record,) = database.boundwork_migrations.find({"revision": "one"})
    first, step = planned.steps[0], record["up"][0]
    visited = step["seen"]
    assert first.documents == visited or (visited == 1 and first.documents is not None), "a step of one transaction"
    migrator.downgrade("base")
    assert stored(database) == before
    assert database.boundwork_migrations_undo.count_documents({}) == 0
    migrator.upgrade()
    assert stored(database) == changed


def test_a_field_goes_from_documents_in_arrays_as_well(database: Any, written: Written) -> None:
    database.things.insert_one({"_id": 1, "l": [{"a": 1, "b": 2}, 5, {"a": 3}], "a": 4})
    written("op.unset_field('things', 'l.a')").upgrade()
    assert database.things.find_one() == {"_id": 1, "l": [{"b": 2}, 5, {}], "a": 4}


KINDS: dict[str, dict[str, Any]] = {
    "a capped collection": {"capped": True, "size": 4096},
    "a time series": {"timeseries": {"timeField": "at"}},
    "a view": {"viewOn": "under", "pipeline": []},
}
UNFIT = {
    "update": "op.update('odd', {'$set': {'x': 1}}, undo={'$unset': {'x': ''}})",
    "images": "op.unset_field('odd', 'n')",
    "source": "op.merge_collections('odd', 'others')",
    "target": "op.merge_collections('under', 'odd')",
    "seed": "op.seed('odd', [{'_id': 1}])",
    "together": "with op.transaction():\n    op.set_field('odd', 'x', 1)",
}


@pytest.mark.parametrize("words", UNFIT.values(), ids=UNFIT)
@pytest.mark.parametrize("kind", KINDS)
def test_a_collection_that_no_transaction_changes_is_named_at_once_and_in_the_plan(
    database: Any, written: Written, kind: str, words: str
) -> None:
    database.under.insert_one({"_id": 1, "n": 1})
    database.create_collection("odd", **KINDS[kind])
    migrator = written(words)
    (warning,) = migrator.plan().warnings
    assert warning.startswith(f"will stop: 'odd' is {kind}")
    with pytest.raises(StepFailed, match=f"'odd' is {kind}") as caught:
        migrator.upgrade()
    assert isinstance(caught.value.__cause__, CollectionUnfit)
    assert database.under.find_one() == {"_id": 1, "n": 1}


OPTIONS: dict[str, dict[str, Any]] = {
    "clustered": {"clusteredIndex": {"key": {"_id": 1}, "unique": True}},
    "collation": {"collation": {"locale": "en", "strength": 2}},
}


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_clustered_collections_and_those_with_a_collation_are_gone_through_like_others(
    database: Any, written: Written, options: dict[str, Any]
) -> None:
    database.create_collection("things", **options)
    names = [f"{'aB' if number % 2 else 'Ab'}{number}" for number in range(MANY)]
    database.things.insert_many([{"_id": name, "a": 1} for name in names])
    before = stored(database)
    migrator = written("op.rename_field('things', 'a', 'b')\nop.unset_field('things', 'b')")
    migrator.upgrade()
    assert database.things.count_documents({"b": {"$exists": True}}) == 0
    migrator.downgrade("base")
    assert stored(database) == before


def test_documents_of_almost_the_largest_size_come_back_and_larger_ones_are_named(
    database: Any, written: Written
) -> None:
    def insert(number: int, size: int) -> None:
        frame = len(encode({"_id": number, "a": 1, "f": ""}))
        database.things.insert_one({"_id": number, "a": 1, "f": "x" * (size - frame)})

    insert(1, LARGEST - 500)
    before = stored(database)
    migrator = written("op.unset_field('things', 'a')")
    migrator.upgrade()
    migrator.downgrade("base")
    assert stored(database) == before
    insert(2, LARGEST)
    with pytest.raises(StepFailed, match="The document 2 of 'things' is almost 16 MB large") as caught:
        migrator.upgrade()
    assert isinstance(caught.value.__cause__, ImageTooLarge)


def test_a_step_that_stopped_behind_a_time_beyond_datetime_is_gone_on_with(database: Any, written: Written) -> None:
    early = [{"_id": DatetimeMS(-(10**15) + number), "a": 1} for number in range(FIRST_SIZE)]
    database.things.insert_many([*early, {"_id": DatetimeMS(10**15), "a": "x"}])
    migrator = written("op.update('things', {'$inc': {'a': 1}}, undo={'$inc': {'a': -1}})")
    with pytest.raises(StepFailed):
        migrator.upgrade()
    (record,) = migrator.standing().half_done
    assert (list(record.up[0].after), record.up[0].seen) == ([early[-1]["_id"]], FIRST_SIZE)
    database.things.update_one({"a": "x"}, {"$set": {"a": 1}})
    assert migrator.resume() == ("one",)
    assert database.things.distinct("a") == [2]


def test_filters_and_bounds_hold_uuids_and_times_beyond_datetime(database: Any, written: Written) -> None:
    key, never = uuid.UUID(int=5), DatetimeMS(10**15)
    documents = [{"_id": 1, "key": Binary.from_uuid(key), "until": never}, {"_id": 2, "until": never}]
    database.things.insert_many(documents)
    update = f"op.update('things', {{'$set': {{'a': 1}}}}, where={{'key': __import__('uuid').{key!r}}}, undo={{'$unset': {{'a': 1}}}})"
    partial = f"partialFilterExpression={{'until': __import__('bson').{never!r}}}"
    migrator = written(f"{update}\nop.create_index('things', {{'key': 1}}, {partial})")
    assert [step.documents for step in migrator.plan().revisions[0].steps] == [1, 2]
    assert migrator.rehearse().revisions == ("one",)
    assert migrator.upgrade() == ("one",)
    assert database.things.count_documents({"a": 1}) == 1
    assert migrator.check([]).database == ()


def test_ids_that_are_documents_are_told_as_people_read_them(database: Any, written: Written) -> None:
    database.things.insert_one({"_id": {"shop": {"n": [1]}}, "a": "x", "b": 1})
    with pytest.raises(StepFailed, match=r"cannot become int: \{'shop': \{'n': \[1\]\}\}\."):
        written("op.convert_type('things', 'a', 'int')").upgrade()
    database.boundwork_migrations.drop()
    with pytest.raises(StepFailed, match=r"at the document \{'shop': \{'n': \[1\]\}\}\."):
        written("op.update('things', {'$inc': {'a': 1}}, undo={'$inc': {'a': -1}})").upgrade()


@pytest.mark.parametrize("way", ["resolve", "stamp"])
def test_images_of_an_earlier_time_are_forgotten_also_for_documents_that_are_not_visited_again(
    database: Any, written: Written, way: str
) -> None:
    database.things.insert_many([{"_id": 1, "a": 1}, {"_id": 2, "a": 2}])
    migrator = written("op.unset_field('things', 'a')\nop.convert_type('things', 'b', 'int')")
    if way == "resolve":
        database.things.insert_one({"_id": 3, "b": "x"})
        with pytest.raises(StepFailed):
            migrator.upgrade()
        migrator.resolve("one", "reverted")
        database.things.delete_one({"_id": 3})
    else:
        migrator.upgrade()
        migrator.stamp("base")
    database.things.update_one({"_id": 1}, {"$set": {"a": 1}})  # put back by hand, and in the other one it was wrong
    migrator.upgrade()
    migrator.downgrade("base")
    assert list(database.things.find().sort("_id")) == [{"_id": 1, "a": 1}, {"_id": 2}]


@pytest.mark.parametrize(
    "up",
    [
        "op.convert_type('things', 'a', 'int')",
        "op.set_field('things', 'b', 1)",
        "op.move_field('things', 'a', 'd.a')",
        "op.rename_field('things', 'a', 'b', on_conflict='keep_old')",
        "op.merge_collections('more', 'things')",
    ],
)
def test_a_way_back_does_not_forget_the_documents_of_a_collection_that_was_renamed_by_hand(
    database: Any, written: Written, up: str
) -> None:
    database.things.insert_many([{"_id": 1, "a": "1"}, {"_id": 2, "a": "2"}])
    database.more.insert_many([{"_id": 3, "a": "3"}, {"_id": 4, "a": "4"}])
    before = stored(database), stored(database, "more")
    migrator = written(up)
    migrator.upgrade()
    database.things.rename("renamed")
    with pytest.raises(StepFailed, match="There is no collection 'things'") as caught:
        migrator.downgrade("base")
    assert isinstance(caught.value.__cause__, CollectionGone)
    assert database.boundwork_migrations_undo.count_documents({}) == 2
    database.renamed.rename("things")
    assert migrator.resume() == ("one",)
    assert (stored(database), stored(database, "more")) == before
    migrator.upgrade()
    database.things.drop()
    database.create_collection("things")  # as the error says, where the documents are gone for good
    assert migrator.downgrade("base") == ("one",)
    assert database.boundwork_migrations_undo.count_documents({}) == 0


def test_images_of_documents_that_are_gone_do_not_stay(database: Any, written: Written) -> None:
    database.things.insert_many([{"_id": 1, "a": 1}, {"_id": 2, "a": 2}])
    migrator = written("op.move_field('things', 'a', 'b')")
    migrator.upgrade()
    database.things.delete_one({"_id": 2})
    migrator.downgrade("base")
    assert list(database.things.find()) == [{"_id": 1, "a": 1}]
    assert database.boundwork_migrations_undo.count_documents({}) == 0
