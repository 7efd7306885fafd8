"""The file that a squash writes: what of the replaced ones is written anew, what is kept whole, and what is refused."""

from pathlib import Path
from typing import Any

import pytest

from boundwork.alembic_like_migrations import NoFolder, Squashed, SquashImpossible, TemplateWrong
from boundwork.alembic_like_migrations.engine.program import Program, prepare
from boundwork.alembic_like_migrations.files import read_folder
from boundwork.alembic_like_migrations.graph import Graph
from boundwork.alembic_like_migrations.project import Project
from boundwork.alembic_like_migrations.settings import Section, Settings
from boundwork.alembic_like_migrations.steps.collections import CreateCollection
from boundwork.alembic_like_migrations.steps.step import AnyStep
from boundwork.alembic_like_migrations.writing import TEMPLATE, TEMPLATE_NAME

HEAD = "from boundwork.alembic_like_migrations import op\n"
DOWN = "\n\ndef down():\n    op.revert()\n"
VALIDATOR = "{'bsonType': 'object', 'required': ['_id']}"


def write(folder: Path, *files: str) -> None:
    """Write revisions that come one after another: r1, r2, ..., from what stands in `up`, or from whole texts."""
    for number, text in enumerate(files, 1):
        after = f"r{number - 1}" if number > 1 else None
        whole = text if "def up" in text else f"def up():\n    {text}{DOWN}"
        first, future, rest = whole.rpartition("from __future__ import annotations\n")
        named = f"{HEAD}revision, down_revision = 'r{number}', {after!r}\n"
        (folder / f"r{number}.py").write_text(f"{first}{future}{named}{rest}")


def squashed(folder: Path, *files: str) -> tuple[Squashed, Program, str]:
    write(folder, *files)
    project = Project(Settings(folder / "pyproject.toml", Section(folder=".")), Graph(read_folder(folder)))
    _, found = project.squash(f"r1:r{len(files)}", None, revision="s")
    assert found.revision.path is not None
    return found, prepare(found.revision), found.revision.path.read_text()


def old_steps(folder: Path) -> list[AnyStep]:
    old = [one for one in read_folder(folder) if one.revision != "s"]
    return [step for one in Graph(old) for step in prepare(one).up]


STRUCTURE = (
    "op.create_collection('p', capped=True, size=4096)",
    "op.create_index('p', {'a': 1, 'b': -1}, unique=True, partialFilterExpression={'a': {'$gt': 1}})",
    "op.change_index('p', 'a_1_b_-1', {'key': {'a': 1}}, {'key': {'a': 1, 'b': -1}, 'unique': True})",
    "op.drop_index('p', 'a_1', was={'key': {'a': 1}, 'sparse': True})",
    "op.collection_options('p', {'cappedSize': 8192}, was={'cappedSize': 4096})",
    "op.rename_collection('p', 'q')",
    f"op.set_validator('q', {VALIDATOR}, level='moderate', action='warn', was={{}})",
    "op.create_view('v', 'q', [{'$match': {'a': {'$ne': None}}}])",
    "op.change_view('v', 'q', [], was={'on': 'q', 'pipeline': [{'$match': {'a': {'$ne': None}}}]})",
    "op.drop_view('v', was={'on': 'q', 'pipeline': []})",
    "op.drop_collection('q', was={'capped': True, 'size': 4096, 'indexes': [{'key': {'x': 'hashed'}}]})",
)


def test_every_word_of_structure_is_written_anew_as_the_same_steps(tmp_path: Path) -> None:
    found, program, text = squashed(tmp_path, *STRUCTURE)
    assert (found.kept, found.irreversible, "def _r" in text) == ((), None, False)
    assert list(program.up) == old_steps(tmp_path)
    assert program.down == tuple(step.inverse() for step in reversed(program.up))


def test_a_validator_joins_the_making_of_its_collection(tmp_path: Path) -> None:
    loose = "{'bsonType': 'object'}"
    _, program, _ = squashed(
        tmp_path,
        "op.create_collection('p')",
        f"op.set_validator('p', {loose}, level='moderate', action='warn', was={{}})",
        "op.create_index('p', {'a': 1})",
        f"op.set_validator('p', {VALIDATOR}, was={{'validator': {loose}, 'level': 'moderate', 'action': 'warn'}})",
    )
    (create, index) = program.up
    assert isinstance(create, CreateCollection)
    wanted = {"$jsonSchema": {"bsonType": "object", "required": ["_id"]}}
    assert create.options == {"validator": wanted, "validationLevel": "strict", "validationAction": "error"}
    assert index.title == "create index a_1 on p"


def test_an_index_that_was_dropped_again_is_not_built(tmp_path: Path) -> None:
    drop = "op.drop_index('p', 'a_1', was={'key': {'a': 1}})"
    _, program, _ = squashed(tmp_path, "op.create_collection('p')", "op.create_index('p', {'a': 1})", drop)
    assert [step.title for step in program.up] == ["create collection p"]


@pytest.mark.parametrize(
    "files",
    [
        # The index makes the collection, which later steps need.
        ("op.create_index('p', {'a': 1})", "op.drop_index('p', 'a_1', was={'key': {'a': 1}})"),
        # It is another collection by then.
        (
            "op.create_collection('p')",
            "op.rename_collection('p', 'q')",
            f"op.set_validator('p', {VALIDATOR}, was={{}})",
        ),
        # Documents may be there by then.
        ("op.create_collection('p')", "op.seed('p', [{'_id': 1}])", f"op.set_validator('p', {VALIDATOR}, was={{}})"),
        (
            "op.create_collection('p')",
            "op.collection_options('p', {'x': 1}, was={})",
            f"op.set_validator('p', {VALIDATOR}, was={{}})",
        ),
    ],
)
def test_what_is_not_plainly_the_same_stays_in_its_order(tmp_path: Path, files: tuple[str, ...]) -> None:
    _, program, _ = squashed(tmp_path, *files)
    assert [step.title for step in program.up] == [step.title for step in old_steps(tmp_path)]


FUNCTIONS = '''"""Slugs.

Of all."""
from __future__ import annotations
import os
SQL = """one
  two"""
def slug(name):
    return f"""{
name}
lower"""

def up():
    op.set_field("p", "text", SQL)
    @op.transform("p")
    def slugs(person):
        return {"$set": {"slug": slug(person["name"]), "two": b"""x
y"""}}

def down():
    op.revert()
'''


def test_what_changes_documents_is_kept_whole_and_keeps_its_marks(tmp_path: Path) -> None:
    found, program, text = squashed(tmp_path, "op.create_collection('p')", FUNCTIONS)
    assert (found.anew, found.kept) == (("r1",), ("r2",))
    marked: list[Any] = [step for step in (*program.up, *(program.down or ())) if hasattr(step, "mark")]
    assert {(one.mark.revision, one.mark.step) for one in marked} == {("r2", "up 1"), ("r2", "up 2")}
    field: Any = program.up[1]
    assert field.update == {"$set": {"text": "one\n  two"}}
    slugs: Any = program.up[2]
    assert slugs.function({"name": "Ann"}) == {"$set": {"slug": "Ann\nlower", "two": b"x\ny"}}
    assert text.index("from __future__") < text.index("from boundwork")


@pytest.mark.parametrize(
    "text",
    [
        "import os\ndef up():\n    op.create_collection(os.environ.get('P', 'p'))" + DOWN,
        "from time import time\ndef up():\n    op.create_collection(f'p{time()}')" + DOWN,
        "from pathlib import Path\nnames = ['p', *Path(__file__).read_text().split('x')]\ndef up():\n    op.create_collection(names[0])"
        + DOWN,
        "def up():\n    op.create_index('p', {'a': 1})\n\ndef down():\n    op.drop_collection('p')\n",
        "def up():\n    op.create_collection('p')\n",
    ],
)
def test_a_file_that_says_more_than_its_steps_is_kept_whole(
    tmp_path: Path, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("P", "q")
    write(tmp_path, "op.create_collection('o')", text)
    project = Project(Settings(tmp_path / "pyproject.toml", Section(folder=".")), Graph(read_folder(tmp_path)))
    if "time()" in text:
        with pytest.raises(SquashImpossible, match=r"the same steps as r2.*declares other steps each time"):
            project.squash("r1:r2", None, revision="s")
        assert sorted(path.name for path in tmp_path.glob("*.py")) == ["r1.py", "r2.py"]
        return
    _, found = project.squash("r1:r2", None, revision="s")
    assert found.kept == ("r2",)


def test_the_way_back_goes_over_kept_files_by_their_own_way_back(tmp_path: Path) -> None:
    own = "def up():\n    op.create_index('p', {'a': 1})\n\ndef down():\n    op.drop_collection('other')\n"
    _, program, _ = squashed(tmp_path, "op.create_collection('p')", own, "op.create_index('p', {'b': 1})")
    assert program.down is not None
    assert [step.title for step in program.down] == [
        "drop index b_1 of p",
        "drop collection other with its documents",
        "drop collection p with its documents",
    ]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("def up():\n    op.drop_collection('p')" + DOWN, "nobody said what the collection was"),
        ("def up():\n    op.create_collection('q')\n", "it has no down()"),
        ("def up():\n    pass\n\ndef down():\n    op.irreversible('for good')\n", "for good"),
    ],
)
def test_a_squash_of_what_has_no_way_back_has_none_and_says_why(tmp_path: Path, text: str, why: str) -> None:
    found, program, _ = squashed(tmp_path, "op.create_collection('p')", text)
    assert program.down is None
    assert why in (found.irreversible or "")


def test_a_squash_of_a_squash_keeps_what_it_keeps(tmp_path: Path) -> None:
    _, before, _ = squashed(tmp_path, "op.create_collection('p')", "op.unset_field('p', 'a')")
    for name in ("r1", "r2"):
        (tmp_path / f"{name}.py").unlink()
    (tmp_path / "r3.py").write_text(f"{HEAD}revision, down_revision = 'r3', 's'\ndef up():\n    pass{DOWN}")
    project = Project(Settings(tmp_path / "pyproject.toml", Section(folder=".")), Graph(read_folder(tmp_path)))
    _, found = project.squash("s:r3", None, revision="t")
    program = prepare(found.revision)
    assert (found.kept, program.up, program.down) == (("s",), before.up, before.down)


@pytest.mark.parametrize("line", ["from os import *", "def f():\n    global x\n    x = 1"])
def test_a_file_that_cannot_be_a_function_is_named(tmp_path: Path, line: str) -> None:
    write(tmp_path, "pass", f"{line}\ndef up():\n    pass{DOWN}")
    project = Project(Settings(tmp_path / "pyproject.toml", Section(folder=".")), Graph(read_folder(tmp_path)))
    with pytest.raises(SquashImpossible, match=r"r2\.py:\d+: .*cannot be kept in a squash"):
        project.squash("r1:r2", None, revision=None)


def test_a_template_without_a_place_for_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / TEMPLATE_NAME).write_text(TEMPLATE.replace("$replaces", ""))
    with pytest.raises(TemplateWrong, match=r"must contain \$replaces"):
        squashed(tmp_path, "pass", "pass")


def test_revisions_that_were_given_as_values_have_no_place_for_a_file() -> None:
    assert "Give the folder instead" in str(NoFolder())
