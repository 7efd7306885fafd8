from datetime import UTC, datetime
from pathlib import Path

import pytest

from boundwork.alembic_like_migrations import RevisionExists, TemplateWrong, read_folder
from boundwork.alembic_like_migrations.drafts import Draft
from boundwork.alembic_like_migrations.settings import Section, Settings
from boundwork.alembic_like_migrations.writing import TEMPLATE_NAME, file_name, slug, write_revision, write_template

MADE = datetime(2026, 11, 23, 7, 30, tzinfo=UTC)


def draft(message: str = "split name", *parents: str) -> Draft:
    return Draft("b2b2", parents, message, MADE, "expand")


@pytest.fixture
def project(tmp_path: Path) -> Settings:
    write_template(tmp_path / "migrations")
    return Settings(tmp_path / "pyproject.toml", Section())


def with_file_name(project: Settings, name: str) -> Settings:
    return Settings(project.file, Section(file_name=name))


@pytest.mark.parametrize("parents", [(), ("a1",), ("a1", "c3")])
def test_what_is_written_is_what_is_read(project: Settings, parents: tuple[str, ...]) -> None:
    written = write_revision(project, draft("Split name", *parents))
    assert read_folder(project.folder) == (written,)
    assert (written.revision, written.down_revisions, written.phase) == ("b2b2", parents, "expand")
    assert (written.title, written.path) == ("Split name", project.folder / "20261123_split_name_b2b2.py")


def test_the_date_and_the_message_in_the_docstring_are_no_part_of_the_checksum(project: Settings) -> None:
    first = write_revision(project, draft("one"))
    second = write_revision(project, Draft("b2b2", (), "two", MADE.replace(year=2027), "expand"))
    assert first.checksum == second.checksum


@pytest.mark.parametrize(
    "message",
    ['"', '""""', "\\", 'a\\"', '\\"""', "$message", "'''", "{x}", "\\N{DASH}", "\x00", "\ud800", "eins\nzwei"],
)
def test_a_message_with_quotes_and_escapes_comes_back_as_it_was(project: Settings, message: str) -> None:
    template = '"""$message"""\nrevision = $revision\ndown_revision = $down_revision\nphase = $phase\n'
    (project.folder / TEMPLATE_NAME).write_text(template)
    assert write_revision(project, draft(message)).message == message


def test_the_template_of_the_user_is_used_and_the_built_in_one_without_it(project: Settings) -> None:
    template = project.folder / TEMPLATE_NAME
    template.write_text(template.read_text() + "\n# costs $$5 each\n")
    changed = write_revision(project, draft())
    assert changed.path is not None
    assert changed.path.read_text().endswith("# costs $5 each\n")
    template.unlink()
    assert write_revision(project, Draft("c3c3", ("b2b2",), "next", MADE)).down_revisions == ("b2b2",)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("revision = $rev", r"\$rev, which nobody fills in. There are \$message"),
        ("revision = $", "A dollar sign is written"),
        ("revision = $revision", "does not say `down_revision"),
        ("revision = $revision\ndown_revision = None\nphase = $phase", "must contain"),
        ('revision = "always"\ndown_revision = $down_revision\nphase = $phase', "must contain"),
        ("revision = $revision\ndown_revision = $down_revision", "must contain"),
        ("revision = = $revision", "is not Python"),
    ],
)
def test_a_template_that_makes_no_revision_is_named_and_leaves_no_file(project: Settings, text: str, why: str) -> None:
    (project.folder / TEMPLATE_NAME).write_text(text)
    with pytest.raises(TemplateWrong, match=why) as caught:
        write_revision(project, draft("x", "a1"))
    assert str(project.folder / TEMPLATE_NAME) in str(caught.value)
    assert list(project.folder.glob("*.py")) == []


def test_a_template_that_is_there_is_left_as_it_is(project: Settings) -> None:
    (project.folder / TEMPLATE_NAME).write_text("mine")
    assert write_template(project.folder).read_text() == "mine"


def test_a_file_that_is_there_is_left_as_it_is(project: Settings) -> None:
    named = with_file_name(project, "always")
    path = write_revision(named, draft()).path
    assert path is not None
    before = path.read_bytes()
    with pytest.raises(RevisionExists, match=r"always\.py is there already"):
        write_revision(named, draft("another"))
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("template", "name"),
    [
        ("${date}_${slug}_${id}", "20261123_split_name_b2b2.py"),
        ("${id}-${time}", "b2b2-073000.py"),
        ("$slug", "split_name.py"),
    ],
)
def test_files_are_named_by_a_template(project: Settings, template: str, name: str) -> None:
    assert file_name(with_file_name(project, template), draft()) == name


@pytest.mark.parametrize(
    "template", ["${date}_${what}", "$date_$slug", "../${id}", "_${id}", ".${id}", "a\\${id}", "$"]
)
def test_a_template_that_makes_no_name_of_a_revision_file_is_refused(project: Settings, template: str) -> None:
    with pytest.raises(TemplateWrong, match=r"pyproject\.toml: file_name"):
        file_name(with_file_name(project, template), draft())


@pytest.mark.parametrize(
    ("message", "short"),
    [
        ("Add index on e-mail!", "add_index_on_e_mail"),
        ("Größe ändern", "groe_andern"),
        ("名前", "revision"),
        ("a" * 60, "a" * 40),
        ("many words that go on and on until nobody reads them", "many_words_that_go_on_and_on_until"),
    ],
)
def test_a_slug_is_the_first_words_in_plain_letters(message: str, short: str) -> None:
    assert slug(message) == short
