"""What migrations do with what was begun, failed, mended or mistaken, on a real server."""

from pathlib import Path
from typing import Any

import pytest

from boundwork.alembic_like_migrations import (
    DatabaseDirty,
    Irreversible,
    Migrator,
    NotHalfDone,
    NothingToResume,
    RevisionBroken,
    RevisionNotFound,
    RevisionTampered,
    StepFailed,
    StepsChanged,
)
from boundwork.alembic_like_migrations.engine.server import LEDGER
from tests.server.counting import COUNT, COUNT_OTHERS, DOCUMENTS, Write, mend, numbers, spoil

pytestmark = pytest.mark.server


def test_a_downgrade_that_failed_leaves_its_revision_applied_and_is_tried_again(
    counted: Any, write: Write, tmp_path: Path
) -> None:
    write("one", COUNT)
    write("two", COUNT_OTHERS, COUNT, after="one")
    migrator = Migrator(counted, tmp_path)
    migrator.upgrade()
    spoil(counted)
    with pytest.raises(StepFailed, match=r"two \(down\)"):
        migrator.downgrade("-1")
    standing = migrator.standing()
    assert (standing.applied, [one.revision for one in standing.half_done]) == (("one", "two"), ["two"])
    assert numbers(counted) == {1}
    with pytest.raises(DatabaseDirty, match="two"):
        migrator.upgrade()
    with pytest.raises(DatabaseDirty, match="two"):
        migrator.downgrade("two")
    mend(counted, 1)
    assert migrator.downgrade("-1") == ("two",)
    assert (numbers(counted), numbers(counted, "others")) == ({1}, {0})
    assert migrator.standing().applied == ("one",)


def test_a_downgrade_that_failed_is_resumed_or_resolved(counted: Any, write: Write, tmp_path: Path) -> None:
    write("one", COUNT_OTHERS, COUNT)
    migrator = Migrator(counted, tmp_path)
    migrator.upgrade()
    spoil(counted)
    with pytest.raises(StepFailed):
        migrator.downgrade("base")
    migrator.resolve("one", "applied")
    assert (migrator.standing().applied, migrator.standing().half_done) == (("one",), ())
    with pytest.raises(StepFailed):
        migrator.downgrade("base")
    mend(counted, 1)
    assert migrator.resume() == ("one",)
    assert migrator.standing().applied == ()


def test_only_one_revision_that_is_half_done_can_be_resolved(counted: Any, write: Write, tmp_path: Path) -> None:
    write("one", COUNT_OTHERS)
    migrator = Migrator(counted, tmp_path)
    with pytest.raises(NothingToResume):
        migrator.resume()
    with pytest.raises(NotHalfDone):
        migrator.resolve("one", "applied")
    with pytest.raises(RevisionNotFound):
        migrator.resolve("base", "applied")
    spoil(counted)
    with pytest.raises(StepFailed, match="at the document 299"):
        migrator.upgrade()
    migrator.resolve("one", "reverted")
    assert migrator.standing().pending == ("one",)
    mend(counted, 0)
    migrator.upgrade()
    with pytest.raises(NotHalfDone):
        migrator.resolve("one", "reverted")
    assert migrator.standing().applied == ("one",)


def test_a_half_done_revision_goes_on_with_a_mended_file_if_what_was_begun_is_the_same(
    counted: Any, write: Write, tmp_path: Path
) -> None:
    write("one", COUNT, COUNT_OTHERS)
    spoil(counted)
    with pytest.raises(StepFailed):
        Migrator(counted, tmp_path, batch_seconds=0.001).upgrade()
    write("one", COUNT, "op.update('others', {'$set': {'number': 1}})")
    with pytest.raises(RevisionTampered, match="resume --changed"):
        Migrator(counted, tmp_path).resume()
    with pytest.raises(StepsChanged, match="as step 2"):
        Migrator(counted, tmp_path).resume(changed=True)
    write("one", COUNT, COUNT_OTHERS, "op.update('counters', {'$set': {'late': True}})")
    mend(counted, 0)
    assert Migrator(counted, tmp_path).resume(changed=True) == ("one",)
    assert (numbers(counted), numbers(counted, "others")) == ({1}, {1})
    assert counted.counters.count_documents({"late": True}) == DOCUMENTS
    assert Migrator(counted, tmp_path).standing().tampered == ()


def test_a_change_of_structure_that_failed_may_have_begun_so_its_step_stays_as_it_was(
    counted: Any, write: Write, tmp_path: Path
) -> None:
    unique = "op.create_index('counters', {'number': 1}, unique=True)"
    write("one", unique)
    with pytest.raises(StepFailed):
        Migrator(counted, tmp_path).upgrade()
    write("one", "op.create_index('others', {'number': 1})")
    with pytest.raises(StepsChanged, match="as step 1"):
        Migrator(counted, tmp_path).resume(changed=True)
    write("one", unique, "op.create_index('others', {'number': 1})")
    counted.counters.delete_many({"_id": {"$gt": 0}})
    assert Migrator(counted, tmp_path).resume(changed=True) == ("one",)


def test_a_step_that_is_done_is_not_done_again(counted: Any, write: Write, tmp_path: Path) -> None:
    called = "lambda database: database.calls.insert_one({})"
    write("one", f"op.execute({called}, transaction=False)", COUNT_OTHERS, down=None)
    spoil(counted)
    with pytest.raises(StepFailed):
        Migrator(counted, tmp_path).upgrade()
    mend(counted, 0)
    Migrator(counted, tmp_path).resume()
    assert counted.calls.count_documents({}) == 1


def test_a_changed_file_is_not_used_to_go_down(counted: Any, write: Write, tmp_path: Path) -> None:
    write("one", COUNT)
    Migrator(counted, tmp_path).upgrade()
    write("one", COUNT, COUNT)
    with pytest.raises(RevisionTampered):
        Migrator(counted, tmp_path).downgrade("base")
    Migrator(counted, tmp_path).resolve("one", "applied")
    Migrator(counted, tmp_path).downgrade("base")
    assert numbers(counted) == {-1}


def test_accepting_a_changed_file_leaves_what_came_after_it_applied(counted: Any, write: Write, tmp_path: Path) -> None:
    write("one", COUNT)
    write("two", COUNT, after="one")
    Migrator(counted, tmp_path).upgrade()
    write("one", COUNT, top="means = 'nothing'")
    write("three", after="two")
    with pytest.raises(RevisionTampered, match="if it means nothing, run `resolve one --applied`") as raised:
        Migrator(counted, tmp_path).upgrade()
    assert (raised.value.revisions, raised.value.begun) == (("one",), ())
    with pytest.raises(NotHalfDone):
        Migrator(counted, tmp_path).resolve("one", "reverted")
    Migrator(counted, tmp_path).resolve("one", "applied")
    assert Migrator(counted, tmp_path).upgrade() == ("three",)
    assert numbers(counted) == {2}
    with pytest.raises(NotHalfDone):
        Migrator(counted, tmp_path).resolve("one", "applied")


def test_the_mended_file_of_a_half_done_revision_is_not_to_be_taken_for_applied(
    counted: Any, write: Write, tmp_path: Path
) -> None:
    write("one", COUNT, COUNT_OTHERS)
    spoil(counted)
    with pytest.raises(StepFailed):
        Migrator(counted, tmp_path).upgrade()
    write("one", COUNT)
    with pytest.raises(RevisionTampered, match=r"since they were begun\..*`resume --changed`") as raised:
        Migrator(counted, tmp_path).resume()
    assert "resolve" not in str(raised.value)
    assert raised.value.begun == ("one",)


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"up": "raise ValueError"}, RevisionBroken),
        ({"up": "1 / 0", "down": "pass"}, RevisionBroken),
        ({"up": COUNT, "top": "import no_such_module"}, RevisionBroken),
        ({"up": COUNT, "down": "op.unknown()"}, RevisionBroken),
    ],
)
def test_a_mistake_in_the_last_file_is_met_before_anything_is_written(
    counted: Any, write: Write, tmp_path: Path, wrong: dict[str, Any], error: type[Exception]
) -> None:
    write("one", COUNT)
    write("two", wrong.pop("up"), after="one", **wrong)
    with pytest.raises(error, match="two"):
        Migrator(counted, tmp_path).upgrade()
    assert LEDGER not in counted.list_collection_names()


def test_a_downgrade_over_a_revision_without_down_is_refused_as_a_whole(
    counted: Any, write: Write, tmp_path: Path
) -> None:
    write("one", COUNT, down=None)
    write("two", COUNT, after="one")
    migrator = Migrator(counted, tmp_path)
    migrator.upgrade()
    with pytest.raises(Irreversible, match="it has no down"):
        migrator.downgrade("base")
    assert numbers(counted) == {2}
