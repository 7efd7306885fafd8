"""What migrations do with what was begun, failed, mended, interrupted, unlocked or taken over, on a real server."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from boundwork.alembic_like_migrations import (
    DatabaseDirty,
    Irreversible,
    LeaseLost,
    LockHeld,
    Migrator,
    NotHalfDone,
    NothingToResume,
    RevisionBroken,
    RevisionNotFound,
    RevisionTampered,
    StepFailed,
    StepsChanged,
)
from boundwork.alembic_like_migrations.engine.lease import acquire
from boundwork.alembic_like_migrations.engine.ledger import Place, StepRecord
from boundwork.alembic_like_migrations.engine.runner import Unwatched
from boundwork.alembic_like_migrations.engine.server import LEDGER, Server
from boundwork.uow.run_sync import run_sync
from boundwork.uow.sessions.choice import synchronous_sessions, synchronous_structure

pytestmark = pytest.mark.server
Write = Callable[..., None]
COUNT = "op.update('counters', {'$inc': {'number': 1}}, undo={'$inc': {'number': -1}})"
COUNT_OTHERS = "op.update('others', {'$inc': {'number': 1}}, undo={'$inc': {'number': -1}})"
DOCUMENTS = 300


@pytest.fixture
def stored(mongod_client: MongoClient[dict[str, Any]], database_name: str) -> Any:
    database = mongod_client[database_name]
    for name in ("counters", "others"):
        database[name].insert_many([{"_id": number, "number": 0} for number in range(DOCUMENTS)])
    return database


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Return a function that writes a revision file."""

    def revision(
        name: str, *up: str, down: str | None = "op.revert()", after: str | None = None, top: str = ""
    ) -> None:
        head = (
            f"revision, down_revision = {name!r}, {after!r}\nfrom boundwork.alembic_like_migrations import op\n{top}\n"
        )
        body = "\n".join(f"    {line}" for line in up or ("pass",))
        tail = f"\n\ndef down():\n    {down}\n" if down is not None else "\n"
        (tmp_path / f"{name}.py").write_text(f"{head}\ndef up():\n{body}{tail}")

    return revision


class Doing(Unwatched):
    """Does something when a step came so far."""

    def __init__(self, what: Callable[[StepRecord], object]) -> None:
        self.what = what

    def step(self, place: Place, record: StepRecord) -> None:  # noqa: ARG002 - any place
        self.what(record)


def numbers(stored: Any, name: str = "counters") -> set[Any]:
    return set(stored[name].distinct("number"))


def spoil(stored: Any, name: str = "others") -> None:
    stored[name].update_one({"_id": DOCUMENTS - 1}, {"$set": {"number": "many"}})


def mend(stored: Any, number: int, name: str = "others") -> None:
    stored[name].update_one({"_id": DOCUMENTS - 1}, {"$set": {"number": number}})


def server_of(stored: Any) -> Server:
    return Server(synchronous_structure(stored), synchronous_sessions(stored))


def test_a_downgrade_that_failed_leaves_its_revision_applied_and_is_tried_again(
    stored: Any, write: Write, tmp_path: Path
) -> None:
    write("one", COUNT)
    write("two", COUNT_OTHERS, COUNT, after="one")
    migrator = Migrator(stored, tmp_path)
    migrator.upgrade()
    spoil(stored)
    with pytest.raises(StepFailed, match=r"two \(down\)"):
        migrator.downgrade("-1")
    standing = migrator.standing()
    assert (standing.applied, [one.revision for one in standing.half_done]) == (("one", "two"), ["two"])
    assert numbers(stored) == {1}
    with pytest.raises(DatabaseDirty, match="two"):
        migrator.upgrade()
    with pytest.raises(DatabaseDirty, match="two"):
        migrator.downgrade("two")
    mend(stored, 1)
    assert migrator.downgrade("-1") == ("two",)
    assert (numbers(stored), numbers(stored, "others")) == ({1}, {0})
    assert migrator.standing().applied == ("one",)


def test_a_downgrade_that_failed_is_resumed_or_resolved(stored: Any, write: Write, tmp_path: Path) -> None:
    write("one", COUNT_OTHERS, COUNT)
    migrator = Migrator(stored, tmp_path)
    migrator.upgrade()
    spoil(stored)
    with pytest.raises(StepFailed):
        migrator.downgrade("base")
    migrator.resolve("one", "applied")
    assert (migrator.standing().applied, migrator.standing().half_done) == (("one",), ())
    with pytest.raises(StepFailed):
        migrator.downgrade("base")
    mend(stored, 1)
    assert migrator.resume() == ("one",)
    assert migrator.standing().applied == ()


def test_only_one_revision_that_is_half_done_can_be_resolved(stored: Any, write: Write, tmp_path: Path) -> None:
    write("one", COUNT_OTHERS)
    migrator = Migrator(stored, tmp_path)
    with pytest.raises(NothingToResume):
        migrator.resume()
    with pytest.raises(NotHalfDone):
        migrator.resolve("one", "applied")
    with pytest.raises(RevisionNotFound):
        migrator.resolve("base", "applied")
    spoil(stored)
    with pytest.raises(StepFailed, match="in the batch of the documents 200 to 299"):
        migrator.upgrade()
    migrator.resolve("one", "reverted")
    assert migrator.standing().pending == ("one",)


def test_a_half_done_revision_goes_on_with_a_mended_file_if_what_was_begun_is_the_same(
    stored: Any, write: Write, tmp_path: Path
) -> None:
    write("one", COUNT, COUNT_OTHERS)
    spoil(stored)
    with pytest.raises(StepFailed):
        Migrator(stored, tmp_path, batch_seconds=0.001).upgrade()
    write("one", COUNT, "op.update('others', {'$set': {'number': 1}})")
    with pytest.raises(RevisionTampered, match="resume --changed"):
        Migrator(stored, tmp_path).resume()
    with pytest.raises(StepsChanged, match="as step 2"):
        Migrator(stored, tmp_path).resume(changed=True)
    write("one", COUNT, COUNT_OTHERS, "op.update('counters', {'$set': {'late': True}})")
    mend(stored, 0)
    assert Migrator(stored, tmp_path).resume(changed=True) == ("one",)
    assert (numbers(stored), numbers(stored, "others")) == ({1}, {1})
    assert stored.counters.count_documents({"late": True}) == DOCUMENTS
    assert Migrator(stored, tmp_path).standing().tampered == ()


def test_a_changed_file_is_not_used_to_go_down(stored: Any, write: Write, tmp_path: Path) -> None:
    write("one", COUNT)
    Migrator(stored, tmp_path).upgrade()
    write("one", COUNT, COUNT)
    with pytest.raises(RevisionTampered):
        Migrator(stored, tmp_path).downgrade("base")
    assert Migrator(stored, tmp_path).stamp("one") == ("one",)
    Migrator(stored, tmp_path).downgrade("base")
    assert numbers(stored) == {-1}


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
    stored: Any, write: Write, tmp_path: Path, wrong: dict[str, Any], error: type[Exception]
) -> None:
    write("one", COUNT)
    write("two", wrong.pop("up"), after="one", **wrong)
    with pytest.raises(error, match="two"):
        Migrator(stored, tmp_path).upgrade()
    assert LEDGER not in stored.list_collection_names()


def test_a_downgrade_over_a_revision_without_down_is_refused_as_a_whole(
    stored: Any, write: Write, tmp_path: Path
) -> None:
    write("one", COUNT, down=None)
    write("two", COUNT, after="one")
    migrator = Migrator(stored, tmp_path)
    migrator.upgrade()
    with pytest.raises(Irreversible, match="it has no down"):
        migrator.downgrade("base")
    assert numbers(stored) == {2}


def test_nothing_pending_takes_no_lease(stored: Any, write: Write, tmp_path: Path) -> None:
    write("one", COUNT)
    Migrator(stored, tmp_path).upgrade()
    held = run_sync(acquire(server_of(stored), 30, 0))
    assert Migrator(stored, tmp_path).upgrade() == ()
    run_sync(held.release())


def test_a_runner_that_was_unlocked_writes_no_more(stored: Any, write: Write, tmp_path: Path) -> None:
    write("one", COUNT)
    others: list[str | None] = []

    def unlocked(record: StepRecord) -> None:
        if record.state == "running" and not others:
            others.append(Migrator(stored, tmp_path).unlock())

    with pytest.raises(LeaseLost):
        Migrator(stored, tmp_path, watcher=Doing(unlocked)).upgrade()
    assert others[0] is not None
    assert others[0].startswith("process ")
    assert numbers(stored) == {0, 1}
    assert Migrator(stored, tmp_path).resume() == ("one",)
    assert numbers(stored) == {1}


def test_a_lease_that_ran_out_is_taken_over_and_its_holder_writes_no_more(stored: Any) -> None:
    first = run_sync(acquire(server_of(stored), 0.2, 0))
    with pytest.raises(LockHeld):
        run_sync(acquire(server_of(stored), 30, 0))
    second = run_sync(acquire(server_of(stored), 30, 20))
    for server in (first.server, first.server):
        with pytest.raises(LeaseLost):
            run_sync(server.still_holding())
    with pytest.raises(LeaseLost):
        run_sync(first.server.change_structure({"create": "late"}))
    with pytest.raises(LeaseLost):
        run_sync(first.renew())
    run_sync(first.release())
    run_sync(second.server.still_holding())
    with pytest.raises(LockHeld):
        run_sync(acquire(server_of(stored), 30, 0))
    assert "late" not in stored.list_collection_names()


def test_two_runners_of_one_migrator_do_not_lend_each_other_an_epoch(stored: Any) -> None:
    server = server_of(stored)
    first = run_sync(acquire(server, 0.2, 0))
    run_sync(acquire(server, 30, 20))
    with pytest.raises(LeaseLost):
        run_sync(first.server.still_holding())


def test_an_interruption_gives_the_lease_back_and_resume_goes_on(stored: Any, write: Write, tmp_path: Path) -> None:
    write("one", COUNT)

    def interrupted(record: StepRecord) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Migrator(stored, tmp_path, watcher=Doing(interrupted)).upgrade()
    assert numbers(stored) == {0, 1}
    assert Migrator(stored, tmp_path).resume() == ("one",)
    assert numbers(stored) == {1}


def test_of_deployers_that_begin_at_once_one_does_the_work(stored: Any, write: Write, tmp_path: Path) -> None:
    write("one", COUNT)
    write("two", COUNT_OTHERS, after="one")
    results: list[Any] = []

    def deploy() -> None:
        try:
            results.append(Migrator(stored, tmp_path, patience=60).upgrade())
        except BaseException as error:
            results.append(error)

    threads = [threading.Thread(target=deploy) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == [(), (), (), ("one", "two")]
    assert (numbers(stored), numbers(stored, "others")) == ({1}, {1})


def test_empty_and_missing_collections_have_nothing_to_do(stored: Any, write: Write, tmp_path: Path) -> None:
    stored.create_collection("empty")
    write(
        "one", "op.update('empty', {'$inc': {'a': 1}})", "op.update('missing', {'$inc': {'a': 1}})", COUNT, down="pass"
    )
    assert Migrator(stored, tmp_path).upgrade() == ("one",)
    assert "missing" not in stored.list_collection_names()
    assert numbers(stored) == {1}


WHOLE = """
from dataclasses import dataclass
from boundwork.alembic_like_migrations.engine.program import declare
from boundwork.alembic_like_migrations.steps.step import DataStep, Irreversible, Worked

@dataclass(frozen=True, slots=True)
class Count(DataStep):
    needs_documents = True
    title = "count"
    collection = "large"

    def inverse(self):
        raise Irreversible(self.title, "a test")

    async def work(self, batch):
        assert batch.documents[0].raw
        for one in batch.ids:
            statement = {"q": {"_id": one}, "u": {"$inc": {"number": 1}}}
            await batch.session.command({"update": "large", "updates": [statement]})
        return Worked(len(batch.ids))
"""


def test_documents_and_ids_of_many_megabytes_are_visited_each_once(stored: Any, write: Write, tmp_path: Path) -> None:
    for number in range(5):
        stored.large.insert_one({"_id": number, "number": 0, "filling": "x" * 9_000_000})
    for number in range(4):
        stored.ids.insert_one({"_id": f"{number}{'x' * 6_000_000}", "number": 0})
    write("one", "declare(Count())", down=None, top=WHOLE)
    write("two", "op.update('ids', {'$inc': {'number': 1}})", after="one")
    assert Migrator(stored, tmp_path).upgrade() == ("one", "two")
    assert numbers(stored, "large") == {1}
    assert numbers(stored, "ids") == {1}


MEANWHILE = """
import os
from dataclasses import dataclass
from pymongo import MongoClient
from boundwork.alembic_like_migrations.engine.program import declare
from boundwork.alembic_like_migrations.steps.step import DataStep, Worked
tries = []

@dataclass(frozen=True, slots=True)
class Copy(DataStep):
    title = "copy"
    collection = "counters"

    def inverse(self):
        return self

    async def work(self, batch):
        tries.append(1)
        if len(tries) == 1:
            with MongoClient(os.environ["MEANWHILE"]) as client, client.start_session() as other:
                client[os.environ["DATABASE"]].create_collection("copies", session=other)
        documents = [{"_id": one} for one in batch.ids]
        await batch.session.command({"insert": "copies", "documents": documents})
        return Worked(len(documents))
"""


def test_a_collection_that_somebody_makes_meanwhile_is_met_by_another_try(
    stored: Any, write: Write, tmp_path: Path, mongod_uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEANWHILE", mongod_uri)
    monkeypatch.setenv("DATABASE", stored.name)
    write("one", "declare(Copy())", down=None, top=MEANWHILE)
    assert Migrator(stored, tmp_path).upgrade() == ("one",)
    assert stored.copies.count_documents({}) == DOCUMENTS


def test_an_error_of_a_step_itself_is_noted_and_kept_as_the_cause(stored: Any, write: Write, tmp_path: Path) -> None:
    write("one", "declare(Copy())", down=None, top=MEANWHILE.replace("tries.append(1)", "raise ValueError('secret')"))
    with pytest.raises(StepFailed, match="ValueError was raised") as raised:
        Migrator(stored, tmp_path).upgrade()
    assert isinstance(raised.value.__cause__, ValueError)
    assert "secret" not in str(raised.value)
    (record,) = Migrator(stored, tmp_path).standing().half_done
    assert (record.up[0].state, record.up[0].error) == ("failed", "ValueError")
