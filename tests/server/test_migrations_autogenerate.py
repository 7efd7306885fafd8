"""Structure on a real server: every single mutation is found by its path, and what is proposed mends it, up and down."""

import itertools
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from boundwork.alembic_like_migrations.autogenerate.changes import changes
from boundwork.alembic_like_migrations.autogenerate.differences import differences
from boundwork.alembic_like_migrations.autogenerate.forms import Structure
from boundwork.alembic_like_migrations.autogenerate.reflecting import reflect
from boundwork.alembic_like_migrations.autogenerate.rendering import body
from boundwork.alembic_like_migrations.autogenerate.words import Change
from boundwork.alembic_like_migrations.drafts import Draft
from boundwork.alembic_like_migrations.engine.program import Program, prepare
from boundwork.alembic_like_migrations.engine.server import Server
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
