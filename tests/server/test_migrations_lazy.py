"""Lazy revisions on a real server: what an upgrade leaves, what the finisher does, and what may come after it."""

from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from boundwork import Upcast
from boundwork.alembic_like_migrations import (
    Finished,
    Irreversible,
    Migrator,
    NotFinished,
    NotLazy,
    StepFailed,
    Unfinished,
    UpcastChanged,
)
from boundwork.alembic_like_migrations.lazy.fingerprint import fingerprint
from tests.server import lazy_shop
from tests.server.lazy_shop import TO_2, Account, Shop, old_accounts, write

pytestmark = pytest.mark.server
NUMBER = 500


@pytest.fixture
def database(mongod_client: MongoClient[dict[str, Any]], database_name: str) -> Any:
    database = mongod_client[database_name]
    database.lazy_accounts.insert_many(old_accounts(NUMBER))
    return database


@pytest.fixture
def migrator(database: Any, tmp_path: Path) -> Migrator:
    write(tmp_path, "two", None, "op.lazy('lazy_accounts', TO_2)")
    write(tmp_path, "three", "two", "op.lazy('lazy_accounts', TO_3)")
    return Migrator(database, tmp_path, batch_seconds=0.05)


def test_an_upgrade_notes_a_lazy_revision_and_touches_no_document(database: Any, migrator: Migrator) -> None:
    before = list(database.lazy_accounts.find().sort("_id"))
    plan = migrator.plan()
    assert [step.documents for one in plan.revisions for step in one.steps] == [NUMBER, 0]
    assert migrator.upgrade() == ("two", "three")
    assert list(database.lazy_accounts.find().sort("_id")) == before
    standing = migrator.standing()
    assert standing.applied == ("two", "three")
    assert not standing.pending
    assert not standing.half_done
    assert standing.unfinished == (
        Unfinished("two", "lazy_accounts", 2, NUMBER),
        Unfinished("three", "lazy_accounts", 3, 0),
    )


def test_the_finisher_brings_what_is_left_and_agrees_with_what_units_read(database: Any, migrator: Migrator) -> None:
    migrator.upgrade()
    shop = Shop(database)
    with shop as uow:
        before = {one.id: one.model_dump() for one in uow.accounts.find()}
        uow.accounts.get(7).visits += 1
    assert migrator.finish() == (
        Finished("two", "lazy_accounts", 2, NUMBER - 1, 0),
        Finished("three", "lazy_accounts", 3, NUMBER - 1, 0),
    )
    assert migrator.standing().unfinished == ()
    with shop as uow:
        after = {one.id: one.model_dump() for one in uow.accounts.find()}
    before[7]["visits"] = 1
    assert after == before
    stored = database.lazy_accounts.find_one({"_id": 9})
    assert stored == {
        "_id": 9,
        "mail": "a9@x.org",
        "age": 9,
        "plan": "basic",
        "label": "A9@X.ORG",
        "visits": 0,
        "_sv": 3,
    }
    assert migrator.finish() == (Finished("two", "lazy_accounts", 2, 0, 0), Finished("three", "lazy_accounts", 3, 0, 0))


def test_documents_that_old_code_adds_later_are_brought_by_the_next_finisher(database: Any, migrator: Migrator) -> None:
    migrator.upgrade()
    migrator.finish("two")
    database.lazy_accounts.insert_one({"_id": -1, "login": "late"})
    assert migrator.finish("two") == (Finished("two", "lazy_accounts", 2, 1, 0),)


def test_a_contracting_revision_waits_for_the_finisher(database: Any, migrator: Migrator, tmp_path: Path) -> None:
    write(tmp_path, "last", "three", "op.set_validator('lazy_accounts', {'required': ['mail']}, was={})", "contract")
    migrator = Migrator(database, tmp_path)
    (told,) = [one.warnings for one in migrator.plan().revisions if one.revision == "last"]
    with pytest.raises(NotFinished, match="Run `finish` first"):
        migrator.upgrade()
    assert migrator.standing().pending == ("last",)
    refusal = "'lazy_accounts' holds documents older than version 2, which two migrates lazily"
    assert told == migrator.plan().revisions[0].warnings == (f"will be refused: {refusal}; run `finish` before it",)
    migrator.finish("two")
    (still,) = migrator.plan().revisions[0].warnings
    assert "older than version 3, which three migrates lazily" in still
    migrator.finish()
    assert migrator.plan().revisions[0].warnings == ()
    assert migrator.upgrade() == ("last",)


@pytest.mark.parametrize(
    "moving",
    [
        "op.rename_collection('lazy_accounts', 'members')",
        "op.merge_collections('lazy_accounts', 'members')",
        "op.split_collection('lazy_accounts', 'members', {'_id': 7})",
    ],
)
def test_documents_get_another_collection_when_the_finisher_has_been_there(
    database: Any, migrator: Migrator, tmp_path: Path, moving: str
) -> None:
    write(tmp_path, "moved", "three", moving)
    migrator = Migrator(database, tmp_path)
    (told,) = [one.warnings for one in migrator.plan().revisions if one.revision == "moved"]
    assert "'lazy_accounts' holds documents older than version 2, which two migrates lazily" in told[0]
    with pytest.raises(NotFinished, match="moved gives documents of 'lazy_accounts' another collection"):
        migrator.upgrade()
    assert migrator.standing().pending == ("moved",)
    assert "members" not in database.list_collection_names()
    migrator.finish()
    assert migrator.upgrade() == ("moved",)
    assert database.members.count_documents({"_sv": {"$ne": 3}}) == 0


def test_a_revision_does_not_take_away_the_documents_that_it_leaves_to_the_finisher_itself(
    database: Any, tmp_path: Path
) -> None:
    write(
        tmp_path, "both", None, "op.lazy('lazy_accounts', TO_2)\n    op.rename_collection('lazy_accounts', 'members')"
    )
    migrator = Migrator(database, tmp_path)
    (told,) = migrator.plan().revisions
    assert any(one.endswith("it migrates lazily; put op.lazy into a revision of its own") for one in told.warnings)
    with pytest.raises(
        NotFinished, match=r"version 2, which it migrates lazily.*Put op\.lazy into a revision of its own"
    ):
        migrator.upgrade()
    assert database.list_collection_names(filter={"name": "members"}) == []
    database.lazy_accounts.delete_many({})
    assert migrator.upgrade() == ("both",)


def test_other_collections_get_another_name_beside_documents_that_are_left(
    database: Any, migrator: Migrator, tmp_path: Path
) -> None:
    database.others.insert_one({"_id": 1})
    write(tmp_path, "moved", "three", "op.rename_collection('others', 'members')")
    assert Migrator(database, tmp_path).upgrade() == ("two", "three", "moved")


def test_a_document_that_cannot_be_upcast_stops_the_finisher_and_is_named(database: Any, migrator: Migrator) -> None:
    database.lazy_accounts.update_one({"_id": 450}, {"$set": {"age": "secret"}})
    migrator.upgrade()
    with pytest.raises(StepFailed, match=r"450.*`finish` again") as caught:
        migrator.finish()
    assert "secret" not in str(caught.value)
    assert database.lazy_accounts.count_documents({"_sv": 2}) < NUMBER
    database.lazy_accounts.update_one({"_id": 450}, {"$set": {"age": "44"}})
    assert sum(one.migrated for one in migrator.finish()) <= 2 * NUMBER
    assert database.lazy_accounts.count_documents({"_sv": 3}) == NUMBER


def test_the_way_down_brings_back_what_was_migrated(database: Any, migrator: Migrator) -> None:
    before = list(database.lazy_accounts.find().sort("_id"))
    migrator.upgrade()
    with Shop(database) as uow:
        for one in uow.accounts.find(Account.mail == "a3@x.org"):
            one.visits += 0
    migrator.finish("two")
    migrator.downgrade("base")
    assert list(database.lazy_accounts.find().sort("_id")) == before
    migrator.upgrade()
    migrator.finish()
    migrator.downgrade("base")
    found = list(database.lazy_accounts.find().sort("_id"))
    assert found == before


def test_an_upcast_without_a_way_back_says_why(database: Any, tmp_path: Path) -> None:
    lines = "from boundwork import Upcast\n    op.lazy('lazy_accounts', Upcast(2).unset_field('age'))"
    write(tmp_path, "two", None, lines)
    migrator = Migrator(database, tmp_path)
    migrator.upgrade()
    with pytest.raises(Irreversible, match="the values of 'age' are not kept"):
        migrator.downgrade("base")


def test_an_upcast_that_was_changed_since_is_refused_unless_it_is_meant(
    database: Any, migrator: Migrator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrator.upgrade()
    monkeypatch.setattr(lazy_shop, "TO_2", TO_2.set_field("more", 1))
    again = Migrator(database, tmp_path)
    with pytest.raises(UpcastChanged, match="two"):
        again.finish("two")
    assert again.finish("two", changed=True)[0].migrated == NUMBER


def test_what_is_not_lazy_cannot_be_finished(database: Any, tmp_path: Path) -> None:
    write(tmp_path, "two", None, "op.create_index('lazy_accounts', {'mail': 1})")
    migrator = Migrator(database, tmp_path)
    with pytest.raises(NotLazy, match="not applied"):
        migrator.finish("two")
    migrator.upgrade()
    with pytest.raises(NotLazy, match="nothing lazily"):
        migrator.finish("two")
    assert migrator.finish() == ()


def test_equal_upcasts_have_one_fingerprint_and_others_have_others() -> None:
    def one(_: Any) -> dict[str, Any]:
        return {"a": 1}

    def other(_: Any) -> dict[str, Any]:
        return {"a": 2}

    made = [
        Upcast(2),
        Upcast(3),
        Upcast(2).rename_field("a", "b"),
        Upcast(2).rename_field("a", "c"),
        Upcast(2).set_field("a", 1),
        Upcast(2).set_field("a", 1.0),
        Upcast(2).set_field("a", [1]),
        Upcast(2).convert("a", {1: 2}),
        Upcast(2).convert("a", {1: 3}),
        Upcast(2).compute(one, fields=["a"]),
        Upcast(2).compute(other, fields=["a"]),
    ]
    assert len({fingerprint(upcast) for upcast in made}) == len(made)
    assert fingerprint(Upcast(2).set_field("a", {"b": 1})) == fingerprint(Upcast(2).set_field("a", {"b": 1}))


def test_a_squash_takes_over_what_is_left_to_finish(database: Any, migrator: Migrator, tmp_path: Path) -> None:
    migrator.upgrade()
    migrator.finish("two")
    migrator.squash("two:three", "both", revision_id="both")
    again = Migrator(database, tmp_path)
    again.upgrade()
    assert again.standing().unfinished == (Unfinished("both", "lazy_accounts", 3, NUMBER),)
    assert again.finish()[-1] == Finished("both", "lazy_accounts", 3, NUMBER, 0)
    assert again.standing().unfinished == ()
