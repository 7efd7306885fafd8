"""The words for documents on a real server: up and down give back the same bytes, and nobody else's change is lost."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pymongo import AsyncMongoClient, MongoClient

from boundwork.alembic_like_migrations.engine.errors import StepFailed
from boundwork.alembic_like_migrations.engine.program import RevisionBroken
from boundwork.alembic_like_migrations.migrator import AsyncMigrator, Migrator
from boundwork.alembic_like_migrations.steps.errors import (
    DocumentsChanged,
    DocumentsInTheWay,
    FieldsInTheWay,
    FunctionFailed,
    StepWrong,
)
from boundwork.alembic_like_migrations.steps.step import Irreversible
from tests.server.random_documents import RAW, documents, seeded

pytestmark = pytest.mark.server
Stored = dict[str, Any]
Revision = Callable[[str], Migrator]
NUMBER = 300


@pytest.fixture
def database(mongod_client: MongoClient[Stored], database_name: str) -> Any:
    return mongod_client[database_name]


@pytest.fixture
def revision(database: Any, tmp_path: Path) -> Revision:
    """Return a function from the lines of `up` to a migrator that has this one revision, whose way back is derived."""

    def written(up: str) -> Migrator:
        head = "revision, down_revision = 'one', None\nfrom boundwork.alembic_like_migrations import op\n"
        body = up.replace("\n", "\n    ")
        (tmp_path / "one.py").write_text(f"{head}\ndef up():\n    {body}\n\ndef down():\n    op.revert()\n")
        return Migrator(database, tmp_path)

    return written


def stored(database: Any, collection: str = "things") -> list[bytes]:
    return [bytes(one.raw) for one in database.get_collection(collection, codec_options=RAW).find().sort("_id")]


def plain(database: Any, collection: str = "things") -> list[Stored]:
    return list(database[collection].find().sort("_id"))


SHOUT = "@op.transform('things')\ndef _(one):\n    "
HIDING = "op.update('things', {'$set': {'a': 5}}, where={'a': {'$exists': False}}, undo={'$unset': {'a': ''}})"
WORDS: dict[str, str] = {
    "rename": "op.rename_field('things', 'a', 'new')",
    "rename inside": "op.rename_field('things', 'a.b', 'a.new')",
    "rename deep inside": "op.rename_field('things', 'c.a.b', 'c.a.new')",
    "rename, keep new": "op.rename_field('things', 'a', 'b', on_conflict='keep_new')",
    "rename, keep old": "op.rename_field('things', 'a', 'b', on_conflict='keep_old')",
    "set where missing": "op.set_field('things', 'a', {'x': [1]})",
    "set everywhere": "op.set_field('things', 'a', 7, only_missing=False)",
    "set in a document": "op.set_field('things', 'new.field', 7)",
    "unset": "op.unset_field('things', 'a')",
    "convert": "op.convert_type('things', 'a', 'string', on_error='null')",
    "convert what can be": "op.convert_type('things', 'a', 'int', on_error='keep')",
    "move": "op.move_field('things', 'a', 'new.a')",
    "copy": "op.copy_field('things', 'a', 'new')",
    "split": "op.split_collection('things', 'others', {'a': {'$exists': True}})",
    "merge": "op.merge_collections('things', 'others')",
    "update that hides its documents": HIDING,
    "transform by operators": SHOUT + "return {'$set': {'slug': repr(one)}, '$unset': {'a': ''}}",
    "transform to another document": SHOUT + "return {'b': 1, 'was': one.get('a'), 'a': 2}",
    "transform in place": SHOUT + "one['new'] = one.pop('a', None)\n    return one",
    "transform by stages": SHOUT + "return [{'$set': {'new': {'$type': '$a'}}}, {'$unset': 'b'}]",
    "seed": "op.seed('things', [{'_id': 0, 'a': 'mine'}, {'_id': 'new', 'a': 'mine'}])",
    "together": "with op.transaction():\n    op.rename_field('things', 'a', 'new')\n    op.unset_field('things', 'b')",
    "one after another": "op.unset_field('things', 'a')\nop.set_field('things', 'a', 1)\nop.rename_field('things', 'a', 'q')",
}


@pytest.mark.parametrize("words", WORDS.values(), ids=WORDS)
def test_up_and_down_give_back_the_same_bytes(database: Any, revision: Revision, words: str) -> None:
    drawn = [
        one for one in documents(seeded(11), NUMBER) if not (isinstance(one.get("a"), list) and "convert" in words)
    ]
    if "split" in words or "merge" in words:
        database.others.insert_one({"_id": "there", "a": 1} if "merge" in words else {"_id": "there"})
    database.get_collection("things", codec_options=RAW).insert_many(drawn)
    before, others = stored(database), stored(database, "others")
    migrator = revision(words)
    migrator.upgrade()
    assert stored(database) != before
    migrator.downgrade("base")
    assert stored(database) == before
    assert stored(database, "others") == others
    assert plain(database, "boundwork_migrations_undo") == []


def test_renamed_fields_keep_their_place_and_all_else_its_bytes(database: Any, revision: Revision) -> None:
    database.things.insert_one({"_id": 1, "z": 1, "a": {"b": [{"old": 1, "x": 2}, 5, {"x": 1}]}, "old": 3, "y.z": 4})
    revision("op.rename_field('things', 'a.b.old', 'a.b.new')\nop.rename_field('things', 'old', 'new')").upgrade()
    (found,) = plain(database)
    expected = {"_id": 1, "z": 1, "a": {"b": [{"new": 1, "x": 2}, 5, {"x": 1}]}, "new": 3, "y.z": 4}
    assert (found, str(found)) == (expected, str(expected))


REFUSED: dict[str, tuple[str, type[Exception], str]] = {
    "both names": ("op.rename_field('things', 'a', 'b')", FieldsInTheWay, "have both 'a' and 'b': 2"),
    "both names in an array": ("op.rename_field('things', 'l.a', 'l.b')", FieldsInTheWay, "have both .*: 3"),
    "both names that differ": (
        "op.rename_field('things', 'a', 'b', on_conflict='error_if_different')",
        FieldsInTheWay,
        "have both 'a' and 'b' with different values: 2",
    ),
    "no number": ("op.convert_type('things', 'a', 'int')", FieldsInTheWay, "'a' that cannot become int: 3"),
    "something there": ("op.move_field('things', 'a', 'b')", FieldsInTheWay, "something at 'b'.*: 2"),
    "an array on the way": ("op.move_field('things', 'a', 'l.a')", FieldsInTheWay, "an array or a value .*: 3"),
    "a copy in an array": ("op.copy_field('things', 'l.a', 'l.c')", FieldsInTheWay, "an array on the way to 'l.a': 3"),
    "the same ids": ("op.merge_collections('things', 'others')", DocumentsInTheWay, "with these ids: 2"),
    "a function": ("@op.transform('things')\ndef bad(one):\n    raise KeyError('secret')", FunctionFailed, "KeyError"),
    "no BSON": (
        "@op.transform('things')\ndef bad(one):\n    return {'a': object()}",
        FunctionFailed,
        "InvalidDocument",
    ),
}


@pytest.mark.parametrize(("words", "error", "text"), REFUSED.values(), ids=REFUSED)
def test_documents_in_the_way_are_named_and_nothing_is_written(
    database: Any, revision: Revision, words: str, error: type[Exception], text: str
) -> None:
    database.things.insert_many(
        [{"_id": 1, "a": 1}, {"_id": 2, "a": "2", "b": 2}, {"_id": 3, "a": "secret", "l": [{"a": 1, "b": 1}, 1]}]
    )
    database.others.insert_one({"_id": 2})
    before = stored(database)
    with pytest.raises(StepFailed, match=text) as caught:
        revision(words).upgrade()
    assert isinstance(caught.value.__cause__, error)
    assert "secret" not in str(caught.value)
    assert stored(database) == before


def test_a_conversion_that_went_wrong_is_gone_on_with(database: Any, revision: Revision) -> None:
    database.things.insert_many([{"_id": number, "a": str(number)} for number in range(500)])
    database.things.update_one({"_id": 450}, {"$set": {"a": "x"}})
    before = stored(database)
    migrator = revision("op.convert_type('things', 'a', 'int')")
    with pytest.raises(StepFailed, match="450"):
        migrator.upgrade()
    database.things.update_one({"_id": 450}, {"$set": {"a": "450"}})
    migrator.resume()
    assert [one["a"] for one in plain(database)] == list(range(500))
    migrator.downgrade("base")
    assert stored(database)[:450] == before[:450]


def test_a_document_that_was_changed_since_is_not_put_back_but_named(database: Any, revision: Revision) -> None:
    database.things.insert_many([{"_id": number, "name": f"N{number}"} for number in range(3)])
    migrator = revision("@op.transform('things')\ndef _(one):\n    return {'$set': {'name': one['name'].lower()}}")
    migrator.upgrade()
    database.things.update_one({"_id": 1}, {"$set": {"name": "newer"}})
    database.things.delete_one({"_id": 2})
    with pytest.raises(StepFailed, match=r"were changed since: 1\.") as caught:
        migrator.downgrade("base")
    assert isinstance(caught.value.__cause__, DocumentsChanged)
    assert [one["name"] for one in plain(database)] == ["n0", "newer"]
    database.boundwork_migrations_undo.delete_one({"_id.of": 1})
    migrator.downgrade("base")
    assert [one["name"] for one in plain(database)] == ["N0", "newer"]


def test_a_field_comes_back_into_a_document_that_was_changed_elsewhere(database: Any, revision: Revision) -> None:
    database.things.insert_many([{"_id": number, "a": number, "b": 0} for number in range(3)])
    words = ["op.unset_field('things', 'a')", "op.set_field('things', 'b', 9, only_missing=False)"]
    words.append("@op.transform('things')\ndef _(one):\n    return {'b': one['b'] + 1, 'd': 2, '_id': one['_id']}")
    migrator = revision("\n".join(words))
    migrator.upgrade()
    assert plain(database)[0] == {"_id": 0, "b": 10, "d": 2}
    database.things.update_many({}, {"$set": {"c": 1}})
    migrator.downgrade("base")
    assert [(one["a"], one["b"], one["c"]) for one in plain(database)] == [(0, 0, 1), (1, 0, 1), (2, 0, 1)]


def test_documents_that_came_later_are_renamed_back_as_well(database: Any, revision: Revision) -> None:
    database.things.insert_one({"_id": 1, "a": 1, "b": 2})
    migrator = revision("op.rename_field('things', 'a', 'b', on_conflict='keep_new')")
    migrator.upgrade()
    database.things.insert_one({"_id": 2, "b": 3})
    migrator.downgrade("base")
    assert plain(database) == [{"_id": 1, "a": 1, "b": 2}, {"_id": 2, "a": 3}]


def test_a_value_that_the_program_changed_stays_when_its_field_is_taken_away(database: Any, revision: Revision) -> None:
    database.things.insert_many([{"_id": 1}, {"_id": 2}, {"_id": 3, "a": 7}])
    migrator = revision("op.set_field('things', 'a', 7)")
    migrator.upgrade()
    database.things.update_one({"_id": 2}, {"$set": {"a": 8}})
    migrator.downgrade("base")
    assert plain(database) == [{"_id": 1}, {"_id": 2, "a": 8}, {"_id": 3, "a": 7}]


def test_only_the_documents_that_an_update_hid_from_its_filter_go_back(database: Any, revision: Revision) -> None:
    database.things.insert_many([{"_id": 1, "state": "new"}, {"_id": 2, "state": "open"}])
    words = "op.update('things', {'$set': {'state': 'open'}}, where={'state': 'new'}, undo={'$set': {'state': 'new'}})"
    migrator = revision(words)
    migrator.upgrade()
    migrator.downgrade("base")
    assert [one["state"] for one in plain(database)] == ["new", "open"]


def test_a_change_that_comes_between_reading_and_writing_is_not_lost(
    database: Any, revision: Revision, monkeypatch: pytest.MonkeyPatch, mongod_uri: str
) -> None:
    database.things.insert_many([{"_id": number, "n": 0} for number in range(5)])
    calls: list[int] = []
    other = MongoClient[Stored](mongod_uri)

    def rival(one: Stored) -> None:
        calls.append(one["_id"])
        if calls == [0]:
            change = {"$inc": {"n": 10}}
            thread = threading.Thread(target=other[database.name].things.update_one, args=({"_id": 3}, change))
            thread.start()
            thread.join()

    monkeypatch.setattr("builtins.rival", rival, raising=False)
    words = "@op.transform('things')\ndef _(one):\n    rival(one)\n    return {**one, 'n': one['n'] + 1}"
    with other:
        revision(words).upgrade()
    assert [one["n"] for one in plain(database)] == [1, 1, 1, 11, 1]
    assert calls == [0, 1, 2, 3, 4] * 2


def test_images_of_an_earlier_time_give_way(database: Any, revision: Revision) -> None:
    database.things.insert_one({"_id": 1, "a": 1})
    migrator = revision("op.unset_field('things', 'a')")
    migrator.upgrade()
    migrator.stamp("base")
    database.things.update_one({"_id": 1}, {"$set": {"a": 2}})
    migrator.upgrade()
    migrator.downgrade("base")
    assert plain(database) == [{"_id": 1, "a": 2}]


def test_a_seed_leaves_what_is_there_and_takes_away_only_its_own(database: Any, revision: Revision) -> None:
    database.things.insert_one({"_id": 1, "a": "mine"})
    seeds = [{"_id": number, "a": "mine"} for number in range(1, 5)]
    migrator = revision(f"op.seed('things', {seeds!r})")
    migrator.upgrade()
    database.things.update_one({"_id": 2}, {"$set": {"a": "yours"}})
    migrator.downgrade("base")
    assert plain(database) == [{"_id": 1, "a": "mine"}, {"_id": 2, "a": "yours"}]


def test_all_steps_of_a_transaction_are_done_or_none(database: Any, revision: Revision) -> None:
    database.things.insert_one({"_id": 1, "a": 1, "b": "x"})
    words = "with op.transaction():\n    op.unset_field('things', 'a')\n    op.convert_type('things', 'b', 'int')"
    with pytest.raises(StepFailed, match="cannot become int"):
        revision(words).upgrade()
    assert plain(database) == [{"_id": 1, "a": 1, "b": "x"}]
    assert plain(database, "boundwork_migrations_undo") == []


def test_a_large_step_is_kept_out_of_a_transaction(
    database: Any, revision: Revision, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("boundwork.alembic_like_migrations.steps.transactions.MOST", 3)
    database.things.insert_many([{"_id": number} for number in range(4)])
    with pytest.raises(StepFailed, match=r"more than 3 documents.*Take it out of op\.transaction\(\)"):
        revision("with op.transaction():\n    op.set_field('things', 'a', 1)").upgrade()
    assert plain(database) == [{"_id": number} for number in range(4)]


def test_structure_in_a_transaction_is_refused_before_anything_is_written(database: Any, revision: Revision) -> None:
    words = "op.set_field('things', 'a', 1)\nwith op.transaction():\n    op.create_index('things', {'a': 1})"
    database.things.insert_one({"_id": 1})
    with pytest.raises(RevisionBroken, match="no structure in a transaction") as caught:
        revision(words).upgrade()
    assert isinstance(caught.value.__cause__, StepWrong)
    assert plain(database) == [{"_id": 1}]
    assert database.boundwork_migrations.find_one({"revision": "one"}) is None


def test_a_function_writes_in_the_transaction_of_its_record(database: Any, revision: Revision) -> None:
    database.things.insert_one({"_id": 1})
    words = "def move(database):\n    database.things.delete_one({'_id': 1})\n    {0}\nop.execute(move)"
    with pytest.raises(StepFailed, match=r"move\(\) raised KeyError"):
        revision(words.replace("{0}", "raise KeyError('secret')")).upgrade()
    assert plain(database) == [{"_id": 1}]
    database.boundwork_migrations.drop()
    revision(words.replace("{0}", "")).upgrade()
    assert plain(database) == []


def test_a_function_outside_of_the_transaction_may_change_the_structure(database: Any, revision: Revision) -> None:
    words = "def index(database):\n    database.things.create_index('a')\nop.execute(index, transaction=False)"
    revision(words).upgrade()
    assert "a_1" in database.things.index_information()


def test_a_revision_with_a_function_has_no_derived_way_back(database: Any, revision: Revision) -> None:
    migrator = revision("op.execute(print, transaction=False)")
    migrator.upgrade()
    with pytest.raises(Irreversible, match="nobody knows what a function does"):
        migrator.downgrade("base")


async def test_the_words_work_on_an_event_loop_as_well(
    mongod_uri: str, database: Any, revision: Revision, tmp_path: Path
) -> None:
    database.things.insert_many([{"_id": number, "a": number} for number in range(5)])
    before = stored(database)
    words = [
        "op.rename_field('things', 'a', 'b')",
        "op.unset_field('things', 'b')",
        "op.create_index('things', {'b': 1})",
        "@op.transform('things')\ndef _(one):\n    return {'$set': {'c': 1}}",
    ]
    revision("\n".join(words))
    async with AsyncMongoClient[Stored](mongod_uri) as client:
        migrator = AsyncMigrator(client[database.name], tmp_path)
        await migrator.upgrade()
        assert plain(database)[0] == {"_id": 0, "c": 1}
        await migrator.downgrade("base")
    assert stored(database) == before


async def test_a_coroutine_function_is_called_by_the_migrator_of_its_colour(
    mongod_uri: str, database: Any, revision: Revision, tmp_path: Path
) -> None:
    revision("async def fill(database):\n    await database.things.insert_one({'_id': 1})\nop.execute(fill)")
    async with AsyncMongoClient[Stored](mongod_uri) as client:
        await AsyncMigrator(client[database.name], tmp_path).upgrade()
    assert plain(database) == [{"_id": 1}]
