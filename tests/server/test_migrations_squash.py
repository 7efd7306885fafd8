"""A squash on a real server: run where nothing of it was applied, noted where all was, and waiting where some was."""

from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from boundwork.alembic_like_migrations import (
    Adoption,
    ImagesMissing,
    LockHeld,
    Migrator,
    PartlyReplaced,
    Plan,
    RevisionNotFound,
    RevisionTampered,
    SeveralHeads,
)
from boundwork.alembic_like_migrations.autogenerate.api import check
from boundwork.alembic_like_migrations.engine.lease import acquire
from boundwork.alembic_like_migrations.engine.server import LEDGER, Server
from boundwork.alembic_like_migrations.steps.undo_log import UNDO
from boundwork.uow.run_sync import run_sync
from boundwork.uow.sessions.choice import synchronous_sessions, synchronous_structure

pytestmark = pytest.mark.server
DOCUMENTS = [{"_id": number, "first": f"n{number}", "number": 0} for number in range(50)]
FILES = {
    "a": "op.create_collection('others')",
    "b": "op.rename_field('people', 'first', 'given', on_conflict='keep_new')\n    op.create_index('others', {'x': 1})",
    "c": "op.update('people', {'$inc': {'number': 1}}, undo={'$inc': {'number': -1}})\n    op.unset_field('people', 'given')",
    "d": "op.drop_index('others', 'x_1', was={'key': {'x': 1}})",
}


@pytest.fixture
def stored(mongod_client: MongoClient[dict[str, Any]], database_name: str) -> Any:
    database = mongod_client[database_name]
    database.people.insert_many(DOCUMENTS)
    return database


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for after, name in zip([None, *FILES], FILES, strict=False):
        (tmp_path / f"{name}.py").write_text(
            f"from boundwork.alembic_like_migrations import op\nrevision, down_revision = {name!r}, {after!r}\n"
            f"def up():\n    {FILES[name]}\n\ndef down():\n    op.revert()\n"
        )
    return tmp_path


def squash(folder: Path, stored: Any, written: str = "b:d") -> Migrator:
    """Write the squash s, and return a migrator that knows it."""
    migrator = Migrator(stored, folder)
    migrator.squash(written, revision_id="s")
    return migrator


def delete(folder: Path, names: str) -> None:
    for name in names:
        (folder / f"{name}.py").unlink()


def people(stored: Any) -> list[dict[str, Any]]:
    return list(stored.people.find(sort=[("_id", 1)]))


def records(stored: Any) -> dict[str, Any]:
    """Return the squash of each record, None for those that count."""
    found = stored[LEDGER].find({"revision": {"$exists": True}})
    return {one["revision"]: one.get("replaced_by") for one in found}


ALL_NOTED = {"a": None, "b": "s", "c": "s", "d": "s", "s": None}
DONE = [{"_id": number, "number": 1} for number in range(50)]


@pytest.mark.parametrize("deleted", ["", "bcd"])
def test_an_empty_database_runs_the_squash_and_ends_where_the_old_files_end(
    stored: Any, folder: Path, deleted: str
) -> None:
    squash(folder, stored)
    delete(folder, deleted)
    migrator = Migrator(stored, folder)
    assert migrator.upgrade() == ("a", "s")
    assert people(stored) == DONE
    assert sorted(stored.others.index_information()) == ["_id_"]
    assert records(stored) == {"a": None, "s": None}
    assert migrator.downgrade("a") == ("s",)
    assert people(stored) == DOCUMENTS


@pytest.mark.parametrize("deleted", ["", "bcd"])
def test_a_database_that_has_all_of_them_notes_the_squash_and_runs_nothing(
    stored: Any, folder: Path, deleted: str
) -> None:
    Migrator(stored, folder).upgrade()
    squash(folder, stored)
    delete(folder, deleted)
    migrator = Migrator(stored, folder)
    standing = migrator.standing()
    assert (standing.applied, standing.tips, standing.adopting) == (("a", "s"), ("s",), ("s",))
    assert (standing.pending, records(stored)) == ((), dict.fromkeys("abcd"))
    assert migrator.upgrade() == ()
    assert people(stored) == DONE
    assert records(stored) == ALL_NOTED
    standing = migrator.standing()
    assert (standing.applied, standing.adopting) == (("a", "s"), ())
    assert standing.replaced == {"b": "s", "c": "s", "d": "s"}


def test_a_squash_that_was_noted_goes_back_over_what_the_old_files_remembered(stored: Any, folder: Path) -> None:
    Migrator(stored, folder).upgrade()
    squash(folder, stored)
    delete(folder, "bcd")
    migrator = Migrator(stored, folder)
    assert migrator.downgrade("a") == ("s",)
    assert [list(one.items()) for one in people(stored)] == [list(one.items()) for one in DOCUMENTS]
    assert records(stored) == {"a": None}
    assert stored[UNDO].count_documents({}) == 0
    assert migrator.upgrade() == ("s",)
    assert people(stored) == DONE


def test_the_way_back_of_a_squash_forgets_what_was_kept_of_documents_that_are_gone(stored: Any, folder: Path) -> None:
    Migrator(stored, folder).upgrade()
    squash(folder, stored)
    delete(folder, "bcd")
    stored.people.delete_one({})
    Migrator(stored, folder).downgrade("a")
    assert stored[UNDO].count_documents({}) == 0


def test_a_database_that_has_some_of_them_goes_on_with_the_old_files_and_then_notes_the_squash(
    stored: Any, folder: Path
) -> None:
    Migrator(stored, folder).upgrade("b")
    migrator = squash(folder, stored)
    standing = migrator.standing()
    assert (standing.applied, standing.pending) == (("a", "b"), ("c", "d"))
    assert standing.waiting == {"s": ("c", "d")}
    assert migrator.upgrade("c") == ("c",)
    assert records(stored) == {"a": None, "b": None, "c": None}
    assert migrator.upgrade("s") == ("d",)
    assert people(stored) == DONE
    assert records(stored) == ALL_NOTED


def test_a_database_that_has_some_of_them_and_not_the_old_files_is_told_which_it_needs(
    stored: Any, folder: Path
) -> None:
    Migrator(stored, folder).upgrade("b")
    squash(folder, stored)
    delete(folder, "bcd")
    migrator = Migrator(stored, folder)
    for word in (migrator.upgrade, migrator.standing, migrator.plan):
        with pytest.raises(PartlyReplaced, match=r"c, d is missing.*Bring back those of b, c, d"):
            word()
    assert records(stored) == {"a": None, "b": None}


def test_a_database_that_failed_in_the_middle_is_resumed_with_the_old_files(stored: Any, folder: Path) -> None:
    stored.people.update_one({"_id": 7}, {"$set": {"number": "many"}})
    with pytest.raises(Exception, match="failed at the step"):
        Migrator(stored, folder).upgrade()
    migrator = squash(folder, stored)
    stored.people.update_one({"_id": 7}, {"$set": {"number": 0}})
    assert migrator.resume() == ("c",)
    assert migrator.upgrade() == ("d",)
    assert (people(stored), records(stored)) == (DONE, ALL_NOTED)


def test_old_files_that_were_changed_are_met_before_the_squash_is_noted(stored: Any, folder: Path) -> None:
    Migrator(stored, folder).upgrade()
    squash(folder, stored)
    file = folder / "c.py"
    file.write_text(file.read_text().replace("'given'", "'other'"))
    with pytest.raises(RevisionTampered, match="The files of c"):
        Migrator(stored, folder).upgrade()
    assert records(stored) == dict.fromkeys("abcd")


def test_a_squash_that_was_changed_after_it_was_noted_is_tampered_with(stored: Any, folder: Path) -> None:
    Migrator(stored, folder).upgrade()
    squash(folder, stored).upgrade()
    (file,) = folder.glob("*_s.py")
    file.write_text(file.read_text().replace("op.revert()", "pass"))
    assert Migrator(stored, folder).standing().tampered == ("s",)


def test_what_comes_later_runs_after_the_squash_in_every_database(stored: Any, folder: Path) -> None:
    Migrator(stored, folder).upgrade()
    migrator = squash(folder, stored)
    later = migrator.revision("later", revision_id="later")
    assert (later.down_revisions, [one.revision for one in migrator.heads()]) == (("s",), ["later"])
    assert Migrator(stored, folder).upgrade() == ("later",)
    assert records(stored) == {**ALL_NOTED, "later": None}
    assert [one.revision for one in migrator.history()] == ["later", "s", "a"]
    assert migrator.show("s").replaces == ("b", "c", "d")


def test_a_branch_beside_the_range_keeps_its_place(stored: Any, folder: Path) -> None:
    migrator = squash(folder, stored)
    migrator.revision("side", after="a", revision_id="side")
    with pytest.raises(SeveralHeads, match="s, side"):
        migrator.upgrade()
    assert migrator.upgrade("heads") == ("a", "s", "side")


def test_a_stamp_notes_the_squash_or_a_place_inside_while_the_old_files_are_there(stored: Any, folder: Path) -> None:
    migrator = squash(folder, stored)
    assert migrator.stamp("head") == ("a", "s")
    assert migrator.stamp("d") == ("a", "s")
    assert migrator.stamp("b") == ("a", "b")
    assert migrator.standing().waiting == {"s": ("c", "d")}
    delete(folder, "bcd")
    with pytest.raises(RevisionNotFound, match="s stands for it"):
        Migrator(stored, folder).stamp("b")


def test_a_stamp_of_a_squash_that_was_noted_keeps_its_history(stored: Any, folder: Path) -> None:
    Migrator(stored, folder).upgrade()
    migrator = squash(folder, stored)
    migrator.upgrade()
    migrator.stamp("s")
    assert records(stored) == ALL_NOTED


def test_a_plan_and_a_rehearsal_see_the_squash(stored: Any, folder: Path) -> None:
    migrator = squash(folder, stored)
    assert [one.revision for one in migrator.plan().revisions] == ["a", "s"]
    assert migrator.rehearse().same
    migrator.upgrade()
    assert [one.revision for one in migrator.plan("a", direction="down").revisions] == ["s"]


def test_a_check_replays_the_squash_or_what_it_waits_for(stored: Any, folder: Path) -> None:
    stored.people.drop()
    Migrator(stored, folder).upgrade("b")
    migrator = squash(folder, stored)
    checked = check(stored, migrator.graph, [])
    assert ([str(one) for one in checked.database], checked.pending) == ([], ("c", "d"))
    migrator.upgrade()
    assert migrator.check([]).database == ()
    stored.others.create_index("y")
    assert [one.path for one in migrator.check([]).database] == ["others.indexes.y_1"]


def test_a_squash_of_a_squash_is_noted_with_the_inner_one(stored: Any, folder: Path) -> None:
    Migrator(stored, folder).upgrade()
    squash(folder, stored, "b:c")
    delete(folder, "bc")
    migrator = Migrator(stored, folder)
    migrator.squash("s:d", revision_id="t")
    assert migrator.upgrade() == ()
    assert records(stored) == {"a": None, "b": "t", "c": "t", "s": "t", "d": "t", "t": None}
    assert people(stored) == DONE
    assert migrator.downgrade("base") == ("t", "a")
    assert (people(stored), records(stored)) == (DOCUMENTS, {})


def test_a_deployer_waits_for_the_lease_before_it_notes_a_squash(stored: Any, folder: Path) -> None:
    Migrator(stored, folder).upgrade()
    migrator = squash(folder, stored)
    server = Server(synchronous_structure(stored), synchronous_sessions(stored))
    lease = run_sync(acquire(server, 30, 0))
    with pytest.raises(LockHeld):
        migrator.upgrade()
    assert records(stored) == dict.fromkeys("abcd")
    run_sync(lease.release())
    migrator.upgrade()
    assert records(stored) == ALL_NOTED


def test_a_squash_of_what_was_stamped_does_not_go_back_over_nothing(stored: Any, folder: Path) -> None:
    Migrator(stored, folder).stamp("head")
    migrator = squash(folder, stored)
    (told,) = migrator.plan("a", direction="down").revisions[0].warnings
    assert (told.startswith("will stop before anything is run: 'undo: unset"), "it was stamped" in told) == (True, True)
    migrator.upgrade()
    with pytest.raises(ImagesMissing, match=r"Revision s cannot be reverted: 'undo: unset.*it was stamped") as caught:
        migrator.downgrade("a")
    assert caught.value.revision == "s"
    assert records(stored) == ALL_NOTED
    assert people(stored) == DOCUMENTS
    migrator.stamp("a")
    assert records(stored) == {"a": None}


@pytest.mark.parametrize("by", ["squash", "old files"])
def test_images_that_were_lost_are_missed_before_anything_is_run(stored: Any, folder: Path, by: str) -> None:
    if by == "old files":
        Migrator(stored, folder).upgrade()
    migrator = squash(folder, stored)
    migrator.upgrade()
    assert migrator.plan("a", direction="down").warnings == ()
    stored[UNDO].delete_many({"_id.revision": "c"})
    (told,) = migrator.plan("a", direction="down").revisions[0].warnings
    assert told.endswith("50 documents were changed, and what they were is gone")
    with pytest.raises(ImagesMissing, match=r"50 documents were changed, and what they were is gone"):
        migrator.downgrade("a")
    assert people(stored) == DONE


def test_steps_that_changed_nothing_need_no_images(stored: Any, folder: Path) -> None:
    stored.people.drop()
    migrator = squash(folder, stored)
    migrator.upgrade()
    assert migrator.downgrade("base") == ("s", "a")


def test_a_plan_says_which_squash_a_run_notes_and_the_run_does_it(stored: Any, folder: Path) -> None:
    Migrator(stored, folder).upgrade()
    migrator = squash(folder, stored)
    before = records(stored)
    assert migrator.plan() == Plan("up", (), (Adoption("s", ("b", "c", "d"), "before"),))
    down = migrator.plan("a", direction="down")
    assert ([one.revision for one in down.revisions], [one.squash for one in down.adopting]) == (["s"], ["s"])
    assert records(stored) == before
    migrator.upgrade()
    assert migrator.plan() == Plan("up", ())
    assert records(stored) == ALL_NOTED


@pytest.mark.parametrize(("target", "noted"), [("head", [("s", "after")]), ("c", [])])
def test_a_plan_says_that_a_squash_is_noted_when_the_old_files_have_run(
    stored: Any, folder: Path, target: str, noted: list[tuple[str, str]]
) -> None:
    Migrator(stored, folder).upgrade("b")
    migrator = squash(folder, stored)
    plan = migrator.plan(target)
    assert [one.revision for one in plan.revisions] == [*migrator.upgrade(target)]
    assert [(one.squash, one.when) for one in plan.adopting] == noted
    assert records(stored).get("s", "not noted") == (None if noted else "not noted")
