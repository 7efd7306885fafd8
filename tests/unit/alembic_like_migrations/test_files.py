import sys
from pathlib import Path

import pytest

from boundwork.alembic_like_migrations import Revision, RevisionUnreadable, read_folder
from boundwork.alembic_like_migrations.files import read_source

HERE = Path("migrations/a.py")


def read(text: str) -> Revision:
    return read_source(text, HERE)


def refusal(text: str) -> str:
    with pytest.raises(RevisionUnreadable) as caught:
        read(text)
    return str(caught.value)


def test_a_file_says_its_id_its_parent_its_phase_and_its_message() -> None:
    found = read(
        '"""Split name.\n\n    In two fields.\n    """\nrevision = "b2"\ndown_revision = "a1"\nphase = "expand"\n'
    )
    assert (found.revision, found.down_revisions, found.phase) == ("b2", ("a1",), "expand")
    assert (found.title, found.message) == ("Split name.", "Split name.\n\nIn two fields.")
    assert (found.path, found.checksum[:3]) == (HERE, "v1:")


@pytest.mark.parametrize(
    ("text", "parents"),
    [
        ("revision = 'b2'\ndown_revision = None", ()),
        ("revision = 'b2'\ndown_revision = ('a1', 'c3')", ("a1", "c3")),
        ("revision: str = 'b2'\ndown_revision: str | None = 'a1'", ("a1",)),
        ("revision, down_revision = 'b2', 'a1'", ("a1",)),
        ("down_revision, revision = None, 'b2'", ()),
        ("other = revision = 'b2'\ndown_revision = None\nphase = None", ()),
    ],
)
def test_literals_may_be_written_in_every_plain_way(text: str, parents: tuple[str, ...]) -> None:
    found = read(text)
    assert (found.revision, found.down_revisions, found.phase, found.message) == ("b2", parents, None, "")


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        ("revision = 'b' + '2'\ndown_revision = None", 1, "not computed"),
        ("revision = f'b2'\ndown_revision = None", 1, "not computed"),
        ("revision = 12\ndown_revision = None", 1, "an id in quotes"),
        ("\n\nrevision = 'b-2'\ndown_revision = None", 3, "letters, digits and underscores"),
        ("revision = 'head'\ndown_revision = None", 1, "a word of the command line"),
        ("revision = 'b2'\ndown_revision = latest()", 2, "a tuple of ids"),
        ("revision = 'b2'\ndown_revision = ['a1']", 2, "a tuple of ids"),
        ("revision = 'b2'\ndown_revision = ('a1', *others)", 2, "not computed"),
        ("revision = 'b2'\ndown_revision = ()", 2, "Write None"),
        ("revision = 'b2'\ndown_revision = ('a1', 'a1')", 2, "the same parent twice"),
        ("revision = 'b2'\ndown_revision = None\nphase = 'shrink'", 3, '"expand", "contract" or None'),
        ("revision = 'b2'\ndown_revision = None\nphase = ['expand']", 3, "written as it is"),
        ("revision = 'b2'\ndown_revision = None\nrevision = 'c3'", 3, "assigned once"),
        ("revision = 'b2'\ndown_revision = None\nif True:\n    phase = 'expand'", 4, "at the top level"),
        ("revision = 'b2'\ndown_revision = None\nfor revision in 'cd': pass", 3, "assigned once"),
        ("revision = 'b2'\ndown_revision = None\nfrom shop import revision", 3, "never bound again"),
        ("revision = 'b2'\ndown_revision = None\ndef revision(): ...", 3, "never bound again"),
        ("revision = 'b2'\ndown_revision = None\ndef up():\n    global phase\n    phase = 'x'", 4, "never bound again"),
        ("revision = 'b2'\ndown_revision = None\ndel revision", 3, "never bound again"),
        ("revision = 'b2'\ndown_revision = None\ndown_revision += ('a1',)", 3, "assigned once"),
        ("revision, down_revision = pair()", 1, "at the top level"),
        ("def up(:", 1, "is not Python"),
    ],
)
def test_what_only_running_would_tell_is_refused_with_file_and_line(text: str, line: int, why: str) -> None:
    said = refusal(text)
    assert said.startswith(f"{HERE}:{line}: ")
    assert why in said


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("down_revision = None", "does not say `revision = ...`"),
        ("revision = 'b2'", "does not say `down_revision = ...`. Write None"),
        ("revision = 'b2'\0", "is not Python"),
    ],
)
def test_what_is_missing_is_named_with_its_file(text: str, why: str) -> None:
    assert why in refusal(text)


def test_names_inside_of_functions_and_classes_are_their_own() -> None:
    found = read(
        "revision, down_revision = 'b2', None\n"
        "def up():\n    revision = 1\n    return lambda phase: phase\nclass Step:\n    phase = 2\n"
    )
    assert (found.revision, found.phase) == ("b2", None)


def test_listing_never_executes_a_file(tmp_path: Path) -> None:
    trace = tmp_path / "it_ran"
    (tmp_path / "a.py").write_text(
        f"from pathlib import Path\nPath({str(trace)!r}).touch()\nimport no_such_module_anywhere\n"
        "raise SystemExit('it ran')\nrevision, down_revision = 'a1', None\n"
    )
    before = set(sys.modules)
    assert [one.revision for one in read_folder(tmp_path)] == ["a1"]
    assert not trace.exists()
    assert {name for name in set(sys.modules) - before if "migration" in name or name == "a"} == set()
    assert [path.name for path in tmp_path.iterdir()] == ["a.py"]


def test_files_are_read_in_the_order_of_their_names_and_those_with_an_underscore_are_none(tmp_path: Path) -> None:
    for name, revision in (("2.py", "b2"), ("1.py", "c3"), ("__init__.py", ""), ("_shared.py", ""), ("note.txt", "")):
        (tmp_path / name).write_text(f"revision = {revision!r}\ndown_revision = None\n")
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "3.py").write_text("revision = 'd4'\ndown_revision = None\n")
    assert [one.revision for one in read_folder(tmp_path)] == ["c3", "b2"]


def test_a_file_may_have_another_encoding_if_it_says_so(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_bytes(
        '# -*- coding: latin-1 -*-\n"""für"""\nrevision, down_revision = "a", None'.encode("latin-1")
    )
    assert read_folder(tmp_path)[0].message == "für"


def test_a_folder_that_is_not_there_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(RevisionUnreadable, match="boundwork migrate init"):
        read_folder(tmp_path / "nowhere")


def test_an_odd_escape_in_a_file_is_no_warning_of_the_listing() -> None:
    assert read("revision, down_revision = 'a', None\nx = '\\d'").revision == "a"
