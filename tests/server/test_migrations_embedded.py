"""The words of revision files on the embedded server: what works on a mongod works there, but for one thing."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from boundwork.alembic_like_migrations.engine.errors import StepFailed
from boundwork.alembic_like_migrations.migrator import Migrator
from tests.server.test_migrations_documents import WORDS, stored

STRUCTURE = {
    "collection": "op.create_collection('new', capped=True, size=4096)",
    "renamed collection": "op.rename_collection('things', 'other')",
    "options": "op.collection_options('things', {'changeStreamPreAndPostImages': {'enabled': True}}, was=OFF)",
    "unique index": "op.create_index('things', {'k': 1}, unique=True, sparse=True)",
    "hidden index": "op.create_index('things', {'x': 1})\nop.change_index('things', 'x_1', {**X, 'hidden': True}, X)",
    "validator": "op.set_validator('things', {'required': ['_id']}, was={})",
    "view": "op.create_view('seen', 'things', [])",
}
HEAD = """
from boundwork.alembic_like_migrations import op
revision, down_revision = "one", None
X, OFF = {"key": {"x": 1}}, {"changeStreamPreAndPostImages": {"enabled": False}}
def down():
    op.revert()
def up():
    """
DOCUMENTS: list[dict[str, Any]] = [
    {"_id": 1, "z": 0, "a": 1, "b": 2},
    {"_id": 2, "a": {"b": 3}, "c": [{"a": {"b": 1}}, 5]},
    {"_id": "three", "b": 1},
    {"_id": 4},
]


@pytest.fixture
def migrated(embedded_uri: str, database_name: str, tmp_path: Path) -> Callable[[str], Any]:
    """Return a function that carries out words, and back, and returns the documents before and after."""

    def done(words: str) -> Any:
        (tmp_path / "one.py").write_text(HEAD + words.replace("\n", "\n    "))
        with MongoClient[dict[str, Any]](embedded_uri) as client:
            database = client[database_name]
            database.things.insert_many(DOCUMENTS)
            before = stored(database)
            migrator = Migrator(database, tmp_path)
            migrator.upgrade()
            migrator.downgrade("base")
            return before, stored(database)

    return done


DEEP = "rename deep inside"
WORKING = {name: words for name, words in {**WORDS, **STRUCTURE}.items() if name != DEEP}


@pytest.mark.parametrize("words", WORKING.values(), ids=WORKING)
def test_up_and_down_give_back_the_same_bytes(migrated: Callable[[str], Any], words: str) -> None:
    before, after = migrated(words)
    assert before == after


def test_a_renaming_inside_of_an_array_is_refused_as_that_server_finds_a_missing_field_there(
    migrated: Callable[[str], Any],
) -> None:
    with pytest.raises(StepFailed, match=r"have both 'c\.a\.b' and 'c\.a\.new': 2"):
        migrated(WORDS[DEEP])
