"""Structure on a real server: every single mutation is found by its path, and what is proposed mends it, up and down."""

import itertools
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pymongo import AsyncMongoClient, MongoClient

from boundwork import Collation, CollectionOptions, Document, Index, Validation, connect
from boundwork.alembic_like_migrations.autogenerate.api import check, check_async, propose, propose_async
from boundwork.alembic_like_migrations.autogenerate.changes import changes
from boundwork.alembic_like_migrations.autogenerate.differences import differences
from boundwork.alembic_like_migrations.autogenerate.forms import Structure
from boundwork.alembic_like_migrations.autogenerate.reflecting import MARK, reflect
from boundwork.alembic_like_migrations.autogenerate.rendering import body
from boundwork.alembic_like_migrations.autogenerate.scratch import scratch_name
from boundwork.alembic_like_migrations.autogenerate.words import Change
from boundwork.alembic_like_migrations.drafts import Draft
from boundwork.alembic_like_migrations.engine.program import Program, prepare
from boundwork.alembic_like_migrations.engine.server import Server
from boundwork.alembic_like_migrations.migrator import AsyncMigrator, Migrator
from boundwork.alembic_like_migrations.settings import Section, Settings
from boundwork.alembic_like_migrations.steps.step import AnyStep, StructureStep
from boundwork.alembic_like_migrations.writing import write_revision
from boundwork.errors import BoundworkError
from boundwork.uow.run_sync import run_sync
from boundwork.uow.sessions.choice import synchronous_sessions, synchronous_structure
from tests.server.structure_mutations import BASE, Made, mutations

pytestmark = pytest.mark.server
MUTATIONS = list(mutations())
numbers = itertools.count(1)


def make(database: Any, name: str, made: Made) -> None:
    database.command("create", name, **made.options)
    if made.indexes:
        database.command("createIndexes", name, indexes=made.indexes)


def structure(database: Any) -> Structure:
    return run_sync(reflect(server_of(database)))


def server_of(database: Any) -> Server:
    return Server(synchronous_structure(database), synchronous_sessions(database))


@pytest.fixture
def stored(mongod_client: MongoClient[dict[str, Any]], database_name: str) -> Any:
    """Return a database with the base of all mutations."""
    database = mongod_client[database_name]
    for name, made in BASE.items():
        make(database, name, made)
    return database


@pytest.fixture
def file_of(tmp_path: Path) -> Callable[[tuple[Change, ...]], Program]:
    """Return what writes changes to a revision file, and runs that file."""
    settings = Settings(tmp_path / "pyproject.toml", Section())
    settings.folder.mkdir()

    def program(proposed: tuple[Change, ...]) -> Program:
        draft = Draft(f"r{next(numbers)}", (), "mend", datetime.now(UTC), None, body(proposed))
        return prepare(write_revision(settings, draft))

    return program


def carry_out(database: Any, steps: tuple[AnyStep, ...]) -> None:
    for step in steps:
        assert isinstance(step, StructureStep)
        run_sync(step.apply(server_of(database)))


def test_there_are_enough_mutations_and_each_has_a_name_of_its_own() -> None:
    assert len(MUTATIONS) >= 100
    assert len({mutation.title for mutation in MUTATIONS}) == len(MUTATIONS)


def test_every_single_mutation_is_found_by_its_path_and_the_untouched_state_differs_in_nothing(
    stored: Any, file_of: Callable[[tuple[Change, ...]], Program]
) -> None:
    base = structure(stored)
    assert set(base) == set(BASE)
    assert differences(base, structure(stored)) == ()
    wrong: list[str] = []
    for mutation in MUTATIONS:
        stored.drop_collection(mutation.collection)
        if mutation.made is not None:
            make(stored, mutation.collection, mutation.made)
        mutated = structure(stored)
        found = differences(base, mutated)
        if not found or not all(one.path.startswith(mutation.path) for one in found):
            wrong.append(f"{mutation.title}: found {[str(one) for one in found]}")
        wrong += [f"{mutation.title}: {one}" for one in mend(stored, base, mutated, file_of)]
        for name in (mutation.collection, "more", "seen"):
            stored.drop_collection(name)
        if mutation.collection in BASE:
            make(stored, mutation.collection, BASE[mutation.collection])
    assert not wrong, "\n".join(wrong)


def mend(
    stored: Any, base: Structure, mutated: Structure, file_of: Callable[[tuple[Change, ...]], Program]
) -> list[str]:
    """Return what was wrong with the revision that is proposed: up leads to the base, down to the mutated state."""
    proposed = changes(base, mutated, drop=True)
    named = {str(one) for change in proposed for one in change.ends}
    wrong = [] if named == set(map(str, differences(base, mutated))) else ["a difference is ended by no change"]
    impossible = [change for change in proposed if not change.words]
    wrong += [f"nothing is said of {change.ends}" for change in impossible if not change.risk]
    if impossible:
        return wrong
    program = file_of(proposed)
    try:
        carry_out(stored, program.up)
    except BoundworkError as refused:
        return [*wrong, f"up was refused: {refused}"]
    wrong += [f"left by up: {one}" for one in differences(base, structure(stored))]
    if program.down is None:
        return [*wrong, f"no way down: {program.why_not_down}"]
    try:
        carry_out(stored, program.down)
    except BoundworkError as refused:
        return [*wrong, f"down was refused: {refused}"]
    return [*wrong, *(f"left by down: {one}" for one in differences(mutated, structure(stored)))]


class Plain(Document, collection="plain", indexes=[Index("number", unique=True)]):
    number: int


class Note(
    Document,
    collection="notes",
    indexes=[Index("title", unique=True), Index(("text", "text"))],
    options=CollectionOptions(collation=Collation(locale="de", strength=2), validation=Validation(action="warn")),
):
    title: str
    text: str


def written(folder: Path, proposed: tuple[Change, ...]) -> None:
    folder.mkdir(exist_ok=True)
    settings = Settings(folder.parent / "pyproject.toml", Section(folder=folder.name))
    write_revision(settings, Draft("a1a1", (), "first", datetime.now(UTC), None, body(proposed)))


async def test_both_colours_propose_and_check_the_same(
    mongod_uri: str, mongod_client: MongoClient[dict[str, Any]], database_name: str, tmp_path: Path
) -> None:
    folder = tmp_path / "migrations"
    folder.mkdir()
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(mongod_uri)
    try:
        stored = client[database_name]
        proposed = await propose_async(stored, folder, [Note])
        assert proposed == propose(mongod_client[database_name], folder, [Note])
        written(folder, proposed)
        await AsyncMigrator(stored, folder).upgrade()
        assert (await check_async(stored, folder, [Note])).clean
    finally:
        await client.close()
    assert check(mongod_client[database_name], folder, [Note]).clean


def test_on_the_embedded_server_what_is_proposed_leads_to_a_clean_check(tmp_path: Path) -> None:
    folder = tmp_path / "migrations"
    folder.mkdir()
    with connect("embedded://") as database:
        written(folder, propose(database, folder, [Plain]))
        assert check(database, folder, [Plain]).models == ()
        Migrator(database, folder).upgrade()
        assert check(database, folder, [Plain]).clean
        database.sync_database().plain.create_index("more")
        assert [one.path for one in check(database, folder, [Plain]).database] == ["plain.indexes.more_1"]


def test_a_scratch_database_that_a_crash_left_is_dropped_later_and_nobody_elses_is(
    mongod_client: MongoClient[dict[str, Any]], database_name: str, tmp_path: Path
) -> None:
    (tmp_path / "migrations").mkdir()
    hours_ago = int(time.time()) - 2 * 3600
    left, fresh, others = (scratch_name(database_name, made) for made in (hours_ago, hours_ago + 7200, hours_ago))
    mongod_client[left].create_collection(MARK)
    mongod_client[fresh].create_collection(MARK)
    mongod_client[others].create_collection("somebodys")
    try:
        check(mongod_client[database_name], tmp_path / "migrations", [])
        there = mongod_client.list_database_names()
        assert (left in there, fresh in there, others in there) == (False, True, True)
    finally:
        mongod_client.drop_database(fresh)
        mongod_client.drop_database(others)


def test_a_database_in_memory_is_refused_by_name(tmp_path: Path) -> None:
    with (
        connect("memory://") as database,
        pytest.raises(TypeError, match="needs a server, and MemoryDatabase has none"),
    ):
        check(database, tmp_path, [])


def test_collections_that_moved_documents_made_are_no_drift(
    mongod_client: MongoClient[dict[str, Any]], database_name: str, tmp_path: Path
) -> None:
    (tmp_path / "a.py").write_text(
        "from boundwork.alembic_like_migrations import op\nrevision, down_revision = 'a1a1', None\n"
        "def up():\n    op.create_collection('plain')\n    op.seed('kinds', [{'_id': 1}])\n"
    )
    stored = mongod_client[database_name]
    Migrator(stored, tmp_path).upgrade()
    assert stored.kinds.count_documents({}) == 1
    assert check(stored, tmp_path, []).database == ()
    stored.kinds.create_index("more")
    assert [one.path for one in check(stored, tmp_path, []).database] == ["kinds"]


GERMAN = Collation(locale="de", strength=2)
CHECKED = CollectionOptions(collation=GERMAN, validation=Validation(action="warn"))
OF_NOTES: list[tuple[list[Index], CollectionOptions, str]] = [
    ([Index("title")], CHECKED, "notes.indexes.title_1.unique"),
    ([], CHECKED, "notes.indexes.title_1"),
    ([Index("title", unique=True), Index("text")], CHECKED, "notes.indexes.text_1"),
    ([Index("title", unique=True, name="other")], CHECKED, "notes.indexes.other"),
    ([Index("title", unique=True)], CollectionOptions(collation=GERMAN), "notes.options.validator"),
    (
        [Index("title", unique=True)],
        CollectionOptions(collation=GERMAN, validation=Validation()),
        "notes.options.validationAction",
    ),
    (
        [Index("title", unique=True)],
        CollectionOptions(collation=GERMAN, validation=Validation(action="warn"), change_images=True),
        "notes.options.changeStreamPreAndPostImages",
    ),
    (
        [Index("title", unique=True)],
        CollectionOptions(collation=Collation(locale="de"), validation=Validation(action="warn")),
        "notes.options.collation",
    ),
]


def test_single_mutations_of_models_are_each_found(
    mongod_client: MongoClient[dict[str, Any]], database_name: str, tmp_path: Path
) -> None:
    def model(indexes: list[Index], options: CollectionOptions) -> type[Document[Any]]:
        class Mutated(Document, collection="notes", indexes=indexes, options=options):
            title: str
            text: str

        return Mutated

    stored, folder = mongod_client[database_name], tmp_path / "migrations"
    folder.mkdir()
    base = model([Index("title", unique=True)], CHECKED)
    written(folder, propose(stored, folder, [base]))
    assert check(stored, folder, [base]).models == ()
    for indexes, options, path in OF_NOTES:
        assert path in [one.path for one in check(stored, folder, [model(indexes, options)]).models]
