"""A small contract of migrations for each colour of the driver, on a real server and on the embedded one."""

import inspect
from pathlib import Path
from typing import Any

import pytest

from boundwork.alembic_like_migrations import (
    AsyncMigrator,
    DatabaseDirty,
    ImagesPruned,
    LockHeld,
    Migrator,
    Pruned,
    StepFailed,
)
from boundwork.alembic_like_migrations.engine.ledger import Place, StepRecord
from boundwork.alembic_like_migrations.engine.runner import Unwatched
from tests.backends import Backend
from tests.failure.deployments import write_revisions

pytestmark = pytest.mark.filterwarnings("ignore:Motor is deprecated")
COLOURS = ["sync", "async", "motor"]
DOCUMENTS = 300


class Subject:
    """A migrator of one colour, and the database as a synchronous client sees it; `of` awaits what must be awaited."""

    def __init__(self, colour: str, backend: Backend, name: str, revisions: Path) -> None:
        self.stored = backend.sync_database(name)
        self._colour = colour
        self._given = {
            "sync": backend.sync_database,
            "async": backend.async_database,
            "motor": backend.motor_database,
        }[colour](name)
        self._revisions = revisions

    def migrator(self, watcher: Any = None) -> Any:
        kind = Migrator if self._colour == "sync" else AsyncMigrator
        return kind(self._given, self._revisions, watcher=watcher)

    async def of(self, word: str, *arguments: Any, watcher: Any = None) -> Any:
        result = getattr(self.migrator(watcher), word)(*arguments)
        return await result if inspect.isawaitable(result) else result


class Once(Unwatched):
    """Does something after the first batch."""

    def __init__(self, what: Any) -> None:
        self.what = what

    def step(self, place: Place, record: StepRecord) -> None:  # noqa: ARG002 - any
        what, self.what = self.what, None
        if what is not None:
            what()


@pytest.fixture(params=COLOURS)
def colour(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=["embedded", pytest.param("mongod", marks=pytest.mark.server)])
def backend_name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def subject(colour: str, backend: Backend, database_name: str, tmp_path: Path) -> Subject:
    subject = Subject(colour, backend, database_name, write_revisions(tmp_path, "one", "two", down=True))
    subject.stored.counters.insert_many([{"_id": number, "number": 0} for number in range(DOCUMENTS)])
    return subject


def numbers(subject: Subject) -> set[Any]:
    return set(subject.stored.counters.distinct("number"))


async def test_revisions_are_applied_and_reverted(subject: Subject) -> None:
    assert await subject.of("upgrade") == ("one", "two")
    assert numbers(subject) == {2}
    assert await subject.of("upgrade") == ()
    assert await subject.of("downgrade", "-1") == ("two",)
    assert numbers(subject) == {1}
    assert (await subject.of("standing")).tips == ("one",)


async def test_what_failed_is_resumed_where_it_stopped(subject: Subject) -> None:
    subject.stored.counters.update_one({"_id": DOCUMENTS - 1}, {"$set": {"number": "many"}})
    with pytest.raises(StepFailed):
        await subject.of("upgrade")
    with pytest.raises(DatabaseDirty):
        await subject.of("upgrade")
    subject.stored.counters.update_one({"_id": DOCUMENTS - 1}, {"$set": {"number": 0}})
    assert await subject.of("resume") == ("one",)
    assert numbers(subject) == {1}


async def test_what_another_holds_is_locked_until_it_is_unlocked(subject: Subject) -> None:
    seen: list[Any] = []

    def rival() -> None:
        try:
            Migrator(subject.stored, subject._revisions).upgrade()
        except LockHeld as held:
            seen.append(held.owner)

    await subject.of("upgrade", watcher=Once(rival))
    assert len(seen) == 1
    assert numbers(subject) == {2}
    assert await subject.of("unlock") is None


async def test_stamp_and_resolve_run_nothing(subject: Subject) -> None:
    assert await subject.of("stamp", "one") == ("one",)
    subject.stored.counters.update_one({"_id": 0}, {"$set": {"number": "many"}})
    with pytest.raises(StepFailed):
        await subject.of("upgrade")
    await subject.of("resolve", "two", "applied")
    assert (await subject.of("standing")).applied == ("one", "two")


async def test_a_squash_is_run_or_noted_and_goes_back(subject: Subject) -> None:
    await subject.of("upgrade")
    await subject.of("squash", "one:two")
    squash = subject.migrator().heads()[0].revision
    for name in ("one", "two"):
        (subject._revisions / f"{name}.py").unlink()
    assert (await subject.of("standing")).adopting == (squash,)
    assert await subject.of("upgrade") == ()
    assert (await subject.of("standing")).replaced == {"one": squash, "two": squash}
    assert await subject.of("downgrade", "base") == (squash,)
    assert numbers(subject) == {0}
    assert await subject.of("upgrade") == (squash,)
    assert numbers(subject) == {2}


REMEMBERS = """
from boundwork.alembic_like_migrations import op
revision, down_revision = "three", "two"

def up():
    op.unset_field("counters", "number")

def down():
    op.revert()
"""


async def test_what_old_revisions_remember_is_pruned(subject: Subject) -> None:
    (subject._revisions / "three.py").write_text(REMEMBERS)
    await subject.of("upgrade")
    assert await subject.of("prune", "three") == ()
    migrator = subject.migrator()
    result = migrator.prune(keep=0)
    assert (await result if inspect.isawaitable(result) else result) == (Pruned("three", DOCUMENTS, revertible=False),)
    assert subject.stored.boundwork_migrations_undo.count_documents({}) == 0
    with pytest.raises(ImagesPruned):
        await subject.of("downgrade", "two")
